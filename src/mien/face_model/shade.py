"""What a pixel of the drawn face is made of: how much of the photograph, in which light, and what
is painted over it - closed lids, uncovered eyes, the mouth's inside, lashes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float
from mien.face_model.eyes import fixed_point, polygon
from mien.face_model.frame import FLAT, LIDS, SOURCE_SIZE, Frame, resized
from mien.face_model.inside import View
from mien.face_model.lashes import Look, smoothed
from mien.face_model.layers import ALL, Layers
from mien.face_model.lip_rim import Edge
from mien.face_model.mesh import (
    EYE,
    EYE_LAYER,
    FACE,
    SIDES,
    SKIN_LAYER,
    SOCKET_LAYER,
)
from mien.face_model.sampling import channels, merged, tripled
from mien.face_model.skin import Skin

SOCKET_SHADE = 0.9
"""The rim between lid and eyeball lies in the lid's shadow."""
LID_SHADE, LID_SHADE_REACH = 0.3, 0.09
"""How much darker the newly uncovered eye is at the lids' edge, and how far in, cm."""
FALLEN = 1.5
"""A lid throws its whole shadow on the eye at 1 / this of a blink."""
WIDE = 0.35
"""... and a lid that is raised as far as can be, this part of it: what it uncovers is shaded along
its edge already."""
STRANGE = 24.0
"""Difference of colour, of 255, from which on a pixel does not come from the photograph."""
OWN_MOUTH_SPAN = 0.25
"""Change of the lip gap, cm, over which the photograph's own mouth gives way to its teeth alone."""
OTHERS_SPAN = (0.12, 0.06)
"""The same where another's teeth take their place: gone at the first, whole up to the second."""
SLIT = np.float32(4)
"""The inside shows wholly once the mouth is open by 1 / this."""
ROLLS, ROLL_SHADE, ROLL_SPAN = 0.06, 0.22, 0.5
"""Over what distance, cm, lips bend into an opened mouth, how much darker they are at its edge, and
the change of the lip gap, cm, after which a mouth that the photograph shows open has that anew."""
LIPS_STAY = 0.01
"""How far, 0..1, lips may be from what the photograph shows and still be shown as there."""
LASHES_GONE = 2.2
"""Lashes that stand over the lid are gone at 1 / this of a blink."""
TORN = 2.0
"""Distance, px of the crop, between the places of neighbours from which on the flow is torn."""
PALEST = 0.004
"""Log-change of a colour that nobody sees: a level of 255."""
SHUT = 0.9
"""How far a lid must come down until no eye is seen."""
RISEN_EDGE, RISEN_WIDTH = 0.85, 0.06
"""How dark the edge of a risen lid is, where its lashes stand, and how wide, cm."""


def shade(skin: Skin, frame: Frame, wrinkle_map: Float | None) -> Layers:
    """The layers of a window; `wrinkle_map` (S, S), if any, is the log-brightness of creases in the
    crop."""
    layers = Layers.of(frame)
    _second_texture(skin, frame, layers)
    _lips(skin, frame, layers)
    _eyes(skin, frame, layers)
    _mouth(skin, frame, layers)
    look = Look(skin.eyes.lash, skin.eyes.blur, skin.inside.tones.shading)
    for side in SIDES:
        line = frame.points[skin.model.lash_lines[side]]
        skin.lashes.draw(frame, line, side, layers, look)
        _lid_edge(skin, frame, side, layers)
    _closed_lips(skin, frame, layers)
    layers.dim(frame.layer == SOCKET_LAYER, SOCKET_SHADE)
    if wrinkle_map is not None:
        x, y = frame.source
        seen = cv2.remap(wrinkle_map, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        creased = (seen != 0) & (frame.layer == SKIN_LAYER)
        layers.dim(creased, np.exp(seen[creased]))
        _warm(skin, frame, np.where(creased, seen, 0), layers)
    return layers


def _warm(skin: Skin, frame: Frame, folded: Float, layers: Layers) -> None:
    """Give folds of log-brightness `folded` (H, W) the hue of shaded skin."""
    hue = skin.inside.tones.shading
    seen = np.abs(hue).max()
    where = np.abs(folded) > (PALEST / seen if seen else np.inf)
    part = _window(where)
    if part is None:
        return
    shade = np.where(where[part], folded[part], np.float32(0))
    shown = skin.map(skin.photo, frame.source[:, *part])
    layers.tint(part, [1 + shade * one for one in hue], shown)


def mend(skin: Skin, frame: Frame, layers: Layers) -> None:
    """Paint what lies along a tear of the flow, where neighbours come from places apart, as between
    lips that are rolled in: the mean of their places is a place between, with what is there.

    Averaging and enlarging the fields takes that mean over a pixel of the result and the next one.
    """
    fine = frame.window.fine
    torn = np.zeros(frame.window.shape, bool)
    for axis, places in product((0, 1), frame.source):
        jump = np.abs(np.diff(places, axis=axis)) > TORN
        for side in (slice(None, -1), slice(1, None)):
            torn[(side, ALL[1]) if axis == 0 else (ALL[0], side)] |= jump
    part = _window(torn, 2 * fine + 1)
    if part is None:
        return
    reach = np.ones((4 * fine + 1, 4 * fine + 1), np.uint8)
    near = cv2.dilate(torn[part].astype(np.uint8), reach) > 0
    shown = np.where(near, layers.keep[part] * layers.gain[part], np.float32(0))
    layers.paint[part] += tripled(shown) * skin.map(skin.photo, frame.source[:, *part])
    layers.keep[part] *= ~near


def mouth_mask(shape: tuple[int, ...], landmarks: Double, closed: bool) -> Float:
    """The inside of a photograph's own mouth (H, W), 0 or 1."""
    if closed:
        return np.zeros(shape, np.float32)
    return polygon(shape, landmarks[60:68]).astype(np.float32)


def _window(mask: Bool, margin: int = 0) -> tuple[slice, slice] | None:
    """Bounding box of a mask (H, W), wider by `margin` px; None if it is empty."""
    found = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(found[0]):
        return None
    ys, xs = (
        slice(max(0, int(at[0]) - margin), min(n, int(at[-1]) + 1 + margin))
        for at, n in zip(found, mask.shape, strict=True)
    )
    return ys, xs


def _second_texture(skin: Skin, frame: Frame, layers: Layers) -> None:
    """Blend the closed lids over the photograph.

    As far as both agree the photograph shows: there the flow does find its colour.
    """
    blend, strange = _closing(skin, frame)
    mask = blend > 0.003
    part = _window(mask)
    if part is None:
        return
    mask = mask[part]
    full = np.zeros(blend.shape, bool)
    full[part] = mask
    full &= frame.raster.index >= 0
    places = _filled(0, full[part], frame.spread(LIDS, full))
    mask = full[part]
    light = tripled(frame.light[part])
    seen = skin.map(skin.photo, frame.source[:, *part]) * light
    other = (
        skin.map(skin.photo, places) + skin.map(skin.eyes.lids, places, skin.eyes.corner)
    ) * light
    change = (other - seen) * tripled(np.asarray(blend[part] * mask, np.float32))
    first, second, third = channels(np.abs(change))
    most = np.maximum(np.maximum(first, second), third)
    differs = most / np.float32(STRANGE)
    if strange is not None:
        differs = np.maximum(differs, strange[part])
    keep = np.asarray(1 - np.clip(differs, 0, 1), np.float32)
    layers.keep[part] = keep
    layers.paint[part] = seen * tripled(1 - keep) + change


def _lips(skin: Skin, frame: Frame, layers: Layers) -> None:
    """Blend lips over the photograph's, as far as they are no longer these."""
    if frame.scene.lips < LIPS_STAY:
        return
    at = frame.scene.attributes[: FACE.stop, FLAT]
    inside = ((at > 0) & (at < skin.lips.shape[::-1])).all(1)
    points = frame.points[: FACE.stop][inside]
    low = np.maximum(np.floor(points.min(0)).astype(int) - 1, 0)
    high = np.maximum(np.ceil(points.max(0)).astype(int) + 2, 0)
    part = slice(low[1], high[1]), slice(low[0], high[0])
    mask = np.zeros(frame.layer.shape, bool)
    mask[part] = frame.layer[part] == SKIN_LAYER
    if not mask.any():
        return
    places = _filled(-9, mask[part], frame.spread(FLAT, mask))
    scene = frame.scene
    lips = skin.lips.at(places, frame.unit, scene.dropped, scene.relaxed) * np.float32(scene.lips)
    colour = np.asarray(cv2.cvtColor(lips, cv2.COLOR_RGBA2RGB), np.float32)
    left = 1 - np.asarray(cv2.extractChannel(lips, 3), np.float32)
    layers.keep[part] *= left
    colour *= tripled(frame.light[part])
    colour += layers.paint[part] * tripled(left)
    layers.paint[part] = colour


def _filled(elsewhere: float, where: Bool, values: Float) -> Float:
    """Fields (C, h, w) with `values` (P, C) at the pixels of a mask (h, w) of P ones."""
    out = np.full((values.shape[1], *where.shape), elsewhere, np.float32)
    for field, channel in zip(out, values.T, strict=True):
        np.place(field, where, channel)
    return out


def _closing(skin: Skin, frame: Frame) -> tuple[Float, Float | None]:
    """How much (H, W) of the second texture shows: what the mesh says, and where lashes stand out
    over skin that a closing lid does not move; and the latter alone, if any, which must leave
    nothing of the photograph, for what is enlarged has no lashes to take away from it."""
    over: Float | None = None
    for side in SIDES:
        shut = min(1.0, LASHES_GONE * frame.scene.blink[side])
        if shut > 0.05:
            cover = skin.spot(skin.eyes.covers[side], frame.source, skin.eyes.corner)
            cover *= np.float32(shut)
            over = cover if over is None else np.maximum(over, cover)
    if over is None:
        return frame.blend, None
    over *= frame.layer == SKIN_LAYER
    return np.maximum(frame.blend, over), over


def _eyes(skin: Skin, frame: Frame, layers: Layers) -> None:
    """Eyeballs, completed; lids that rise or fall throw their shadow on them."""
    ball = frame.layer == EYE_LAYER
    part = _window(ball)
    if part is None:
        return
    at = frame.source[:, ball].T
    first = frame.raster.triangles[frame.raster.index[ball], 0]
    left = first < EYE["L"].stop
    stirred = np.where(left, *(np.float32(frame.scene.stirred[side]) for side in ("L", "R")))
    eyes = skin.eyes
    kept, hidden = (skin.at(part, at, eyes.corner) for part in (eyes.kept, eyes.hidden))
    light = np.ones(len(kept), np.float32)
    near = [max(WIDE * frame.scene.wide, FALLEN * frame.scene.blink[s]) for s in ("L", "R")]
    if max(near) > 0.05:
        lid = np.where(left, *(np.float32(min(1.0, part)) for part in near))
        ys, xs = np.nonzero(ball)
        top = np.full(ball.shape[1], ball.shape[0])
        np.minimum.at(top, xs, ys)
        below = (ys - top[xs]) / (0.32 * frame.unit)  # the shadow reaches a third of a centimetre
        light *= (1 - lid * 0.38 * np.exp(-below * below)).astype(np.float32)
    # What a lid uncovers lies in its shade; what the photograph shows is shaded already.
    shown = np.pad(ball[part].astype(np.float32), 1)
    reach = LID_SHADE_REACH * frame.unit
    edge = cv2.GaussianBlur(shown, (0, 0), reach, borderType=cv2.BORDER_REPLICATE)
    edge = edge[1:-1, 1:-1][ball[part]]
    light *= 1 - LID_SHADE * (1 - kept) * np.clip(2 - 2 * edge, 0, 1)
    layers.keep[ball] = 1 - stirred * (1 - kept)
    layers.gain[ball] *= 1 + stirred * (light - 1)
    layers.paint[ball] = hidden * (light * stirred)[:, None]
    _shut(skin, frame, left, layers)


def _shut(skin: Skin, frame: Frame, left: Bool, layers: Layers) -> None:
    """What is left open of the eyeballs' pixels (P,), `left` or right, between closed lids is
    skin."""
    sides = ((frame.scene.blink[side] - SHUT) / (1 - SHUT) for side in ("L", "R"))
    shut = np.where(left, *(np.float32(np.clip(part, 0, 1)) for part in sides))
    if not shut.any():
        return
    ball = frame.layer == EYE_LAYER
    layers.keep[ball] *= 1 - shut
    layers.paint[ball] *= (1 - shut)[:, None]
    at = frame.source[:, ball].T
    lids = skin.at(skin.photo, at) + skin.at(skin.eyes.lids, at, skin.eyes.corner)
    layers.paint[ball] += lids * shut[:, None]


def _mouth(skin: Skin, frame: Frame, layers: Layers) -> None:
    """The mouth's inside: real teeth in front of the drawn rest, the photograph's own where
    known; its rim lies softly over the lips."""
    if frame.scene.lips < LIPS_STAY and not skin.mouth.shown:
        return  # the line between shut lips is the photograph's
    room = max(skin.inside.rim.reach(frame.unit), round(2 * ROLLS * frame.unit))
    part = _window(frame.mouth, room)
    if part is None:
        return
    mask, opened = frame.mouth[part], np.float32(frame.scene.opened)
    edge = skin.inside.rim(mask, frame.unit)
    _roll(skin, frame, layers, part, edge)
    corner = (part[1].start, part[0].start)
    colour = skin.inside(View(mask, frame.points, corner, frame.unit))
    colour = colour * opened + skin.mouth.line * (1 - opened)
    soft = edge.inside * min(np.float32(1), opened * SLIT)  # between closed lips there is no inside
    own = np.zeros(mask.shape, np.float32)
    own[mask] = _own_share(skin, frame)
    (near,) = _masked_blur([own], mask, 1.5 * frame.window.scale)
    around = layers.image(skin.map(skin.photo, frame.source[:, *part]), part)
    lips = merged(_masked_blur(channels(around), ~mask, max(0.5 * frame.window.scale, 1.0)))
    kept = np.where(mask, own, near)  # what shows beside the rim goes on past it
    shown = np.where(mask, kept, 1 - soft * (1 - kept))
    under = tripled(np.where(mask, 1 - soft, np.float32(0))) * lips
    under += tripled(soft) * colour
    under *= tripled(1 - kept)
    layers.keep[part] *= shown
    layers.paint[part] = layers.paint[part] * tripled(shown) + under


def _roll(skin: Skin, frame: Frame, layers: Layers, part: tuple[slice, slice], edge: Edge) -> None:
    """Shade the lips of a part where they bend into an opened mouth and fold in its corners, and
    wet their `edge`, as far as they are another mouth's than the photograph's, which has all
    that."""
    more = abs(frame.scene.gap_change) / ROLL_SPAN if skin.mouth.shown else 1.0
    share = np.float32(frame.scene.opened * min(1.0, more))
    if share <= 0:
        return
    mask = frame.mouth[part]
    near = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(ROLLS * frame.unit, 0.5))
    light = np.where(mask, np.float32(1), 1 - np.float32(2 * ROLL_SHADE) * share * near)
    light *= 1 - share * edge.fold
    layers.gain[part] *= light
    layers.paint[part] *= tripled(light)
    shine = np.where(mask, np.float32(0), share * edge.shine)
    layers.over(part, shine, skin.inside.tones.white)


def _own_share(skin: Skin, frame: Frame) -> Float:
    """How much of the photograph shows, at each pixel of the mouth's inside (M,)."""
    if not skin.mouth.shown:
        return np.zeros(int(frame.mouth.sum()), np.float32)
    at = frame.source[:, frame.mouth].T
    changed = abs(frame.scene.gap_change)
    same = np.float32(1 - min(1.0, changed / OWN_MOUTH_SPAN))
    if skin.inside.is_own:  # the same teeth, in their place: only what is as it was needs no paint
        scene = frame.scene
        mesh = resized(scene.points, SOURCE_SIZE, len(skin.photo))
        same *= skin.inside.still(mesh, 1.0, scene.unit * skin.fine)
    else:  # two people's teeth, one before the other, for as short as can be
        none, all_of_it = OTHERS_SPAN
        same = np.float32(np.clip((none - changed) / (none - all_of_it), 0, 1))
    return np.asarray(skin.at(skin.mouth.whole, at, skin.mouth.corner) * same, np.float32)


def _masked_blur(fields: Sequence[Float], mask: Bool, sigma: float) -> list[Float]:
    """Gaussian means of fields (H, W) over `mask` (H, W) only."""
    k = mask.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(k, (0, 0), sigma), np.float32(1e-3))
    blurred = (cv2.GaussianBlur(field * k, (0, 0), sigma) for field in fields)
    return [np.asarray(one / share, np.float32) for one in blurred]


def _lid_edge(skin: Skin, frame: Frame, side: str, layers: Layers) -> None:
    """The dark edge of a lid that rises: most of the photograph's lies on the eye, and stays."""
    strength = min(1.0, frame.scene.wide) * frame.scene.stirred[side] * RISEN_EDGE
    if strength <= 0.05:
        return
    line = smoothed(frame.points[skin.model.lash_lines[side]])[1:-2]
    _ink(layers, line, RISEN_WIDTH * frame.unit, strength, skin.eyes.lash)


def _closed_lips(skin: Skin, frame: Frame, layers: Layers) -> None:
    """The dark line where the lips meet: on a mouth that the photograph shows open, and on lips
    that are pressed, which hide the photograph's own."""
    scene = frame.scene
    anew = max(min(1.0, -scene.gap_change / OWN_MOUTH_SPAN), scene.pressed)
    strength = anew * (1 - scene.opened)
    if strength > 0.05:
        skin.line.draw(skin.model, frame, layers, strength)


def _ink(layers: Layers, line: Float, width: float, strength: float, colour: Float) -> None:
    """Draw a soft line of `width` px through points (N, 2) raster px, fading at both ends."""
    height, across = layers.keep.shape
    soft = max(0.9, 0.35 * width)
    room = 3 * soft + width + 1
    low = np.maximum(np.floor(line.min(0) - room).astype(int), 0)
    high = np.minimum(np.ceil(line.max(0) + room).astype(int) + 1, (across, height))
    if (high <= low).any():
        return
    ink = np.zeros((high - low)[::-1], np.float32)
    thick = max(1, round(width))
    cv2.polylines(ink, [fixed_point(line - low)], False, (1.0,), thick, cv2.LINE_8, 4)
    middle, half = (line[0, 0] + line[-1, 0]) / 2 - low[0], max(abs(np.ptp(line[:, 0])) / 2, 1)
    aside = np.abs(np.arange(ink.shape[1], dtype=np.float32) - middle) / half
    fade = np.clip((1.08 - aside) / 0.45, 0, 1) * np.float32(strength)
    cover = cv2.GaussianBlur(ink, (0, 0), soft) * fade
    layers.over((slice(low[1], high[1]), slice(low[0], high[0])), cover, colour)

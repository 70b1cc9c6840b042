"""The colour of every raster pixel: skin from the photograph, lids, eyes, the mouth's inside,
lashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mien.face_model.inside import Mouth, View
from mien.rig.arrays import Bool, Double, Float, Int, Layer, UInt8
from mien.rig.eyes import EyeTextures, fixed_point, polygon
from mien.rig.mesh import (
    EYE_LAYER,
    GUM_LAYER,
    MOUTH_LAYER,
    SIDES,
    SOCKET_LAYER,
    TEETH_LAYER,
    FaceModel,
)
from mien.rig.mouth import OwnMouth
from mien.rig.sampling import sample

SOCKET_SHADE = 0.9
"""The rim between lid and eyeball lies in the lid's shadow."""
LID_SHADE, LID_SHADE_REACH = 0.45, 0.09
"""How much darker the newly uncovered eye is at the lids' edge, and how far in, cm."""
LASH_WIDTH = 0.1
"""Width of the line of lashes, cm."""
STRANGE = 24.0
"""Difference of colour, of 255, from which on a pixel does not come from the photograph."""
OWN_MOUTH_SPAN = 0.25
"""Change of the lip gap, cm, over which the photograph's own mouth gives way to its teeth alone."""


@dataclass(frozen=True)
class Skin:
    """What a photograph lends its renders."""

    model: FaceModel
    crop: UInt8
    eyes: EyeTextures
    second: Float  # (H, W, 3), lids closed, no line between the lips
    mouth: OwnMouth
    real: Mouth  # the inside of the mouth


@dataclass(frozen=True)
class Frame:
    """A raster of side H before colouring.

    attributes (H, H, 9) as `render` lays them out; layer (H, H); index (H, H) of triangles (T, 3);
    place (H, H, 2), the crop px that each pixel would show unmoved; points (N, 2) raster px; what
    of the expression matters to colour; scale, raster px per crop px; unit, raster px per cm.
    """

    attributes: Float
    layer: Layer
    index: Int
    triangles: Int
    place: Float
    points: Float
    blink: dict[str, float]
    wide: float
    opened: float
    gap_change: float
    scale: float
    unit: float

    @cached_property
    def source(self) -> Float:
        """Crop px (H, H, 2) that each pixel comes from."""
        return np.ascontiguousarray(self.attributes[..., 0:2])

    @cached_property
    def mouth(self) -> Bool:
        """Inside of the mouth (H, H)."""
        layer = self.layer
        inside: Bool = (layer == MOUTH_LAYER) | (layer == GUM_LAYER) | (layer == TEETH_LAYER)
        return inside

    def flow(self) -> Float:
        """Displacement (H, H, 2) to the source, in crop units."""
        side = len(self.layer) / self.scale
        out: Float = (self.source - self.place) * np.float32(1 / side)
        return out


def shade(skin: Skin, frame: Frame) -> tuple[Float, Float]:
    """Colours (H, H, 3) in 0..255 and how much (H, H) of each comes from the photograph by the
    flow."""
    x, y = frame.source[..., 0], frame.source[..., 1]
    seen = cv2.remap(skin.crop, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    out = seen.astype(np.float32)
    blend = frame.attributes[..., 4]
    visible = np.ones(blend.shape, np.float32)
    _second_texture(skin, frame, blend, out, visible)
    out *= frame.attributes[..., 5:6]
    _eyes(skin, frame, out, visible)
    _mouth(skin, frame, out, visible)
    for side in SIDES:
        _lashes(skin, frame, side, out)
    _closed_lips(skin, frame, out)
    out[frame.layer == SOCKET_LAYER] *= SOCKET_SHADE
    return out, visible


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


def _second_texture(skin: Skin, frame: Frame, blend: Float, out: Float, visible: Float) -> None:
    """Lay the closed lids and the lips without their line over the photograph.

    A pixel stays visible where both agree: there the flow does find its colour.
    """
    window = _window(blend > 0.003)
    if window is None:
        return
    at = frame.attributes[window][..., 2:4]
    x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
    other = cv2.remap(skin.second, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = (other - out[window]) * blend[window][..., None]
    visible[window] = 1 - np.clip(np.abs(change).max(-1) / STRANGE, 0, 1)
    out[window] += change


def _eyes(skin: Skin, frame: Frame, out: Float, visible: Float) -> None:
    """Eyeballs, from the completed eyes; wide lids throw their shadow on them."""
    ball = frame.layer == EYE_LAYER
    if not ball.any():
        return
    at = frame.source[ball]
    colour = sample(skin.eyes.photo, at)
    wide = min(1.0, frame.wide)
    if wide > 0.05:
        ys, xs = np.nonzero(ball)
        top = np.full(len(ball), len(ball))
        np.minimum.at(top, xs, ys)
        below = (ys - top[xs]) / (
            0.32 * frame.unit
        )  # the shadow reaches about a third of a centimetre
        colour *= (1 - wide * 0.38 * np.exp(-below * below))[:, None].astype(np.float32)
    kept = sample(skin.eyes.kept, at)
    # What a lid uncovers lies in its shade; what the photograph shows is shaded already.
    window = _window(ball)
    assert window is not None
    shown = np.pad(ball[window].astype(np.float32), 1)
    reach = LID_SHADE_REACH * frame.unit
    edge = cv2.GaussianBlur(shown, (0, 0), reach, borderType=cv2.BORDER_REPLICATE)
    edge = edge[1:-1, 1:-1][ball[window]]
    colour *= (1 - LID_SHADE * (1 - kept) * np.clip(2 - 2 * edge, 0, 1))[:, None]
    out[ball] = colour
    visible[ball] = kept


def _mouth(skin: Skin, frame: Frame, out: Float, visible: Float) -> None:
    """The mouth's inside: real teeth in front of the drawn rest, the photograph's own where
    known."""
    window = _window(frame.mouth, 2 + round(0.1 * frame.unit))
    if window is None:
        return
    mask, at = frame.mouth[window], frame.attributes[window]
    vertex = frame.triangles[np.maximum(frame.index[window], 0), 0]
    corner = (window[1].start, window[0].start)
    place, light = np.ascontiguousarray(at[..., 6:8]), np.ascontiguousarray(at[..., 8])
    colour, soft = skin.real(View(mask, frame.points, corner, place, light, vertex, frame.unit))
    opened = np.float32(frame.opened)
    colour = colour * opened + skin.mouth.line * (1 - opened)
    own = np.zeros(mask.shape, np.float32)
    own[mask] = _own_share(skin, frame)
    photo, inner = out[window].copy(), mask[..., None]
    near, _ = _masked_blur(np.repeat(own[..., None], 3, -1), mask, 1.5, 1.5)  # past the rim
    lips, _ = _masked_blur(photo, ~mask, 1.0, 1.0)
    kept = np.where(inner, own[..., None], near[..., :1])
    rim = np.where(inner, lips + kept * (photo - lips), photo)
    filled = colour + kept * (photo - colour)
    out[window] = rim + soft[..., None] * (filled - rim)
    drawn = soft * (1 - kept[..., 0])
    visible[window] = np.where(mask, own, visible[window] * (1 - drawn))


def _own_share(skin: Skin, frame: Frame) -> Float:
    """How much of the photograph shows, at each pixel of the mouth's inside (M,)."""
    if not skin.mouth.whole.any():
        return np.zeros(int(frame.mouth.sum()), np.float32)
    at = frame.source[frame.mouth]
    changed = abs(frame.gap_change)
    same = np.float32(1 - min(1.0, changed / OWN_MOUTH_SPAN))
    if skin.real.is_own:  # the same teeth, in their place: only what is as it was needs no drawing
        same *= skin.real.still(frame.points, frame.scale, frame.unit)
        return np.asarray(sample(skin.mouth.whole, at) * same, np.float32)
    share = sample(skin.mouth.whole, at) * same + sample(skin.mouth.teeth, at) * (1 - same)
    # Upper teeth do not move, so the photograph's stay right; the rest only as long as the mouth is
    # as it was.
    layer = frame.layer[frame.mouth]
    first = frame.triangles[frame.index[frame.mouth], 0]
    upper = np.zeros(len(skin.model.neutral), bool)
    upper[skin.model.jaw_parts[0]] = True
    fixed = ((layer == TEETH_LAYER) | (layer == GUM_LAYER)) & upper[first]
    out: Float = share * np.where(fixed, np.float32(1), same)
    return out * np.float32(frame.opened if changed > 0.05 else 1)


def _masked_blur(colour: Float, mask: Bool, sigma_x: float, sigma_y: float) -> tuple[Float, Float]:
    """Gaussian mean (H, W, 3) of `colour` over `mask` (H, W) only, and the blurred mask (H, W)."""
    k = mask.astype(np.float32)
    stacked = np.dstack([colour * k[..., None], k])
    out = np.asarray(cv2.GaussianBlur(stacked, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y), np.float32)
    mean = np.asarray(out[..., :3] / np.maximum(out[..., 3:], 1e-3), np.float32)
    return mean, out[..., 3]


def _lashes(skin: Skin, frame: Frame, side: str, out: Float) -> None:
    """The dark line of a closing lid's lashes."""
    strength = min(1.0, 1.6 * frame.blink[side])
    if strength <= 0.05:
        return
    line = _smoothed(frame.points[skin.model.lash_lines[side]])[1:-2]
    _ink(out, line, max(1, round(LASH_WIDTH * frame.unit)), strength * 0.8, skin.eyes.lash)


def _closed_lips(skin: Skin, frame: Frame, out: Float) -> None:
    """The dark line where the lips meet, on a mouth that the photograph shows open."""
    strength = min(1.0, -frame.gap_change / OWN_MOUTH_SPAN) * (1 - frame.opened)
    if strength <= 0.05:
        return
    x, y = frame.points[skin.model.landmarks[60:65]].T
    along = np.linspace(x[0], x[-1], 33, dtype=np.float32)
    line = np.stack([along, np.interp(along, x, y).astype(np.float32)], 1)
    _ink(out, _smoothed(line), 2, strength * 0.65, skin.mouth.line)


def _smoothed(line: Float) -> Float:
    """Points (N, 2) of a curve, each the mean of seven."""
    padded = np.pad(line, ((3, 3), (0, 0)), mode="edge")
    out = [np.convolve(padded[:, j], np.full(7, 1 / 7), "valid") for j in (0, 1)]
    return np.stack(out, 1).astype(np.float32)


def _ink(out: Float, line: Float, width: int, strength: float, colour: Float) -> None:
    """Draw a soft line through points (N, 2) raster px, fading at both ends."""
    left, top = np.floor(line.min(0) - 8).astype(int)
    right, bottom = np.ceil(line.max(0) + 9).astype(int)
    if left < 0 or top < 0 or right >= len(out) or bottom >= len(out):
        return
    ink = np.zeros((bottom - top, right - left), np.float32)
    cv2.polylines(ink, [fixed_point(line - [left, top])], False, (1.0,), width, cv2.LINE_8, 4)
    middle, half = (line[0, 0] + line[-1, 0]) / 2 - left, max(abs(line[-1, 0] - line[0, 0]) / 2, 1)
    aside = np.abs(np.arange(right - left, dtype=np.float32) - middle) / half
    fade = np.clip((1.08 - aside) / 0.45, 0, 1) * np.float32(strength)
    k = cv2.GaussianBlur(ink, (0, 0), 0.9)[..., None] * fade[:, None]
    window = (slice(top, bottom), slice(left, right))
    out[window] = out[window] * (1 - k) + k * colour

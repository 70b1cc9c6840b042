"""The lips of a photograph as other expressions show them, laid flat.

Closed ones go on where they hid one another, without the line between them. Of parted ones the
photograph shows part: what is seen keeps its colours and, where it is not stretched, its very
pixels; the rest is a donor's lips, carried over by the mesh and toned by what is seen around.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.eyes import disc, polygon, spread
from mien.face_model.lip_chart import DENSITY, LipChart
from mien.face_model.lip_donors import HIDDEN, LipDonor, unfolded
from mien.face_model.mouth import toothlike
from mien.face_model.sampling import LUMA, around, merged, pyramid
from mien.face_model.smoothstep import smoothstep
from mien.face_model.tones import Tones

DARK = np.float32(6)
"""Added before logarithms of colour, of 255: the noise of black says nothing."""
TONE = 0.22
"""Reach, cm, over which a seen colour tones what is not seen beside it."""
RIM = 0.06
"""Width, cm, of what is taken for neither lip nor skin along a border, nor for lip beside teeth."""
TOOTHED = 0.12
"""How far, cm, landmarks may miss the edge of a tooth."""
PIT, PIT_LIGHT = 0.45, 0.5
"""How far, cm, a smile's dark corners reach around those of the landmarks, and their brightness at
most, in units of the lips': they are opening, or lie in its shade."""
MARGIN = (0.12, 0.42)
"""Distance from the lips, cm, up to which the skin around them comes with them, and from which on
it is the photograph's."""
LIPLIKE, HUES = (0.25, 0.6), (0.05, 0.12)
"""Part of the way from the skin's hue to the lower lip's up to which a colour is skin, and from
which on it is lip; difference of the two up to which nothing can be said, and from which on it
can."""
LEAST = np.float32(0.1)
"""How much a colour counts that is seen in a stretched part only: its border's is mixed in."""
STRETCHED = (1.25, 1.7)
"""Stretch of the photograph up to which its own pixels are fine enough, and from which on not."""
CORNER, SMILED, LIFTED = 0.9, 1.3, 0.8
"""How far from a corner of the mouth its shade lies, cm, in a photograph at rest and in a smile's,
which folds beside it, and how much of that goes."""
CONTACT, UNSHADED = (0.12, 0.34), 0.7
"""Distance from where lips meet, cm of the chart, up to which the one shades the other, and from
which on it does not; how much of that shade goes once they are apart."""
MOST_LOST = np.float32(0.6)
"""Most that lips lose so, logs of colour: what is darker is the line between them, or hair."""
LEVELS = 4
SAME_LIPS = (1.0, 3.0)
"""Levels by which closed lips differ from an earlier frame's at most, all together and place by
place, for which they are not read anew: no more than a camera's noise."""


@dataclass(frozen=True)
class Lips:
    """The lips of one photograph, laid flat by `LipChart`.

    levels: (h, w, 4) RGB, 0..255, times coverage, and coverage 0..1: at `DENSITY` px per cm, half
    of it, and so on.
    """

    levels: tuple[Float, ...]
    parted: tuple[Float, ...] = ()
    """The same of what lies in shade while they are closed, at the corners and where they meet,
    without that."""
    corners: tuple[Float, ...] = ()
    """The same of the corners alone."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the chart."""
        height, width = self.levels[0].shape[:2]
        return height, width

    def at(self, places: Float, unit: float, dropped: float = 0.0, relaxed: float = 0.0) -> Float:
        """Colours times coverage, and coverage, (H, W, 4) at places, x and y (2, H, W) px, of the
        chart, for a picture of `unit` px per cm; `dropped`, 0..1: how far they are drawn apart, and
        `relaxed`, 0..1: how far the corners are no longer the photograph's: its smile is let go, or
        its lips are pressed."""
        out = _read(self.levels, places, unit)
        for lit, strength in ((self.corners, relaxed * (1 - dropped)), (self.parted, dropped)):
            if lit and strength > 0:
                over = _read(lit, places, unit) * np.float32(strength)
                left = 1 - np.asarray(cv2.extractChannel(over, 3), np.float32)
                out = over + out * merged([left] * 4)
        return out


def _read(levels: tuple[Float, ...], places: Float, unit: float) -> Float:
    level = int(np.floor(np.log2(max(DENSITY / unit, 1.0)) + 0.35))
    picture = levels[min(level, len(levels) - 1)]
    scale = np.float32(picture.shape[1] / levels[0].shape[1])
    x, y = (places + np.float32(0.5)) * scale - np.float32(0.5)
    seen = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.float32)


def closed_lips(chart: LipChart, photo: Float, points: Float, smiled: bool = False) -> Lips:
    """The lips of a photograph (H, W, 3) that shows them closed, its mesh at `points` (F, 2) px;
    whether they smile there."""
    at = chart.rasterised(points)
    own = _read_at(photo, at)
    lips = unfolded(own, chart)
    beyond = _beyond(chart)
    within = np.clip(-chart.far / HIDDEN, 0, 1)
    corner, near = _corners(chart, SMILED if smiled else CORNER), _contact(chart)
    lit = _without_shade(lips, chart, corner, near)
    return Lips(
        _levels(lips, np.clip(2 - beyond / np.float32(HIDDEN), 0, 1) * within),
        _levels(lit, np.maximum(corner, near * within)),
        _unshaded_corners(lips, chart, SMILED if smiled else CORNER),
    )


def _unshaded_corners(lips: Float, chart: LipChart, reach: float) -> tuple[Float, ...]:
    """Levels of the corners of `lips` (h, w, 3), as far as `reach` cm, without their shade."""
    corner = _corners(chart, reach)
    return _levels(_without_shade(lips, chart, corner, np.zeros_like(corner)), corner)


@lru_cache(4)
def _beyond(chart: LipChart) -> Float:
    """How far (h, w), cm, a place is from where lips part; 0 between them."""
    upper, lower = chart.opening
    rows = np.arange(chart.shape[0], dtype=np.float32)[:, None]
    off = np.maximum(upper - rows, rows - lower) / np.float32(DENSITY)
    return np.asarray(np.maximum(off, 0), np.float32)


@lru_cache(8)
def _corners(chart: LipChart, reach: float) -> Float:
    """How near (h, w) a place is to a corner of the mouth, 0..1: not at all from `reach` cm on."""
    return smoothstep(2 - 2 * chart.aside / reach)


@lru_cache(4)
def _contact(chart: LipChart) -> Float:
    """How near (h, w), 0..1, a place is to the other lip, where lips part."""
    close, far = CONTACT
    return np.asarray(1 - smoothstep((_beyond(chart) - close) / (far - close)), np.float32)


def _without_shade(lips: Float, chart: LipChart, corner: Float, near: Float) -> Float:
    """`lips` (h, w, 3) without the dark of closed corners, which an opening mouth would draw out,
    and without that of one lip on the other; `corner` and `near` (h, w): where they lie, 0..1."""
    size, small = chart.shape[::-1], (chart.shape[1] // 2, chart.shape[0] // 2)
    coarse, at, to, far = (  # shade is smooth
        np.asarray(cv2.resize(one, small, interpolation=cv2.INTER_AREA), np.float32)
        for one in (lips, corner, near, chart.far)
    )
    fine = DENSITY / 2
    soft = np.asarray(cv2.GaussianBlur(coarse, (0, 0), 0.04 * fine), np.float32)
    beside = spread(soft, (at < 0.5).astype(np.float32), 0.3 * fine)
    shade = LIFTED * at[..., None] * np.maximum(np.log((beside + DARK) / (soft + DARK)), 0)
    plain = (to == 0) & (far < -RIM) & (at == 0)
    beyond = spread(soft, plain.astype(np.float32), 0.25 * fine)
    lost = np.clip(np.log((beyond + DARK) / (soft + DARK)), 0, MOST_LOST)
    lost = cv2.GaussianBlur(lost, (0, 0), 0.15 * fine, sigmaY=0.04 * fine)
    shade = shade + UNSHADED * (to * (1 - at))[..., None] * lost
    full = cv2.resize(shade.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray((lips + DARK) * np.exp(full) - DARK, np.float32)


def _read_at(photo: Float, at: Float) -> Float:
    """A photograph (H, W, 3), or a mask (H, W), laid flat: read at `at` (h, w, 2) px."""
    x, y = (np.ascontiguousarray(at[..., i], np.float32) for i in (0, 1))
    out = cv2.remap(photo, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def _levels(colour: Float, cover: Float) -> tuple[Float, ...]:
    """Levels of lips of `colour` (h, w, 3) that hide the photograph as far as `cover` (h, w)."""
    full = np.dstack([np.clip(colour, 0, 255) * cover[..., None], cover]).astype(np.float32)
    return pyramid(full, LEVELS)


def parted_lips(
    chart: LipChart,
    photo: Float,
    landmarks: Double,
    points: Float,
    unit: float,
    donor: LipDonor,
    lip: Float,
    tones: Tones,
) -> Lips:
    """The lips of a photograph (H, W, 3) with landmarks (68, 2) px that shows them parted, its mesh
    at `points` (F, 2) px and `unit` px per cm; `lip` (3,), the colour of the lower one."""
    at = chart.rasterised(points)
    own = _read_at(photo, at)
    fine = _fine_enough(at, unit)
    seen, clear = _seen(chart, photo, landmarks, unit, tones.white, at)
    red = np.where(chart.upper, _liplike(own, lip, tones.skin), np.float32(1))
    seen, clear = seen * red, clear * red
    sure = seen * (LEAST + (1 - LEAST) * fine)
    donated = donor.pixels.astype(np.float32)
    if tones.mono > 0:
        donated = donated + np.float32(tones.mono) * (tones.greyed(donated) - donated)
    off = np.log(own + DARK) - np.log(donated + DARK)
    inside = np.clip(0.5 - chart.far / RIM, 0, 1)
    sigma = TONE * DENSITY
    toned = [spread(off, sure * side, sigma) for side in (inside, 1 - inside)]
    share = inside[..., None]
    colour = (donated + DARK) * np.exp(toned[0] * share + toned[1] * (1 - share)) - DARK
    whole = cv2.GaussianBlur(clear, (0, 0), RIM * DENSITY)
    kept = np.clip(2 * whole - 1, 0, 1) * fine
    close, away = MARGIN
    cover = np.clip((away - chart.far) / (away - close), 0, 1) * (1 - kept)
    corner = _corners(chart, SMILED)
    near = _contact(chart) * np.clip(-chart.far / HIDDEN, 0, 1)
    both = np.asarray(own + cover[..., None] * (colour - own), np.float32)
    lit = _without_shade(both, chart, corner, near)
    return Lips(
        _levels(np.asarray(colour, np.float32), cover),
        _levels(lit, np.maximum(corner, cover * near)),
        _unshaded_corners(both, chart, SMILED),
    )


def _seen(
    chart: LipChart, photo: Float, landmarks: Double, unit: float, white: Float, at: Float
) -> tuple[Float, Float]:
    """How surely (h, w) the photograph shows at `at` (h, w, 2) px what the chart has there, lip or
    skin; and whether (h, w) it shows either, and no teeth."""
    box = around(photo.shape, landmarks[48:68], 3 * RIM * unit)
    corner = np.array([box[1].start, box[0].start])
    lip, skin, clear = (
        _read_at(m, at - corner) for m in _masks(photo[box], landmarks - corner, unit, white)
    )
    height, width = photo[box].shape[:2]
    x, y = (at[..., i] - corner[i] for i in (0, 1))
    beyond = (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)
    inside = chart.far < 0
    alike = np.where(inside, lip * ~beyond, np.where(beyond, 1, skin))
    plain = np.where(beyond, 1, clear)
    shown = chart.shown.astype(np.float32)
    return np.asarray(alike * shown, np.float32), np.asarray(plain * shown, np.float32)


def _masks(photo: Float, landmarks: Double, unit: float, white: Float) -> tuple[Float, ...]:
    """What of a photograph (H, W, 3) is lip, what is skin, and what is no opening (H, W), 0..1; not
    what lies along a border."""
    shape = photo.shape[:2]
    inner, outer = (polygon(shape, landmarks[part]) for part in (slice(60, 68), slice(48, 60)))
    rim = disc(RIM * unit)
    toothed = (toothlike(photo, white) > 0.5) & (outer > 0)
    mouth = _grown(inner, disc(TOOTHED * unit)) & toothed | inner
    within = np.asarray(cv2.erode(outer, rim), np.uint8)
    mouth |= _pits(photo, landmarks, unit, within & (1 - inner))
    none = _grown(mouth, rim)
    lip = within & (1 - none)
    skin = 1 - _grown(outer | mouth, rim)
    return tuple(mask.astype(np.float32) for mask in (lip, skin, 1 - none))


def _pits(photo: Float, landmarks: Double, unit: float, lip: UInt8) -> UInt8:
    """Where (h, w), 0 or 1, a photograph (h, w, 3) is dark around the corners of parted lips, `lip`
    (h, w): landmarks set them too near."""
    light = cv2.GaussianBlur(photo @ LUMA, (0, 0), max(0.02 * unit, 0.5))
    found = light[lip > 0]
    near = np.zeros(photo.shape[:2], np.uint8)
    for corner in (landmarks[[48, 60]], landmarks[[54, 64]]):
        x, y = np.round(corner.mean(0)).astype(int).tolist()
        cv2.circle(near, (x, y), round(PIT * unit), 1, -1)
    if not len(found):
        return near * 0
    return np.asarray((light < PIT_LIGHT * np.median(found)) & (near > 0), np.uint8)


def _grown(mask: UInt8, by: UInt8) -> UInt8:
    return np.asarray(cv2.dilate(mask, by), np.uint8)


def _liplike(own: Float, lip: Float, skin: Float) -> Float:
    """How far (h, w) colours (h, w, 3) are a lip's and not the skin's, as far as the two have a hue
    each. A smile thins the upper lip so that landmarks take skin for it."""
    soft = np.asarray(cv2.GaussianBlur(own, (0, 0), 0.5 * RIM * DENSITY), np.float32)
    seen, red, plain = (_hue(one) for one in (soft, lip, skin))
    difference = red - plain
    size = float(np.linalg.norm(difference))
    share = ((seen - plain) @ difference) / np.float32(max(size * size, 1e-6))
    (none, full), (alike, certain) = LIPLIKE, HUES
    like = np.clip((share - none) / (full - none), 0, 1)
    known = np.float32(np.clip((size - alike) / (certain - alike), 0, 1))
    return np.asarray(1 - known * (1 - like), np.float32)


def _hue(colour: Float) -> Float:
    """Logarithms of colours (..., 3) without their brightness."""
    out = np.log(colour + DARK)
    return np.asarray(out - out.mean(-1, keepdims=True), np.float32)


def _fine_enough(at: Float, unit: float) -> Float:
    """How far (h, w) the photograph, laid flat from `at` (h, w, 2) px at `unit` px per cm, is no
    more stretched than its pixels bear."""
    down = np.linalg.norm(np.gradient(at, axis=0), axis=-1) * np.float32(DENSITY / unit)
    smooth = cv2.GaussianBlur(down.astype(np.float32), (0, 0), 0.1 * DENSITY)
    low, high = STRETCHED
    share = (high - 1 / np.maximum(smooth, 1e-3)) / (high - low)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def alike(before: Float | None, now: Float) -> bool:
    """Whether lips have the same colours (P, 3) at the same places in two frames of a film."""
    if before is None:
        return False
    off = now - before
    tint, far = float(np.abs(off.mean(0)).max()), float(np.abs(off).mean())
    return tint < SAME_LIPS[0] and far < SAME_LIPS[1]

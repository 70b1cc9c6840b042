"""The inside of a person's mouth, known from another photograph of the person.

Two pictures of one mouth are brought together by their lips, where the face model shows what the
other photograph does: from there on what lies between them is carried as rows of teeth are, the
upper part with the skull and the lower one with the jaw. Where the jaw is dropped less or more than
in the photograph, what lies between the rows is drawn together or out, until that says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Real, UInt8
from mien.face_model.cuts import EYES
from mien.face_model.eyes import disc, polygon
from mien.face_model.mouth import cheek_colour, lip_colour
from mien.face_model.problem import ruler
from mien.face_model.sampling import LUMA, around, pyramid, sample
from mien.face_model.tones import Tones, one_hue

LIPS, INNER = slice(48, 68), slice(60, 68)
"""Landmarks of the lips, and of their inner edges alone."""
INSET, EDGE = 0.06, 0.02
"""How far from the landmarks' inner lips what is known begins, cm, where their colour does not
distinguish lips; and half the width of its soft edge."""
MISSED, OUTSIDE = 0.35, 0.08
"""How far within the landmarks' inner lips there may still be lip, cm, and how far beyond them
something else."""
FINE, COLOURED = 12.0, 0.6
"""Px per cm from which on lips are distinguished by their colour, for in small pictures it runs
over the teeth; and which part of the lips must have it."""
NARROW = 0.08
"""Lip-coloured parts that are narrower than this, cm, are gum between teeth."""
RED, LIGHT = (0.5, 0.8), (0.45, 0.65)
"""Redness and lightness, in units of the lips', up to which a pixel is surely none, and from which
on it looks like one."""
SPREAD, BEYOND = 0.1, 0.2
"""What lies beyond is like what lies beside it, over this width, cm; and how far out it is drawn
on."""
SHARPENED, SOFTENED = 0.8, 0.8
"""By how much what a blur of the second, px, takes away is strengthened: as much is lost where the
picture is brought to the crop, drawn, and laid into the photograph."""
LEVELS = 5
"""Sizes in which the picture is kept, each half the one before."""
THIN = 0.06
"""Least gap of the two rows, cm: nearer ones, and rows that overlap, have nothing between them."""
DRAWN_OUT = (1.2, 1.8)
"""How many times as wide as in the photograph what lies between the rows may be, and from when on
the photograph says nothing of it."""
GAIN = (0.4, 2.5)
"""Bounds of the change of light, per channel."""
TINT = (0.04, 0.1)
"""Change of the cheeks' tint, in log units, up to which it is the blood's and not the light's, and
from which on all of it is the light's."""
DETAIL = 0.5
"""Sharpness of the other photograph's face, in units of this one's at its size, below which its
mouth looks worse than a donor's: by eye, on a training person whose smile was made smaller and
blurred."""


@dataclass(frozen=True)
class Opening:
    """What a photograph shows between its lips, cut out of it.

    levels: premultiplied (H, W, 4), 0..255 and 0..1, at full size, half and so on; lips (20, 2),
    landmarks 48 to 67 in px of the first; skin (3,): the colour of the cheeks; mono: 1 where the
    photograph has one hue, 0 where it is in colour; unit: px per cm.
    """

    levels: tuple[Float, ...]
    lips: Double
    skin: Float
    mono: float
    unit: float

    @classmethod
    def of(cls, photo: UInt8, landmarks: Real) -> Opening:
        """Of a photograph (H, W, 3) with landmarks (68, 2) px."""
        between = landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
        unit = float(np.linalg.norm(between)) / EYES
        part = around(photo.shape, landmarks[LIPS].astype(np.float64), (BEYOND + 0.1) * unit)
        picture = _sharpened(photo[part].astype(np.float32))
        lips = np.asarray(landmarks[LIPS] - np.array([part[1].start, part[0].start]), np.float64)
        within = _within(picture.shape[:2], lips, unit)
        sure, lips = _inside(picture, lips, within, unit)
        deep = sure * np.clip(within / SPREAD, 0.05, 1)[..., None] ** 2  # less of the lips' shade
        sums = np.concatenate([picture * deep, deep], -1)
        near = cv2.GaussianBlur(sums, (0, 0), max(SPREAD * unit, 1.0))
        spread = near[..., :3] / np.maximum(near[..., 3:], 1e-6)
        filled = spread + sure * (picture - spread)
        beyond = _away(sure[..., 0] > 0.5) / np.float32(unit)
        cover = np.clip((BEYOND - beyond) / (BEYOND / 2), 0, 1)[..., None] * (near[..., 3:] > 1e-5)
        levels = pyramid(np.asarray(np.dstack([filled * cover, cover]), np.float32), LEVELS)
        whole, points = photo.astype(np.float32), np.asarray(landmarks, np.float64)
        skin, lip = cheek_colour(whole, points), lip_colour(whole, points)
        middle = sums[..., :3].sum((0, 1)) / max(float(deep.sum()), 1e-3)
        return cls(levels, lips, skin, one_hue((skin, lip, middle)), unit)


@dataclass(frozen=True)
class KnownInside:
    """An opening as a mouth of the person shows it.

    upper (7, 2): from places on the flat upper row, cm, to px of the opening; lower (7,): from
    places on the lower one to heights above the upper one's edge.
    """

    opening: Opening
    upper: Double
    lower: Double

    @classmethod
    def carried(cls, opening: Opening, across: Float, above: Float, low: Float) -> KnownInside:
        """Of an opening whose lips a drawn face shows `across` (20,) cm the upper row, `above`
        (20,) cm its edge, and `low` (20,) cm above the lower row's."""
        upper, *_ = np.linalg.lstsq(_terms(across, above), opening.lips, rcond=None)
        lower, *_ = np.linalg.lstsq(_terms(across, low), above.astype(np.float64), rcond=None)
        return cls(opening, np.asarray(upper, np.float64), np.asarray(lower, np.float64))

    def over(self, behind: Float, across: Float, above: Float, low: Float, unit: float) -> Float:
        """The inside (H, W, 3) with what is known over what is drawn `behind` (H, W, 3); pixels lie
        `across` (W,) cm the upper row, `above` (H, W) cm its edge and `low` (H, W) cm above the
        lower row's, in a picture of `unit` px per cm."""
        high, known = self._carried(across, above, low)
        deepest = len(self.opening.levels) - 1
        level = int(np.clip(np.log2(max(self.opening.unit / unit, 1.0)) + 0.35, 0, deepest))
        u, v = (
            (_mapped(self.upper[:, i], across, high) + np.float32(0.5)) / 2**level - np.float32(0.5)
            for i in (0, 1)
        )
        picture = self.opening.levels[level]
        seen = cv2.remap(picture, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
        seen = np.asarray(seen, np.float32) * known[..., None]
        return np.asarray(behind * (1 - seen[..., 3:]) + seen[..., :3], np.float32)

    def _carried(self, across: Float, above: Float, low: Float) -> tuple[Float, Float]:
        """How high above the upper row's edge each pixel (H, W) lies in the photograph, cm, and how
        far it is known."""
        lower = _mapped(self.lower, across, low)
        gap = np.maximum(-_mapped(self.lower, across, np.zeros_like(low[:1])), np.float32(THIN))
        now = np.maximum(low - above, np.float32(1e-3))  # the gap of the rows
        few, most = DRAWN_OUT
        drawn_out = np.clip((most - now / gap) / (most - few), 0, 1)
        covered = np.clip(1 - lower / np.float32(THIN), 0, 1)  # 0: behind the upper row
        up, down = above >= 0, (above < 0) & (low <= 0)
        high = np.select([up, down], [above, lower], above * (gap / now))
        known = np.select([up, down], [np.ones_like(above), covered], drawn_out)
        return high.astype(np.float32), known.astype(np.float32)


def sharp_beside(photo: UInt8, landmarks: Real, own: UInt8, own_landmarks: Real) -> bool:
    """Whether a photograph (H, W, 3) with landmarks (68, 2) px is sharp enough to be drawn in one's
    `own`."""
    size = ruler(own_landmarks)
    return _detail(photo, landmarks, size) > DETAIL * _detail(own, own_landmarks, size)


def _detail(photo: UInt8, landmarks: Real, size: float) -> float:
    """What eyes and nose have of fine detail, in units of what is coarse, where the eyes are `size`
    px apart."""
    scale = size / ruler(landmarks)
    points = np.asarray((landmarks[27:48] + 0.5) * scale - 0.5, np.float64)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grey = cv2.resize(photo.astype(np.float32) @ LUMA, None, fx=scale, fy=scale, interpolation=mode)
    part = grey[around(grey.shape, points, 0)]
    soft = np.asarray(cv2.GaussianBlur(part, (0, 0), 1.0), np.float32)
    coarse = soft - cv2.GaussianBlur(soft, (0, 0), size / 12)
    return float((part - soft).std()) / max(float(coarse.std()), 1e-6)


def _sharpened(picture: Float) -> Float:
    blurred = cv2.GaussianBlur(picture, (0, 0), SOFTENED)
    out = picture + np.float32(SHARPENED) * (picture - blurred)
    return np.asarray(np.clip(out, 0, 255), np.float32)


def _within(shape: tuple[int, ...], lips: Real, unit: float) -> Float:
    """How far within the inner lips each pixel (H, W) lies, cm, by the landmarks (20, 2)."""
    inside = polygon(shape, lips[INNER.start - LIPS.start :]) > 0
    return np.asarray((_away(~inside) - _away(inside)) / unit, np.float32)


def _away(mask: Bool) -> Float:
    """How far (H, W) pixels lie from a mask (H, W), px."""
    out = cv2.distanceTransform(np.asarray(~mask, np.uint8), cv2.DIST_L2, 5)
    return np.asarray(out, np.float32)


def _inside(picture: Float, lips: Double, within: Float, unit: float) -> tuple[Float, Double]:
    """How far (H, W, 1) each pixel of a picture (H, W, 3) belongs to the mouth's inside: what is
    `within` the landmarks' inner lips and does not look like lip and go on as such outside; and
    the landmarks (20, 2) with the inner lips on its edges."""
    like = _liplike(picture, lips) > 0.5
    ring = (polygon(picture.shape[:2], lips[: INNER.start - LIPS.start]) > 0) & (within < 0)
    if unit < FINE or like[ring].sum() <= COLOURED * ring.sum():
        inset = np.clip((within - INSET) / (2 * EDGE) + 0.5, 0, 1)
        return np.asarray(inset[..., None], np.float32), lips
    wide = cv2.morphologyEx(np.asarray(like, np.uint8), cv2.MORPH_OPEN, disc(NARROW * unit / 2))
    _, parts = cv2.connectedComponents(wide)
    lip = np.isin(parts, np.unique(parts[ring])) & (parts > 0) & (within < MISSED)
    inside = (within > -OUTSIDE) & ~lip
    soft = cv2.GaussianBlur(np.asarray(inside, np.float32), (0, 0), max(EDGE * unit, 0.5))
    return np.asarray(soft[..., None], np.float32), _on_edges(lips, inside, unit)


def _on_edges(lips: Double, inside: Bool, unit: float) -> Double:
    """Landmarks (20, 2) of lips with those of the inner edges, corners apart, on the edges of the
    `inside` (H, W)."""
    out = lips.copy()
    for first, edge in ((13, 0), (17, -1)):
        for i in range(first, first + 3):
            x, y = out[i]
            rows = np.flatnonzero(inside[:, int(np.clip(round(x), 0, inside.shape[1] - 1))])
            if len(rows):
                out[i, 1] = y + np.clip(rows[edge] - y, -MISSED * unit, MISSED * unit)
    return out


def _liplike(picture: Float, lips: Real) -> Float:
    """How much each pixel of a picture (H, W, 3) with landmarks (20, 2) of lips px looks like them,
    0..1."""
    lab = cv2.cvtColor(np.clip(picture / np.float32(255), 0, 1), cv2.COLOR_RGB2LAB)
    part = np.linspace(0.3, 0.7, 5)[:, None, None]
    sides = ([2, 3, 4], [13, 14, 15]), ([10, 9, 8], [19, 18, 17])
    own = [
        np.median(sample(lab, (lips[a] * (1 - part) + lips[b] * part).reshape(-1, 2)), axis=0)
        for a, b in sides
    ]
    light, red, _ = np.minimum(*own)
    looks = [
        np.clip((seen / max(float(of_lips), 1.0) - low) / (high - low), 0, 1)
        for seen, of_lips, (low, high) in ((lab[..., 0], light, LIGHT), (lab[..., 1], red, RED))
    ]
    return np.asarray(looks[0] * looks[1], np.float32)


def toned(opening: Opening, tones: Tones) -> Opening:
    """An opening in the light of a photograph: as bright and of the tint that the same cheeks have
    there."""
    change = np.log(np.maximum(tones.skin, 1.0) / np.maximum(opening.skin, 1.0))
    level = float(change @ LUMA)
    tint = change - level
    few, most = TINT
    sure = float(np.clip((float(np.linalg.norm(tint)) - few) / (most - few), 0, 1))
    gain = np.clip(np.exp(level + sure * tint), *GAIN).astype(np.float32)

    def lit(level: Float) -> Float:
        colour = level[..., :3] * gain
        colour += np.float32(tones.mono) * (tones.greyed(colour) - colour)
        return np.dstack([colour, level[..., 3]])

    return replace(opening, levels=tuple(map(lit, opening.levels)))


def _terms(a: Float, b: Float) -> Double:
    """Terms (N, 7) of a map that is cubic across (N,) and linear along the height (N,)."""
    return np.stack([np.ones_like(a), a, a**2, a**3, b, a * b, a**2 * b], -1).astype(np.float64)


def _mapped(weights: Double, across: Float, height: Float) -> Float:
    """What the terms of places `across` (W,) and of `height` (H, W) sum up to by weights (7,)."""
    one = np.stack([np.ones_like(across), across, across**2, across**3])
    level, slope = (
        (weights[:4] @ one).astype(np.float32),
        (weights[4:] @ one[:3]).astype(np.float32),
    )
    return np.asarray(level + height * slope, np.float32)

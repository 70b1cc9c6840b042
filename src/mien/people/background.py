"""Another wall behind a person who stands before a plain one.

The wall is evenly coloured and smoothly lit, so what it looks like behind the person is known: a
polynomial through what is seen of it. Where a picture is a mixture of person and wall, such as at
hair, how much of each follows from the three colours (a matte with known background, as in Smith
and Blinn, "Blue screen matting", SIGGRAPH 1996); only what shows of the wall is exchanged, so
strands and grain stay. Bright clothes are too much like the wall for that: their outline is sharp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceUndrawable, GuideError
from mien.face_model.eyes import disc
from mien.faces.detect import choose, detect
from mien.types import Face, Float, UInt8

DEGREE = 3
"""Of the polynomial that the wall's light is."""
ROUNDS = 6
"""Of finding the wall's light by what is wall, and what is wall by its light."""
BORDER = 0.12
"""Width of the picture's border that is taken for wall above the chin, in sides."""
PLAIN = 0.6
"""Least share of that border that must be wall in the end."""
SPREAD = (1.5, 8.0)
"""Levels by which a wall's grain differs from its polynomial: no less is believed, and where there
is more it is no plain wall."""
NEAR, CLOTHES = 5.0, 2.7
"""Spreads within which a pixel is the wall, and from which on a bright one may be of clothes."""
BROAD = 0.1
"""Radius, in distances of the eyes, of what is broad enough for clothes: the wall between strands
is not."""
BRIGHT, TINT = 130.0, 15.0
"""Brightness of clothes that could be taken for the wall, and levels by which their tint may differ
from its."""
REACH = 0.3
"""How far from the wall a picture may be a mixture with it, in distances of the eyes."""
DISTINCT = (25.0, 55.0)
"""Levels between person and wall from which on their mixture is begun to be, and is, believed."""
POCKET = 8
"""Least area, px, of a piece of wall between strands."""
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Background:
    """Colours (red, green, blue; 0..255) of a wall at its top and at its bottom."""

    top: tuple[int, int, int]
    bottom: tuple[int, int, int]

    def describe(self) -> str:
        """As it is asked for: `#e0e0e0 #a8b0b8`.

        >>> Background((216, 208, 200), (216, 208, 200)).describe()
        '#d8d0c8'
        """
        colours = ("#" + bytes(c).hex() for c in (self.top, self.bottom))
        return " ".join(dict.fromkeys(colours))

    def picture(self, height: int, width: int) -> Float:
        """The wall alone, float32 (height, width, 3)."""
        down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        one, other = (np.array(colour, np.float32) for colour in (self.top, self.bottom))
        return np.broadcast_to(one + (other - one) * down, (height, width, 3))


@dataclass(frozen=True, eq=False)
class Matte:
    """Of a picture (H, W, 3): the `wall` (H, W, 3) as it is behind the person too, and how far
    each pixel is the `person`, (H, W) in 0..1."""

    wall: Float
    person: Float


def read(text: str) -> Background | None:
    """The wall that is asked for: `#d8d0c8`, or one colour at the top and one at the bottom,
    `#e0e0e0 #a8b0b8`; None for `own` and where nothing is asked.

    >>> read("#e0e0e0 #a8b0b8").bottom
    (168, 176, 184)
    """
    words = text.split()
    if words in ([], ["own"]):
        return None
    found = [_HEX.fullmatch(word) for word in words]
    if len(words) > 2 or None in found:
        raise GuideError(
            f"cannot read background {text!r}: write own, #d8d0c8, or #e0e0e0 #a8b0b8 for a wall "
            "that changes from top to bottom"
        )
    colours = [(int(m[1], 16), int(m[2], 16), int(m[3], 16)) for m in found if m]
    return Background(colours[0], colours[-1])


def behind(pixels: UInt8, background: Background) -> UInt8:
    """The picture (H, W, 3) of a person before another wall, uint8.

    Raises:
        FaceNotFound: there is no face in it.
        FaceUndrawable: what is behind the person is no plain wall.
    """
    (face,) = choose(detect(pixels), "largest")
    found = matte(pixels, face)
    new = background.picture(*pixels.shape[:2])
    out = pixels + (1 - found.person[..., None]) * (new - found.wall)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def matte(pixels: UInt8, face: Face) -> Matte:
    """What of a picture (H, W, 3) is person, what wall.

    Raises:
        FaceUndrawable: what is behind the person is no plain wall.
    """
    points = face.landmarks
    eyes = float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))
    picture = pixels.astype(np.float32)
    wall, spread = _wall(picture, float(points[8, 1]))
    off = np.abs(picture - wall).max(-1)
    even = cv2.medianBlur(np.clip(off / spread * 8, 0, 255).astype(np.uint8), 3) / np.float32(8)
    clothes = _clothes(even, picture, wall, float(points[57, 1]), eyes)
    # the median drops grain, and single hairs with it: these are far off
    near = (even < NEAR) & (off < 2 * NEAR * spread)
    sure = _sure(near & ~clothes, points, eyes)
    person = _mixture(picture, wall, sure, clothes, eyes)
    inside = cv2.erode(_hull(points, pixels.shape[:2]), disc(0.05 * eyes)) > 0
    person[inside] = 1
    return Matte(wall, person)


def _wall(picture: Float, chin: float) -> tuple[Float, float]:
    """The wall (H, W, 3), and by how much it differs from that, levels."""
    height, width = picture.shape[:2]
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    x, y = xs / width - 0.5, ys / height - 0.5
    powers = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    basis = np.stack([x**i * y**j for i, j in powers], -1)
    border = (np.minimum(np.minimum(xs, width - 1 - xs), ys) < BORDER * width) & (ys < chin)
    used: Mask = border
    for _ in range(ROUNDS):
        a, b = basis[used][::7].astype(np.float64), picture[used][::7].astype(np.float64)
        # what is not seen must not swing: a light ridge on all but the mean
        ridge = np.diag([2e-5 * len(a) * (i + j > 0) for i, j in powers])
        wall = np.asarray(basis @ np.linalg.solve(a.T @ a + ridge, a.T @ b), np.float32)
        off = np.abs(picture - wall).max(-1)
        spread = max(SPREAD[0], 1.48 * float(np.median(off[used])))
        near = off < 4 * min(spread, SPREAD[1])
        if not near[border].any():
            break
        used = (border | _from_top(cv2.erode(near.astype(np.uint8), _SQUARE) > 0)) & near
    if spread > SPREAD[1] or float(near[border].mean()) < PLAIN:
        raise FaceUndrawable("the background cannot be changed: the person's own is no plain wall")
    return wall, spread


def _clothes(spreads: Float, picture: Float, wall: Float, lips: float, eyes: float) -> Mask:
    """White clothes, (H, W): what is bright, of the wall's tint but not of its brightness, broad,
    and hangs together with the lower edge, up to the lips."""
    off = picture - wall
    tint = np.abs(off - off.mean(-1, keepdims=True)).max(-1)
    found = (spreads > CLOTHES) & (picture @ LUMA > BRIGHT) & (tint < TINT)
    found[: max(0, round(lips))] = False
    broad = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, disc(BROAD * eyes))
    edge = (cv2.dilate(broad, disc(0.5 * BROAD * eyes)) > 0) & found
    return _from_top(edge[::-1])[::-1]


def _sure(near: Mask, points: Float, eyes: float) -> Mask:
    """What is surely wall, (H, W), of what is near to it in colour: it hangs together with the top
    of the picture, or lies between strands beside the face."""
    height, width = near.shape
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    opened = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, label, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    middle = points[36:48].mean(0)
    # a shine on the scalp is no hole
    head = np.hypot((xs - middle[0]) / 1.2, (ys - middle[1] + 0.1 * eyes) / 1.7) < eyes
    kept = np.zeros(count, bool)
    kept[np.unique(label[:3])] = True
    inside = np.bincount(label[head], minlength=count) / np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    bottom = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]
    pockets = (stats[:, cv2.CC_STAT_AREA] > POCKET) & (bottom < points[8, 1] + 0.6 * eyes)
    kept |= pockets & (inside < 0.5)
    kept[0] = False
    out: Mask = kept[label]
    return out


def _mixture(picture: Float, wall: Float, sure: Mask, clothes: Mask, eyes: float) -> Float:
    """How far each pixel is the person, (H, W)."""
    reach = REACH * eyes
    band = cv2.dilate(sure.astype(np.uint8), disc(reach)).astype(bool) & ~sure
    alone = (~band | (np.abs(picture - wall).max(-1) > 45)) & ~sure & ~clothes
    colour = _beside(picture, wall, alone, eyes)
    difference = colour - wall
    size = np.square(difference).sum(-1)
    mixed = ((picture - wall) * difference).sum(-1) / np.maximum(size, 1)
    mixed = np.clip((mixed - 0.03) / 0.94, 0, 1)
    far = cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, 5)
    sharp = np.clip(far / 1.5 - 0.3, 0, 1)
    believed = _ramp(np.sqrt(size), DISTINCT) * ~clothes
    out = believed * mixed + (1 - believed) * sharp
    out = np.maximum(out, np.clip(far / (0.4 * reach) - 1.5, 0, 1))  # no mixture deep inside
    out[sure] = 0
    out[~band & ~sure] = 1
    return np.asarray(out, np.float32)


def _beside(picture: Float, wall: Float, person: Mask, eyes: float) -> Float:
    """Of which colour the `person` (H, W) is around each pixel, (H, W, 3): that of pixels nearby,
    the more the less they are like the wall, and of farther ones where there are none."""
    off = np.minimum(np.abs(picture - wall).max(-1), 80)
    weight = np.where(person, np.square(off), 0).astype(np.float32)
    total, held = np.zeros_like(picture), np.zeros_like(off)
    for sigma in (0.03 * eyes + 0.8, 0.12 * eyes, 0.4 * eyes):
        count = cv2.GaussianBlur(weight, (0, 0), sigma)
        mean = cv2.GaussianBlur(picture * weight[..., None], (0, 0), sigma)
        part = (1 - held) * np.clip(count, 0, 1)
        total += part[..., None] * mean / np.maximum(count, 1e-6)[..., None]
        held += part
    return np.asarray(total / np.maximum(held, 1e-6)[..., None], np.float32)


def _hull(points: Float, shape: tuple[int, ...]) -> UInt8:
    """The face with its forehead, (H, W) of 0 and 1."""
    out = np.zeros(shape, np.uint8)
    up = points[17:27] - 1.2 * (points[33] - points[27])
    outline = np.rint(np.concatenate([points[:17], up])).astype(np.int32)
    cv2.fillConvexPoly(out, cv2.convexHull(outline), 1)
    return out


def _from_top(mask: Mask) -> Mask:
    """What of a mask (H, W) hangs together with the picture's upper edge."""
    _, label = cv2.connectedComponents(mask.astype(np.uint8))
    top = np.unique(label[:3])
    return np.asarray(np.isin(label, top[top > 0]))


def _ramp(values: Float, ends: tuple[float, float]) -> Float:
    return np.asarray(np.clip((values - ends[0]) / (ends[1] - ends[0]), 0, 1), np.float32)


_SQUARE = np.ones((3, 3), np.uint8)

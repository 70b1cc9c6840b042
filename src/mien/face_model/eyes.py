"""The eyes of a photograph, completed: the iris where a lid hides it, the white beside it, and the
skin of a closed lid.

Coordinates are pixels of the 320 px crop; "right" is the person's right eye, landmarks 36-41.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Int, Real, UInt8
from mien.face_model.sampling import LUMA

POINTS = {"R": slice(36, 42), "L": slice(42, 48)}
BROWS = {"R": slice(17, 22), "L": slice(22, 27)}

IRIS_RADII = (0.54, 0.60, 0.66)
"""Iris radii to try, cm: adults differ little, so the face's scale nearly tells it."""
SHADOW = 0.93
"""What was behind a lid is a little darker than what was in the open."""
CLEAN = 0.86
"""Skin beside the eye that is darker than this, relative to its brighter part, is lash or paint."""
GRAIN = 3.0
"""Standard deviation of the noise put on inpainted lids, so that they are not smoother than the
skin beside."""


@dataclass(frozen=True)
class Iris:
    """Centre (2,) px and radius px."""

    centre: Double
    radius: float


@dataclass(frozen=True)
class EyeTextures:
    """photo (H, W, 3) with complete eyes; kept (H, W), how much of it is the photograph there; lids
    (H, W, 3), the photograph with closed lids; the white's colour (3,), the lashes' colour (3,),
    and each iris by side."""

    photo: Float
    kept: Float
    lids: Float
    white: Float
    lash: Float
    irises: dict[str, Iris]


def eye_textures(photo: UInt8, landmarks: Double, scale: float) -> EyeTextures:
    """Textures of a crop (H, W, 3) with landmarks (68, 2) px, at `scale` px/cm."""
    image = photo.astype(np.float32)
    complete, kept, lids = image.copy(), np.zeros(photo.shape[:2], np.float32), image
    hidden = np.zeros(photo.shape[:2], np.uint8)
    openings = {side: polygon(photo.shape[:2], landmarks[part]) for side, part in POINTS.items()}
    irises = {
        side: find_iris(image, landmarks[part], openings[side], scale)
        for side, part in POINTS.items()
    }
    whites = {side: _white(image, openings[side], irises[side]) for side in POINTS}
    brightest = max(whites.values(), key=lambda white: float(white @ LUMA))
    for side, part in POINTS.items():
        corners, opening, iris = landmarks[part], openings[side], irises[side]
        # An eye in shade, or one that is nearly shut, shows little white: believe it by half.
        white = (whites[side] + brightest) * np.float32(0.5)
        filled = _complete_eye(image, opening, iris, white)
        own = cv2.GaussianBlur(cv2.erode(opening, np.ones((3, 3))).astype(np.float32), (0, 0), 0.8)
        own = np.clip(own * 1.6 - 0.3, 0, 1)
        box = _box(photo.shape[:2], corners.mean(0), iris.radius)
        k = own[box][..., None]
        complete[box] = image[box] * k + filled[box] * (1 - k) * SHADOW
        kept[box] = own[box]
        area = _lid_area(photo.shape[:2], corners, landmarks[BROWS[side]], side)
        lids = _close(lids, area, corners)
        hidden |= area
    lash = np.percentile(image[hidden > 0], 8, axis=0).astype(np.float32)
    return EyeTextures(
        complete, kept, lids, np.mean(list(whites.values()), 0, np.float32), lash, irises
    )


def polygon(shape: tuple[int, ...], points: Real) -> UInt8:
    """Mask (H, W) of 0 and 1 of the polygon through points (N, 2) px."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [fixed_point(points)], (1,), shift=4)
    return mask


def fixed_point(points: Real) -> Int:
    """Points (N, 2) in sixteenths of a pixel, for OpenCV's drawing with shift=4."""
    return np.round(np.asarray(points) * 16).astype(np.int32)


def find_iris(image: Float, corners: Double, opening: UInt8, scale: float) -> Iris:
    """The disc in the eye's opening that is darkest against its surround, near the middle."""
    ys, xs = np.nonzero(opening)
    light = image[ys, xs] @ LUMA
    cx, cy = corners.mean(0)
    best, found = -1e9, Iris(np.array([cx, cy]), IRIS_RADII[1] * scale)
    if len(light) <= 20:
        return found
    dx, dy = (g.ravel() for g in np.meshgrid(np.arange(-9, 9.1, 0.75), np.arange(-4, 4.1, 0.75)))
    distance = (xs - cx - dx[:, None]) ** 2 + (ys - cy + 0.3 - dy[:, None]) ** 2  # (K, P)
    for radius in (r * scale for r in IRIS_RADII):
        within = distance < radius * radius * 0.85
        inside = within.sum(1)
        outside = len(light) - inside
        bright = within @ light
        contrast = (light.sum() - bright) / np.maximum(outside, 1) - bright / np.maximum(inside, 1)
        score = contrast - 0.4 * np.abs(dx) - 0.8 * np.abs(dy)
        score[(inside < 8) | (outside < 6)] = -1e9
        k = int(np.argmax(score))
        if score[k] > best:
            best, found = float(score[k]), Iris(np.array([cx + dx[k], cy + dy[k] - 0.3]), radius)
    return found


def _from_middle(shape: tuple[int, ...], iris: Iris) -> Float:
    """Distance (H, W) px from the middle of an iris."""
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    out: Float = np.hypot(xs - iris.centre[0], ys - iris.centre[1]).astype(np.float32)
    return out


def _white(image: Float, opening: UInt8, iris: Iris) -> Float:
    """Colour (3,) of the white of an eye."""
    inner = cv2.erode(opening, np.ones((3, 3))) > 0
    sclera = inner & (_from_middle(image.shape, iris) > iris.radius * 1.1)
    if sclera.sum() > 5:
        white = np.percentile(image[sclera], 80, axis=0)
    elif opening.any():
        white = np.percentile(image[opening > 0], 85, axis=0)
    else:
        white = np.full(3, 150.0)
    return white.astype(np.float32)


def _complete_eye(image: Float, opening: UInt8, iris: Iris, white: Float) -> Float:
    """Picture (H, W, 3) of a whole iris on `white` (3,)."""
    distance = _from_middle(image.shape, iris)
    inner = cv2.erode(opening, np.ones((3, 3))) > 0
    colours, radii = image[inner], distance[inner]
    x, y = np.clip(np.round(iris.centre).astype(int), 0, len(image) - 1)
    profile = [image[y, x]]
    for ring in range(int(iris.radius) + 2):
        near = np.abs(radii - ring) < 1.2
        profile.append(np.median(colours[near], axis=0) if near.sum() > 2 else profile[-1])
    table = np.array(profile[1:], np.float32)
    at = np.clip(distance, 0, len(table) - 1.001)
    low = at.astype(int)
    part = (at - low)[..., None]
    disc = table[low] * (1 - part) + table[low + 1] * part
    a = np.clip((iris.radius - distance) / 1.5 + 0.5, 0, 1)[..., None]
    ball = np.clip(1.03 - 0.13 * (distance / iris.radius / 2) ** 2, 0.55, 1)[..., None]
    filled: Float = (white * ball * (1 - a) + disc * a).astype(np.float32)
    return filled


def _box(shape: tuple[int, ...], centre: Double, radius: float) -> tuple[slice, slice]:
    """The part of the picture that this eyeball can reach."""
    x, y = centre
    left, right = int(max(x - radius * 4, 0)), int(min(x + radius * 4, shape[1]))
    top, bottom = int(max(y - radius * 3, 0)), int(min(y + radius * 3, shape[0]))
    return slice(top, bottom), slice(left, right)


def _lid_area(shape: tuple[int, ...], corners: Double, brow: Double, side: str) -> UInt8:
    """Mask of the opening, its lashes and the crease above: what a closed lid replaces."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    room = max(4.0, float(corners[[1, 2], 1].mean() - brow[1:4, 1].mean()))
    points = corners.copy()
    points[[1, 2], 1] -= min(0.24 * width, 0.5 * room)
    points[[4, 5], 1] += 0.13 * width
    across = points[3] - points[0]
    outer, inner = 0.14, 0.05  # lashes stand out beyond the outer corner
    first, last = (outer, inner) if side == "R" else (inner, outer)
    points[0], points[3] = points[0] - across * first, points[3] + across * last
    hull = np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32)[:, 0]
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    return np.asarray(cv2.dilate(polygon(shape, hull), ellipse), np.uint8)


def _close(photo: Float, hidden: UInt8, corners: Double) -> Float:
    """The photograph (H, W, 3) with one eye painted over by the skin around it.

    Lashes, crease and make-up at the border are hidden too, so that they do not bleed into the lid.
    """
    width = float(np.linalg.norm(corners[3] - corners[0]))
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(0.16 * width) + 1,) * 2)
    around = np.asarray(cv2.dilate(hidden, reach), np.uint8)
    left, top, across, down = cv2.boundingRect(around)
    window = (slice(top, top + down), slice(left, left + across))
    part, mask, near = photo[window], hidden[window], around[window] > 0
    light = part @ LUMA
    ring = near & (mask == 0)
    if not ring.any():
        return photo
    stain = ring & (light < CLEAN * np.percentile(light[ring], 60))
    known = (ring & ~stain).astype(np.float32)
    filled = _spread(part, known, 0.12 * width)
    ys, xs = np.mgrid[top : top + down, left : left + across].astype(np.float32)
    middle = corners[[1, 2, 4, 5]].mean(0)
    x, y = (xs - middle[0]) / (0.5 * width), (ys - middle[1]) / (0.30 * width)
    bulge = 1 + 0.05 * np.exp(-(x**2 * 1.5 + y**2)) - 0.05 * np.exp(-((y + 0.9) ** 2) * 9 - x**2)
    noise = np.random.default_rng(0).standard_normal(mask.shape).astype(np.float32)
    filled = (
        filled * (0.97 * bulge)[..., None] + cv2.GaussianBlur(noise, (0, 0), 0.7)[..., None] * GRAIN
    )
    k = cv2.GaussianBlur((mask | stain).astype(np.float32), (0, 0), 1.3)[..., None]
    out = photo.copy()
    out[window] = part * (1 - k) + filled * k
    return out


def _spread(image: Float, known: Float, sigma: float) -> Float:
    """`image` (H, W, 3) smoothed from its `known` (H, W) pixels to all, near ones first."""
    total, weight = np.zeros_like(image), np.full(known.shape, 1e-6, np.float32)
    for part, share in ((1.0, 1.0), (2.5, 0.03)):
        stacked = np.dstack([image * known[..., None], known])
        soft = np.asarray(cv2.GaussianBlur(stacked, (0, 0), sigma * part), np.float32)
        total, weight = total + soft[..., :3] * share, weight + soft[..., 3] * share
    out: Float = total / weight[..., None]
    return out

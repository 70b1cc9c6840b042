"""Where the eyes of a photograph are, and masks and blurs of parts of it.

Lengths tuned by eye are in pixels of the 320 px crop; `fine` says how many pixels of the picture at
hand are one of those. "Right" is the person's right eye, landmarks 36-41.
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
FINE_SIGMA = 10.0
"""Sigma, px, in which a Gaussian is drawn well enough: wider ones are drawn smaller."""
SHUT = (0.07, 0.13)
"""Height of an eye's outline, in units of its width, under which it is closed, and the same beside
an eye that is: laughing eyes are narrower than 0.13, but not one of them alone."""
FAR = 1e-4
"""Weight of the mean colour where nothing that is known is near."""


@dataclass(frozen=True)
class Iris:
    """Centre (2,) px and radius px."""

    centre: Double
    radius: float

    def at(self, fine: float) -> Iris:
        """The same in a picture of `fine` times the pixels."""
        return Iris((self.centre + 0.5) * fine - 0.5, self.radius * fine)


def disc(radius: float) -> UInt8:
    """A structuring element that reaches `radius` px."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def polygon(shape: tuple[int, ...], points: Real) -> UInt8:
    """Mask (H, W) of 0 and 1 of the polygon through points (N, 2) px."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [fixed_point(points)], (1,), shift=4)
    return mask


def fixed_point(points: Real) -> Int:
    """Points (N, 2) in sixteenths of a pixel, for OpenCV's drawing with shift=4."""
    return np.round(np.asarray(points) * 16).astype(np.int32)


def dilated(mask: UInt8, kernel: UInt8) -> UInt8:
    """A mask (H, W) grown by a kernel (h, w), which looks only where something is set."""
    left, top, width, height = cv2.boundingRect(mask)
    down, across = (side // 2 for side in kernel.shape)
    part = np.s_[
        max(top - down, 0) : top + height + down, max(left - across, 0) : left + width + across
    ]
    out = np.zeros_like(mask)
    if width and height:
        out[part] = cv2.dilate(mask[part], kernel)
    return out


def find_iris(
    image: Float,
    corners: Double,
    opening: UInt8,
    scale: float,
    radii: tuple[float, ...] = IRIS_RADII,
) -> Iris:
    """The disc in the eye's opening that is darkest against its surround, near the middle; `radii`,
    cm, are tried."""
    ys, xs = np.nonzero(opening)
    light = image[ys, xs] @ LUMA
    cx, cy = corners.mean(0)
    best, found = -1e9, Iris(np.array([cx, cy]), radii[len(radii) // 2] * scale)
    if len(light) <= 20:
        return found
    dx, dy = (g.ravel() for g in np.meshgrid(np.arange(-9, 9.1, 0.75), np.arange(-4, 4.1, 0.75)))
    distance = (xs - cx - dx[:, None]) ** 2 + (ys - cy + 0.3 - dy[:, None]) ** 2  # (K, P)
    for radius in (r * scale for r in radii):
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


def from_middle(shape: tuple[int, ...], iris: Iris) -> Float:
    """Distance (H, W) px from the middle of an iris."""
    x, y = (
        np.asarray(np.arange(n) - middle, np.float32)
        for n, middle in zip(shape[1::-1], iris.centre, strict=True)
    )
    return np.asarray(np.sqrt(x * x + (y * y)[:, None]), np.float32)  # np.hypot is slow


def shut(landmarks: Real) -> dict[str, bool]:
    """Which eyes of landmarks (68, 2) px are closed."""
    heights = {}
    for side, part in POINTS.items():
        corners = landmarks[part]
        width = max(float(np.linalg.norm(corners[3] - corners[0])), 1e-3)
        opened = np.linalg.norm(corners[[5, 4]] - corners[[1, 2]], axis=1)
        heights[side] = float(opened.mean()) / width
    surely, likely = SHUT
    most = likely if min(heights.values()) < surely else surely
    return {side: height < most for side, height in heights.items()}


def smooth(image: Float, sigma: float, fine: float = FINE_SIGMA) -> Float:
    """`image` (H, W, C) under a Gaussian; one that is wide for its pixels at a part of its size,
    where its sigma is `fine` px."""
    height, width = image.shape[:2]
    times = min(int(sigma / fine), height // 8, width // 8)
    if times < 2:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    size = -(-width // times), -(-height // times)
    # whole blocks of pixels, or the last ones would be narrower than the rest
    room = size[1] * times - height, size[0] * times - width
    wide = cv2.copyMakeBorder(image, 0, room[0], 0, room[1], cv2.BORDER_REFLECT_101)
    small = cv2.resize(wide, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / times)
    large = cv2.resize(soft, wide.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(large[:height, :width], np.float32)


def spread(image: Float, known: Float, sigma: float) -> Float:
    """`image` (H, W, 3) smoothed from its `known` (H, W) pixels to all, near ones first."""
    held = image * cv2.merge((known, known, known))  # NumPy is slow at broadcasting to three
    every = max(float(known.sum()), 1.0)
    red, green, blue, _ = (FAR * part / every for part in cv2.sumElems(held))
    stacked = np.asarray(cv2.merge((*cv2.split(held), known)), np.float32)
    total = np.asarray(smooth(stacked, sigma) + 0.03 * smooth(stacked, sigma * 2.5), np.float32)
    *colours, weight = cv2.split(total + np.array((red, green, blue, FAR), np.float32))
    return np.asarray(cv2.merge([cv2.divide(part, weight) for part in colours]), np.float32)

"""From photograph to crop: one fixed template, one similarity, and its inverse beside it.

The template is the mean of the hand-checked points of 86 people of the Face Research Lab sets, made
symmetric. A crop shows the face upright, its side is 3.75 times the distance of the eyes, the
eyes lie at 0.37 of its height: the chin stays inside when the jaw drops. The similarity looks only
at points that an expression hardly moves, so that the same person with another expression is
cropped alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import AlignedFace, Face, Float, UInt8

STABLE = (36, 39, 42, 45, 27, 28, 29, 33)
"""Landmarks that align: corners of the eyes, bridge of the nose, base of the nose."""

HUGE = 7
"""Photograph px per px of a crop from which on the photograph is halved first."""

_MIRROR = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),
)
MIRROR: NDArray[np.intp] = np.array(_MIRROR)
"""`points[MIRROR]` are the landmarks of the mirror image, once x is mirrored too."""

# Mean landmarks in crop units; the right half of the picture is the mirror of the left.
# fmt: off
_TEMPLATE = (
    0.2000, 0.3867, 0.1994, 0.4659, 0.2097, 0.5445, 0.2234, 0.6226, 0.2466, 0.6982, 0.2908, 0.7635,
    0.3509, 0.8142, 0.4220, 0.8479, 0.5000, 0.8606, 0.5780, 0.8479, 0.6491, 0.8142, 0.7092, 0.7635,
    0.7534, 0.6982, 0.7766, 0.6226, 0.7903, 0.5445, 0.8006, 0.4659, 0.8000, 0.3867, 0.2520, 0.3235,
    0.2809, 0.2799, 0.3371, 0.2632, 0.3935, 0.2724, 0.4390, 0.2885, 0.5610, 0.2885, 0.6065, 0.2724,
    0.6629, 0.2632, 0.7191, 0.2799, 0.7480, 0.3235, 0.5000, 0.3549, 0.5000, 0.3997, 0.5000, 0.4460,
    0.5000, 0.4940, 0.4413, 0.5530, 0.4704, 0.5528, 0.5000, 0.5559, 0.5296, 0.5528, 0.5587, 0.5530,
    0.3125, 0.3705, 0.3435, 0.3492, 0.3867, 0.3493, 0.4281, 0.3786, 0.3857, 0.3853, 0.3435, 0.3870,
    0.5719, 0.3786, 0.6133, 0.3493, 0.6565, 0.3492, 0.6875, 0.3705, 0.6565, 0.3870, 0.6143, 0.3853,
    0.3933, 0.6607, 0.4321, 0.6347, 0.4687, 0.6191, 0.5000, 0.6258, 0.5313, 0.6191, 0.5679, 0.6347,
    0.6067, 0.6607, 0.5667, 0.6865, 0.5303, 0.6964, 0.5000, 0.6985, 0.4697, 0.6964, 0.4333, 0.6865,
    0.4101, 0.6585, 0.4658, 0.6514, 0.5000, 0.6543, 0.5342, 0.6514, 0.5899, 0.6585, 0.5343, 0.6517,
    0.5000, 0.6549, 0.4657, 0.6517,
)
# fmt: on


def template(size: int) -> Float:
    """Mean landmarks, float32 (68, 2), px of a crop of side `size`."""
    units = np.array(_TEMPLATE, dtype=np.float64).reshape(68, 2)
    return (units * size - 0.5).astype(np.float32)


def similarity(points: Float, targets: Float) -> Float:
    """The rotation, scale and shift, float32 (2, 3), that brings (N, 2) points nearest to (N, 2)
    targets.
    """
    a = points.astype(np.float64) @ np.array([1, 1j])
    b = targets.astype(np.float64) @ np.array([1, 1j])
    spread = (np.abs(a - a.mean()) ** 2).sum()
    turn = ((a - a.mean()).conj() * (b - b.mean())).sum() / max(float(spread), 1e-12)
    shift = b.mean() - turn * a.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], dtype=np.float32
    )


def transform(matrix: Float, points: Float) -> Float:
    """Points (N, 2) moved by a 2x3 matrix, float32 (N, 2)."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def mirrored(points: Float, width: int) -> Float:
    """Landmarks (..., 68, 2) px of the mirror image of a picture `width` px wide."""
    flipped = points[..., MIRROR, :].astype(np.float32)
    flipped[..., 0] = width - 1 - flipped[..., 0]
    return flipped


def inverse(matrix: Float) -> Float:
    """The 2x3 matrix that undoes a 2x3 matrix: crop px -> photograph px."""
    return np.asarray(cv2.invertAffineTransform(matrix.astype(np.float64)), np.float32)


def resized(matrix: Float, size: int, to: int) -> Float:
    """The matrix to a crop of side `to` that shows what `matrix` shows in a crop of side `size`."""
    ratio = to / size
    out = matrix.astype(np.float64) * ratio
    out[:, 2] += 0.5 * ratio - 0.5  # pixel centres, not corners, lie at whole numbers
    return out.astype(np.float32)


@dataclass(frozen=True)
class View:
    """The part of a photograph under a crop: its rectangle, and the matrix from its px to the
    crop's.
    """

    left: int
    top: int
    right: int
    bottom: int
    matrix: Float

    def of(self, photo: UInt8) -> UInt8:
        return photo[self.top : self.bottom, self.left : self.right]

    def within(self, part: tuple[slice, slice]) -> View:
        """Rows and columns of it as a view of their own."""
        rows, columns = part
        top, left = rows.start, columns.start
        bottom = min(self.top + rows.stop, self.bottom)
        right = min(self.left + columns.stop, self.right)
        moved = self.matrix.astype(np.float64)
        moved[:, 2] += moved[:, :2] @ (left, top)
        return View(self.left + left, self.top + top, right, bottom, moved.astype(np.float32))


def align(pixels: UInt8, face: Face, size: int = 128) -> AlignedFace:
    """The face upright and centred in a crop of side `size`; what lies outside the photograph is
    mirrored.
    """
    matrix = matrix_of(face, size)
    return AlignedFace(warp(pixels, matrix, size), matrix, transform(matrix, face.landmarks))


def matrix_of(face: Face, size: int) -> Float:
    """The matrix (2, 3) from the photograph's px to those of the face's crop of side `size`."""
    stable = list(STABLE)
    return similarity(face.landmarks[stable], template(size)[stable])


def side_of(face: Face) -> float:
    """The side of the face's crop at the photograph's own scale, px."""
    a, b = matrix_of(face, 128)[0, :2]
    return 128 / math.hypot(float(a), float(b))


def warp(pixels: UInt8, matrix: Float, size: int) -> UInt8:
    """A crop (size, size, 3) under a photograph-to-crop similarity, without aliasing when it
    shrinks.

    The crop is drawn at a whole multiple of `size` near the photograph's own scale, then averaged
    down, so that a crop of 320 px seen at 128 equals the crop of 128.
    """
    pixels, matrix = _region(pixels, matrix, size)
    while math.hypot(matrix[0, 0], matrix[1, 0]) <= 1 / HUGE:
        pixels, matrix = _halved(pixels, matrix)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    times = max(1, math.ceil(1 / scale - 0.25))
    mode = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    side = size * times
    fine = resized(matrix, size, side)
    # four channels are warped in half the time of three
    padded = mode == cv2.INTER_LINEAR and pixels.ndim == 3 and pixels.shape[2] == 3
    seen = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA) if padded else pixels
    crop = cv2.warpAffine(seen, fine, (side, side), flags=mode, borderMode=cv2.BORDER_REFLECT)
    if times > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    if padded:
        crop = cv2.cvtColor(crop, cv2.COLOR_RGBA2RGB)
    return np.asarray(crop, dtype=np.uint8)


def _region(pixels: UInt8, matrix: Float, size: int) -> tuple[UInt8, Float]:
    """The part of the photograph that the crop sees, and the matrix from there."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], dtype=np.float32) - 0.5
    seen = transform(inverse(matrix), corners)
    height, width = pixels.shape[:2]
    margin = 4 + math.ceil(0.02 * float(np.ptp(seen)))
    left, top = np.clip(np.floor(seen.min(0)).astype(int) - margin, 0, (width - 2, height - 2))
    right, bottom = np.clip(
        np.ceil(seen.max(0)).astype(int) + margin, (left + 2, top + 2), (width, height)
    )
    moved = matrix.astype(np.float64).copy()
    moved[:, 2] += moved[:, :2] @ (left, top)
    return pixels[top:bottom, left:right], moved.astype(np.float32)


def _halved(pixels: UInt8, matrix: Float) -> tuple[UInt8, Float]:
    """Half of the size, averaged, and the matrix from there; the last pixel of an odd side is left
    out."""
    height, width = (side // 2 for side in pixels.shape[:2])
    even = pixels[: 2 * height, : 2 * width]
    half = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    out = matrix.astype(np.float64)
    out[:, 2] += 0.5 * out[:, :2].sum(1)  # pixel centres are whole
    out[:, :2] *= 2
    return np.asarray(half, np.uint8), out.astype(np.float32)


def view(photo: UInt8, matrix: Float, side: int) -> View | None:
    """What of the photograph lies under the crop; None when nothing does."""
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], dtype=np.float32) - 0.5
    seen = transform(inverse(matrix), corners)
    left, top = np.maximum(np.floor(seen.min(0)).astype(int), 0)
    right, bottom = np.minimum(
        np.ceil(seen.max(0)).astype(int) + 1, (photo.shape[1], photo.shape[0])
    )
    if left >= right or top >= bottom:
        return None
    moved = matrix.astype(np.float64)
    moved[:, 2] += moved[:, :2] @ (left, top)
    return View(int(left), int(top), int(right), int(bottom), moved.astype(np.float32))

"""Whether a face looks as it did a moment ago, and where it is then.

While a face keeps its expression and turns little, its crop from frame to frame is one picture
under a similarity, which registration finds more exactly than a network its landmarks, and at a
fraction of the cost: the inverse compositional algorithm (Baker and Matthews, "Lucas-Kanade 20
Years On", Int. J. Computer Vision 56, 2004, section 3.2), whose derivatives are those of the crop
that was seen first.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from mien.faces.align import warp
from mien.types import Float, UInt8

SIDE = 128
"""Side of the crops that are compared, px."""
ON_AVERAGE, ANYWHERE = 2.5, 12.0
"""How far, in levels, eyes and mouth may look different from what is expected: on average over one
of them, and at any place of it."""
NEAR = 1.2
"""Sigma, px, of what is a place there: a camera's noise is finer."""
PARTS = ((0.31, 0.42, 0.28, 0.46), (0.31, 0.42, 0.54, 0.72), (0.59, 0.73, 0.36, 0.64))
"""Top, bottom, left and right of both eyes and of the mouth, crop units."""
_FACE = np.s_[26:110, 26:102]  # rows and columns of the crop that hold skin and little else
_SOFT = 1.5  # sigma, px, under which a motion of a few px can be found
_STRICT = 0.65  # of the usual difference: a mouth that opens slowly is seen to
_ROUNDS, _ENOUGH = 4, 0.03  # steps, and px from which on one is the last


def parts(crop: UInt8) -> Iterator[Float]:
    """Both eyes and the mouth of a crop (128, 128, 3)."""
    for edges in PARTS:
        top, bottom, left, right = (round(edge * SIDE) for edge in edges)
        yield crop[top:bottom, left:right].astype(np.float32)


def alike(own: Float, expected: Float, share: float = 1.0) -> bool:
    """Whether a part of a crop (h, w, 3) looks like what is expected there, to a `share` of the
    usual difference."""
    off = np.asarray(cv2.GaussianBlur(own - expected, (0, 0), NEAR), np.float32)
    np.abs(off, out=off)
    return float(off.mean()) < share * ON_AVERAGE and float(off.max()) < share * ANYWHERE


class Registration:
    """A crop to which others are brought."""

    def __init__(self, crop: UInt8) -> None:
        """crop (128, 128, 3)."""
        self._parts, self._light = list(parts(crop)), _light(crop)
        along, down = (cv2.Sobel(self._light, cv2.CV_32F, 1 - j, j, scale=1 / 8) for j in (0, 1))
        y, x = (np.asarray(grid, np.float32) - np.float32(SIDE / 2) for grid in np.mgrid[_FACE])
        gx, gy = along[_FACE], down[_FACE]
        slopes = (gx * x + gy * y, gy * x - gx * y, gx, gy)
        self._slopes = np.stack([slope.ravel() for slope in slopes]).astype(np.float64)  # (4, P)
        self._slopes -= self._slopes.mean(1, keepdims=True)  # how bright all of it is says nothing
        # of a wall there is no inverse, and no motion
        self._solve = np.linalg.pinv(np.einsum("ip,jp->ij", self._slopes, self._slopes))

    def __call__(self, pixels: UInt8, matrix: Float) -> tuple[Float, UInt8] | None:
        """The matrix (2, 3), near the one given, from the px of a picture (H, W, 3) to a crop like
        this one, and that crop; None if there is none."""
        for _ in range(_ROUNDS):
            crop = warp(pixels, matrix, SIDE)
            off = (_light(crop) - self._light)[_FACE].ravel().astype(np.float64)
            step = self._solve @ np.einsum("ip,p->i", self._slopes, off)
            matrix = _moved(matrix, step)
            if np.abs(step * (SIDE / 2, SIDE / 2, 1, 1)).max() < _ENOUGH:
                break
        else:
            return None
        looks = zip(parts(crop), self._parts, strict=True)
        same = all(alike(own, seen, _STRICT) for own, seen in looks)
        return (matrix, crop) if same else None


def _moved(matrix: Float, step: Float) -> Float:
    """A matrix (2, 3), and after it a similarity around the crop's middle: growth and turn, and px
    along x and y."""
    grown, turned, x, y = step.tolist()
    middle, scale = SIDE / 2, np.array([[1 + grown, -turned], [turned, 1 + grown]])
    out = scale @ (matrix.astype(np.float64) - [[0, 0, middle]]) + [[0, 0, middle]]
    out[:, 2] += x, y
    return np.asarray(out, np.float32)


def _light(crop: UInt8) -> Float:
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _SOFT), np.float32)

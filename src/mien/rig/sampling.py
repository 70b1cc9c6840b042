"""Reading a picture at scattered points."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness (Rec. 601)."""

_ROW = 512
"""cv2.remap takes at most 32,767 rows, so points are folded into rows of this many."""


def sample(image: Float, points: Float) -> Float:
    """Bilinear `image` (H, W) or (H, W, C) at points (N, 2) px, edge repeated: (N,) or (N, C)."""
    n = len(points)
    rows = max(1, -(-n // _ROW))
    grid = np.zeros((rows * _ROW, 2), np.float32)
    grid[:n] = points
    grid = grid.reshape(rows, _ROW, 2)
    out = cv2.remap(
        image, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, np.float32).reshape(rows * _ROW, *image.shape[2:])[:n]

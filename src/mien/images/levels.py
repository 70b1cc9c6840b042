"""Value ranges: deep greys and colours as 8 bits, pixels of batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.types import Float, UInt8

_BITS = (8, 10, 12, 16)
_ROWS, _SAMPLE = 64, 1_000_000
_BEYOND_WHITE = 8.0  # in floats whose white is 1, highlights lie below this


def eight_bits(levels: NDArray[Any], top: float | None = None) -> UInt8:
    """Levels (H, ...) of any depth as 0..255 of the same shape; NaN and what lies below 0 is black.

    top: the level that is white, by default `white_of` the levels.
    """
    white = white_of(levels) if top is None else top
    out = np.empty(levels.shape, np.uint8)
    for row in range(0, len(levels), _ROWS):  # in strips: in one piece it is eight times the memory
        part = np.nan_to_num(levels[row : row + _ROWS].astype(np.float64), posinf=white)
        out[row : row + _ROWS] = (part * (255 / white) + 0.5).clip(0, 255)
    return out


def white_of(levels: NDArray[Any]) -> float:
    """The level that is white in a picture that does not say.

    Whole numbers: cameras store 10 or 12 bits in words of 16, so of 8, 10, 12 and 16 bits the
    fewest that hold the brightest; beyond 16 bits the brightest itself. (14 bits look like a dark
    picture of 16.) Floats: 1 unless more than one in a hundred lies beyond 8; then 255, 65535 or
    the brightest. Inferred: all of it, from what programs write.
    """
    if levels.dtype.kind in "iub":
        brightest = int(levels.max(initial=0))
        return next((2.0**b - 1 for b in _BITS if brightest < 2**b), float(brightest))
    values = levels.reshape(-1)[:: levels.size // _SAMPLE + 1].astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size or np.percentile(values, 99) <= _BEYOND_WHITE:
        return 1.0
    most = float(values.max())
    return next((top for top in (255.0, 65535.0) if most <= top), most)


def to_uint8(batch: Float) -> UInt8:
    """float (B, 3, S, S) in [-1, 1] -> uint8 (B, S, S, 3), rounded; values outside are clipped."""
    levels = np.rint((batch + np.float32(1)) * np.float32(127.5)).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))

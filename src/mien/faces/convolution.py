"""Convolutional networks at work without torch: planes (C, H, W) through folded convolutions.

Sums run in one order whatever the number of threads, which torch's convolutions do not promise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mien.faces.products import product
from mien.types import Float

Layers = Mapping[str, tuple[Float, Float]]
"""By name, a convolution's weight (out, in, k, k) and bias (out,)."""


def convolved(
    x: Float, layer: tuple[Float, Float], stride: int = 1, *, rectified: bool = True
) -> Float:
    """Convolution with a border of zeros: (C, H, W) -> (D, H / stride, W / stride)."""
    weight, bias = layer
    size = weight.shape[-1]
    if size > 1:
        edge = size // 2
        padded = np.zeros((len(x), x.shape[1] + 2 * edge, x.shape[2] + 2 * edge), np.float32)
        padded[:, edge:-edge, edge:-edge] = x
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
        x = np.ascontiguousarray(windows[:, ::stride, ::stride].transpose(0, 3, 4, 1, 2))
    out = product(weight.reshape(len(weight), -1), x.reshape(-1, x.shape[-2] * x.shape[-1]))
    out += bias[:, None]
    if rectified:
        np.maximum(out, 0, out=out)
    return np.asarray(out.reshape(len(weight), *x.shape[-2:]), np.float32)


def unshuffled(x: Float) -> Float:
    """Each 2x2 cells side by side as channels: (C, H, W) -> (4 C, H / 2, W / 2)."""
    channels, height, width = x.shape
    cells = x.reshape(channels, height // 2, 2, width // 2, 2).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(cells).reshape(4 * channels, height // 2, width // 2)

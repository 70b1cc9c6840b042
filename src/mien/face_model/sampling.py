"""Reading a picture: at scattered points, and smaller."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Real, UInt8

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness (Rec. 601)."""

REACH = 3
"""Pixels around a place that resampling looks at, at most."""
_ROW = 512
"""cv2.remap takes at most 32,767 rows, so points are folded into rows of this many."""


def sample(image: Float, points: Real) -> Float:
    """Bilinear `image` (H, W) or (H, W, C) at points (N, 2) px, edge repeated: (N,) or (N, C)."""
    n = len(points)
    rows = max(1, -(-n // _ROW))
    grid = np.zeros((rows * _ROW, 2), np.float32)
    grid[:n] = points
    xs, ys = grid.reshape(rows, _ROW, 2).transpose(2, 0, 1).copy()
    out = cv2.remap(image, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32).reshape(rows * _ROW, *image.shape[2:])[:n]


def looked_at(texture: Float | UInt8, x: Float, y: Float) -> tuple[Float, tuple[int, int]]:
    """The part of a texture that resampling at places `x`, `y` px looks at, as numbers, and its
    upper left corner (x, y): a photograph is kept in bytes."""
    if texture.dtype == np.float32 or not x.size:
        return np.asarray(texture, np.float32), (0, 0)
    (left, right), (top, bottom) = (
        (
            int(np.clip(np.floor(place.min()) - REACH, 0, side - 1)),
            int(np.clip(np.ceil(place.max()) + REACH + 1, 1, side)),
        )
        for place, side in ((x, texture.shape[1]), (y, texture.shape[0]))
    )
    return texture[top:bottom, left:right].astype(np.float32), (left, top)


def around(shape: tuple[int, ...], points: Double, margin: float) -> tuple[slice, slice]:
    """The part of a picture (H, W) that holds points (N, 2) px and `margin` px around them."""
    low = np.maximum(np.floor(points.min(0) - margin).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0) + margin).astype(int) + 1, shape[1::-1])
    return slice(low[1], max(high[1], low[1])), slice(low[0], max(high[0], low[0]))


def shrink(image: Real, size: int) -> Float:
    """`image` (S, S) or (S, S, C) at side `size`: each pixel is the mean of what it covers."""
    out = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(out, np.float32)


def averaged(field: Float, factor: int) -> Float:
    """A field (H, W) or (H, W, C) at 1 / factor of the size, each pixel the mean of its share."""
    if factor == 1:
        return field
    size = field.shape[1] // factor, field.shape[0] // factor
    # between four pixels a line is their mean, and OpenCV is ten times as quick at it
    way = cv2.INTER_LINEAR if factor == 2 else cv2.INTER_AREA
    return np.asarray(cv2.resize(field, size, interpolation=way), np.float32)


def pyramid(image: Float, levels: int) -> tuple[Float, ...]:
    """`image` (H, W, C) in so many sizes, each half the one before."""
    out = [np.ascontiguousarray(image)]
    for _ in range(levels - 1):
        rows, columns = (max(1, n // 2) for n in out[-1].shape[:2])
        smaller = cv2.resize(out[-1], (columns, rows), interpolation=cv2.INTER_AREA)
        out.append(np.asarray(smaller, np.float32))
    return tuple(out)


def channels(fields: Float) -> list[Float]:
    """Fields (h, w, C) one by one, each (h, w) in one piece."""
    return [np.asarray(one, np.float32) for one in cv2.split(fields)]


def merged(channels: Sequence[Float]) -> Float:
    """Fields (h, w) as one (h, w, C)."""
    return np.asarray(cv2.merge(list(channels)), np.float32)


def tripled(field: Float) -> Float:
    """A field (h, w) for each of three channels (h, w, 3): NumPy is slow at broadcasting to
    three."""
    return merged((field, field, field))


def row_of(colour: Float, width: int) -> Float:
    """A colour (C,) for all pixels of a row (1, w, C), which meets pictures (h, w, C) quickly."""
    return np.tile(np.asarray(colour, np.float32), (1, width, 1))

"""From a mesh to pixels: which triangle a pixel shows, and what its corners carry there.

Points are in raster pixels, pixel centres at whole numbers; depth grows towards the viewer. NumPy
fills the triangles row by row, in half the time of OpenCV's z-buffer, which looks at every pixel of
the rectangle around one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Index, Int
from mien.face_model.neighbours import Sums

SLIVER = 1e-5
"""Twice the area, px, under which a triangle shows what its last corner carries: the slope of
anything over it is more than 32 bits can hold."""


@dataclass(frozen=True)
class Raster:
    """What each pixel of (H, W) shows: `index` int32, one of the `triangles` (T, 3) between
    `points` (N, 2) raster px, or -1."""

    index: Int
    points: Float
    triangles: Int

    def spread(self, values: Float, where: Bool) -> Float:
        """Vertex `values` (N, K) at the pixels of the mask `where` (H, W) of P ones: (P, K), each
        channel in one piece."""
        shown, *off = self._looked_at(where)
        out = np.empty((values.shape[1], len(shown)), np.float32)
        for into, channel in zip(out, np.ascontiguousarray(values.T, np.float32), strict=True):
            last, along, down = self.planes(channel)
            # "clip" is never needed, and spares NumPy a copy of what it writes to
            np.take(last, shown, out=into, mode="clip")
            for slope, by in zip((along, down), off, strict=True):
                into += np.take(slope, shown) * by
        return out.T

    def shares(self, where: Bool) -> Float:
        """How near the pixels of a mask of P ones lie to each corner of their triangles, (P, 3): 1
        at it, 0 on the side across."""
        shown, across, down = self._looked_at(where)
        first, second = (a[shown] * across + b[shown] * down for a, b in self._slopes)
        return np.stack([first, second, 1 - first - second], 1)

    def planes(self, channel: Float) -> tuple[Float, Float, Float]:
        """What vertices carry, `channel` (N,), over each triangle (T,): at its last corner, and by
        how much more from pixel to pixel, along and down."""
        first, second, last = (np.take(channel, corner) for corner in self._corners)
        first -= last
        second -= last
        (ax, ay), (bx, by) = self._slopes
        return last, first * ax + second * bx, first * ay + second * by

    def off(self, shown: Index | Int, x: Float, y: Float) -> tuple[Float, Float]:
        """How far pixels `x`, `y` (P,) lie from the last corners of triangles `shown` (P,), px."""
        left, top = self._last
        return x - np.take(left, shown), y - np.take(top, shown)

    def _looked_at(self, where: Bool) -> tuple[Index, Float, Float]:
        """The triangles that the pixels of a mask of P ones show (P,), and `off` of these."""
        height, width = where.shape
        places = (
            np.broadcast_to(np.arange(width, dtype=np.float32), where.shape),
            np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], where.shape),
        )
        if where.all():  # a mask of all is slow
            index, x, y = self.index.reshape(-1), *(place.reshape(-1) for place in places)
        else:
            index, x, y = self.index[where], *(place[where] for place in places)
        shown = index.astype(np.intp)
        return shown, *self.off(shown, x, y)

    @cached_property
    def _corners(self) -> Index:
        return np.ascontiguousarray(self.triangles.T, np.intp)

    @cached_property
    def _last(self) -> Float:
        """Where the last corners lie (2, T)."""
        return np.ascontiguousarray(np.take(self.points, self._corners[2], 0).T)

    @cached_property
    def _slopes(self) -> list[tuple[Float, Float]]:
        """By how much the shares of the first two corners of each triangle (T,) grow from pixel to
        pixel, along and down."""
        first, second, last = (
            np.take(self.points, corner, 0).T.astype(np.float64) for corner in self._corners
        )
        (ax, ay), (bx, by) = first - last, second - last
        area = ax * by - ay * bx
        area[np.abs(area) < SLIVER] = np.inf
        along, down = (by, -ay), (-bx, ax)
        return [
            (np.asarray(a / area, np.float32), np.asarray(b / area, np.float32))
            for a, b in zip(along, down, strict=True)
        ]


def rasterise(
    points: Float, depth: Float, triangles: Int, shape: tuple[int, int], where: Bool | None = None
) -> Raster:
    """The nearest triangle of every pixel of `shape` (H, W), or of those of a mask (H, W) alone.

    points: (N, 2) raster px; depth: (N,); triangles: (T, 3), either winding. Quickest where those
    that lie in front come last.
    """
    out = Raster(np.full(shape, -1, np.int32), points, triangles)
    pixels, shown = _covered(points, triangles, shape)
    if where is not None:
        asked = np.flatnonzero(np.take(where, pixels))
        pixels, shown = pixels[asked], shown[asked]
    index, planes = out.index.reshape(-1), None
    while True:
        index[pixels] = shown  # of those that meet at a pixel one is there now
        there = np.take(index, pixels)
        others = np.flatnonzero(there != shown)
        if not len(others):
            break
        pixels, shown, there = pixels[others], shown[others], there[others]
        planes = planes or out.planes(depth)
        y, x = (at.astype(np.float32) for at in np.divmod(pixels, shape[1]))
        own, seen = (_deep(out, planes, triangle, x, y) for triangle in (shown, there))
        nearer = np.flatnonzero(own > seen)
        pixels, shown = pixels[nearer], shown[nearer]
    return out


def _deep(
    raster: Raster, planes: tuple[Float, Float, Float], shown: Int, x: Float, y: Float
) -> Float:
    """What `planes` say of triangles (P,) at pixels `x`, `y` (P,)."""
    last, along, down = (np.take(part, shown) for part in planes)
    across, under = raster.off(shown, x, y)
    return np.asarray(last + along * across + down * under)


def _covered(points: Float, triangles: Int, shape: tuple[int, int]) -> tuple[Index, Int]:
    """The pixels of a raster (H, W), counted row by row, whose centres lie in triangles or on their
    sides, (P,), and in which (P,): a pixel is there once for each."""
    height, width = shape
    x, y = _downwards(points, triangles)
    # to its middle corner, and from there on: two halves, each between two sides
    above, below = y[:2].reshape(-1), y[1:].reshape(-1)
    first, last = np.maximum(np.ceil(above), 0), np.minimum(np.floor(below), height - 1)
    half = np.flatnonzero((first <= last) & (above < below))
    number = half % max(len(triangles), 1)
    first = first[half].astype(np.intp)
    rows = last[half].astype(np.intp) - first + 1
    # from its upper end, whoever asks: two triangles find the same side
    short = x[:2].reshape(-1)[half], above[half], x[1:].reshape(-1)[half], below[half]
    long = x[0][number], y[0][number], x[2][number], y[2][number]
    place = np.repeat(np.arange(len(half)), rows)
    row = np.arange(len(place)) + np.repeat(first - (np.cumsum(rows) - rows), rows)
    one, other = _crossed(*short, place, row), _crossed(*long, place, row)
    left = np.maximum(np.ceil(np.minimum(one, other)), 0).astype(np.intp)
    right = np.minimum(np.floor(np.maximum(one, other)), width - 1).astype(np.intp)
    count = np.maximum(right - left + 1, 0)
    pixels = np.repeat(row * width + left - (np.cumsum(count) - count), count)
    pixels += np.arange(len(pixels))
    return pixels, np.repeat(number.astype(np.int32)[place], count)


def _downwards(points: Float, triangles: Int) -> tuple[Double, Double]:
    """The corners of triangles (T, 3), x and y (3, T) of points (N, 2), the upper ones first."""
    corners = np.ascontiguousarray(triangles.T, np.intp)
    x, y = (np.take(axis, corners).astype(np.float64) for axis in np.ascontiguousarray(points.T))
    for one, other in ((0, 1), (1, 2), (0, 1)):  # NumPy is slow at sorting three
        turned = y[one] > y[other]
        for axis in (x, y):
            axis[one], axis[other] = (
                np.where(turned, axis[other], axis[one]),
                np.where(turned, axis[one], axis[other]),
            )
    return x, y


def _crossed(x: Double, y: Double, to_x: Double, to_y: Double, side: Index, row: Index) -> Double:
    """Where rows (R,) cross sides (R,), of some (S,) that go from `x`, `y` to `to_x`, `to_y`."""
    slope = (to_x - x) / (to_y - y)
    out = np.take(slope, side)
    out *= row
    out += np.take(x - y * slope, side)
    return np.asarray(out)


def rasterise_behind(
    points: Float, depth: Float, ahead: Int, behind: Int, shape: tuple[int, int]
) -> tuple[Raster, Index]:
    """The nearest triangle of every pixel of `shape` (H, W), of those `ahead` (T, 3) and, through
    gaps between these, of some `behind` (U, 3), which are nowhere nearer; and which of the latter
    (K,) are numbered, after the former. The rest as `rasterise` has it."""
    out = rasterise(points, depth, ahead, shape)
    gaps = out.index < 0
    if not len(behind) or not gaps.any():
        return out, np.zeros(0, np.intp)
    kept = np.flatnonzero(Boxes(points, behind).holding(gaps))
    kept = kept[np.argsort(depth[behind[kept, 0]])]
    seen = rasterise(points, depth, behind[kept], shape, gaps).index
    index = np.where(seen < 0, out.index, seen + np.int32(len(ahead)))
    return Raster(index, points, np.concatenate([ahead, behind[kept]])), kept


class Boxes:
    """The rectangles around triangles: low and high (T,) x and y of each."""

    def __init__(self, points: Float, triangles: Int) -> None:
        """triangles (T, 3) of points (N, 2)."""
        corners = np.ascontiguousarray(triangles.T, np.intp)
        self._low, self._high = [], []
        for axis in np.ascontiguousarray(points.T):
            a, b, c = (np.take(axis, corner) for corner in corners)
            self._low.append(np.minimum(np.minimum(a, b), c))
            self._high.append(np.maximum(np.maximum(a, b), c))

    def touching(self, low: Float, high: Float) -> Bool:
        """Which triangles (T,) may touch a rectangle from one corner (x, y) to the other."""
        (x, y), (right, bottom) = self._low, self._high
        kept = (right >= low[0]) & (x <= high[0])
        kept &= bottom >= low[1]
        kept &= y <= high[1]
        return np.asarray(kept)

    def within(self, low: Float, high: Float) -> Bool:
        """Which triangles (T,) lie within such a rectangle."""
        (x, y), (right, bottom) = self._low, self._high
        kept = (x > low[0]) & (right < high[0])
        kept &= y > low[1]
        kept &= bottom < high[1]
        return np.asarray(kept)

    def holding(self, where: Bool) -> Bool:
        """Which triangles (T,) may touch a pixel of a mask (H, W)."""
        shape = where.shape
        counts = cv2.integral(where.view(np.uint8))
        edges = [
            np.clip(edge, 0, side).astype(np.intp)
            for low, high, side in zip(self._low, self._high, shape[::-1], strict=True)
            for edge in (np.floor(low) - 1, np.ceil(high) + 2)
        ]
        left, right, top, bottom = edges
        found = counts[bottom, right] - counts[top, right]
        found -= counts[bottom, left]
        found += counts[top, left]
        return np.asarray(found > 0)


def in_sight(points: Float, triangles: Int, shape: tuple[float, float]) -> Bool:
    """Which triangles (T,) may touch a raster (H, W); points (N, 2) raster px."""
    height, width = shape
    beyond = np.array([width, height], np.float32)
    return Boxes(points, triangles).touching(np.full(2, -1, np.float32), beyond)


def facing(points: Float, triangles: Int) -> Bool:
    """Which triangles (T,) turn to the viewer the side that is their outside on the mesh; points
    (N, 2) px."""
    x, y = np.ascontiguousarray(points.T)
    first, second, third = np.ascontiguousarray(triangles.T, np.intp)
    left, top = np.take(x, first), np.take(y, first)
    across = (np.take(x, second) - left) * (np.take(y, third) - top)
    across -= (np.take(y, second) - top) * (np.take(x, third) - left)
    return np.asarray(across < 0)


def over_centre(points: Float, triangles: Int) -> Bool:
    """Which triangles (T,) may lie over the centre of a pixel; points (N, 2) raster px."""
    corners = np.ascontiguousarray(triangles.T, np.intp)
    kept = np.ones(len(triangles), bool)
    for axis in np.ascontiguousarray(points.T):
        a, b, c = (np.take(axis, corner) for corner in corners)
        low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
        kept &= np.floor(high + np.float32(0.01)) >= low - np.float32(0.01)
    return kept


class Normals:
    """Vertex normals of meshes of one topology."""

    def __init__(self, triangles: Int, count: int) -> None:
        """triangles (T, 3) of the mesh, of whose vertices the first `count`, P, get a normal."""
        near = triangles[(triangles < count).any(1)]
        self._corners = np.ascontiguousarray(near.T, np.intp)
        rows = near.reshape(-1).astype(np.intp)
        columns = np.repeat(np.arange(len(near)), 3)
        wanted = rows < count
        rows, columns = rows[wanted], columns[wanted]
        self._gather = Sums(rows, columns, np.ones(len(rows), np.float32), count)

    def __call__(self, vertices: Float) -> Float:
        """Area-weighted unit normals (P, 3) of `vertices` (N, 3); 0 for those of no triangle."""
        sides = []
        for axis in np.ascontiguousarray(vertices.T):
            first, second, third = (np.take(axis, corner) for corner in self._corners)
            sides.append((second - first, third - first))
        (ax, bx), (ay, by), (az, bz) = sides
        across = np.empty((len(ax), 3), vertices.dtype)
        across[:, 0] = ay * bz - az * by
        across[:, 1] = az * bx - ax * bz
        across[:, 2] = ax * by - ay * bx
        out: Float = self._gather @ across
        x, y, z = out.T
        out /= (np.sqrt(x * x + y * y + z * z) + np.float32(1e-12))[:, None]
        return out

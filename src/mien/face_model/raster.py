"""From a mesh to pixels: which triangle a pixel shows, where in it, and what its corners carry.

The z-buffer is OpenCV's (`cv2.triangleRasterize`, since 5.0), so that nothing is compiled on
anybody's machine. Points are in raster pixels, pixel centres at whole numbers; depth grows towards
the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Int
from mien.face_model.neighbours import Sums

AWAY, ROOM = 1000.0, 100.0
"""Where OpenCV's camera stands, cm before the mesh, and how deep a scene may be, either way, cm.

So far away, its perspective is none: within a triangle the interpolation is linear to 1e-4."""


MANY = 1 << 16
"""Triangles that are numbered at once: more than the mesh has."""


@dataclass(frozen=True)
class Raster:
    """What each pixel of (H, W) shows: `index` int32, a triangle or -1; `weights` (H, W, 2), the
    shares of its first two corners, the third's being what is left."""

    index: Int
    weights: Float

    def spread(self, triangles: Int, values: Float, where: Bool) -> Float:
        """Vertex `values` (N, K) at the pixels of the mask `where` (H, W) of P ones: (P, K), each
        channel in one piece."""
        parts = (self.index, self.weights[..., 0], self.weights[..., 1])
        whole = bool(where.all())
        index, u, v = (part.reshape(-1) if whole else part[where] for part in parts)
        shown = index.astype(np.intp)
        # "clip" is never needed, and spares NumPy a copy of what it writes to
        first, second, third = (
            np.take(corner, shown, mode="clip")
            for corner in np.ascontiguousarray(triangles.T, np.intp)
        )
        w = 1 - u - v
        out = np.empty((values.shape[1], len(shown)), np.float32)
        for into, channel in zip(out, np.ascontiguousarray(values.T), strict=True):
            np.take(channel, first, out=into, mode="clip")
            into *= u
            for corner, share in ((second, v), (third, w)):
                into += np.take(channel, corner, mode="clip") * share
        return out.T


def rasterise(points: Float, depth: Float, triangles: Int, shape: tuple[int, int]) -> Raster:
    """The nearest triangle of every pixel of `shape` (H, W).

    points: (N, 2) raster px; depth: (N,) cm, within `ROOM` of 0; triangles: (T, 3), either
    winding, T < 2^20. The same bytes for any number of threads.
    """
    height, width = shape
    colour = np.zeros((height, width, 3), np.float32)
    count = len(triangles)
    if count and height and width:
        corners = triangles.reshape(-1)
        # by `take`: indices in brackets cost NumPy ten times as much
        far = np.float32(AWAY) - np.take(depth, corners)
        at = np.take(points, corners, axis=0)
        scene = np.empty((3 * count, 3), np.float32)  # no corner is shared: each knows its triangle
        half = np.float32(height / 2)
        scene[:, 0] = (at[:, 0] + np.float32(0.5 - width / 2)) / half * far
        scene[:, 1] = (np.float32(height / 2 - 0.5) - at[:, 1]) / half * far
        scene[:, 2] = -far
        buffer = np.full((height, width), AWAY + ROOM, np.float32)
        cv2.triangleRasterize(
            scene,
            *_marks(count),
            colour,
            buffer,
            np.eye(4, dtype=np.float32),
            np.pi / 2,
            AWAY - ROOM,
            AWAY + ROOM,
            _settings(),
        )
    index = np.rint(colour[..., 2]).astype(np.int32) - 1
    return Raster(index, np.ascontiguousarray(colour[..., :2]))


def rasterise_behind(
    points: Float, depth: Float, ahead: Int, behind: Int, shape: tuple[int, int]
) -> tuple[Raster, Bool]:
    """The nearest triangle of every pixel of `shape` (H, W), of those `ahead` (T, 3) and, through
    gaps between these, of some `behind` (U, 3), which are nowhere nearer; and which of the latter
    (U,) are numbered, after the former. The rest as `rasterise` has it."""
    out = rasterise(points, depth, ahead, shape)
    gaps = out.index < 0
    left, top, across, down = cv2.boundingRect(gaps.view(np.uint8))
    if not across or not len(behind):
        return out, np.zeros(len(behind), bool)
    part = np.s_[top : top + down, left : left + across]
    points = points - np.array([left, top], np.float32)
    kept = Boxes(points, behind).holding(gaps[part])
    seen = rasterise(points, depth, behind[kept], (down, across))
    into = gaps[part] & (seen.index >= 0)
    out.index[part][into] = seen.index[into] + np.int32(len(ahead))
    out.weights[part][into] = seen.weights[into]
    return out, kept


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


def _marks(count: int) -> tuple[Int, Float]:
    """The corners (T, 3), numbered, and what they (3 T, 3) carry through OpenCV: shares of the
    first two, and the triangle's number from 1 on."""
    numbers, carried = _all_marks(max(MANY, 1 << (count - 1).bit_length()))
    return numbers[:count], carried[: 3 * count]


@cache
def _all_marks(count: int) -> tuple[Int, Float]:
    """Those of so many triangles, from which fewer take the first ones."""
    out = np.zeros((count, 3, 3), np.float32)
    out[:, 0, 0] = out[:, 1, 1] = 1
    out[:, :, 2] = np.arange(1, count + 1, dtype=np.float32)[:, None]
    return np.arange(3 * count, dtype=np.int32).reshape(-1, 3), out.reshape(-1, 3)


def _settings() -> cv2.TriangleRasterizeSettings:
    out = cv2.TriangleRasterizeSettings()
    out.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    out.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    return out


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

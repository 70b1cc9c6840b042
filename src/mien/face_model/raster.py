"""From a mesh to pixels: which triangle a pixel shows, where in it, and what its corners carry.

The z-buffer is OpenCV's (`cv2.triangleRasterize`, since 5.0), so that nothing is compiled on
anybody's machine. Points are in raster pixels, pixel centres at whole numbers; depth grows towards
the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Int
from mien.face_model.neighbours import Sums

AWAY, ROOM = 1000.0, 100.0
"""Where OpenCV's camera stands, cm before the mesh, and how deep a scene may be, either way, cm.

So far away, its perspective is none: within a triangle the interpolation is linear to 1e-4."""


@dataclass(frozen=True)
class Raster:
    """What each pixel of (H, W) shows: `index` int32, a triangle or -1; `weights` (H, W, 2), the
    shares of its first two corners, the third's being what is left."""

    index: Int
    weights: Float

    def spread(self, triangles: Int, values: Float, where: Bool) -> Float:
        """Vertex `values` (N, K) at the pixels of the mask `where` (H, W) of P ones: (P, K)."""
        corners = triangles[self.index[where]]
        u, v = self.weights[where].T
        out = np.take(values, corners[:, 0], 0) * u[:, None]
        out += np.take(values, corners[:, 1], 0) * v[:, None]
        out += np.take(values, corners[:, 2], 0) * (1 - u - v)[:, None]
        return np.asarray(out, np.float32)


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
        far = np.float32(AWAY) - depth[corners]
        at = points[corners]
        scene = np.empty((3 * count, 3), np.float32)  # no corner is shared: each knows its triangle
        half = np.float32(height / 2)
        scene[:, 0] = (at[:, 0] + np.float32(0.5 - width / 2)) / half * far
        scene[:, 1] = (np.float32(height / 2 - 0.5) - at[:, 1]) / half * far
        scene[:, 2] = -far
        buffer = np.full((height, width), AWAY + ROOM, np.float32)
        cv2.triangleRasterize(
            scene,
            np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
            _marks(count),
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


def _marks(count: int) -> Float:
    """What the corners (3 T, 3) carry through OpenCV: shares of the first two, and the triangle's
    number from 1 on."""
    out = np.zeros((count, 3, 3), np.float32)
    out[:, 0, 0] = out[:, 1, 1] = 1
    out[:, :, 2] = np.arange(1, count + 1, dtype=np.float32)[:, None]
    return out.reshape(-1, 3)


def _settings() -> cv2.TriangleRasterizeSettings:
    out = cv2.TriangleRasterizeSettings()
    out.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    out.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    return out


class Normals:
    """Vertex normals of meshes of one topology."""

    def __init__(self, triangles: Int, count: int) -> None:
        """triangles (T, 3) over `count` vertices N."""
        self._triangles = triangles
        rows = triangles.reshape(-1).astype(np.intp)
        columns = np.repeat(np.arange(len(triangles)), 3)
        self._gather = Sums(rows, columns, np.ones(len(rows), np.float32), count)

    def __call__(self, vertices: Float) -> Float:
        """Area-weighted unit normals (N, 3) of `vertices` (N, 3); 0 for those of no triangle."""
        a, b, c = (vertices[corner] for corner in self._triangles.T)
        p, q = b - a, c - a
        across = np.empty_like(p)
        across[:, 0] = p[:, 1] * q[:, 2] - p[:, 2] * q[:, 1]
        across[:, 1] = p[:, 2] * q[:, 0] - p[:, 0] * q[:, 2]
        across[:, 2] = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
        out: Float = self._gather @ across
        out /= np.linalg.norm(out, axis=1, keepdims=True) + np.float32(1e-12)
        return out

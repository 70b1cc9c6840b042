"""The inner loops: z-buffer rasteriser, attribute interpolation, vertex normals. Compiled by numba.

Points are in raster pixels, pixel centres at whole numbers; depth grows towards the viewer. Arrays
are C-contiguous float32 (indices int32) because numba compiles one version per layout.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

from mien.face_model.arrays import Float, Int

Function = TypeVar("Function", bound=Callable[..., None])

FAR = -1e9
"""Depth of an empty pixel: behind everything."""
INSIDE = -1e-5
"""Smallest barycentric weight that still counts as inside, so that shared edges leave no
pinholes."""


def compiled(function: Function) -> Function:
    """`function` compiled at its first call and kept on disk."""
    return cast(Function, numba.njit(cache=True, fastmath=True)(function))


@compiled
def rasterise(
    points: Float, depth: Float, triangles: Int, index: Int, weights: Float, buffer: Float
) -> None:
    """Nearest triangle of every pixel, and where in it.

    Args:
        points: (N, 2) raster px. depth: (N,). triangles: (T, 3).
        index: out (H, W), -1 where no triangle lies.
        weights: out (H, W, 2), barycentric weights of the first two corners; valid where index >=
        0.
        buffer: out (H, W), depth of the nearest triangle.
    """
    height, width = index.shape
    for y in range(height):
        for x in range(width):
            index[y, x] = -1
            buffer[y, x] = FAR
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-9:
            continue
        x0 = max(int(np.ceil(min(ax, bx, cx))), 0)
        x1 = min(int(np.floor(max(ax, bx, cx))), width - 1)
        y0 = max(int(np.ceil(min(ay, by, cy))), 0)
        y1 = min(int(np.floor(max(ay, by, cy))), height - 1)
        if x1 < x0 or y1 < y0:
            continue
        scale = 1.0 / area
        za, zb, zc = depth[a], depth[b], depth[c]
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                u = ((by - cy) * (x - cx) + (cx - bx) * (y - cy)) * scale
                v = ((cy - ay) * (x - cx) + (ax - cx) * (y - cy)) * scale
                w = 1 - u - v
                if u < INSIDE or v < INSIDE or w < INSIDE:
                    continue
                z = u * za + v * zb + w * zc
                if z > buffer[y, x]:
                    buffer[y, x] = z
                    index[y, x] = t
                    weights[y, x, 0] = u
                    weights[y, x, 1] = v


@compiled
def interpolate(index: Int, weights: Float, triangles: Int, values: Float, out: Float) -> None:
    """Vertex `values` (N, K) spread over the raster: out (H, W, K), untouched where index < 0."""
    height, width = index.shape
    for y in range(height):
        for x in range(width):
            t = index[y, x]
            if t < 0:
                continue
            u, v = weights[y, x, 0], weights[y, x, 1]
            w = 1 - u - v
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            for k in range(values.shape[1]):
                out[y, x, k] = u * values[a, k] + v * values[b, k] + w * values[c, k]


@compiled
def normals(vertices: Float, triangles: Int, out: Float) -> None:
    """Area-weighted unit vertex normals (N, 3) of a mesh; 0 for vertices of no triangle."""
    for i in range(out.shape[0]):
        out[i, 0] = out[i, 1] = out[i, 2] = 0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        px, py = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1]
        pz = vertices[b, 2] - vertices[a, 2]
        qx, qy = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1]
        qz = vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for i in range(out.shape[0]):
        length = (out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) ** 0.5 + 1e-12
        out[i, 0] /= length
        out[i, 1] /= length
        out[i, 2] /= length

"""The skin of a posed mesh laid flat, as it is seen from straight ahead."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mien.face_model.arrays import Bool, Float, Int
from mien.face_model.mesh import FACE, SKIN_LAYER, FaceModel
from mien.face_model.raster import Raster, rasterise


class Chart:
    """A part of the skin laid flat.

    Attributes:
        shape: its rows and columns (h, w).
        places: where each vertex of the face lies in it, (F, 2) px.
        triangles: those of the skin (T, 3), all of them.
    """

    def __init__(
        self,
        model: FaceModel,
        vertices: Float,
        corner: tuple[float, float],
        shape: tuple[int, int],
        density: int,
    ) -> None:
        """`vertices` (N, 3) cm of a posed mesh; `corner`, cm: its left and top (x, y); `shape` of
        the chart (h, w), of `density` px per cm."""
        self.shape = shape
        flat = vertices[FACE, :2] - np.array(corner, np.float32)
        self.places: Float = np.ascontiguousarray(
            flat * np.array([1, -1], np.float32) * density - np.float32(0.5), np.float32
        )
        skin = (model.layers == SKIN_LAYER) & (model.triangles < FACE.stop).all(1)
        self.triangles: Int = np.ascontiguousarray(model.triangles[skin])
        self._depth: Float = np.ascontiguousarray(vertices[FACE, 2], np.float32)

    @cached_property
    def _inside(self) -> Int:
        """The triangles that reach into the chart (K, 3)."""
        corners = self.places[self.triangles]
        low, high = corners.min(1), corners.max(1)
        inside = (high > -1).all(1) & (low < np.array(self.shape[::-1])).all(1)
        return np.ascontiguousarray(self.triangles[inside])

    @cached_property
    def _raster(self) -> Raster:
        return rasterise(self.places, self._depth, self._inside, self.shape)

    @cached_property
    def shown(self) -> Bool:
        """Where (h, w) it shows the skin."""
        out: Bool = self._raster.index >= 0
        return out

    def rasterised(self, values: Float) -> Float:
        """What vertices carry, `values` (F, C), over the chart (h, w, C); 0 where it shows none."""
        out = np.zeros((*self.shape, values.shape[1]), np.float32)
        of_vertices = np.ascontiguousarray(values, np.float32)
        out[self.shown] = self._raster.spread(of_vertices, self.shown)
        return out

"""Lips laid flat: what the mesh of any face shows of them, in one frame, parted.

The frame is the mean face from the front with the jaw a little open, so that the two lips lie
apart: each has room for what of it is hidden while the mouth is closed.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Int
from mien.face_model.eyes import polygon
from mien.face_model.mesh import FACE, SKIN_LAYER, FaceModel
from mien.face_model.raster import rasterise

DENSITY = 36
"""Pixels of the chart per cm: the photographs of the shipped library have about 41."""
PARTED = 0.35
"""Weight of jawOpen in the chart's frame."""
HALF, TOP, BOTTOM = 3.2, -1.75, -5.85
"""Half width, top and bottom of the chart, cm of the mean face."""
OUTER, UPPER, LOWER = slice(48, 60), [60, 61, 62, 63, 64], [60, 67, 66, 65, 64]
"""Landmarks of the lips' border, and of the two edges of the opening from left to right."""


class LipChart:
    """The chart of a model's lips.

    Attributes:
        shape: its rows and columns (h, w).
        places: where each vertex of the skin lies in it, (F, 2) px.
        aside (h, w): distance from the nearer corner of the mouth, cm.
        opening: rows (2, w) where the opening begins and ends; the same ones where there is none.
        shown (h, w): where it shows the mesh; the rest is the opening.
        upper (h, w): what is upper lip, or lies behind it.
        far (h, w): distance from the lips' border, cm; negative inside.
    """

    def __init__(self, model: FaceModel) -> None:
        posed = model.neutral + np.float32(PARTED) * model.expressions[model.index["jawOpen"]]
        self.shape = round((TOP - BOTTOM) * DENSITY), round(2 * HALF * DENSITY)
        corner = np.array([-HALF, TOP], np.float32)
        flat = (posed[:, :2] - corner) * np.array([1, -1], np.float32) * DENSITY - np.float32(0.5)
        self.places: Float = np.ascontiguousarray(flat[FACE], np.float32)
        skin = model.triangles[(model.layers == SKIN_LAYER) & (model.triangles < FACE.stop).all(1)]
        self._triangles = np.ascontiguousarray(skin[self._near(self.places[skin])])
        depth = posed[FACE, 2].astype(np.float32)
        self._raster = rasterise(self.places, depth, self._triangles, self.shape)
        self.shown: Bool = self._raster.index >= 0
        self._hole = self._filling()
        lips = polygon(self.shape, flat[model.landmarks[OUTER]])
        inside, outside = (
            cv2.distanceTransform(np.asarray(one, np.uint8), cv2.DIST_L2, 5)
            for one in (lips, 1 - lips)
        )
        self.far: Float = np.asarray((outside - inside) / DENSITY, np.float32)
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in self.shape[::-1])), -1)
        corners = (flat[model.landmarks[[48, 54]]] + flat[model.landmarks[[60, 64]]]) / 2
        apart = [np.linalg.norm(grid - corner, axis=-1) for corner in corners]
        self.aside: Float = np.asarray(np.minimum(*apart) / DENSITY, np.float32)
        rows, across = np.arange(self.shape[0])[:, None], np.arange(self.shape[1])
        self.opening: Float = np.stack(
            [
                np.interp(across, *flat[model.landmarks[edge]].T).astype(np.float32)
                for edge in (UPPER, LOWER)
            ]
        )
        self.upper: Bool = (self.far < 0) & (rows < self.opening.mean(0))

    def _near(self, corners: Float) -> Bool:
        """Which triangles, corners (T, 3, 2) px, reach into the chart."""
        low, high = corners.min(1), corners.max(1)
        inside: Bool = (high > -1).all(1) & (low < np.array(self.shape[::-1])).all(1)
        return inside

    def _filling(self) -> Int:
        """Of the pixels that show nothing (K, 2), the mouth's opening, the nearest that do."""
        _, label = cv2.distanceTransformWithLabels(
            np.asarray(~self.shown, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        known = np.zeros((int(label.max()) + 1, 2), np.int32)
        ys, xs = np.nonzero(self.shown)
        known[label[ys, xs]] = np.stack([ys, xs], 1)
        return np.asarray(known[label[~self.shown]], np.int32)

    def rasterised(self, values: Float) -> Float:
        """What vertices carry, `values` (F, C), over the chart (h, w, C); in the opening that of
        the nearest place beside it."""
        out = np.zeros((*self.shape, values.shape[1]), np.float32)
        out[self.shown] = self._raster.spread(
            self._triangles, np.ascontiguousarray(values, np.float32), self.shown
        )
        out[~self.shown] = out[self._hole[:, 0], self._hole[:, 1]]
        return out

"""Lips laid flat: what the mesh of any face shows of them, in one frame, parted.

The frame is the mean face from the front with the jaw a little open, so that the two lips lie
apart: each has room for what of it is hidden while the mouth is closed.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Int
from mien.face_model.chart import Chart
from mien.face_model.eyes import polygon
from mien.face_model.mesh import FaceModel

DENSITY = 36
"""Pixels of the chart per cm: the photographs of the shipped library have about 41."""
PARTED = 0.35
"""Weight of jawOpen in the chart's frame."""
HALF, TOP, BOTTOM = 3.2, -1.75, -5.85
"""Half width, top and bottom of the chart, cm of the mean face."""
OUTER, UPPER, LOWER = slice(48, 60), [60, 61, 62, 63, 64], [60, 67, 66, 65, 64]
"""Landmarks of the lips' border, and of the two edges of the opening from left to right."""


class LipChart(Chart):
    """The chart of a model's lips.

    Attributes:
        aside (h, w): distance from the nearer corner of the mouth, cm.
        opening: rows (2, w) where the opening begins and ends; the same ones where there is none.
        upper (h, w): what is upper lip, or lies behind it.
        far (h, w): distance from the lips' border, cm; negative inside.
    """

    shape = round((TOP - BOTTOM) * DENSITY), round(2 * HALF * DENSITY)

    def __init__(self, model: FaceModel) -> None:
        posed = model.neutral + np.float32(PARTED) * model.expressions[model.index["jawOpen"]]
        super().__init__(model, posed, (-HALF, TOP), self.shape, DENSITY)
        self._hole = self._filling()
        flat = self.places[model.landmarks]
        lips = polygon(self.shape, flat[OUTER])
        inside, outside = (
            cv2.distanceTransform(np.asarray(one, np.uint8), cv2.DIST_L2, 5)
            for one in (lips, 1 - lips)
        )
        self.far: Float = np.asarray((outside - inside) / DENSITY, np.float32)
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in self.shape[::-1])), -1)
        corners = (flat[[48, 54]] + flat[[60, 64]]) / 2
        distances = [np.linalg.norm(grid - corner, axis=-1) for corner in corners]
        self.aside: Float = np.asarray(np.minimum(*distances) / DENSITY, np.float32)
        rows, across = np.arange(self.shape[0])[:, None], np.arange(self.shape[1])
        self.opening: Float = np.stack(
            [np.interp(across, *flat[edge].T).astype(np.float32) for edge in (UPPER, LOWER)]
        )
        self.upper: Bool = (self.far < 0) & (rows < self.opening.mean(0))

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
        out = super().rasterised(values)
        out[~self.shown] = out[self._hole[:, 0], self._hole[:, 1]]
        return out

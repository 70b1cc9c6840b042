"""Where on a row of teeth a pixel lies, found by where the mesh's teeth lie in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.face_model.arrays import Double, Float, Index
from mien.face_model.mesh import TEETH, FaceModel
from mien.face_model.mouth import CROWN

REACH = 2.5
"""Half width of the front part of a jaw that tells where its row lies, cm."""
SHELL = 0.25
"""How deep the outer side of the teeth is taken to be, cm."""


class Jaw:
    """One jaw of the mesh: `upper`, whose teeth's edge is their lowest, or the lower one."""

    def __init__(self, model: FaceModel, upper: bool) -> None:
        part = model.jaw_parts[0 if upper else 1]
        teeth = part[part >= TEETH.start]
        x, y, z = model.neutral[teeth].astype(np.float64).T
        bins = np.round(x / 0.1).astype(int)
        front = np.zeros(len(teeth), bool)
        for one in set(bins.tolist()):
            at = bins == one
            front[at] = z[at] > z[at].max() - SHELL
        front &= np.abs(x) < REACH
        middle = y[front & (np.abs(x) < 0.7)]
        edge = middle.min() if upper else middle.max()
        height = (y[front] - edge) * CROWN["upper" if upper else "lower"]
        self._vertices: Index = teeth[front]
        self._flat: Double = np.stack([x[front], height], 1)

    def place(self, points: Float) -> JawPlace:
        """The map for one posed mesh, `points` (N, 2) px."""
        seen = points[self._vertices].astype(np.float64)
        middle, spread = seen.mean(0), max(float(np.ptp(seen[:, 0])) / 2, 1e-3)
        a, b = ((seen - middle) / spread).T
        terms = np.stack([np.ones_like(a), a, a**2, a**3, b, a * b, a**2 * b], 1)
        weights, *_ = np.linalg.lstsq(terms, self._flat, rcond=None)
        return JawPlace(middle, spread, weights)


@dataclass(frozen=True)
class JawPlace:
    """A map from pixels to the flat row: cubic across, linear along the height, which follows a
    turned head."""

    middle: Double
    spread: float
    weights: Double

    def __call__(self, x: Float, y: Float) -> tuple[Float, Float]:
        """Of pixels at x (W,) and y (H,): cm across the row to the person's left (W,), in the
        middle row, and cm above the teeth's edge (H, W)."""
        a = (x - self.middle[0]) / self.spread
        b = ((y - self.middle[1]) / self.spread)[:, None]
        w = self.weights
        level = np.stack([np.ones_like(a), a, a**2, a**3]).T @ w[:4]  # (W, 2)
        slope = np.stack([np.ones_like(a), a, a**2]).T @ w[4:]
        across = level[:, 0] + slope[:, 0] * float(np.median(b))
        return across.astype(np.float32), (level[:, 1] + b * slope[:, 1]).astype(np.float32)

"""Which triangles a picture may show: what is hidden for sure need not be rasterised.

The z-buffer would find the same, but slowly: half of what a mouth has is its back, and most of the
rest lies behind the lips.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Bool, Float, Int, Layer
from mien.face_model.mesh import (
    EYE_LAYER,
    GUM_LAYER,
    MOUTH_LAYER,
    SKIN_LAYER,
    TEETH_LAYER,
    FaceModel,
)
from mien.face_model.raster import facing, in_sight

BEHIND = ((EYE_LAYER,), 36, 48), ((MOUTH_LAYER, GUM_LAYER, TEETH_LAYER), 60, 68)
"""What is seen through gaps of the skin only, and the landmarks around these."""
GAP_ROOM = 0.3
"""How far it may be seen beyond the rectangle around those, cm."""


class Visible:
    """Of the triangles of one photograph."""

    def __init__(self, model: FaceModel, triangles: Int, layers: Layer, points: Float) -> None:
        """triangles (T, 3), what they belong to (T,), and points (N, 2) px in the photograph."""
        self._triangles, self._landmarks = triangles, model.landmarks
        # skin folds, a turned head's more than others: there its back may be seen
        self._skin = layers == SKIN_LAYER
        self._skin_ahead = self._skin & facing(points, triangles)
        self._behind = [
            (np.flatnonzero(np.isin(layers, parts)), slice(first, end))
            for parts, first, end in BEHIND
        ]

    def __call__(self, points: Float, unit: float, turned: bool) -> Bool:
        """Which (T,) may be seen, the mesh being at `points` (N, 2) px, `unit` px per cm, and the
        head `turned` or not."""
        skin = self._skin if turned else self._skin_ahead
        seen: Bool = skin | facing(points, self._triangles)
        for at, landmarks in self._behind:
            gap = points[self._landmarks[landmarks]]
            low = gap.min(0) - np.float32(GAP_ROOM * unit)
            width, height = (gap.max(0) - low + np.float32(GAP_ROOM * unit)).tolist()
            seen[at] &= in_sight(points - low, self._triangles[at], (height, width))
        return seen

"""What of the mesh is drawn over a photograph, and what surrounds it there, decided by how the
photograph shows the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.face_model.animate import Pose, drawn, rim, sink
from mien.face_model.arrays import Float, Index, Int, Layer
from mien.face_model.background import Background
from mien.face_model.bone import neck
from mien.face_model.mesh import MOUTH_LAYERS, FaceModel
from mien.face_model.pose_light import outlying
from mien.face_model.visible import Visible

ALIKE = 2.0
"""Distance, px at 320, by which the face's outline lies elsewhere at most in another frame of a
film for which the same is drawn: less than half a step of the surround's grid."""


@dataclass(frozen=True)
class Selection:
    """Of one photograph: the triangles (T, 3) that are drawn, their layers (T,), and which of them
    may be seen; the rim's vertices (K,) and how much (K, 1) of their own motion they keep; how far
    (F,) a vertex lies on the outline; the surround; and where (17, 2) px the outline was.
    """

    triangles: Int
    layers: Layer
    visible: Visible
    rim: Index
    rim_own: Float
    outlying: Float
    surround: Background
    outline: Float

    @classmethod
    def of(cls, model: FaceModel, source: Pose, side: int, chin: float, masked: bool) -> Selection:
        """For the face as a photograph of `side` px shows it, whose `chin` lies in that row, px;
        `masked`: whether cloth hides its mouth, in which there are no lips, and nothing between.
        """
        of_neck = model.once(neck)
        kept = drawn(model, source.normals, of_neck)
        if masked:
            kept &= ~np.isin(model.layers, MOUTH_LAYERS)
        triangles, layers = np.ascontiguousarray(model.triangles[kept]), model.layers[kept]
        depth = sink(source.depth)
        return cls(
            triangles,
            layers,
            Visible(model, triangles, layers, source.points),
            *rim(model, source.normals, of_neck),
            outlying(model, source.normals),
            Background(side, source.points, depth, triangles, layers, chin),
            _outline(model, source),
        )

    def suits(self, model: FaceModel, source: Pose) -> bool:
        """Whether it is as good for another frame, with the face nearly in the same place."""
        return float(np.abs(_outline(model, source) - self.outline).max()) < ALIKE


def _outline(model: FaceModel, source: Pose) -> Float:
    return source.points[model.landmarks[:17]]

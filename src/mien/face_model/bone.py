"""The edge of the lower jaw is bone: lips and chin move the skin before it, and itself hardly.

The mesh's mouth shapes lift the chin's outline by up to a centimetre, and draw the skin under it, a
few pixels in a photograph, out over the neck.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Float
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.smoothstep import smoothstep

GIVES = 0.2
"""Part of the mouth's motion that the edge takes up."""
EDGE, CURVE = -7.57, 0.0735
"""Height of the edge below the chin, cm, and by how much it rises with the square of the distance
from the middle, 1/cm."""
ABOVE = (2.7, 0.3)
"""Heights above the edge, cm, where it begins to hold the skin, and where it holds it wholly: the
way from lip to bone, for over a shorter one a raised chin is drawn out to more than twice its
height, and stubble into bars."""
WIDEST = 7.0
"""Half width, cm, of what is held."""
NECK = (0.3, -0.3)
"""Heights above the edge, cm, where skin begins to be the neck's, and where it wholly is."""


def above_edge(model: FaceModel) -> Float:
    """How high each vertex of the face (F,) lies above the jaw's edge, cm, at rest."""
    x, y = model.neutral[FACE, 0], model.neutral[FACE, 1]
    return np.asarray(y - (EDGE + CURVE * x * x), np.float32)


def neck(model: FaceModel) -> Float:
    """How far each vertex of the face (F,) is the neck's, 0..1: the head moves it, the jaw does
    not."""
    start, end = NECK
    return smoothstep((start - above_edge(model)) / np.float32(start - end))


class JawEdge:
    """The jaw's edge of the mesh."""

    def __init__(self, model: FaceModel) -> None:
        names = [n for n in model.names if n.startswith("mouth") and n != "mouthClose"]
        self._shapes = np.array([model.index[name] for name in names])
        x, above = model.neutral[FACE, 0], above_edge(model)
        share = np.clip((ABOVE[0] - above) / np.float32(ABOVE[0] - ABOVE[1]), 0, 1)
        share = share * np.clip(WIDEST - np.abs(x), 0, 1)
        self._at = np.flatnonzero(share)
        held = ((1 - GIVES) * share[self._at])[:, None].astype(np.float32)
        self._moves = model.expressions[self._shapes][:, self._at] * held

    def hold(self, vertices: Float, weights: Float, own: Float) -> None:
        """Take from `vertices` (N, 3), in place, what the change from the weights `own` (53,) to
        `weights` (53,) moves the edge."""
        change = (weights - own)[self._shapes]
        if change.any():
            vertices[self._at] -= np.tensordot(change, self._moves, 1).astype(np.float32)

"""The inner ends of brows that are lowered come down nearly as far as their middles: the muscles
that draw them (corrugator, procerus, depressor supercilii: FACS AU4) pull there.

The mesh's shape lowers the middle by twice as much as the inner end. On brows that slope outwards
such a frown is a worried one.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Float
from mien.face_model.mesh import FACE, SIDES, FaceModel
from mien.face_model.smoothstep import smoothstep

LOWER = 0.09
"""How much lower than the mesh has it the end of a brow is at full weight, cm. At 0.18 it would
come down as far as the brow's middle, but an angry face lies farther from its person then: by 0.009
of dlib's distance, and by 0.001 so (mean of 24 training people, 0.415 without)."""
END, AROUND = 1.0, 0.8
"""Distance of the ends from the middle of the face, and how far beside them skin follows (sigma),
cm."""
ROOT, BROW, FOREHEAD = (4.2, 5.1), 6.5, 8.5
"""Heights, cm, below which the nose's root stays and from which on skin follows whole; up to which
it does, and above which it does not."""


class BrowEnds:
    """The inner ends of the brows of the mesh."""

    def __init__(self, model: FaceModel) -> None:
        x, y = (model.neutral[FACE, i] for i in (0, 1))
        low, whole = ROOT
        high = smoothstep((y - np.float32(low)) / np.float32(whole - low))
        high *= smoothstep((np.float32(FOREHEAD) - y) / np.float32(FOREHEAD - BROW))
        high *= model.neutral[FACE, 2] > 0  # the back of the head is as high
        self._shapes = np.array([model.index[f"browDown_{side}"] for side in SIDES])
        self._raises = np.array([model.index[f"browInnerUp_{side}"] for side in SIDES])
        outward = [float(np.sign(model.neutral[model.landmarks[end], 0])) for end in (21, 22)]
        ends = dict(zip(("R", "L"), outward, strict=True))
        shares = [high * np.exp(-np.square((x - ends[s] * END) / AROUND)) for s in SIDES]
        moves = np.stack(shares).astype(np.float32) * np.float32(LOWER)
        self._at = np.flatnonzero(moves.max(0) > 0.01 * LOWER)
        self._moves = moves[:, self._at]

    def hold(self, vertices: Float, weights: Float, own: Float) -> None:
        """Lower `vertices` (N, 3), in place, with the change from the weights `own` (53,) to
        `weights` (53,)."""
        change = self._pull(weights) - self._pull(own)
        if change.any():
            vertices[self._at, 1] -= change @ self._moves

    def _pull(self, weights: Float) -> Float:
        """How far (2,) each end is drawn down: not where it is raised too, as in fear."""
        left = 1 - np.clip(weights[self._raises], 0, 1)
        return np.asarray(weights[self._shapes] * left, np.float32)

"""How far the lips of a posed face are no longer as its photograph shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mien.face_model.arrays import Float

if TYPE_CHECKING:
    from mien.face_model.fit import Fit
    from mien.face_model.mesh import FaceModel

CHANGE = 0.25
"""Change of the lip gap, cm, after which the lips' rim no longer shows the photograph's dark
line."""
HIDES, PRESSED = {"mouthRollLower": 1.0, "mouthRollUpper": 1.0, "mouthShrugLower": 0.5}, 0.4
"""Shapes that press the lips so that one hides the other's edge, how much each does, and the sum
from which on the line between them is drawn anew."""
DROPPED = (0.5, 1.0)
"""Lip gap, cm, up to which lips and the corners of the mouth keep the shade that they have while
closed, as in a smile, and from which on they have none."""
MOVED = (0.04, 0.3)
"""Motion of the lips, cm, up to which a mouth that the photograph shows open keeps its own, and
from which on it has others."""
DRAWN_OUT = 0.4
"""How much of the shade in their corners goes with pressed lips, whose line ends within them. By
eye; MediaPipe sees anger by it too (1.29 with all of it, 1.26 so, 1.25 at 0.6; 20 training
people)."""
SMILES = ("mouthSmile_L", "mouthSmile_R")
SMILE, RELAXED, UNLINED = 0.1, 0.5, 0.75
"""Weight of a smile from which on it folds the skin beside the mouth, how much of it must go until
its corners are a resting mouth's, and how much of their shade goes with it: these have some too."""


class LipState:
    """Of one photograph, whose mesh lies at `points` (N, 2) px with a lip gap of `gap` cm."""

    def __init__(self, model: FaceModel, fit: Fit, points: Float, gap: float) -> None:
        self._model, self._fit, self._points = model, fit, points
        self._gap = 0.0 if fit.closed else max(gap, 0.0)

    @property
    def smiles(self) -> bool:
        """Whether the photograph shows a smile."""
        return max(float(self._fit.weights[self._model.index[n]]) for n in SMILES) > SMILE

    def dropped(self, gap_change: float) -> float:
        """How far, 0..1, lips are drawn apart whose gap is `gap_change` cm more than the
        photograph's."""
        return float(
            np.clip((self._gap + gap_change - DROPPED[0]) / (DROPPED[1] - DROPPED[0]), 0, 1)
        )

    def pressed(self, weights: Float) -> float:
        """How far, 0..1, lips are pressed more than the photograph has them, by blendshape weights
        (53,): the line between them then lies where little is left of them."""
        more = sum(k * max(0.0, self._change(weights, name)) for name, k in HIDES.items())
        return min(1.0, more / PRESSED)

    def relaxed(self, weights: Float) -> float:
        """How much, 0..1, of the shade in the corners of the mouth goes: with a smile, and where
        pressed lips would draw it out to a stroke."""
        less = min(-self._change(weights, name) for name in SMILES)
        smile = UNLINED * float(np.clip(less / RELAXED, 0, 1))
        return max(smile, DRAWN_OUT * self.pressed(weights))

    def moved(self, points: Float, motion: Float) -> float:
        """How far, 0..1, the lips are no longer the photograph's, given all points and their motion
        (N, 2) px: closed ones once they part, others once they move against the nose."""
        at, unit = self._model.landmarks, self._fit.camera.scale
        if not self._fit.closed:
            off = motion[at[48:68]] - motion[at[31:36]].mean(0)
            far = float(np.linalg.norm(off, axis=1).max()) / unit
            return float(np.clip((far - MOVED[0]) / (MOVED[1] - MOVED[0]), 0, 1))
        gap, own = (
            max(0.0, float((p[at[[67, 66, 65]], 1] - p[at[[61, 62, 63]], 1]).max()))
            for p in (points, self._points)
        )
        return min(1.0, abs(gap - own) / unit / CHANGE)

    def _change(self, weights: Float, name: str) -> float:
        i = self._model.index[name]
        return float(weights[i] - self._fit.weights[i])

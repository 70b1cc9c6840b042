"""What a photograph does not show of a face, and so stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.eyes import shut
from mien.face_model.eyewear import covered
from mien.face_model.masks import mouth_covered
from mien.face_model.mesh import FaceModel
from mien.face_model.smoothstep import smoothstep

EYES = ("eye", "brow")
MOUTH = ("jaw", "mouth", "cheekPuff", "nose", "tongue")
"""How the names of shapes begin that move what glasses, and what a mask covers."""
LENSES, MASK, FADE = ((-7.2, 7.2), (1.0, 7.2)), ((-np.inf, np.inf), (-np.inf, -0.5)), 1.1
"""What either covers of the face, cm from side to side and from bottom to top, and over what length
the skin around takes up its motion, cm."""
LOOKS = ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")


@dataclass(frozen=True)
class Hidden:
    """What of a face is covered."""

    eyes: bool
    """By dark glasses: all around them stays."""
    mouth: bool
    """By a mask or a scarf: all below the eyes stays."""
    shut: Mapping[str, bool]
    """Whose lids are closed, by side: they stay so."""

    @classmethod
    def of(cls, crop: Float, landmarks: Double, before: Hidden | None = None) -> Hidden:
        """Of an upright crop (H, W, 3), 0..255, of about 320 px, with landmarks (68, 2) px; what
        covers it is taken from `before`, the same film's."""
        if before is not None:
            return cls(before.eyes, before.mouth, shut(landmarks))
        return cls(covered(crop, landmarks), mouth_covered(crop, landmarks), shut(landmarks))

    @property
    def said(self) -> tuple[str, ...]:
        """What is left as it is, and why."""
        out = []
        if self.eyes:
            out.append("the eyes are covered, and stay as they are")
        elif any(self.shut.values()):
            out.append("what closed lids hide is not known, and they stay closed")
        if self.mouth:
            out.append("the mouth is covered, and stays as it is")
        return tuple(out)

    def pinned(self, model: FaceModel) -> Float | None:
        """How far (N, 1) each vertex stays where it is, 0..1; None where nothing is covered."""
        x, y = model.neutral[:, 0], model.neutral[:, 1]
        out = None
        for is_covered, ((left, right), (low, high)) in ((self.eyes, LENSES), (self.mouth, MASK)):
            if is_covered:
                off = np.maximum(np.maximum(left - x, x - right), np.maximum(low - y, y - high))
                pin = np.asarray(smoothstep(1 - off / FADE)[:, None], np.float32)
                out = pin if out is None else np.maximum(out, pin)
        return out

    def left(self, model: FaceModel, weights: Float, own: Float) -> Float:
        """`weights` (53,) without what cannot be shown: there the photograph's `own` stand."""
        for is_covered, begins in ((self.eyes, EYES), (self.mouth, MOUTH)):
            if is_covered:
                stays = np.array([name.startswith(begins) for name in model.names])
                weights = np.where(stays, own, weights)
        if self.eyes or not any(self.shut.values()):
            return weights
        out = weights.copy()
        for side in (side for side, closed in self.shut.items() if closed):
            for name in ("eyeWide", "eyeSquint", *LOOKS):
                i = model.index[f"{name}_{side}"]
                out[i] = own[i]
            blink = model.index[f"eyeBlink_{side}"]
            out[blink] = max(float(out[blink]), float(own[blink]))
        return out

"""Folds that a smile presses into a face, learnt from real smiles: brightness per vertex.

The wrinkle map is the mean over people of the log of how much brighter a real smile is than its
render from the neutral photograph: the nasolabial fold and the cheek above it, bags under the eyes,
crow's feet, the light on a stretched lip. It multiplies the light, so it costs a render next to
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import load_file, save_file

from mien.face_model.arrays import Float, Index
from mien.face_model.mesh import FACE, SIDES, FaceModel
from mien.face_model.neighbours import Nearest
from mien.face_model.smoothstep import smoothstep

TABLE = Path(__file__).with_name("folds.safetensors")
SMILE, SQUINT = "mouthSmile", "cheekSquint"
"""Shapes that press the folds of the lower and of the upper face."""
HALF = 0.3
"""Weight at which a fold stands at 1 - 1/e of its depth: skin folds early, then hardly deepens."""
DEEPENED = 1.3
"""The mean over people blurs folds that lie a little differently in each: made up for by this."""
BORROWED = 0.5
"""A smile lifts the cheeks too: what part of it counts as squint."""
PARTING = (0.2, 1.8)
"""Height, cm, over which the smile's folds hand over to the squint's."""
DARKEST, BRIGHTEST = -0.45, 0.35
"""Bounds of one person's log-brightness in learning: beyond lie hair, shine and bad fits."""
RIDGE = 2.0
"""Pull of the wrinkle map to 0, in people."""


@dataclass(frozen=True)
class SmileExample:
    """What one smiling person teaches: log-brightness (F,) of the real smile over its render, how
    far each vertex (F,) is to be believed, 0..1, and the blendshape weights (53,) of the smile."""

    brightness: Float
    trust: Float
    weights: Float


class Folds:
    """The learnt wrinkle map on one mesh."""

    def __init__(self, model: FaceModel, wrinkle_map: Float) -> None:
        """`wrinkle_map` (F,), log-brightness of a full smile."""
        x, y = model.neutral[FACE, 0], model.neutral[FACE, 1]
        low, high = PARTING
        upper = smoothstep((y - low) / (high - low))
        left = 1 / (1 + np.exp(np.clip(-x / 0.25, -30, 30)))
        sides = {"L": left, "R": 1 - left}
        self._parts = np.stack(
            [DEEPENED * wrinkle_map * sides[s] * part for s in SIDES for part in (1 - upper, upper)]
        ).astype(np.float32)
        self._index = [(model.index[f"{SMILE}_{s}"], model.index[f"{SQUINT}_{s}"]) for s in SIDES]

    def __call__(self, weights: Float, own: Float) -> Float:
        """Brightness (F,) of each face vertex at blendshape `weights` (53,), relative to the
        photograph's `own` (53,)."""
        out: Float = np.exp((self._depths(weights) - self._depths(own)) @ self._parts)
        return out

    def _depths(self, weights: Float) -> Float:
        pairs = [(weights[smile], weights[squint]) for smile, squint in self._index]
        return np.array(
            [depth(w) for smile, squint in pairs for w in (smile, squint + BORROWED * smile)],
            np.float32,
        )


def depth(weight: float) -> float:
    """How deep, 0..1, a fold stands at a shape's `weight`."""
    return float(1 - np.exp(-max(float(weight), 0.0) / HALF))


@cache
def shipped() -> Float:
    """The wrinkle map (F,) that comes with mien."""
    out: Float = load_file(TABLE)["smile"].astype(np.float32)
    return out


def save(wrinkle_map: Float, path: Path) -> None:
    """Write a wrinkle map as safetensors."""
    about = {
        "license": "CC-BY-4.0",
        "source": "Face Research Lab London Set, doi 10.6084/m9.figshare.5047666, train people",
    }
    save_file({"smile": wrinkle_map.astype(np.float16)}, path, about)


def learn(model: FaceModel, people: Sequence[SmileExample]) -> Float:
    """The wrinkle map (F,) of a full smile that explains `people` best, the same left and right."""
    twin = mirrored(model)
    smile = [model.index[f"{SMILE}_{s}"] for s in SIDES]
    total, norm = (np.zeros(FACE.stop, np.float32) for _ in range(2))
    for person in people:
        strength = depth(float(person.weights[smile].mean()))
        seen = np.clip(person.brightness, DARKEST, BRIGHTEST)
        trust = person.trust + person.trust[twin]
        both = (seen * person.trust + (seen * person.trust)[twin]) / np.maximum(trust, 1e-3)
        total += strength * trust * both
        norm += strength**2 * trust
    out: Float = total / (norm + RIDGE)
    smooth: Float = model.smoothing @ (out * place(model))
    return smooth


def place(model: FaceModel) -> Float:
    """Where on the face (F,) folds are learnt, 0..1: not on lips, at lids' edges, nor below the
    jaw."""
    x, y = model.neutral[FACE, 0], model.neutral[FACE, 1]
    lids = (model.lids["L"] + model.lids["R"])[FACE]
    fade = np.clip((y + 9) / 1.5, 0, 1) * np.clip((7.2 - np.abs(x)) / 1.0, 0, 1)
    fade *= np.clip((9 - y) / 2, 0, 1) * np.clip((1 - lids) / 0.6, 0, 1)
    outer = model.neutral[model.landmarks[48:60], :2].astype(np.float32)
    inside = [
        cv2.pointPolygonTest(outer, (float(a), float(b)), True) for a, b in zip(x, y, strict=True)
    ]
    out: Float = (fade * np.clip(-np.array(inside) / 0.25, 0, 1)).astype(np.float32)
    return out


def mirrored(model: FaceModel) -> Index:
    """For each face vertex (F,) the one on the other side."""
    points = model.neutral[FACE]
    return Nearest(points)(points * [-1, 1, 1])[1][:, 0]

"""Action units to blendshape weights and back.

The map is a matrix: each unit adds its blendshapes, then weights bend towards what the mesh stands,
so that more asked is always more shown. The recipes follow the face model's own table of
blendshapes and FACS, mended by eye on photographs.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from mien import facs
from mien.face_model.arrays import Float
from mien.face_model.bounded import in_box
from mien.face_model.mesh import SIDES, FaceModel
from mien.guides.blendshapes import NAMES as ARKIT

RECIPES: dict[int, dict[str, float]] = {
    1: {"browInnerUp": 1.0},
    2: {"browOuterUp": 1.0},
    # At the drawn extreme brows have come down, but do not frown yet.
    4: {"browDown": 1.6},
    5: {"eyeWide": 1.0},
    6: {"cheekSquint": 1.0, "eyeSquint": 0.2},
    7: {"eyeSquint": 1.0},
    # At the full shape a nose is no longer the same person's.
    9: {"noseSneer": 0.72},
    10: {"mouthUpperUp": 0.8},
    12: {"mouthSmile": 1.0},
    14: {"mouthDimple": 1.0},
    15: {"mouthFrown": 1.0},
    16: {"mouthLowerDown": 0.8},
    17: {"mouthShrugLower": 1.0},
    18: {"mouthPucker": 1.0},
    20: {"mouthStretch": 1.0},
    22: {"mouthFunnel": 1.0},
    23: {"mouthPress": 0.7, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    24: {"mouthPress": 1.0},
    25: {"mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "jawOpen": 0.06},
    # With the jaw alone the lower lip hangs in a V.
    26: {"jawOpen": 0.35, "mouthLowerDown": 0.12},
    27: {"jawOpen": 0.65, "mouthLowerDown": 0.35},
    28: {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    29: {"jawForward": 1.0},
    33: {"cheekPuff": 1.0},
    43: {"eyeBlink": 1.0},
    61: {"eyeLookOut_L": 1.0, "eyeLookIn_R": 1.0},
    62: {"eyeLookOut_R": 1.0, "eyeLookIn_L": 1.0},
    63: {"eyeLookUp": 0.85},
    64: {"eyeLookDown": 0.75},
}
"""Blendshapes of each unit at 1; a name without side means both sides, or the unit's own side."""

SIDED_RECIPES: dict[str, dict[str, float]] = {
    "AU30L": {"jawLeft": 1.0},
    "AU30R": {"jawRight": 1.0},
}

COUNT = len(facs.UNITS)
"""Length of an action-unit vector."""

LIMITS: dict[str, float] = {
    "browInnerUp": 1.5, "browOuterUp": 1.3, "browDown": 1.9, "eyeWide": 1.5, "cheekSquint": 1.6,
    "eyeSquint": 1.6, "noseSneer": 0.9, "mouthUpperUp": 1.0, "mouthSmile": 1.4,
    "mouthDimple": 1.3, "mouthFrown": 1.5, "mouthLowerDown": 1.5, "mouthShrugLower": 1.25,
    "mouthStretch": 1.5, "mouthPress": 1.5, "mouthPucker": 1.25, "mouthFunnel": 1.15,
    "jawOpen": 1.05,
}  # fmt: skip
"""What the weight of a blendshape comes near to and never passes; 1, exactly reached, for the
others. Found by eye on light and dark faces: beyond, creases turn to cuts, the jaw pulls the neck,
and a sneer with a raised lip (both lift it) shows the gums."""


@cache
def matrix(names: tuple[str, ...]) -> Float:
    """Blendshape weights (47, E) of each unit at 1, for blendshapes `names`."""
    index = {name: i for i, name in enumerate(names)}
    out = np.zeros((len(facs.UNITS), len(names)), np.float32)
    for row, unit in enumerate(facs.UNITS):
        side = unit[-1] if unit[-1] in SIDES else ""
        recipe = SIDED_RECIPES.get(unit) or RECIPES[int(unit[2:].rstrip("LR"))]
        for shape, weight in recipe.items():
            targets = [shape] if shape in index else [f"{shape}_{s}" for s in side or SIDES]
            for target in targets:
                out[row, index[target]] = weight
    out.setflags(write=False)
    return out


def bounded(model: FaceModel, weights: Float) -> Float:
    """Blendshape weights (..., 53) within what the mesh stands."""
    out: Float = np.clip(weights, 0, _bounds(model.names)[1]).astype(np.float32)
    return out


def of_arkit(model: FaceModel, values: Float) -> Float:
    """Blendshape weights (53,) of ARKit's (51,), in the order of `guides.blendshapes.NAMES`; those
    that ARKit has one of for both sides go to either."""
    out = np.zeros(len(model.names), np.float32)
    for columns, value in zip(_arkit(model.names), values, strict=True):
        out[list(columns)] = value
    return out


def to_arkit(model: FaceModel, weights: Float) -> Float:
    """ARKit's blendshapes (51,), 0 to 1, of weights (53,): the way back from `of_arkit`, with the
    mean of both sides where ARKit has one shape for them."""
    out = np.array([weights[list(columns)].mean() for columns in _arkit(model.names)], np.float32)
    clipped: Float = out.clip(0, 1)
    return clipped


@cache
def _arkit(names: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """For each of ARKit's blendshapes (51) where it stands among blendshapes `names`.

    Both are the same shapes; ARKit has one `browInnerUp` and one `cheekPuff` for both sides.
    """
    index = {name: i for i, name in enumerate(names)}
    found = []
    for name in ARKIT:
        plain = name.replace("Left", "_L").replace("Right", "_R")
        own = next((n for n in (plain, name) if n in index), None)
        found.append((index[own],) if own else tuple(index[f"{name}_{side}"] for side in SIDES))
    return tuple(found)


@cache
def _bounds(names: tuple[str, ...]) -> tuple[Float, Float]:
    """Weights (E,) up to which blendshapes are as asked, and their limits (E,): all of one unit is
    as asked, and so is 1 where the limit lies beyond."""
    plain = [name.removesuffix("_L").removesuffix("_R") for name in names]
    limits = np.array([LIMITS.get(name, 1.0) for name in plain], np.float32)
    one = matrix(names).max(0)
    low = np.array([name in LIMITS and LIMITS[name] <= 1 for name in plain])
    knees = np.where(low, one, np.maximum(one, 1)).astype(np.float32)
    return knees, np.maximum(limits, knees)


def to_weights(model: FaceModel, units: Float) -> Float:
    """Blendshape weights (..., 53) of action units (..., 47), at least 0 and usually at most 1.

    Weights past the drawn extreme of a shape, by units that share it or are beyond 1, grow less and
    less, up to `LIMITS`.
    """
    knees, limits = _bounds(model.names)
    weights = np.maximum(np.asarray(units, np.float32) @ matrix(model.names), 0)
    room = limits - knees
    over = np.maximum(weights - knees, 0) / np.maximum(room, 1e-6)
    out: Float = np.minimum(weights, knees) + room * (1 - np.exp(-over))
    return out


def to_units(model: FaceModel, weights: Float) -> Float:
    """Action units (47,) in [0, 1] whose blendshapes come nearest to `weights` (53,).

    Bounded least squares with a slight pull to 0, which shares a movement among the units that can
    make it.
    """
    a = matrix(model.names).T.astype(np.float64)  # (53, 47)
    pull = 0.05 * np.eye(a.shape[1])
    b = np.concatenate([weights.astype(np.float64), np.zeros(a.shape[1])])
    out: Float = in_box(np.concatenate([a, pull]), b).astype(np.float32)
    out[out < 1e-3] = 0
    return out

"""From blendshape weights to a posed mesh, for one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Index
from mien.face_model.camera import Camera, rotation_matrix
from mien.face_model.contact import LipContact
from mien.face_model.fit import Fit
from mien.face_model.mesh import (
    EYE,
    EYE_SOCKETS,
    EYEBALLS,
    FACE,
    GUMS_AND_TEETH,
    MOUTH_SOCKET,
    SIDES,
    SKIN_LAYER,
    FaceModel,
)
from mien.face_model.mouth import LipArc, seat_teeth
from mien.face_model.smoothstep import smoothstep

LOOK_ASIDE, LOOK_DOWN, LOOK_UP = 0.55, 0.50, 0.42
"""Turn of the eyeball at full weight, rad. The model's eyeLook shapes move the lids only."""
PIVOT_DEPTH = 0.25
"""The eye turns about a point this far behind the middle of the model's eyeball, cm."""

SINK = ((EYEBALLS, 0.45), (EYE_SOCKETS, 0.25), (GUMS_AND_TEETH, 3.0), (MOUTH_SOCKET, 3.0))
"""How far each part is pushed back in the depth test only, cm: lids and lips must always win."""

GRAZING, SAFE = 0.38, 0.65
"""Skin whose normal faces the camera less than this is dropped (the photograph says little about
it, and its edge would cut the hair); up to the second value it hands over to the background's
motion."""
CORE = (4.9, -5.2, 6.0)
"""Half width, bottom and top, cm, of the part of the face that is drawn whatever its facing."""
EARS = (6.4, -2.6, 3.2)
"""Half width and bottom, cm, beyond and above which skin that lies behind the third value is the
ears', which the photograph has elsewhere: nothing moves them, and held where the mesh has them they
would cut a notch into the outline of a cheek that a smile carries out beside them."""
HANDOVER = (4.2, -4.4, 0.7)
"""Half width and bottom where the core's edge begins to follow the background, and over what
length, cm."""


@dataclass(frozen=True)
class Pose:
    """A posed mesh: vertices (N, 3) cm, points (N, 2) crop px, depth (N,) cm, normals (N, 3) in
    camera axes."""

    vertices: Float
    points: Float
    depth: Float
    normals: Float


@dataclass(frozen=True)
class Person:
    """Somebody's mesh: `neutral` (N, 3) cm at rest, and `habit` (N, 3) cm, what the expression in
    the photograph has beyond the model's shapes; `shown` (53,), the weights of that expression
    without gaze and blink; `lip` rounds the open mouth, but for the `hang`, cm, that the photograph
    shows; `contact` keeps the lips apart, but for the `meet` (P,), cm, by which they overlap in it,
    and part of the `red` (2, Q), cm, that they show in it and at rest."""

    neutral: Float
    habit: Float
    shown: Float
    lip: LipArc
    hang: float
    contact: LipContact
    meet: Double
    red: Double


def person(model: FaceModel, fit: Fit) -> Person:
    """The mesh of a fit, with what the fit left over put into the picture plane."""
    axes = fit.camera.matrix.astype(np.float32)

    def spread(residual: Double) -> Float:
        moved = model.spread(residual.astype(np.float32)) / np.float32(fit.camera.scale)
        return np.stack([moved[:, 0], -moved[:, 1], np.zeros(len(moved), np.float32)], 1) @ axes

    left = spread(fit.neutral_residual)
    neutral = model.shape(fit.identity) + left
    alone = fit.residual is fit.neutral_residual  # one view, as of a person who is known
    habit = np.zeros_like(left) if alone else spread(fit.residual) - left
    lip, contact = model.once(LipArc), model.once(LipContact)
    own = neutral + model.moved(fit.weights) + habit
    hang = lip.excess(own)
    meet = np.maximum(np.maximum(contact.overlap(neutral), contact.overlap(own)), 0)
    red = np.minimum(contact.red(neutral), contact.red(own))
    eyes = np.array([name.startswith(("eyeLook", "eyeBlink")) for name in model.names])
    shown = np.where(eyes, 0, fit.weights - fit.neutral_weights)
    return Person(seat_teeth(model, neutral, fit), habit, shown, lip, hang, contact, meet, red)


def pose(model: FaceModel, who: Person, weights: Float) -> Float:
    """Vertices (N, 3) of a person under blendshape weights (53,); eyeballs are turned explicitly.

    The habit comes with the part of the photograph's expression that `weights` contain.
    """
    neutral = who.neutral
    vertices = neutral + model.moved(weights)
    size = float(who.shown @ who.shown)
    share = 0.0
    if size > 0:
        share = float(np.clip(float(weights @ who.shown) / size, 0, 1))
        vertices += np.float32(share) * who.habit
    who.lip(vertices, share * who.hang)
    who.contact(vertices, weights, who.meet, who.red)
    w = {name: float(weights[i]) for name, i in model.index.items() if name.startswith("eyeLook")}
    for side in SIDES:
        out = (w[f"eyeLookOut_{side}"] - w[f"eyeLookIn_{side}"]) * LOOK_ASIDE
        down = w[f"eyeLookDown_{side}"] * LOOK_DOWN - w[f"eyeLookUp_{side}"] * LOOK_UP
        if out or down:
            ball = EYE[side]
            pivot = neutral[ball].mean(0) - np.array([0, 0, PIVOT_DEPTH], np.float32)
            about_x = rotation_matrix(np.array([down, 0, 0]))
            about_y = rotation_matrix(np.array([0, out * np.sign(pivot[0]), 0]))
            turn = (about_x @ about_y).astype(np.float32)
            vertices[ball] = (vertices[ball] - pivot) @ turn.T + pivot
    return vertices


def stand(model: FaceModel, vertices: Float, camera: Camera) -> Pose:
    """`vertices` (N, 3) seen by `camera`."""
    points, depth = camera.project(vertices)
    return Pose(vertices, points, depth, camera.turn(model.normals(vertices)))


def sink(depth: Float) -> Float:
    """Depths (N,) for the z-buffer, with the parts behind lids and lips pushed back."""
    out = depth.copy()
    for part, far in SINK:
        out[part] -= far
    return out


def effective(model: FaceModel, fit: Fit, weights: Float) -> Float:
    """Weights (53,) that do on this face what `weights` ask of an average one.

    The lids close from where they rest on this person, so that 0 leaves them and 1 shuts them.
    """
    out = weights.astype(np.float32).copy()
    for side in SIDES:
        i = model.index[f"eyeBlink_{side}"]
        own = float(fit.neutral_weights[i])
        out[i] = min(1.0, own + (1 - own) * float(out[i]))
    return out


def asked(model: FaceModel, fit: Fit) -> Float:
    """Inverse of `effective` for the expression in the photograph: weights (53,) in 0..1."""
    out = fit.weights.copy()
    for side in SIDES:
        i = model.index[f"eyeBlink_{side}"]
        own = float(fit.neutral_weights[i])
        out[i] = np.clip((float(out[i]) - own) / (1 - own), 0, 1)
    return out


def drawn(model: FaceModel, normals: Float, neck: Float) -> Bool:
    """Which triangles (T,) to draw: all but grazing skin outside the core, ears, and the `neck`
    (F,), 0..1. normals as in the photograph."""
    x, y = model.neutral[:, 0], model.neutral[:, 1]
    width, bottom, top = CORE
    solid = (np.abs(x) < width) & (y > bottom) & (y < top)
    good = (normals[:, 2] > GRAZING) | solid
    good[FACE] &= neck < 1
    beside, lobe, behind = EARS
    good &= (np.abs(x) < beside) | (y < lobe) | (model.neutral[:, 2] > behind)
    kept: Bool = (model.layers != SKIN_LAYER) | good[model.triangles].all(1)
    return kept


def rim(model: FaceModel, normals: Float, neck: Float) -> tuple[Index, Float]:
    """Face vertices (K,) near the silhouette or on the `neck` (F,), 0..1, and how much (K, 1) of
    their own motion they keep."""
    x, y = model.neutral[FACE, 0], model.neutral[FACE, 1]
    own = smoothstep((normals[FACE, 2] - GRAZING) / (SAFE - GRAZING))
    width, bottom, length = HANDOVER
    outside = np.maximum(np.abs(x) - width, np.maximum(bottom - y, 0))
    own = np.maximum(own, np.clip(1 - outside / length, 0, 1))
    own = np.minimum(own, 1 - neck)
    at = np.flatnonzero(own < 0.999)
    return at, own[at, None].astype(np.float32)

"""Where the eyes of a photograph look, from the place of the irises.

Both eyes are taken to look the same way: their mean tells the gaze, what is left over (eyeballs
lie a little differently in every head) stays a shift of each eye. Gaze within the measuring error
of straight ahead counts as straight ahead.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mien.face_model.animate import LOOK_ASIDE, LOOK_DOWN, LOOK_UP, PIVOT_DEPTH
from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.eyes import IRIS_RADII, POINTS, Iris, find_iris, polygon
from mien.face_model.fit import Fit
from mien.face_model.mesh import EYE, SIDES, FaceModel
from mien.face_model.template import PUPILS

STRAIGHT_ASIDE, STRAIGHT_UP = 0.08, 0.17
"""Angles, rad, that count as straight ahead: three times the spread that training
people show who were asked to look into the camera. From twice these on, the angle counts whole."""


def irises_of(
    crop: UInt8, fit: Fit, before: tuple[Mapping[str, Iris], Fit] | None = None
) -> dict[str, Iris]:
    """The irises found in the crop (H, W, 3), as large as those `before` of another fit of the
    person, if there are any."""
    image, out = crop.astype(np.float32), {}
    for side, part in POINTS.items():
        corners = fit.landmarks[part]
        opening = polygon(crop.shape[:2], corners)
        radii = IRIS_RADII if before is None else (before[0][side].radius / before[1].camera.scale,)
        out[side] = find_iris(image, corners, opening, fit.camera.scale, radii)
    return out


def pupils(template: Float) -> dict[str, Double]:
    """Centre (2,) px of each iris: the hand-checked pupils of a `template` (189, 2)."""
    right, left = template[list(PUPILS)].astype(np.float64)
    return {"R": right, "L": left}


def gaze(model: FaceModel, fit: Fit, irises: Mapping[str, Double]) -> Float:
    """Weights (53,) of the eyeLook shapes that bring a fit's irises where they are seen (px)."""
    vertices, axes = model.shape(fit.identity), fit.camera.matrix
    seen = []
    for side in SIDES:
        ball, front = EYE[side], iris_vertex(model, side)
        pivot = vertices[ball].mean(0) - [0, 0, PIVOT_DEPTH]
        straight = (vertices[front] - pivot).astype(np.float64) @ axes.T
        shift = irises[side] - fit.camera.project(vertices[front][None].astype(np.float64))[0][0]
        seen.append((straight, shift / fit.camera.scale * [1, -1]))
    straight, moved = np.mean([s for s, _ in seen], 0), np.mean([m for _, m in seen], 0)
    radius = float(np.linalg.norm(straight))
    x, y = np.clip(straight[:2] + moved, -0.8 * radius, 0.8 * radius)
    across = np.sqrt(max(radius**2 - x * x - y * y, 0.04 * radius**2))
    ahead = np.array([x, y, across]) @ axes
    rest = straight @ axes
    left = np.arctan2(ahead[0], ahead[2]) - np.arctan2(rest[0], rest[2])
    up = np.arctan2(ahead[1], ahead[2]) - np.arctan2(rest[1], rest[2])
    return _weights(model, _beyond(left, STRAIGHT_ASIDE), _beyond(up, STRAIGHT_UP))


def iris_vertex(model: FaceModel, side: str) -> int:
    """The vertex in the middle of an iris."""
    ball = EYE[side]
    return ball.start + int(np.argmax(model.neutral[ball, 2]))


def _beyond(angle: float, straight: float) -> float:
    return float(np.sign(angle) * min(abs(angle), 2 * max(0.0, abs(angle) - straight)))


def _weights(model: FaceModel, left: float, up: float) -> Float:
    """eyeLook weights (53,) of a gaze turned to the person's left and up by angles in rad."""
    out = np.zeros(len(model.names), np.float32)
    turns = {
        "Out_L": left / LOOK_ASIDE, "In_R": left / LOOK_ASIDE,
        "Out_R": -left / LOOK_ASIDE, "In_L": -left / LOOK_ASIDE,
        "Up_L": up / LOOK_UP, "Up_R": up / LOOK_UP,
        "Down_L": -up / LOOK_DOWN, "Down_R": -up / LOOK_DOWN,
    }  # fmt: skip
    for name, weight in turns.items():
        out[model.index[f"eyeLook{name}"]] = np.clip(weight, 0, 1)
    return out

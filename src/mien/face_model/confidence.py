"""How far a fit can be believed: where it strains, and by how much.

A fit that is off shows it: the points do not lie where any face has them, or only an impossible
face explains them. Each strain is 1 at the limit of what good fits show; the worst one decides. The
limits lie above all but about two of a hundred good photographs of the training people. Measured
against the same photographs with landmarks spoilt on purpose (noise, a mouth, an eye or a jaw out
of place, heads turned by 35 to 50 degrees): all noisy and all turned ones are refused, and most
of the others.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Float
from mien.face_model.camera import Camera

WORST_ERROR = 0.025
"""Mean error of the inner points, in distances of the outer eye corners."""
WORST_OUTLINE = 0.055
"""The same of the outline, across it."""
ODDEST_FACE = 1.55
"""Root mean square of the identity coefficients, which are 1 on average."""
FARTHEST_TURN = (20.0, 14.0)
"""Yaw and pitch, degrees: a photograph from aside lacks the far cheek."""
EYE_CORNER_DISTANCES = (8.0, 10.3)
"""Distance of the outer eye corners, cm, when the rest of the face tells the scale."""
DRAWABLE: dict[str, float] = {
    "the landmarks do not form a face": 1.3,
    "the outline is not a face's": 1.6,
    "the head is turned too far": 2.3,
    "only a very odd face explains the landmarks": 1.3,
    "the eyes do not match the face's size": 3.0,
}
"""Strains up to which a face may be drawn: an expression is laid onto the photograph's own pixels,
which forgives more than data to learn from do. By eye, on 199 portraits with strong expressions and
heads turned by up to 45 degrees."""
SOFTNESS = 0.13
"""By how much more strain the odds that a fit is bad grow e-fold."""


def strains(
    camera: Camera, identity: Float | None, error: float, outline_error: float, eye_corners: float
) -> dict[str, float]:
    """What is odd about a fit, by name; beyond 1 it should not be used.

    error, outline_error: in distances of the outer eye corners, which lie `eye_corners` px apart;
    `identity` (50,): None if an odd face is no reason to doubt the points.
    """
    yaw, pitch = turn(camera)
    out = {
        "the landmarks do not form a face": error / WORST_ERROR,
        "the outline is not a face's": outline_error / WORST_OUTLINE,
        "the head is turned too far": float(
            np.hypot(yaw / FARTHEST_TURN[0], pitch / FARTHEST_TURN[1])
        ),
    }
    if identity is not None:
        low, high = EYE_CORNER_DISTANCES
        off = abs(2 * eye_corners / camera.scale - low - high) / (high - low)
        out["only a very odd face explains the landmarks"] = _rms(identity) / ODDEST_FACE
        out["the eyes do not match the face's size"] = off
    return out


def confidence(worst: float) -> float:
    """Odds as a share, 0..1, that a fit whose worst strain is `worst` is a good one."""
    return float(1 / (1 + np.exp(min((worst - 1) / SOFTNESS, 50.0))))


def turn(camera: Camera) -> tuple[float, float]:
    """Yaw and pitch of the head, degrees."""
    m = camera.matrix
    return float(np.degrees(np.arctan2(m[0, 2], m[2, 2]))), float(np.degrees(np.arcsin(-m[1, 2])))


def _rms(values: Float) -> float:
    return float(np.sqrt(np.mean(values**2)))

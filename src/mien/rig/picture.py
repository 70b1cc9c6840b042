"""Pictures of what a render knows, for looking at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.face_model.arrays import Float, UInt8
from mien.face_model.render import Render

FULL_COLOUR = 0.05
"""Displacement, crop units, that is drawn in full colour."""


def truth_of(render: Render) -> tuple[UInt8, UInt8, UInt8, UInt8]:
    """Landmarks, flow (sideways in red, up and down in green, grey where nothing moves),
    visibility, and the mouth's inside, each uint8 (S, S, 3)."""
    points = render.image.copy()
    for x, y in render.landmarks:
        cv2.circle(points, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
    moved = np.full(render.image.shape, 128, np.float32)
    moved[..., :2] += render.flow * (127 / FULL_COLOUR)
    seen, mouth = (np.repeat(m[..., None] * 255, 3, 2) for m in (render.visibility, render.mouth))
    return points, _bytes(moved), _bytes(seen), _bytes(mouth)


def in_a_row(pictures: Sequence[UInt8]) -> UInt8:
    """Pictures of one height side by side."""
    return np.concatenate(pictures, 1)


def _bytes(picture: Float) -> UInt8:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)

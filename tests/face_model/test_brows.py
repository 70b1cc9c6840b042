"""Lowered brows: their inner ends come down, or the frown is a worried one."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.face_model.brows import LOWER, BrowEnds
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.render import Rig

ENDS, MIDDLES = [21, 22], [19, 24]


def lowered(rig: Rig, units: dict[str, float]) -> np.ndarray:
    """How far down (10,) the brows' landmarks go, cm."""
    shown = rig.render(facs.vector(units), 320)
    moved = shown.landmarks[17:27, 1] - rig.fit.landmarks[17:27, 1]
    return np.asarray(moved / rig.fit.camera.scale)


def test_the_ends_of_lowered_brows_come_down_nearly_as_far_as_their_middles(neutral: Rig) -> None:
    """By the mesh alone they came down by 0.35 cm, and the middles by 0.5."""
    down = lowered(neutral, {"AU4": 1.0})
    ends, middles = (down[np.array(part) - 17] for part in (ENDS, MIDDLES))
    assert (ends > 0.8 * middles).all()
    assert (ends > 0.45).all()
    assert (down[[0, 9]] < 0.3).all()


def test_one_brow_lowers_alone(neutral: Rig) -> None:
    down = lowered(neutral, {"AU4L": 1.0})
    assert down[5] > 0.4
    assert down[4] < 0.5 * down[5]


def test_raised_ends_stay_raised(neutral: Rig) -> None:
    """Fear draws brows together that are raised: their ends are the highest."""
    fear, raised = (lowered(neutral, {"AU1": 1.0, "AU4": part}) for part in (0.5, 0.0))
    by_mesh = lowered(neutral, {"AU4": 0.5})[[4, 5]] - 0.5 * LOWER * 0.8
    assert (fear[[4, 5]] < -0.1).all()
    assert (fear[[4, 5]] - raised[[4, 5]] < by_mesh).all()


@pytest.mark.parametrize("unit", ["AU1", "AU12", "AU26", "AU43"])
def test_nothing_else_moves_them(model: FaceModel, neutral: Rig, unit: str) -> None:
    vertices = model.neutral.copy()
    weights = neutral.weights(facs.vector({unit: 1.0}))
    BrowEnds(model).hold(vertices, weights, np.zeros_like(weights))
    assert np.array_equal(vertices, model.neutral)


def test_the_root_of_the_nose_and_the_scalp_stay(model: FaceModel) -> None:
    vertices, weights = model.neutral.copy(), np.zeros(len(model.names), np.float32)
    weights[[model.index["browDown_L"], model.index["browDown_R"]]] = 1
    BrowEnds(model).hold(vertices, weights, np.zeros_like(weights))
    moved = np.abs(vertices - model.neutral).max(1)
    y, z = model.neutral[:, 1], model.neutral[:, 2]
    assert moved.max() == pytest.approx(LOWER, rel=0.1)
    assert moved[(y < 4.2) | (y > 8.5) | (z < 0)].max() == 0
    assert moved[FACE.stop :].max() == 0

"""Where the eyes look."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.face_model.fit import fit
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.gaze import gaze, iris_vertex
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig


def irises(model: FaceModel, rig: Rig, shift: tuple[float, float]) -> dict[str, np.ndarray]:
    """Where both irises lie when they look straight, moved by `shift` px."""
    mesh = model.shape(rig.fit.identity)
    out = {}
    for side in ("L", "R"):
        vertex = mesh[iris_vertex(model, side)][None].astype(np.float64)
        out[side] = rig.fit.camera.project(vertex)[0][0] + shift
    return out


def weight(model: FaceModel, look: np.ndarray, *names: str) -> float:
    return float(np.mean([look[model.index[f"eyeLook{name}"]] for name in names]))


def test_eyes_that_look_straight_have_no_gaze(model: FaceModel, neutral: Rig) -> None:
    assert not gaze(model, neutral.fit, irises(model, neutral, (0, 0))).any()
    assert not gaze(model, neutral.fit, irises(model, neutral, (0.8, -0.8))).any()


@pytest.mark.parametrize(
    ("shift", "shown", "opposite"),
    [
        ((6, 0), ("Out_L", "In_R"), ("In_L", "Out_R")),
        ((-6, 0), ("In_L", "Out_R"), ("Out_L", "In_R")),
        ((0, -6), ("Up_L", "Up_R"), ("Down_L", "Down_R")),
        ((0, 6), ("Down_L", "Down_R"), ("Up_L", "Up_R")),
    ],
)
def test_eyes_that_look_away_do_so_together(
    model: FaceModel,
    neutral: Rig,
    shift: tuple[float, float],
    shown: tuple[str, str],
    opposite: tuple[str, str],
) -> None:
    look = gaze(model, neutral.fit, irises(model, neutral, shift))
    assert 0.3 < weight(model, look, *shown) < 1
    assert weight(model, look, *opposite) == 0


def test_rendered_gaze_is_found_again(model: FaceModel, neutral: Rig) -> None:
    shown = neutral.render(facs.vector({"AU61": 0.7}), SOURCE_SIZE)
    again = Rig(model, shown.image, shown.landmarks, neutral=False)
    asked = dict(zip(facs.UNITS, again.units, strict=True))
    assert asked["AU61"] > 0.3
    assert asked["AU62"] == 0


def test_known_gaze_moves_the_lids_of_a_fit(model: FaceModel, neutral: Rig) -> None:
    look = np.zeros(len(model.names), np.float32)
    look[[model.index["eyeLookDown_L"], model.index["eyeLookDown_R"]]] = 0.8
    points = neutral.fit.landmarks.astype(np.float32)
    found = fit(model, points, neutral=True, gaze=look)
    blink = model.index["eyeBlink_L"]
    assert weight(model, found.weights, "Down_L", "Down_R") == pytest.approx(0.8)
    assert found.weights[blink] < neutral.fit.weights[blink]

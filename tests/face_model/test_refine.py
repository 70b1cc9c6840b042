"""One photograph's rig brought to another photograph of the same person."""

from __future__ import annotations

import numpy as np

from mien import facs
from mien.face_model.fit import fit
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.refine import match
from mien.face_model.render import Render, Rig


def difference(a: Render, b: Render) -> float:
    return float(np.abs(a.image[40:240, 50:206].astype(float) - b.image[40:240, 50:206]).mean())


def test_a_match_comes_nearer_than_landmarks_alone(neutral: Rig) -> None:
    units = facs.vector({"AU12": 0.7, "AU6": 0.5, "AU1": 0.4})
    goal, truth = neutral.render(units, SOURCE_SIZE), neutral.render(units)
    start = fit(neutral.model, goal.landmarks, neutral=False, identity=neutral.fit.identity)
    first = neutral.render_weights(start.weights, camera=start.camera)
    found = match(neutral, goal.image, goal.landmarks)
    last = found.render(neutral)
    assert difference(last, truth) < 0.8 * difference(first, truth)
    assert np.linalg.norm(last.landmarks - truth.landmarks, axis=1)[17:].mean() < 1
    assert found.error < 1


def test_a_match_of_the_photograph_itself_changes_little(neutral: Rig) -> None:
    points = neutral.fit.landmarks.astype(np.float32)
    found = match(neutral, neutral.crop, points)
    assert difference(found.render(neutral), neutral.original()) < 2
    assert np.abs(found.habit).max() < 0.3  # cm
    assert ((found.weights >= 0) & (found.weights <= 1)).sum() >= len(found.weights) - 2

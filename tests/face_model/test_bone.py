"""The jaw's edge stays where lips and chin move, and goes where the jaw goes."""

from __future__ import annotations

import numpy as np

from mien import facs
from mien.face_model.animate import rim
from mien.face_model.bone import neck
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Render, Rig


def moved(rig: Rig, **units: float) -> np.ndarray:
    """Motion (68, 2) of the landmarks, px of the crop."""
    shown: Render = rig.render(facs.vector(units), 320, supersample=1)
    still: Render = rig.original(320)
    return shown.landmarks - still.landmarks


def test_a_raised_chin_leaves_its_outline(rig: Rig) -> None:
    lip, edge = -moved(rig, AU17=1)[[57, 8], 1]
    assert lip > 4  # it meets the upper one
    assert edge < 0.45 * lip


def test_a_raised_chin_is_drawn_out_evenly(rig: Rig) -> None:
    flow = rig.draw(rig.weights(facs.vector({"AU17": 1, "AU24": 1})), 320).flow * 320
    x, bottom = np.round(rig.fit.landmarks[8]).astype(int)
    chin = bottom - round(2.4 * rig.fit.camera.scale)  # below the raised lip
    stretch = 1 / (1 + np.diff(flow[1, chin:bottom, x - 5 : x + 6].mean(1)))
    assert 1.3 < stretch.max() < 2.0


def test_pressed_lips_leave_the_chins_outline(rig: Rig) -> None:
    motion = moved(rig, AU23=1, AU24=1)
    assert np.abs(motion[6:11]).max() < 2.0


def test_an_opened_jaw_takes_its_edge_along(rig: Rig) -> None:
    lip, edge = moved(rig, AU26=1)[[57, 8], 1]
    assert edge > 0.7 * lip > 5


def test_a_dropped_jaw_covers_the_neck_and_leaves_its_outline(rig: Rig) -> None:
    shown = rig.draw(rig.weights(facs.prototype("surprise")), 320)
    down = 1.5 * rig.fit.camera.scale
    sides = rig.fit.landmarks[[5, 11]] + [0, down]  # where the neck comes out under the jaw
    aside = [shown.flow[0, round(y), round(x)] * 320 for x, y in sides]
    assert np.abs(aside).max() < 2.0
    chin = shown.landmarks[8, 1] - rig.fit.landmarks[8, 1]
    assert chin > 15
    below = shown.flow[1, -5, round(float(rig.fit.landmarks[8, 0]))] * 320
    assert abs(below) < 0.2 * chin


def test_the_neck_goes_with_what_is_around_it(model: FaceModel) -> None:
    facing = np.tile(np.array([0, 0, 1], np.float32), (len(model.neutral), 1))
    of_neck = neck(model)
    at, own = rim(model, facing, of_neck)
    kept = np.ones(len(of_neck), np.float32)
    kept[at] = own[:, 0]
    assert (of_neck == 1).any()
    assert (kept[of_neck == 1] == 0).all()
    assert kept[model.landmarks[30]] == 1  # the nose

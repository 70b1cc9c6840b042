"""Fits: hand-checked templates, confidence, faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien import images
from mien.data.adapters.tem import read_tem, to_68
from mien.face_model.animate import person, pose
from mien.face_model.camera import Camera
from mien.face_model.fit import Fit, fit, placed
from mien.face_model.mesh import FaceModel
from mien.face_model.problem import Expected, View, ruler, solve
from mien.face_model.render import Rig
from mien.face_model.template import ELSEWHERE, FITTED, IRISES, PLACED, PUPILS
from mien.faces.align import MIRROR, align, transform
from mien.types import Face


@pytest.fixture(scope="module")
def template(original: Callable[..., Path]) -> np.ndarray:
    """The hand-checked points (189, 2) of the neutral photograph, px of its crop."""
    photo = original("london", "neutral_front/003_03.jpg")
    points = read_tem(photo.with_suffix(".tem"))
    face = Face((0, 0, 0, 0), 1.0, to_68(points))
    return transform(align(images.read(photo).pixels, face, 320).matrix, points)


def off(model: FaceModel, found: Fit, template: np.ndarray, corrected: bool) -> float:
    """Median distance of mesh and checked points, in eye-corner distances."""
    mesh = model.shape(found.identity) + np.tensordot(found.weights, model.expressions, 1)
    if corrected:
        mesh = pose(model, person(model, found), found.weights)
    marks = found.camera.project(model.template_markers.of(mesh))[0][68:]
    goal = placed(template.astype(np.float64), found.closed)
    return float(np.median(np.linalg.norm(marks - goal, axis=1))) / ruler(found.landmarks)


def test_a_fit_by_the_template_meets_its_points(
    model: FaceModel, neutral: Rig, template: np.ndarray
) -> None:
    points = to_68(template)
    by_landmarks = fit(model, points, neutral=True)
    by_template = fit(model, points, neutral=True, template=template)
    assert off(model, by_template, template, corrected=False) < 0.02
    assert off(model, by_template, template, corrected=True) < 0.008
    assert off(model, by_template, template, True) < off(model, by_landmarks, template, True)
    assert by_template.accepted


def test_every_template_point_is_placed_or_named(model: FaceModel) -> None:
    named = [*PUPILS, *(i for ring in IRISES for i in ring)]
    named += [i for points in ELSEWHERE.values() for i in points]
    assert sorted([*PLACED, *named]) == list(range(189))
    assert set(FITTED) < set(PLACED)
    assert len(model.template_markers) == 68 + len(FITTED)


def test_the_places_are_the_same_left_and_right(model: FaceModel) -> None:
    markers = model.template_markers
    assert np.allclose(markers.shares.sum(1), 1)
    at = markers.of(model.neutral)[68:]
    mirrored = at * [-1, 1, 1]
    nearest = np.linalg.norm(at[:, None] - mirrored[None], axis=2).min(1)
    assert nearest.max() < 0.15  # cm; points on the middle line may lie beside it


def test_good_fits_are_accepted(neutral: Rig, smiling: Rig) -> None:
    for rig in (neutral, smiling):
        assert rig.fit.confidence > 0.5
        assert rig.fit.fault is None
        assert rig.fit.accepted


def test_landmarks_that_are_off_are_refused(model: FaceModel, neutral: Rig) -> None:
    points = neutral.fit.landmarks.astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 7, points.shape).astype(np.float32)
    for bad in (points + noise, points[MIRROR]):
        found = fit(model, bad, neutral=True)
        assert not found.accepted
        assert found.confidence < 0.5
        assert found.fault


def test_a_face_from_aside_is_refused(model: FaceModel, neutral: Rig) -> None:
    aside = Camera(np.array([0.0, 0.7, 0.0]), neutral.fit.camera.scale, np.array([160.0, 150.0]))
    points = aside.project(neutral.person.neutral[model.landmarks])[0]
    found = fit(model, points.astype(np.float32), neutral=True)
    assert found.fault == "the head is turned too far"


def test_a_camera_is_told_in_numbers(neutral: Rig) -> None:
    told = neutral.fit.camera.to_dict()
    again = Camera(np.array(told["rotation"]), told["scale"], np.array(told["origin"]))  # type: ignore[arg-type]
    assert np.allclose(again.matrix, neutral.fit.camera.matrix)
    assert told["distance"] == 180


def test_what_is_expected_gives_way_to_points(model: FaceModel, rig: Rig) -> None:
    """Weights are near what is expected, the nearer the more it is believed."""
    shapes = ("jawOpen", "mouthSmile_L", "mouthSmile_R", "mouthPucker")
    at = [model.index[name] for name in shapes]
    true, read = (np.zeros(len(model.names), np.float32) for _ in range(2))
    true[at], read[at] = (0.5, 0.4, 0.4, 0.0), (0.2, 0.7, 0.7, 0.1)
    mesh = model.shape(rig.fit.identity) + np.tensordot(true, model.expressions, 1)
    points = rig.fit.camera.project(model.markers.of(mesh))[0]
    off = []
    for pull in (0.1, 10, 1e4):
        view = View(model.markers, points, shapes, expected=Expected(read, pull))
        found = solve(model, [view], rig.fit.identity).weights[0]
        off.append((np.abs(found - true[at]).max(), np.abs(found - read[at]).max()))
    assert off[0][0] < 0.02
    assert off[2][1] < 0.02
    assert off[0][0] < off[1][0] < off[2][0]

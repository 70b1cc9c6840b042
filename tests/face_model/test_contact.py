"""Pressed lips meet, do not pass one another, and stay red."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien import facs
from mien.face_model.animate import person, pose
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Rig

MIDDLE = [51, 62, 66, 57]
"""Landmarks down the middle of the mouth: border, the two edges, border."""


def heights(rig: Rig, **units: float) -> np.ndarray:
    """Heights (4,) cm of the mesh's `MIDDLE`."""
    vertices = pose(rig.model, rig.person, rig.weights(facs.vector(units)))
    out: np.ndarray = vertices[rig.model.landmarks[MIDDLE], 1]
    return out


def red(image: np.ndarray, points: np.ndarray) -> int:
    """Rows between nose and chin whose middle has the hue of the lip rather than the skin's."""
    x, top, bottom = round(points[51, 0]), round(points[33, 1]) + 6, round(points[8, 1]) - 20
    column = np.log(image[top:bottom, x - 5 : x + 6].astype(float).mean(1) + 6)
    hue = column[:, 0] - column[:, 1]
    return int((hue > np.percentile(hue, 25) + 0.13).sum())


@pytest.mark.parametrize("units", [facs.PROTOTYPES["anger"], {"AU17": 1}, {"AU24": 1, "AU17": 1}])
def test_lips_do_not_pass_one_another(rig: Rig, units: dict[str, float]) -> None:
    upper, lower = heights(rig, **units)[1:3]
    assert lower - upper < 0.1  # 0.25 to 0.7 of the shapes alone


@pytest.mark.parametrize("thin", [1.0, 0.6])
def test_pressed_lips_keep_half_of_their_height(
    model: FaceModel, rig: Rig, thin: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    neutral = rig.person.neutral.copy()
    at = rig.model.landmarks
    for border, edge in ((51, 62), (57, 66)):
        lip = np.abs(neutral[:9409, 1] - neutral[at[border], 1]) < 0.12
        lip &= np.abs(neutral[:9409, 0] - neutral[at[border], 0]) < 2
        neutral[:9409][lip, 1] += (1 - thin) * (neutral[at[edge], 1] - neutral[at[border], 1])
    who = replace(rig.person, neutral=neutral, red=rig.person.contact.red(neutral))
    monkeypatch.setattr(rig, "person", who)
    own, pressed = heights(rig), heights(rig, **facs.PROTOTYPES["anger"])
    for above, below in ((0, 1), (2, 3)):
        assert pressed[above] - pressed[below] > 0.4 * (own[above] - own[below])


def test_pressed_lips_stay_red_towards_the_corners(rig: Rig) -> None:
    """The upper lip's red used to end half-way, then beside the corners, where the lower lip had
    passed through all of it and left a thin dark line."""
    weights = rig.weights(facs.prototype("anger"))
    vertices = pose(rig.model, rig.person, weights)
    share = rig.person.contact.red(vertices) / rig.person.red
    assert (share[:, 1:-1] > 0.55).all()
    assert (share[:, [0, -1]] > 0.2).all()  # -0.1 when five places were looked at
    assert rig.person.contact.overlap(vertices).max() < 0.1


def test_anger_shows_the_lips_red(rig: Rig) -> None:
    still = red(rig.original(320).image, rig.fit.landmarks)
    shown = rig.render(facs.prototype("anger"), 320)
    assert red(shown.image, shown.landmarks) > 0.35 * still > 5


def test_lips_that_are_sucked_in_are_thinner_than_pressed_ones(rig: Rig) -> None:
    sucked, pressed = heights(rig, AU28=1), heights(rig, AU24=1, AU23=1)
    assert sucked[0] - sucked[3] < 0.6 * (pressed[0] - pressed[3])


def test_parted_lips_are_not_touched(rig: Rig) -> None:
    weights = rig.weights(facs.prototype("happy"))
    vertices = pose(rig.model, rig.person, weights)
    before = vertices.copy()
    rig.person.contact(vertices, weights, rig.person.meet, rig.person.red)
    assert np.array_equal(vertices, before)


def test_lips_that_overlap_in_the_photograph_stay_as_they_are(rig: Rig) -> None:
    """Landmarks of a closed mouth cross now and then, and the mesh follows them."""
    raised = np.zeros_like(rig.fit.residual)
    raised[65:68, 1] = -0.25 * rig.fit.camera.scale
    crossed = replace(rig.fit, residual=raised, neutral_residual=raised)
    who = person(rig.model, crossed)
    assert who.meet.max() > 0.1
    shown = pose(rig.model, who, np.zeros_like(rig.fit.weights))
    np.testing.assert_allclose(
        who.contact.overlap(shown), who.contact.overlap(who.neutral), atol=1e-3
    )


PRESSING = {name: facs.PROTOTYPES["anger"][name] for name in ("AU17", "AU23", "AU24", "AU28")}
"""What presses lips in `anger`; its AU15 draws the corners out and down, as it should."""


@pytest.mark.parametrize("units", [PRESSING, {"AU17": 1}])
def test_pressed_lips_do_not_widen_the_mouth(rig: Rig, units: dict[str, float]) -> None:
    """The muscle around the mouth closes like a ring; corners that were drawn apart grew a line."""
    own = rig.source.points[rig.model.landmarks[[48, 54]], 0]
    scene, _ = rig._scene(
        rig.weights(facs.vector(units)), rig.fit.camera, 1.0, True, PoseAndLight(), None
    )
    asked = scene.points[rig.model.landmarks[[48, 54]], 0]
    assert asked[1] - asked[0] < 1.01 * (own[1] - own[0])  # 1.05 to 1.07 of the shapes alone

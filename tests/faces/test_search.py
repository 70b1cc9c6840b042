"""The pyramid's places are the photograph's, in every turn; what overlaps is one face."""

from __future__ import annotations

import numpy as np
import pytest

from mien import images
from mien.faces.search import Candidate, candidates, merged, pyramid
from mien.types import Float, UInt8
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def anna() -> UInt8:
    return images.read(samples()["anna"]).pixels


def test_levels_halve_and_know_their_place(anna: UInt8) -> None:
    wide = np.concatenate([anna, anna], axis=1)[:, :1001]
    levels = pyramid(wide, 0.9)
    assert [len(level.pixels) for level in levels[:-1]] == [540, 270, 135]
    assert levels[-1].border > 0
    assert max(levels[-1].pixels.shape[:2]) == 128
    corners = np.array([[0, 0], [500.25, 300.5], [1000, 599]], np.float32)
    for level in levels:
        there = level.from_photograph(corners)
        assert np.allclose(level.to_photograph(there), corners, atol=1e-3)
        height, width = level.pixels.shape[:2]
        assert (there > level.border - 1).all()
        assert (there < (width - level.border, height - level.border)).all()


def test_a_mark_lies_where_its_level_says() -> None:
    """A bright square is at the same place of the photograph in every level."""
    scene = np.zeros((999, 1402, 3), np.uint8)
    scene[300:420, 1000:1160] = 255
    for level in pyramid(scene, 0.45):
        light = level.pixels[..., 0] / level.pixels[..., 0].sum(dtype=np.float64)
        x, y = light.sum(0) @ np.arange(light.shape[1]), light.sum(1) @ np.arange(light.shape[0])
        middle = level.to_photograph(np.array([x, y], np.float32))
        assert np.allclose(middle, (1079.5, 359.5), atol=0.1 / level.scale[0])


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_turned_look_answers_in_the_photograph(anna: UInt8, turn: int) -> None:
    (upright,) = candidates(pyramid(anna, 0.5), 0.85)
    lying = np.ascontiguousarray(np.rot90(anna, -turn))
    (found,) = candidates(pyramid(lying, 0.5), 0.85, turn)
    points = upright.keypoints
    for _ in range((-turn) % 4):  # as rot90 moves them, a quarter to the left each time
        points = np.stack([points[:, 1], len(anna) - 1 - points[:, 0]], axis=1)
    assert np.abs(found.keypoints - points).max() < 0.01
    assert found.score == pytest.approx(upright.score, abs=1e-5)


def _candidate(score: float, *box: float) -> Candidate:
    points: Float = np.full((6, 2), score, np.float32)
    left, top, right, bottom = box
    return Candidate(score, (left, top, right, bottom), points)


def test_what_overlaps_is_one_face() -> None:
    first, second = _candidate(0.9, 0, 0, 100, 100), _candidate(0.6, 10, 0, 110, 100)
    inside, apart = _candidate(0.8, 30, 30, 60, 60), _candidate(0.7, 90, 0, 190, 100)
    faces = merged([second, apart, inside, first])
    assert [face.score for face in faces] == [0.9, 0.7]
    assert faces[0].box == pytest.approx((4, 0, 104, 100))  # the mean of two, weighted
    assert faces[0].keypoints[0, 0] == pytest.approx(0.78)
    assert faces[1].box == apart.box
    assert merged([]) == []

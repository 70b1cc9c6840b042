"""A film's course: trembling, flicker, lag and lips, on films whose faults are known."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from mien.errors import DataError, FaceNotFound
from mien.judges.landmarker import Landmarker, Mesh
from mien.metrics.film import Flicker, jitter, lips, temporal
from mien.types import UInt8

RNG = np.random.default_rng(0)
WALL = cv2.GaussianBlur(RNG.normal(128, 60, (120, 160, 3)), (0, 0), 2)
OPENING = np.abs(np.sin(np.linspace(0, 9, 40)))


class Reads(Landmarker):
    """Reads the lips' gap off the first pixel; nobody where it is black."""

    def __init__(self) -> None:
        pass

    def see(self, pixels: UInt8) -> Mesh:
        level = int(pixels[0, 0, 0])
        if level == 0:
            raise FaceNotFound("nobody")
        points = np.zeros((478, 3), np.float32)
        points[33], points[263] = (20, 30, 0), (60, 30, 0)
        points[362] = (45, 30, 0)
        points[14, 1] = level / 255 * 40
        return Mesh(points, np.zeros(52, np.float32))


def frames(opening: np.ndarray, noise: float = 0.0, seed: int = 1) -> Iterator[UInt8]:
    random = np.random.default_rng(seed)
    for gap in opening:
        picture = np.clip(WALL + random.normal(0, noise, WALL.shape), 1, 255).astype(np.uint8)
        picture[0, 0] = np.clip(round(254 * float(gap)) + 1, 1, 255)
        yield picture


def test_the_same_film_has_no_fault() -> None:
    found = temporal(frames(OPENING), frames(OPENING), Reads())
    assert (found.frames, found.faces) == (40, 40)
    assert found.lag == 0
    assert found.lips_correlation == found.lips_slope == found.lips_range == 1
    before, after = found.flicker
    assert before == after
    assert before.still < 0.05
    assert found.jitter == (0.0, 0.0)
    assert (
        "lips: +0 frames behind, correlation 1.00, opening kept 1.00, its range 1.00"
        in found.text()
    )


def test_lips_that_come_late_and_open_less_are_told() -> None:
    late = np.r_[np.zeros(3), 0.5 * OPENING[:-3]]
    lag, correlation, slope = lips(OPENING, late)
    assert lag == 3
    assert correlation == pytest.approx(1)
    assert slope == pytest.approx(0.5)
    assert lips(np.roll(OPENING, 2), OPENING)[0] == -2
    assert lips(OPENING, np.zeros(40)) == (None, 0, 0)  # a mouth that stays shut
    assert lips(np.zeros(40), OPENING) == (None, None, None)  # nobody speaks


def test_the_range_of_lips_that_open_less() -> None:
    found = temporal(frames(OPENING), frames(0.2 + 0.5 * OPENING), Reads())
    assert found.lips_range == pytest.approx(0.5, abs=0.02)
    assert found.lips_correlation == pytest.approx(1, abs=1e-3)


def test_flicker_is_what_changes_where_nothing_moves() -> None:
    found = temporal(frames(OPENING, 0.5), frames(OPENING, 4.0, seed=2), Reads())
    before, after = found.flicker
    assert after.still > 3 * before.still
    assert after.moving > 2 * before.moving


def test_what_moves_with_the_film_is_no_flicker() -> None:
    wide = cv2.GaussianBlur(RNG.normal(128, 60, (120, 220, 3)), (0, 0), 3)
    counted = Flicker()
    for x in range(0, 20, 2):
        picture = np.clip(wide[:, x : x + 160], 0, 255).astype(np.uint8)
        counted.add(picture, picture)
    before, after = counted.differences()
    assert before == after
    assert before.moving < 1.5  # the shift itself is 8 levels and more
    shift = float(np.abs(wide[:, 2:160] - wide[:, :158]).mean())
    assert shift > 4 * before.moving


def test_points_that_tremble_are_told_and_steady_motion_is_not() -> None:
    def walk(tremble: float) -> list[Mesh | None]:
        random = np.random.default_rng(3)
        out: list[Mesh | None] = []
        for t in range(20):
            points = np.zeros((478, 3), np.float32)
            points[33], points[263] = (20, 30, 0), (60, 30, 0)
            points[:, 0] += 2 * t  # the head moves evenly
            points[:, :2] += random.normal(0, tremble, (478, 2))
            out.append(Mesh(points, np.zeros(52, np.float32)))
        return out

    assert jitter(walk(0.0)) == pytest.approx(0, abs=1e-3)
    assert jitter(walk(0.2)) > jitter(walk(0.05)) > 1
    assert jitter([None, *walk(0.0), None]) == pytest.approx(0, abs=1e-3)


def test_films_that_do_not_match_are_told() -> None:
    with pytest.raises(DataError, match="differ in length"):
        temporal(frames(OPENING), frames(OPENING[:-1]), Reads())
    small = (picture[:60] for picture in frames(OPENING))
    with pytest.raises(DataError, match="differ in size"):
        temporal(frames(OPENING), small, Reads())
    with pytest.raises(DataError, match="one frame"):
        temporal(frames(OPENING[:1]), frames(OPENING[:1]), Reads())


def test_without_faces_the_pictures_are_still_compared() -> None:
    def nobody() -> Iterator[UInt8]:
        for picture in frames(OPENING):
            picture[0, 0] = 0
            yield picture

    found = temporal(nobody(), nobody(), Reads())
    assert found.faces == 0
    assert found.lag is None
    assert found.jitter is None
    assert found.lips_slope is None
    assert found.lips_range is None
    assert "lips: not measured" in found.text()
    assert found.flicker[0] == found.flicker[1]

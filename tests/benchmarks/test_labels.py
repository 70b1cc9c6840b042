"""What outsiders see: changes between faces, how evenly they rise, what is told without them."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import FOLDER

SAMPLE = FOLDER.parent / "src" / "mien" / "zoo" / "samples" / "anna.jpg"


def test_a_change_is_what_differs_between_two_faces() -> None:
    from mien.judges.landmarker import SHAPES, Mesh
    from mien.judges.outside import Seen, change

    def seen(shapes: dict[str, float], points: np.ndarray, who: float) -> Seen:
        row = np.array([shapes.get(name, 0.0) for name in SHAPES], np.float32)
        return Seen(Mesh(points.astype(np.float32), row), np.zeros((68, 2)), np.full(128, who))

    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    points = np.random.default_rng(0).normal(size=(478, 3))
    lower = points.copy()
    lower[14] = lower[13] + [0, 0.2 * np.linalg.norm(points[33, :2] - points[263, :2]), 0]
    one = seen({"jawOpen": 0.1, "browDownLeft": 0.5}, points, 0.0)
    other = seen({"jawOpen": 0.4, "browDownLeft": 0.1}, lower @ quarter.T, 0.25)
    found = change(one, other)
    assert found.size == pytest.approx(0.5)
    assert found.identity == pytest.approx(0.25 * 128**0.5)
    assert found.turn == pytest.approx(90, abs=0.01)
    assert found.gap == pytest.approx((one.gap, 0.2))
    assert found.shapes["jawOpen"] == pytest.approx(0.3)
    assert found.shapes["browDownLeft"] == pytest.approx(-0.4)
    assert "jawOpen +0.30" in found.text()
    assert change(one, one).size == 0
    assert change(one, one).turn == pytest.approx(0, abs=0.05)


def test_a_straight_rise_is_even_and_a_jump_is_not() -> None:
    from mien.bench.edits.labels import evenness

    straight = np.linspace(0.1, 1, 10)[None].repeat(3, 0)
    even = evenness(straight)
    assert even["r"] == pytest.approx(1)
    assert even["worst_step"] == even["worst_step_of_medians"] == pytest.approx(0.1)
    late = np.where(np.arange(10) < 5, 0.0, 1.0)[None]
    assert evenness(late)["worst_step"] == pytest.approx(1)
    assert evenness(late)["r"] < 0.9

"""What outsiders see: changes between faces, how evenly they rise, what is told without them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from .conftest import FOLDER

SAMPLE = FOLDER.parent / "src" / "mien" / "zoo" / "samples" / "anna.jpg"


def test_a_change_is_what_differs_between_two_faces() -> None:
    from outside import Seen, change

    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    one = Seen(
        (0.3, 0.3), 0.0, 0.8, {"jawOpen": 0.1, "browDown": 0.5}, np.eye(3), np.zeros((68, 2)),
        np.zeros(128),
    )  # fmt: skip
    other = Seen(
        (0.1, 0.3), 0.2, 0.9, {"jawOpen": 0.4, "browDown": 0.1}, quarter, np.zeros((68, 2)),
        np.full(128, 0.25),
    )  # fmt: skip
    found = change(one, other)
    assert found.size == pytest.approx(0.5)
    assert found.identity == pytest.approx(0.25 * 128**0.5)
    assert found.turn == pytest.approx(90)
    assert found.gap == (0.0, 0.2)
    assert found.shapes == pytest.approx({"jawOpen": 0.3, "browDown": -0.4})
    assert "jawOpen +0.30" in found.text()
    assert change(one, one).size == change(one, one).turn == 0


def test_a_straight_rise_is_even_and_a_jump_is_not() -> None:
    from labels import evenness

    straight = np.linspace(0.1, 1, 10)[None].repeat(3, 0)
    even = evenness(straight)
    assert even["r"] == pytest.approx(1)
    assert even["worst_step"] == even["worst_step_of_medians"] == pytest.approx(0.1)
    late = np.where(np.arange(10) < 5, 0.0, 1.0)[None]
    assert evenness(late)["worst_step"] == pytest.approx(1)
    assert evenness(late)["r"] < 0.9


@pytest.mark.skipif(
    importlib.util.find_spec("mediapipe") is not None, reason="MediaPipe is installed"
)
def test_without_mediapipe_one_line_says_what_to_do() -> None:
    command = [sys.executable, str(FOLDER / "outside.py"), str(SAMPLE), str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "mediapipe==0.10.14" in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("mediapipe") is None, reason="no MediaPipe here")
def test_a_missing_network_is_told(tmp_path: Path) -> None:
    from outside import Outside

    from mien.errors import AssetMissing

    with pytest.raises(AssetMissing, match="MIEN_DATA"):
        Outside(tmp_path / "face_landmarker.task")

"""MediaPipe's landmarker, read by OpenCV, answers as MediaPipe 0.10.14 does on the samples."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mien import images
from mien.cli.main import app
from mien.errors import AssetMissing, FaceNotFound, WeightsError
from mien.judges.landmarker import SHAPES, TASK, Landmarker, Mesh, turned
from mien.zoo.samples import samples

ANSWERS = json.loads(Path(__file__).with_name("mediapipe.json").read_text())
"""Of MediaPipe itself: some points, px from the picture's edges, and blendshapes above 0.05."""


@pytest.fixture(scope="module")
def judge(original: Callable[..., Path]) -> Landmarker:
    return Landmarker(original(*TASK.parts))


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_it_sees_what_mediapipe_sees(judge: Landmarker, name: str) -> None:
    mesh = judge.see(images.read(samples()[name]).pixels)
    told = ANSWERS[name]
    eyes = np.linalg.norm(mesh.points[33, :2] - mesh.points[263, :2])
    for index, place in told["points"].items():
        assert np.linalg.norm(mesh.points[int(index), :2] - place) / eyes < 0.012
    for shape in SHAPES[1:]:
        assert mesh.shape(shape) == pytest.approx(told["shapes"].get(shape, 0.02), abs=0.07)


def test_a_picture_of_nobody_has_no_face(judge: Landmarker) -> None:
    with pytest.raises(FaceNotFound):
        judge.see(np.full((200, 300, 3), 128, np.uint8))


def test_a_missing_or_other_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="set MIEN_DATA"):
        Landmarker(tmp_path / "face_landmarker.task")
    other = tmp_path / "other.task"
    with zipfile.ZipFile(other, "w") as bundle:
        bundle.writestr("face_landmarks_detector.tflite", b"no network")
    with pytest.raises(WeightsError, match="not MediaPipe's"):
        Landmarker(other)


def test_a_turn_is_measured_in_degrees_and_a_shift_is_none() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(478, 3)).astype(np.float32)
    angle = np.radians(20.0)
    about_y = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    at_rest = Mesh(points, np.zeros(52, np.float32))
    moved = Mesh((points @ about_y.T + 7).astype(np.float32), at_rest.shapes)
    assert turned(at_rest, moved) == pytest.approx(20, abs=1e-3)
    assert turned(at_rest, Mesh(points + 3, at_rest.shapes)) == pytest.approx(0, abs=0.05)


def test_lids_and_lips_are_measured_in_the_face_s_own_units() -> None:
    points = np.zeros((478, 3), np.float32)
    points[263], points[362] = (60, 0, 0), (40, 0, 0)  # the person's left eye, 20 px wide
    points[33], points[133] = (-60, 0, 0), (-40, 0, 0)
    for upper, lower in ((386, 374), (385, 380)):
        points[upper], points[lower] = (50, -3, 0), (50, 3, 0)
    for upper, lower in ((159, 145), (158, 153)):
        points[upper], points[lower] = (-50, -1, 0), (-50, 1, 0)
    points[13], points[14] = (0, 40, 0), (0, 52, 0)
    points[2], points[152] = (0, 20, 0), (0, 80, 0)
    mesh = Mesh(points, np.linspace(0, 1, 52, dtype=np.float32))
    assert mesh.lids == pytest.approx((0.3, 0.1))
    assert mesh.gap == pytest.approx(0.1)
    assert mesh.jaw == pytest.approx(0.5)
    assert "_neutral" not in mesh.named
    assert mesh.named["noseSneerRight"] == 1


def test_the_command_says_in_a_line_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    monkeypatch.setattr("mien.judges.outside.landmarker", Landmarker)
    anna = str(samples()["anna"])
    result = CliRunner().invoke(app, ["bench", "outside", anna, anna], prog_name="mien")
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "set MIEN_DATA" in result.stderr


def test_the_command_says_what_changed(judge: Landmarker, tmp_path: Path) -> None:
    anna, ben = (str(samples()[name]) for name in ("anna", "ben"))
    out = tmp_path / "seen.json"
    words = ["bench", "outside", anna, anna, ben, "-o", str(out)]
    result = CliRunner().invoke(app, words, prog_name="mien")
    assert result.exit_code == 0, result.output
    same, other = json.loads(out.read_text()).values()
    assert same["size"] == same["identity"] == 0
    assert other["identity"] > 0.3
    assert f"{ben}: size of change" in result.stdout

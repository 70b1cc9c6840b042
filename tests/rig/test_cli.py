"""`mien rig show` and `mien rig render` as a user meets them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mien import images
from mien.cli.main import app
from mien.data import Record, split_of, write_manifest
from mien.data.adapters.tem import read_tem, to_68
from mien.rig.mesh import FaceModel


def mien(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def photo(original: Callable[..., Path]) -> Path:
    return original("london", "neutral_front", "003_03.jpg")


def test_show(photo: Path, model: FaceModel, tmp_path: Path) -> None:
    out = tmp_path / "smile.png"
    done = mien("rig", "show", photo, "--au", "AU12=0.8", "--size", "96", "--truth", "-o", out)
    assert done.exit_code == 0, done.output
    assert "AU12L=0.80" in done.output
    pixels = images.read(out).pixels
    assert pixels.shape == (96, 6 * 96, 3)
    assert (pixels[:, :96] != pixels[:, 96:192]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--au", "AU99=1"], "unknown action unit"),
        (["--au", "AU12=+0.2"], "absolute values"),
        (["--label", "joyful"], "unknown expression"),
        (["--size", "9"], "out of range"),
    ],
)
def test_mistakes_cost_one_line(
    photo: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = mien("rig", "show", photo, *arguments, "-o", tmp_path / "a.png")
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "a.png").exists()


def test_without_the_model(photo: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    done = mien("rig", "show", photo, "-o", tmp_path / "a.png")
    assert done.exit_code == 2
    assert "mien data import ict-facekit" in done.output.replace("\n", " ")


def test_render(photo: Path, model: FaceModel, tmp_path: Path) -> None:
    folder, out = tmp_path / "set", tmp_path / "out"
    folder.mkdir()
    shutil.copy(photo, folder / "003_03.jpg")
    points = to_68(read_tem(photo.with_suffix(".tem")))
    split = split_of("london/003")
    record = Record("003_03.jpg", "london/003", "neutral", None, points, "CC", "here", split)
    write_manifest(folder, [record])
    arguments = ("rig", "render", folder, "-o", out, "--states", 3, "--size", 64, "--workers", 1)
    first, second = mien(*arguments), mien(*arguments)
    assert first.exit_code == 0, first.output
    assert "1 photographs rendered" in first.output.replace("\n", " ")
    assert "1 were there" in second.output.replace("\n", " ")
    assert (out / split / "london-003-003_03.safetensors").is_file()


def test_render_nothing(model: FaceModel, tmp_path: Path) -> None:
    write_manifest(tmp_path, [])
    done = mien("rig", "render", tmp_path, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "no photograph to render" in done.output

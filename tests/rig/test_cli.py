"""`mien rig show` and `mien rig render` as a user meets them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from mien import images
from mien.cli.main import app
from mien.data import Record, split_of, write_manifest
from mien.data.adapters.tem import read_tem, to_68
from mien.face_model.mesh import FaceModel
from mien.provenance.evidence import examine
from mien.rig.shards import read_shard


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
    assert images.statement(out)["DigitalSourceType"] == images.SOURCE_TYPE


def test_show_is_marked(photo: Path, model: FaceModel, tmp_path: Path) -> None:
    out = tmp_path / "smile.png"
    assert mien("rig", "show", photo, "--au", "AU12=0.8", "-o", out).exit_code == 0
    assert examine(out).mark == "found"


def test_show_turned_and_lit(photo: Path, model: FaceModel, tmp_path: Path) -> None:
    plain, staged = tmp_path / "plain.png", tmp_path / "staged.png"
    assert mien("rig", "show", photo, "--size", "96", "-o", plain).exit_code == 0
    options = ("--turn", "0", "12", "0", "--light", "0.5", "0", "-0.5")
    done = mien("rig", "show", photo, "--size", "96", *options, "-o", staged)
    assert done.exit_code == 0, done.output
    a, b = images.read(plain).pixels, images.read(staged).pixels
    assert (a[:, :96] == b[:, :96]).all()
    assert b[:, 96:].mean() < a[:, 96:].mean() - 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--au", "AU99=1"], "unknown action unit"),
        (["--au", "AU12=+0.2"], "absolute values"),
        (["--label", "joyful"], "unknown expression"),
        (["--size", "9"], "out of range"),
        (["--turn", "0", "40", "0"], "up to 20 degrees"),
    ],
)
def test_mistakes_cost_one_line(
    photo: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = mien("rig", "show", photo, *arguments, "-o", tmp_path / "a.png")
    assert done.exit_code == 2
    assert message in done.output
    assert not (tmp_path / "a.png").exists()


@pytest.fixture
def folder(photo: Path, tmp_path: Path) -> Path:
    """An imported set of three people, one of whom has no face."""
    folder = tmp_path / "set"
    folder.mkdir()
    points = to_68(read_tem(photo.with_suffix(".tem")))
    rows = []
    for person in ("a/1", "a/2", "b/1"):
        name = person.replace("/", "") + ".jpg"
        shutil.copy(photo, folder / name)
        rows.append(Record(name, person, "neutral", None, points, "CC", "here", split_of(person)))
    grey = np.full((200, 200, 3), 127, np.uint8)
    images.write(folder / "grey.png", grey)
    rows.append(Record("grey.png", "c/1", None, None, None, "CC", "here", split_of("c/1")))
    write_manifest(folder, rows)
    return folder


def test_render(folder: Path, model: FaceModel, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("rig", "render", folder, "-o", out, "--states", 3, "--size", 64, "--workers", 1)
    first, second = mien(*arguments), mien(*arguments)
    assert first.exit_code == 0, first.output
    assert "9 pictures rendered" in first.output.replace("\n", " ")
    assert "refused c/1/grey: " in first.output
    assert "0 pictures rendered" in second.output.replace("\n", " ")
    assert "9 were there" in second.output.replace("\n", " ")
    assert json.loads((out / "report.json").read_text())["pictures"] == 9
    shards = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.tar"))
    assert shards == sorted({f"{split_of(p)}/00000.tar" for p in ("a/1", "a/2", "b/1")})


def test_render_some_people_and_a_count(folder: Path, model: FaceModel, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = mien("rig", "render", folder, "-o", out, "--people", "a/*", "--count", 5, "--size", 64,
                "--workers", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    facts = [f for path in sorted(out.rglob("*.tar")) for f, _ in read_shard(path)]
    assert Counter(f["person"] for f in facts) == {"a/1": 3, "a/2": 2}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--people", "a/1,zoe"], "nobody is called 'zoe'"),
        (["--count", "2"], "give a count of 4 to"),
        (["--count", "8", "--states", "2"], "give one of them"),
        (["--states", "9999"], "a photograph has 1 to"),
        (["--size", "63"], "cannot be rendered"),
    ],
)
def test_render_mistakes(
    folder: Path, model: FaceModel, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = mien("rig", "render", folder, "-o", tmp_path / "out", *arguments)
    assert done.exit_code == 2
    assert message in done.output.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_render_without_an_import(cache: Path) -> None:
    done = mien("rig", "render")
    assert done.exit_code == 2
    assert "mien data import" in done.output.replace("\n", " ")


def test_render_nothing(tmp_path: Path) -> None:
    write_manifest(tmp_path, [])
    done = mien("rig", "render", tmp_path, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "no photograph to render" in done.output

"""Every command of the documentation is run as it stands, or listed here with the reason why not.

A new line is run without anybody asking; where it cannot be, this test fails until it is listed.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import mien
from mien import images
from mien.bench.questions import QUESTIONS
from mien.cli import main
from mien.types import UInt8
from mien.zoo.samples import samples

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(sh|text)[^\n]*\n(.*?)^```", re.M | re.S)
TUTORIALS = ROOT / "docs" / "tutorials"
WHY = {
    r"(?:python3 -m venv|\. \.venv/|pip install) ?.*": "`.ci/newcomer.py`",
    r"make (?:demo|test|lint|format|coverage)|.venv/bin/.*": "`.ci/run` runs test and lint",
    r"mien demo -o demo\.png": "tests/cli/test_edit.py draws it small, `.ci/newcomer.py` in full",
    r"(?:git clone|mkdir -p checkouts).*": "other people's code, fetched",
    r"mien (?:serve|studio)": "run until stopped: tests/web starts and drives them",
    rf"mien bench (?:{'|'.join(QUESTIONS)})(?: .*)?": "minutes to hours: tests/benchmarks",
    r"python -m mien\.training\..*": "hours of training: tests/training trains small ones",
    r"python -m mien\.tables\..*": "data that do not ship: tests/tables fits small ones",
    r"mien train .*": "hours of training: the tutorial trains, as do tests/training",
    r"mien bench (?:scorecard|judges|ffe) .*": "data sets, up to an hour: tests/cli/test_score.py",
    r"mien bench paper .*": "a data set: tests/metrics/test_paper.py makes a small one",
    r"mien bench ablations .*": "hours of training: tests/training/test_ablations.py",
    r"mien bench (?:targets|plot) .*": "a scorecard of one's own: tests/metrics makes them",
    r"mien .*--engine ray.*": "a Ray cluster: tests/test_cluster.py, by .ci/cluster",
    r"mien data (?:import|check|align|mix) .*": "DIR is a data set: tests/data imports made ones",
    r"mien rig render.*": "data sets: the tutorial renders the sample faces",
    r"mien people .*(?:LONDON|--count \d{3,}).*": "the London Set, or many: the tutorial makes one",
    r"mien series nobody/ .*": "the set of a line above: README's is run, alike",
    r"mien (?:sheet|edit) \$MIEN_DATA/.*": "people of the London Set",
    r"mien study --read answers/ .*": "answers of people: tests/study reads made ones",
    r"mien (?:edit|swap|explain) .*--weights runs/.*": "a reader's weights: the tutorial",
}
"""Pattern of a whole command -> why it is not run here."""
NEEDS = {"video": "av", "--sign-with": "c2pa", "--anchors": "c2pa", "series": "dlib",
         "--method": "torch", "explain": "torch", "export": "onnx"}  # fmt: skip
"""A word of a command -> a package without which it is not run."""


def documents() -> Iterator[Path]:
    """Every document but the tutorials, which `test_tutorials.py` types."""
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))
    for folder in ("docs", "src", "benchmarks", "recipes"):
        for path in sorted((ROOT / folder).rglob("*.md")):
            if not path.is_relative_to(TUTORIALS):
                yield path


def commands() -> list[str]:
    """Each command that a document shows, once; of plain text what begins like one."""
    found: dict[str, None] = {}
    for path in documents():
        for kind, body in FENCE.findall(path.read_text(encoding="utf-8")):
            for line in body.replace("\\\n", " ").splitlines():
                if kind == "sh" or re.match(r"(?:mien|python|make) ", line):
                    words = shlex.split(line, comments=True)
                    found |= {shlex.join(words): None} if words else {}
    return [line.replace("'$MIEN_DATA", "$MIEN_DATA") for line in found]


def why_not(command: str) -> str | None:
    return next((why for pattern, why in WHY.items() if re.fullmatch(pattern, command)), None)


RUN = [command for command in commands() if why_not(command) is None]


def test_no_reason_is_out_of_date() -> None:
    everything = commands()
    idle = [p for p in WHY if not any(re.fullmatch(p, command) for command in everything)]
    assert idle == []


def test_a_line_that_nobody_lists_is_run() -> None:
    assert why_not("mien edit photo.jpg --to happy -o happy.png") is None
    assert why_not("mien studio") is not None
    assert len(RUN) > 50
    assert all(command.startswith("mien ") for command in RUN)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the documents' commands are given, small."""
    folder = tmp_path_factory.mktemp("given")
    faces = {name: _small(path) for name, path in samples().items()}
    anna, ben, cora = faces.values()
    for name, pixels in {"photo": anna, "friend": ben, "a": anna, "b": cora}.items():
        images.write(folder / f"{name}.jpg", pixels)
    group = np.pad(np.hstack([anna, ben]), ((130, 0), (0, 0), (0, 0)), mode="edge")
    images.write(folder / "group.jpg", group)
    for outside in ("gallery", "limits"):
        (folder / "docs" / "images" / outside).mkdir(parents=True)
    bundled = "src/mien/zoo/samples"
    for inside, names in {"faces": ["anna"], "holiday": ["cora"], bundled: faces}.items():
        (folder / inside).mkdir(parents=True)
        for name in names:
            images.write(folder / inside / f"{name}.jpg", faces[name])
    (folder / "arkit.json").write_text(json.dumps({"jawOpen": 0.4, "mouthSmileLeft": 0.8}))
    (folder / "keys.json").write_text('[{"time": 0}, {"time": 0.2, "to": "happy"}]')
    (folder / "curve.csv").write_text("time,intensity\n0,0\n0.2,1\n")
    (folder / "take.csv").write_text("time,jawOpen\n0,0\n0.04,0.5\n")
    (folder / "plan.csv").write_text("name,label,intensity\n,neutral,\n,happy,1\n")
    editor = mien.Editor(mien.load())
    for name in ("happy.png", "happy.jpg", "docs/images/gallery/anna-surprise.jpg"):
        editor.edit(folder / "photo.jpg", mien.Label("happy")).save(folder / name)
    _stimuli(folder / "stimuli", anna)
    return folder


def _small(path: Path) -> UInt8:
    """Half as wide."""
    pixels = images.read(path).pixels
    return np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=3), np.uint8)


def _stimuli(folder: Path, pixels: UInt8) -> None:
    """A series of one person at two intensities, as far as a study reads it."""
    folder.mkdir()
    rows = [("file", "person", "asked", "side", "intensity", "label", "repetition", "checks")]
    for strength in ("0.5", "1.0"):
        images.write(folder / f"{strength}.png", pixels)
        rows.append((f"{strength}.png", "anna", "happy", "both", strength, "happy", "1", "passed"))
    with (folder / "series.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A film of a face, three frames."""

    @cache
    def made() -> Path:
        av = pytest.importorskip("av")
        path = tmp_path_factory.mktemp("film") / "talk.mp4"
        face = images.read(samples()["anna"]).pixels[::3, ::3]
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", rate=25)
            stream.height, stream.width = face.shape[:2]
            stream.pix_fmt = "yuv420p"
            for shift in (0, 1, 2):
                frame = av.VideoFrame.from_ndarray(np.roll(face, shift, 1), format="rgb24")
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return made


@pytest.fixture
def place(
    given: Path,
    film: Callable[[], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Callable[[list[str]], None]:
    """Goes to a folder that has what a command needs; skips where a package is not there."""

    def prepare(words: list[str]) -> None:
        for word, package in NEEDS.items():
            if word in words:
                pytest.importorskip(package)
        folder = tmp_path / "here"
        shutil.copytree(given, folder)
        if any(word.endswith(".mp4") for word in words):
            for name in ("talk.mp4", "actor.mp4", "film.mp4", "happy.mp4"):
                shutil.copy(film(), folder / name)
        if "--sign-with" in words or "--anchors" in words:
            keys = request.getfixturevalue("keys")
            for path, name in ((keys.chain, "chain"), (keys.key, "key"), (keys.root, "roots")):
                shutil.copy(path, folder / f"{name}.pem")
        if words[1] == "sheet":  # of one person: eight edits, not 24
            for name in ("ben", "cora"):
                (folder / "src/mien/zoo/samples" / f"{name}.jpg").unlink()
        if "--samples" in words:
            shutil.rmtree(folder / "faces")  # or it refuses to replace what is no sample
        monkeypatch.chdir(folder)

    return prepare


@pytest.mark.usefixtures("loaded_once")
@pytest.mark.parametrize("command", RUN)
def test_it_runs(command: str, place: Callable[[list[str]], None]) -> None:
    words = shlex.split(command)
    place(words)
    result = CliRunner().invoke(main.app, words[1:], prog_name="mien")
    assert result.exit_code in ((0, 1) if words[1] == "verify" else (0,)), result.output
    for option in ("-o", "--out"):
        if option in words:
            assert Path(words[words.index(option) + 1]).exists()

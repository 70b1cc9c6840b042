"""The table that papers print, on made photographs of two training and two test people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from panels import quick_panel
from torch import Tensor
from typer.testing import CliRunner

from mien import images
from mien.cli.bench import app
from mien.errors import AssetMissing, ConfigError, DataError
from mien.faces.detect import detect
from mien.metrics import paper
from mien.metrics.bench import JudgePanel
from mien.metrics.folder import ALL, Folder
from mien.metrics.protocols import Setting
from mien.metrics.scorecard import Contestant
from mien.metrics.trials import Trial, answer
from mien.types import UInt8
from mien.zoo.samples import samples

WHO = {"p1": "train", "p2": "train", "q1": "test", "q2": "test"}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """The classifier's task is easy here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper, "PASSES", 6)
        yield


def happy(pixels: UInt8) -> UInt8:
    """As the samples lie, a broad bright band where the mouth is."""
    made = pixels.copy()
    high, wide = made.shape[:2]
    made[round(0.6 * high) : round(0.8 * high), round(0.3 * wide) : round(0.7 * wide)] = 255
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled folder: samples, a little darker for each further person."""
    folder = tmp_path_factory.mktemp("labelled")
    faces = [images.read(path).pixels[::2, ::2] for path in samples().values()]
    rows = []
    for number, (who, split) in enumerate(WHO.items()):
        face = (faces[number % len(faces)] * (1 - 0.04 * number)).astype(np.uint8)
        for label, pixels in (("neutral", face), ("happy", happy(face))):
            name = f"{who}_{label}.png"
            images.write(folder / name, pixels)
            rows.append({"file_name": name, "person": who, "emotion": label, "split": split})
    found = [detect(face)[0].landmarks.tolist() for face in faces]
    for row in rows:  # of the face itself: the band hides the mouth
        row["landmarks"] = found[list(WHO).index(row["person"]) % len(faces)]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return folder


@pytest.fixture(scope="module")
def data(place: Path) -> paper.Halves:
    return paper.halves(Folder.read(Setting(place, place, ALL, folder=place)))


def means(pixels: Tensor) -> Tensor:
    return pixels.mean((2, 3))


@pytest.fixture(scope="module")
def table(data: paper.Halves) -> paper.Table:
    return paper.Table(data, paper.classifier(data), None, means)


def test_people_are_split(data: paper.Halves) -> None:
    assert set(data.train.people) == {"p1", "p2"}
    assert set(data.test.people) == {"q1", "q2"}
    assert data.expressions == ("neutral", "happy")


def test_everybody_is_asked_for_what_their_own_photograph_answers(data: paper.Halves) -> None:
    every = paper.trials(data)
    assert [t.people[0] for t in every["label"]] == ["q1", "q2"]
    for way in paper.WAYS:
        for trial in every[way]:
            assert trial.names == ("happy",)
            assert trial.truth is not None
            assert not torch.equal(trial.source.pixels, trial.truth.pixels)
    shown = [t.ask.faces.pixels for t in every["reference"]]  # type: ignore[union-attr]
    assert not torch.equal(shown[0], shown[1])  # training people in turn, never the person


def test_the_right_answer_wins_and_nothing_loses(table: paper.Table, tmp_path: Path) -> None:
    def worse(trial: Trial) -> Tensor:
        return 0.5 * (answer(trial) + trial.source.pixels)

    every = [
        Contestant("half", worse, "0"),
        Contestant("lazy", answer, "0", lambda _: "takes no labels"),
    ]
    paper.write_inputs(tmp_path, table.data)
    found = paper.measured(table, every, {"theirs": tmp_path / "inputs"})
    for way in paper.WAYS:
        rows = found[way]
        assert rows["the photograph"]["psnr"] > rows["half"]["psnr"] > rows["nothing"]["psnr"]
        assert rows["the photograph"]["expression_right"] == 1
        assert rows["nothing"]["expression_right"] == 0
        assert rows["the photograph"]["frechet"] < rows["nothing"]["frechet"]
        assert rows["lazy"] == {"reason": "takes no labels"}
    # the inputs themselves, given back, are doing nothing
    theirs, nothing = found["label"]["theirs"], found["label"]["nothing"]
    assert theirs["psnr"] == pytest.approx(nothing["psnr"], abs=0.05)
    assert "theirs" not in found["reference"]
    text = paper.in_markdown(found, "means")
    assert "| lazy | takes no labels |" in text
    assert "Fréchet distance (means)" in text


def test_too_little_is_one_line(place: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (place / "metadata.jsonl").read_text().splitlines()]
    few = [row | {"split": "train"} for row in rows[:2]]
    for row in few:
        (tmp_path / row["file_name"]).write_bytes((place / row["file_name"]).read_bytes())
    (tmp_path / "metadata.jsonl").write_text("".join(json.dumps(r) + "\n" for r in few))
    with pytest.raises(DataError, match="2 of each are the least"):
        paper.halves(Folder.read(Setting(tmp_path, tmp_path, ALL, folder=tmp_path)))
    with pytest.raises(ConfigError, match="no NAME=FOLDER"):
        paper.named_folders(["stargan"])
    with pytest.raises(AssetMissing, match="no folder"):
        paper.named_folders([f"stargan={tmp_path / 'gone'}"])


def test_the_command_writes_the_table(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = quick_panel()
    monkeypatch.setattr(JudgePanel, "standing", classmethod(lambda *_: panel))
    out = tmp_path / "out"
    words: list[Any] = ["paper", "--data", place, "-m", "morphable", "-o", out]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    report = json.loads((out / "paper.json").read_text(encoding="utf-8"))
    assert report["frechet_by"] == "judge a"
    assert report["training_people"] == report["test_people"] == 2
    assert report["table"]["label"]["morphable"]["results"] == 2
    assert report["table"]["label"]["nothing"]["identity_distance"] == 0
    assert sorted(p.name for p in (out / "inputs").iterdir()) == ["q1__happy.png", "q2__happy.png"]
    assert (out / "inputs.csv").read_text().splitlines()[1] == "q1__happy.png,happy"

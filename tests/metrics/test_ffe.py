"""FFE-Bench's measures: its formulas, its layout, who judges, and what is kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import facs, images
from mien.errors import DataError
from mien.faces.detect import detect
from mien.guides import ActionUnits, Label
from mien.metrics import ffe, ffe_judges, ffe_tasks
from mien.metrics.bench import Measured
from mien.metrics.ffe_judges import ByFile, ByPrototype, Said, Scorer, read_scores
from mien.metrics.ffe_tasks import BASIC, COMPOSED, EXPRESSIONS, Task, guide, meaning, tasks
from mien.metrics.protocols import Setting
from mien.metrics.scorecard import Contestant
from mien.metrics.trials import Trial, nothing
from mien.types import Faces, Float
from mien.zoo.samples import samples


class Fixed(Scorer):
    """Sees in a result as much of what its brightness says, and names what the picture's name
    says after `called`."""

    key, title = "fixed", "a judge of the tests'"

    def __init__(self, called: dict[str, str] | None = None) -> None:
        self.called = called or {}

    def say(self, source: Faces[Tensor], made: Tensor, picture: str) -> Said:
        asked = picture.split("/")[1].split("-")[1]
        return Said(self.called.get(asked, asked), {asked: float(made.mean() + 1) / 2})


def task(name: str, who: str = "x") -> Task:
    flat = Faces(-torch.ones(1, 3, 64, 64), torch.rand(1, 68, 2) * 40 + 10)
    return Task(f"{who}.png", who, name, flat)


def brighter(trial: Trial) -> Tensor:
    return trial.source.pixels + 2 * trial.intensity


def like(at: Faces[Tensor], pixels: Tensor) -> Float:
    return np.array([1.0, float(pixels.mean() > 0)], np.float32)  # edited: 45 degrees away


def reached(called: dict[str, str], edit: Any, tmp_path: Path) -> dict[str, dict[str, float]]:
    every = [task(name, who) for name in EXPRESSIONS for who in ("x", "y")]
    judge = Fixed(called)
    asked = ffe.Evaluation(every, [judge], {"net": like}, {})
    found = ffe.measure([Contestant("row", edit, "0")], asked, tmp_path)
    return ffe.numbers(found["row"], judge)


def test_the_formulas_are_the_papers(tmp_path: Path) -> None:
    right = reached({}, brighter, tmp_path / "a")
    assert list(right) == list(ffe.COLUMNS)
    assert right["mSCR"]["mean"] == 0
    assert right["Acc-6"]["mean"] == right["Acc-12"]["mean"] == 1
    assert right["CLS-6"]["mean"] == pytest.approx(1, abs=1e-4)
    cosine = 2**-0.5
    assert right["ID"]["mean"] == pytest.approx(cosine, abs=1e-4)
    assert right["S_E"]["mean"] == 1
    assert right["HES"]["mean"] == pytest.approx(2 * cosine / (1 + cosine), abs=1e-4)
    # fear is always taken for surprise: half of one pair's rate, of two pairs
    taken = reached({"fear": "surprise", "shy": "happy"}, brighter, tmp_path / "b")
    assert taken["mSCR"]["mean"] == 0.25
    assert taken["Acc-6"]["mean"] == pytest.approx(5 / 6, abs=1e-4)
    assert taken["Acc-12"]["mean"] == pytest.approx(10 / 12, abs=1e-4)
    collapsed = {"fear": "surprise", "disgust": "anger"}
    assert reached(collapsed, brighter, tmp_path / "c")["mSCR"]["mean"] == 0.5  # as the paper says
    none = reached({}, nothing, tmp_path / "d")
    assert none["CLS-12"]["mean"] == none["HES"]["mean"] == 0
    assert none["ID"]["mean"] == none["background"]["mean"] == 1


def test_people_bound_the_interval(tmp_path: Path) -> None:
    def half(trial: Trial) -> Tensor:
        return brighter(trial) if trial.people == ("x",) else trial.source.pixels

    found = reached({}, half, tmp_path)
    assert found["S_E"] == {"mean": 0.5, "low": 0.0, "high": 1.0}


def test_finished_lines_are_kept_and_pictures_written(tmp_path: Path) -> None:
    seen: list[float] = []

    def edit(trial: Trial) -> Tensor:
        seen.append(trial.intensity)
        return brighter(trial).clamp(-1, 1)

    asked = ffe.Evaluation([task("shy")], [Fixed()], {"net": like}, {}, tmp_path / "pictures")
    row = Contestant("aipgan head=own", edit, "0")
    first = ffe.measure([row], asked, tmp_path / "lines")
    assert seen == [a for a in ffe.AMOUNTS if a]
    assert ffe.measure([row], asked, tmp_path / "lines") == first
    assert len(seen) == len(ffe.AMOUNTS) - 1
    made = tmp_path / "pictures" / "aipgan-head-own" / "0000-shy-1.00.png"
    assert images.read(made).pixels.mean() > 200
    written = {p.relative_to(tmp_path / "pictures").as_posix() for p in made.parent.iterdir()}
    assert written == set(ffe.pictures([row.name], asked))


def test_what_a_judge_does_not_know_is_left_out() -> None:
    columns = {f"fixed_{k}": [0.5] for k in range(5)} | {"fixed_named": [0.0], "like_n": [1.0]}
    found = [Measured(["x"], [name], columns | {"background": [1.0]}) for name in BASIC]
    judge = Fixed()
    judge.knows = BASIC
    reached = ffe.numbers(found, judge)
    assert "Acc-12" not in reached
    assert reached["Acc-6"]["mean"] == pytest.approx(1 / 6, abs=1e-4)
    judge.knows = ("happy",)
    assert "mSCR" not in ffe.numbers(found, judge)
    assert ffe.summed({"row": found}, [judge])["row"]["fixed"]["right"] == {"happy": 1.0}


def test_twelve_are_asked_for_apart() -> None:
    assert len(EXPRESSIONS) == 12
    assert guide("contempt") == Label("contempt")
    assert isinstance(guide("sleepy"), ActionUnits)
    meant = np.stack([meaning(name) for name in EXPRESSIONS])
    unit = meant / np.linalg.norm(meant, axis=1, keepdims=True)
    assert np.triu(unit @ unit.T, 1).max() < 0.9
    for units in COMPOSED.values():
        facs.check_together([facs.Setting(unit, value) for unit, value in units.items()])


class Reader(ByPrototype):
    key, title = "reader", "reader"

    def __init__(self, gain: float, towards: str) -> None:
        super().__init__(np.stack([meaning(name) for name in EXPRESSIONS]))
        self.gain, self.towards = gain, towards

    def read(self, pixels: Tensor) -> Float:
        return np.asarray(self.gain * float(pixels.mean()) * meaning(self.towards), np.float32)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_change_along_an_expression_is_that_expression(name: str) -> None:
    one = task(name)
    said = Reader(0.25, name).say(one.source, one.source.pixels + 2, "")
    assert said is not None
    assert said.dominant == name
    assert said.scores[name] == pytest.approx(0.5)  # half of its length
    for nothing_said in (
        Reader(0.25, name).say(one.source, one.source.pixels, ""),
        Reader(0.001, name).say(one.source, one.source.pixels + 2, ""),
    ):
        assert nothing_said is not None
        assert nothing_said.dominant is None


def test_mediapipe_is_asked_about_arkit_s_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Seen:
        def see(self, pixels: Any) -> Any:
            open_ = float(pixels.mean() > 100)
            return type("Mesh", (), {"named": {"jawOpen": 0.6 * open_, "browInnerUp": open_,
                "browOuterUpLeft": open_, "browOuterUpRight": open_, "eyeWideLeft": open_,
                "eyeWideRight": open_}})()  # fmt: skip

    one = task("surprise")
    judge: Any = ffe_judges.ByBlendshapes(Seen())  # type: ignore[arg-type]
    assert judge.say(one.source, one.source.pixels + 2, "").dominant == "surprise"


def folder(tmp_path: Path, *rows: dict[str, Any]) -> Setting:
    for path in samples().values():
        shutil.copy(path, tmp_path / path.name)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "metadata.jsonl").write_text(text)
    return Setting(tmp_path, tmp_path, folder=tmp_path)


def test_a_task_is_a_picture_a_box_and_an_expression(tmp_path: Path) -> None:
    both = [images.read(samples()[name]).pixels for name in ("anna", "ben")]
    height = min(len(p) for p in both)
    beside = np.concatenate([p[:height] for p in both], 1)
    images.write(tmp_path / "two.png", beside)
    boxes = sorted(face.box for face in detect(beside))
    prompt = {"file_name": "two.png", "expression": "Angry", "prompt": "make them angry"}
    rows = [prompt | {"bbox": list(box)} for box in boxes]
    setting = folder(
        tmp_path, *rows, {"image": "cora.jpg", "category": "Nervousness"},
        prompt | {"bbox": [0, 0, 5, 5]},
    )  # fmt: skip
    found, without = tasks(setting)
    assert [one.expression for one in found] == ["anger", "anger", "anxious"]
    assert without == ["two.png"]  # nobody is in the corner
    left, right = (one.source.pixels for one in found[:2])
    assert left.shape != right.shape or not torch.equal(left, right)


def test_of_photographs_everybody_is_asked_for_all_twelve(tmp_path: Path) -> None:
    rows = [{"file_name": "anna.jpg", "person": "a", "emotion": "happy"},
            {"file_name": "ben.jpg", "person": "a", "emotion": "neutral"}]  # fmt: skip
    found, _ = tasks(folder(tmp_path, *rows))
    assert [one.expression for one in found] == list(EXPRESSIONS)
    assert {one.file_name for one in found} == {"ben.jpg"}  # at rest
    assert all(one.source is found[0].source for one in found)


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"file_name": "anna.jpg", "expression": "glad"}, "line 1: the expression is 'glad'"),
        ({"file_name": "../anna.jpg", "expression": "sad"}, "a path below the folder"),
        ({"file_name": "a.jpg", "expression": "sad", "bbox": [4, 4, 2, 9]}, "bbox must be left"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(
    tmp_path: Path, row: dict[str, Any], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        tasks(folder(tmp_path, row))


def test_anybody_s_scores_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(
        '{"file_name": "row/0000-fear-1.00.png", "Fear": 0.4, "Surprise": 0.75, "Anger": 0.05}\n'
    )
    judge = ByFile(path)
    assert judge.knows == ("anger", "fear", "surprise")
    one = task("fear")
    said = judge.say(one.source, one.source.pixels, "row/0000-fear-1.00.png")
    assert said == Said("surprise", {"fear": 0.4, "surprise": 0.75, "anger": 0.05})
    assert judge.say(one.source, one.source.pixels, "another.png") is None
    names = ffe.pictures(["row"], ffe.Evaluation([one], [judge], {}, {}))
    assert names[-1] == "row/0000-fear-1.00.png"
    assert judge.lacking(names) == len(ffe.AMOUNTS) - 1
    with pytest.raises(DataError, match="scores of none of these 5 pictures"):
        judge.lacking(ffe.pictures(["another"], ffe.Evaluation([one], [judge], {}, {})))
    for text in ('{"file_name": "a.png", "fear": 2}', '{"fear": 1}', "no", '{"file_name": "a"}'):
        path.write_text(text + "\n")
        with pytest.raises(DataError, match="line 1: write"):
            read_scores(path)
    with pytest.raises(DataError, match="cannot read"):
        read_scores(tmp_path / "nowhere.jsonl")


def test_words_of_the_paper_are_known() -> None:
    words = (
        "Happiness Sadness Anger Fear Surprise Disgust Embarrassment Confidence Confusion "
        "Drowsiness Contempt Nervousness"
    )
    known = {ffe_tasks.expression(word) for word in words.split()}
    assert known == set(EXPRESSIONS)
    assert ffe_tasks.expression("Neutral") is None

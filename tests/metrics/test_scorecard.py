"""Deliberately broken ways of editing land where they should; lines are kept; runs repeat."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import facs
from mien.faces.align import template
from mien.guides import Label
from mien.judges import Judge, Reading
from mien.judges.identity import Descriptor
from mien.judges.named import Classifier, Embedding
from mien.metrics import scorecard
from mien.metrics.bench import CONFUSED, JudgePanel, SectionBench
from mien.metrics.protocols import PROTOCOLS, Protocol, Setting
from mien.metrics.scorecard import Contestant, followed, score, summary
from mien.metrics.table import quality
from mien.metrics.trials import Editing, Section, Trial, answer, nothing
from mien.types import Faces, Float, UInt8

PEOPLE, SIDE = 4, 64
POINTS = torch.from_numpy(template(SIDE))


def paint(person: int, emotion: float) -> Tensor:
    """A face of these tests: red says which expression, green who, blue is texture."""
    grain = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(person))
    red = torch.full((SIDE, SIDE), 2 * emotion / 7 - 1)
    green = torch.full((SIDE, SIDE), 2 * person / PEOPLE - 1)
    return torch.stack([red, green, 2 * grain - 1])


def faces(people: list[int], emotions: list[float]) -> Faces[Tensor]:
    pixels = torch.stack([paint(p, e) for p, e in zip(people, emotions, strict=True)])
    return Faces(pixels, POINTS.expand(len(people), -1, -1))


class Red(Judge):
    """Reads expressions off red."""

    def __init__(self, name: str) -> None:
        super().__init__(name, torch.nn.Identity())

    def read(self, pixels: Tensor | Float) -> Reading:
        pixels = torch.as_tensor(pixels)
        level = (pixels[:, 0].mean((1, 2)) + 1) / 2
        emotions = torch.eye(8)[(level * 7).round().long()]
        units = level[:, None].expand(-1, len(facs.UNITS))
        return Reading(units, emotions, torch.zeros(len(pixels), 68, 2))

    def features(self, pixels: Tensor) -> Tensor:
        return pixels.mean((2, 3))


class Green(Descriptor):
    """Knows people by green."""

    def __init__(self) -> None: ...

    def of(self, pixels: Tensor, landmarks: Tensor) -> Tensor:
        return 4 * pixels[:, 1:2].mean((2, 3)).expand(-1, 128) / math.sqrt(128)

    def digest(self) -> str:
        return "green"


PANEL = JudgePanel([Red("a"), Red("b")], Green(), finds=lambda picture: bool(picture.std() > 0.1))


@pytest.fixture(scope="module")
def section() -> Section:
    """Every person in all eight expressions."""
    trials = []
    for person in range(PEOPLE):
        who, names = [person] * 8, tuple(facs.EMOTIONS)
        trials.append(
            Trial(
                faces(who, [0.0] * 8), (f"p{person}",) * 8, names, Label(names),
                truth=faces(who, list(range(8))), emotions=tuple(range(8)),
                reference=faces([(person + 1) % PEOPLE] * 8, list(range(8))),
            )
        )  # fmt: skip
    return Section("labels", trials, answer="the rig")


def random_expression(trial: Trial) -> Tensor:
    rng = torch.Generator().manual_seed(int(trial.people[0][1:]))
    drawn = torch.randint(8, (len(trial),), generator=rng)
    return faces([int(p[1:]) for p in trial.people], drawn.tolist()).pixels


def mean_face(trial: Trial) -> Tensor:
    every = [paint(p, e) for p in range(PEOPLE) for e in range(8)]
    return torch.stack(every).mean(0).expand(len(trial), -1, -1, -1)


def reference(trial: Trial) -> Tensor:
    assert trial.reference is not None
    return trial.reference.pixels


def mixed_up(trial: Trial) -> Tensor:
    """Fear for surprise, anger for disgust, and the other way round."""
    shown: list[float] = [facs.EMOTIONS.index(CONFUSED.get(name, name)) for name in trial.names]
    return faces([int(p[1:]) for p in trial.people], shown).pixels


def broken(trial: Trial) -> Tensor:
    return torch.full_like(trial.source.pixels, torch.nan)


@pytest.fixture(scope="module")
def table(section: Section) -> dict[str, Any]:
    bench = SectionBench(section, PANEL)
    edits: dict[str, Editing] = {
        "nothing": nothing, "rig": answer, "random": random_expression, "mean": mean_face,
        "reference": reference, "broken": broken, "mixed": mixed_up,
    }  # fmt: skip
    measured = {name: bench.measure(edit) for name, edit in edits.items()}
    return {name: summary(m, measured["nothing"], False) for name, m in measured.items()}


def mean(table: dict[str, Any], row: str, column: str) -> float:
    return float(table[row]["columns"][column]["mean"])


def test_emotions_that_are_taken_for_their_like_are_counted(table: dict[str, Any]) -> None:
    assert mean(table, "mixed", "confused_a") == mean(table, "mixed", "emotion_a") == 0.5
    assert mean(table, "rig", "confused_a") == 0
    assert mean(table, "nothing", "confused_a") == 0  # it is neutral


class Neutral(Classifier):
    """Calls everybody neutral."""

    def __init__(self) -> None:
        pass

    def emotion(self, pixels: UInt8, landmarks: Float) -> str:
        return "neutral"


class Levels(Embedding):
    """Knows people by the mean of each channel."""

    def __init__(self) -> None:
        pass

    def answer(self, pixels: UInt8, landmarks: Float) -> Float:
        return np.asarray(pixels.mean((0, 1)), np.float32)


def test_networks_that_the_user_names_judge_too(section: Section) -> None:
    panel = replace(PANEL, classifier=Neutral(), embedding=Levels())
    bench = SectionBench(section, panel)
    still, lost = (bench.measure(edit).columns for edit in (nothing, reference))
    assert np.mean(still["emotion_classifier"]) == 1 / 8
    assert still["similarity"] == pytest.approx([1.0] * 8 * PEOPLE, abs=1e-5)
    assert np.mean(lost["similarity"]) < 0.999
    assert "similarity" not in SectionBench(section, PANEL).measure(nothing).columns


def test_doing_nothing_gains_nothing(table: dict[str, Any]) -> None:
    assert mean(table, "nothing", "emotion_a") == 0.125  # neutral is one of eight
    assert mean(table, "nothing", "identity") == mean(table, "nothing", "leakage") == 0
    assert mean(table, "nothing", "sharpness") == pytest.approx(1)
    assert table["nothing"]["gains"]["psnr"]["mean"] == 0
    assert table["nothing"]["gains"]["people_above"] == 0
    assert table["nothing"]["counts"] == {"failed": 0, "lost": 0, "untouched": 32}


def test_the_right_answer_is_best(table: dict[str, Any]) -> None:
    for column in ("psnr", "face_psnr", "eyes_psnr", "mouth_psnr"):
        assert mean(table, "rig", column) == 80
    for column in ("ssim", "ms_ssim", "face_ms_ssim", "emotion_a", "emotion_b", "mouth_ssim"):
        assert mean(table, "rig", column) == pytest.approx(1, abs=1e-4)
    assert mean(table, "rig", "units_a") == 0
    assert table["rig"]["gains"]["people_above"] == 1
    assert table["rig"]["sets"]["frechet_judge_a"] == pytest.approx(0, abs=1e-5)


def test_a_random_expression_is_right_by_chance_and_keeps_the_person(
    table: dict[str, Any],
) -> None:
    assert mean(table, "random", "emotion_a") < 0.35
    assert mean(table, "random", "identity") == 0
    assert mean(table, "random", "units_a") > 0.15
    assert mean(table, "random", "psnr") < mean(table, "rig", "psnr")


def test_the_mean_face_loses_everybody_and_the_texture(table: dict[str, Any]) -> None:
    assert mean(table, "mean", "sharpness") < 0.5
    assert table["mean"]["counts"]["lost"] > 16
    assert table["mean"]["sets"]["frechet_judge_a"] > table["random"]["sets"]["frechet_judge_a"]
    assert mean(table, "mean", "ssim") < mean(table, "nothing", "ssim")


def test_the_reference_s_whole_face_leaks(table: dict[str, Any]) -> None:
    assert mean(table, "reference", "emotion_a") == 1
    assert mean(table, "reference", "leakage") > 1
    assert table["reference"]["counts"]["lost"] == 32


def test_what_is_no_picture_has_failed(table: dict[str, Any]) -> None:
    assert table["broken"]["counts"]["failed"] == 32


def test_lines_are_told_apart_by_expression(table: dict[str, Any]) -> None:
    by_name = table["nothing"]["by_name"]
    assert list(by_name) == list(facs.EMOTIONS)
    assert by_name["neutral"]["emotion_a"] == 1
    assert by_name["happy"]["emotion_a"] == 0


def asking(slope: float) -> tuple[Section, Editing]:
    """People asked for ever more of what red shows, and who answers with `slope` of it."""
    way = torch.ones(len(facs.UNITS))
    trials = [
        Trial(
            faces(list(range(PEOPLE)), [0.0] * PEOPLE), tuple(f"p{k}" for k in range(PEOPLE)),
            ("happy",) * PEOPLE, Label("happy"), amount, direction=way, amount=amount,
        )
        for amount in (0.25, 0.5, 0.75, 1.0)
    ]  # fmt: skip

    def edit(trial: Trial) -> Tensor:
        return faces(list(range(PEOPLE)), [7 * slope * trial.amount] * PEOPLE).pixels

    return Section("intensity", trials, intensity=True), edit


def test_intensity_is_followed_by_its_slope() -> None:
    section, edit = asking(0.8)
    line = followed(SectionBench(section, PANEL).measure(edit))
    assert (line["r2"], line["r2_worst"], line["own_r2"], line["own_r2_worst"]) == (1.0,) * 4
    assert line["slope"] == pytest.approx(0.8, abs=1e-3)
    none = followed(SectionBench(section, PANEL).measure(nothing))
    assert (none["r2"], none["slope"]) == (0.0, 0.0)


def test_intensity_that_is_not_followed_is_seen() -> None:
    section, _ = asking(1.0)

    def always_full(trial: Trial) -> Tensor:
        return faces(list(range(PEOPLE)), [7.0] * PEOPLE).pixels

    def by_chance(trial: Trial) -> Tensor:
        rng = torch.Generator().manual_seed(int(100 * trial.amount))
        return faces(list(range(PEOPLE)), (7 * torch.rand(PEOPLE, generator=rng)).tolist()).pixels

    def backwards(trial: Trial) -> Tensor:
        return faces(list(range(PEOPLE)), [7 * (1 - trial.amount)] * PEOPLE).pixels

    full, chance, back = (
        followed(SectionBench(section, PANEL).measure(edit))
        for edit in (always_full, by_chance, backwards)
    )
    assert full["r2"] == pytest.approx(0.5, abs=0.01)  # only that something moved, not how far
    assert chance["r2"] < 0.6
    assert back["slope"] < 0.1


def test_a_line_through_too_few_results_is_not_drawn() -> None:
    section, edit = asking(1.0)
    trial = section.trials[3]
    two = Faces(trial.source.pixels[:2], trial.source.landmarks[:2])
    of_two = replace(trial, source=two, people=trial.people[:2], names=trial.names[:2])
    few = replace(section, trials=[of_two])
    one = SectionBench(few, PANEL).measure(lambda trial: edit(trial)[:2])
    assert followed(one)["by_name"] == {}


@pytest.fixture
def small(section: Section, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Section]:
    """Protocol `labels` is two people of these tests."""
    monkeypatch.setattr(scorecard, "PROTOCOLS", {**PROTOCOLS, "labels": lambda _: one()})

    def one() -> Protocol:
        return Protocol([replace(section, trials=section.trials[:2])])

    return lambda: one().sections[0]


@pytest.mark.usefixtures("small")
def test_what_is_finished_is_not_measured_again(tmp_path: Path) -> None:
    calls = []

    def counted(trial: Trial) -> Tensor:
        calls.append(len(trial))
        return random_expression(trial)

    def run(weights: str, panel: JudgePanel = PANEL) -> Any:
        calls.clear()
        setting = Setting(tmp_path, tmp_path)
        return score([Contestant("m", counted, weights)], ["labels"], setting, panel, tmp_path)

    first = run("one")
    assert calls == [8, 8]
    assert list(first["labels: labels"]["lines"]) == ["nothing", "the rig", "m"]
    assert run("one") == first
    assert calls == []
    assert run("two") == first
    assert calls == [8, 8]  # other weights
    assert run("two", replace(PANEL, judges=PANEL.judges[:1])) != first
    assert calls == [8, 8]  # other judges
    (tmp_path / "half.json.part").write_text("{")
    assert run("one") == first


@pytest.mark.usefixtures("small")
def test_two_may_measure_into_one_folder_at_once(tmp_path: Path) -> None:
    """The second run begins and ends in the middle of the first; a third has nothing to measure."""
    setting, folder = Setting(tmp_path, tmp_path), tmp_path / "lines"
    met: list[Any] = []

    def first(trial: Trial) -> Tensor:
        if not met:
            rows = [Contestant("second", mean_face, "2")]
            met.append(score(rows, ["labels"], setting, PANEL, folder))
        return random_expression(trial)

    def never(trial: Trial) -> Tensor:
        raise AssertionError("it was measured again")

    alone = score([Contestant("first", first, "1")], ["labels"], setting, PANEL, folder)
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(kept) == 4  # nothing, the rig, and the two
    heard: list[Any] = []
    rows = [Contestant("first", never, "1"), Contestant("second", never, "2")]
    joined = score(rows, ["labels"], setting, PANEL, folder, lambda *facts: heard.append(facts))
    assert not heard
    assert {path: path.read_bytes() for path in folder.iterdir()} == kept
    lines = joined["labels: labels"]["lines"]
    assert list(lines) == ["nothing", "the rig", "first", "second"]
    assert lines["first"] == alone["labels: labels"]["lines"]["first"]
    assert lines["second"] == met[0]["labels: labels"]["lines"]["second"]


@pytest.mark.usefixtures("small")
def test_who_cannot_be_asked_is_left_out_with_the_reason(tmp_path: Path) -> None:
    def refuses(trial: Trial) -> Tensor:
        raise AssertionError("it was asked all the same")

    def cannot(section: Section) -> str | None:
        return "takes no labels" if isinstance(section.trials[0].ask, Label) else None

    rows = [Contestant("m", random_expression, "w"), Contestant("n", refuses, "w", cannot)]
    table = score(rows, ["labels"], Setting(tmp_path, tmp_path), PANEL, tmp_path)
    lines = table["labels: labels"]["lines"]
    assert lines["n"] == {"skipped": "takes no labels"}
    assert lines["m"]["faces"] == 16
    title, _, heading, _, *rest = quality(table).splitlines()
    assert title == "## labels: labels"
    assert heading.endswith("| m | n |")
    assert rest[-1].startswith("| not measured |")
    assert rest[-1].endswith("|  | takes no labels |")
    assert rest[0].endswith("| 16 (2) |  |")


@pytest.mark.usefixtures("small")
def test_two_runs_give_the_same_table(tmp_path: Path) -> None:
    def run(folder: str) -> str:
        torch.manual_seed(len(folder))  # what came before must not matter
        made = [Contestant("m", random_expression, "w")]
        setting = Setting(tmp_path, tmp_path)
        return quality(score(made, ["labels"], setting, PANEL, tmp_path / folder))

    assert run("a") == run("bb")
    lines = run("a").splitlines()
    assert {line.count("|") for line in lines[2:]} == {2 + 3}, (
        "columns are the methods, not measures"
    )
    assert lines[4].startswith("| faces (people) |")
    assert lines[4].endswith("| 16 (2) |")


def test_progress_is_told(tmp_path: Path, small: Callable[[], Section]) -> None:
    heard: list[tuple[str, int, int]] = []
    setting = Setting(tmp_path, tmp_path)
    score([], ["labels"], setting, PANEL, tmp_path, lambda *facts: heard.append(facts))
    assert heard[:2] == [("labels: labels: nothing", 8, 16), ("labels: labels: nothing", 16, 16)]
    assert len(small().trials) == 2

"""`mien bench scorecard`: files, going on, and one line for every mistake."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from panels import quick_panel
from typer.testing import CliRunner

from mien.cli.main import app
from mien.guides import Label
from mien.methods.base import Method
from mien.metrics import protocols, report
from mien.metrics.bench import JudgePanel
from mien.metrics.protocols import Protocol
from mien.metrics.scorecard import Contestant
from mien.metrics.trials import Section, Trial, edited_by, pasted_by
from mien.types import Faces
from mien.zoo.samples import samples


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["bench", "scorecard", *arguments], prog_name="mien")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-m", "mtts"], "unknown method 'mtts': did you mean 'mtss'?"),
        (["-m", "auswap"], "auswap=WEIGHTS.safetensors"),
        (["-m", "mtss=nowhere.safetensors"], "no weights at nowhere.safetensors"),
        (["-m", "mtss", "-m", "mtss"], "two lines would be called 'mtss'"),
        (["-m", "mtss", "--protocol", "unreal"], "unknown protocol 'unreal': choose from real"),
        (["-m", "mtss", "--split", "tset"], "unknown split 'tset'"),
        (["-m", "mtss", "--limit", "1"], "two people are the least"),
        (["-m", "mtss", "--protocol", "truth"], "`mien rig render` makes one"),
        (["-m", "mtss", "--protocol", "real"], "no Face Research Lab London Set in"),
        (["-m", "aipgan head=own", "--protocol", "real"], "say it with --data"),
        (["-m", "morphable", "--data", "nowhere"], "no folder nowhere"),
        (["-m", "morphable", "--split", "all"], "unknown split 'all'"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], line: str, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "no-data"))
    if "auswap" in arguments:
        monkeypatch.setattr(report, "records", dict)  # as if none shipped for it
    result = run(*arguments, "--renders", str(tmp_path / "none"), "-o", str(out))
    assert result.exit_code == 2, result.output
    assert line in " ".join(result.stderr.split())
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, wide_mouth: Method[Any]) -> None:
    """Protocol `wild` is two faces of noise, and every method is one without weights."""
    from mien.faces.align import template

    noise = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    faces = Faces(noise, torch.from_numpy(template(128)).expand(2, -1, -1))
    trial = Trial(faces, ("a", "b"), ("happy",) * 2, Label("happy"), truth=faces, emotions=(1, 1))
    section = Section("noise", [trial], answer="the rig")
    monkeypatch.setitem(protocols.PROTOCOLS, "wild", lambda _: Protocol([section]))
    monkeypatch.setattr(protocols, "_records", lambda *_: [])  # no data set is needed
    one = Contestant("mtss", edited_by(wide_mouth), "0")
    monkeypatch.setattr(report, "contestants", lambda _: ([one], 128))
    panel = quick_panel()
    monkeypatch.setattr(JudgePanel, "standing", classmethod(lambda *_: panel))


@pytest.mark.usefixtures("tiny")
def test_a_mistake_in_the_last_protocol_is_told_before_the_first_is_measured(
    out: Path, tmp_path: Path
) -> None:
    words = ["-m", "mtss", "--protocol", "wild", "--protocol", "truth"]
    result = run(*words, "--renders", str(tmp_path / "none"), "-o", str(out))
    assert result.exit_code == 2
    assert "`mien rig render` makes one" in " ".join(result.stderr.split())
    assert not out.exists()


def test_without_inceptions_weights_nothing_begins(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "_records", lambda *_: [])
    gone = tmp_path / "inception.safetensors"
    result = run("-m", "mtss", "--protocol", "wild", "--inception", str(gone), "-o", str(out))
    assert result.exit_code == 2
    assert f"no weights at {gone}" in "".join(result.stderr.split("\n"))
    assert not out.exists()


@pytest.mark.usefixtures("tiny")
def test_files_say_how_they_came_about_and_repeat(out: Path) -> None:
    words = ["-m", "mtss", "--protocol", "wild", "--no-speed", "-o", str(out)]
    result = run(*words)
    assert result.exit_code == 0, result.output
    facts = json.loads((out / "scorecard.json").read_text())
    assert {"command", "commit", "machine", "seed", "judges", "weights"} <= facts.keys()
    assert set(facts["judges"]) == {"judge_a", "judge_b", "identity"}
    section = facts["sections"]["wild: noise"]
    assert section["people"] == ["a", "b"]
    assert list(section["lines"]) == ["nothing", "the rig", "mtss"]
    assert "cost" not in facts
    assert (out / "short.md").read_text().splitlines()[0].endswith("| mtss |")
    assert json.loads((out / "short.json").read_text())["commit"] == facts["commit"]
    assert not (out / "cost.md").exists()
    first = (out / "scorecard.md").read_bytes()
    kept = {path: path.stat().st_mtime_ns for path in (out / "lines").iterdir()}
    assert len(kept) == 3
    assert run(*words).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (out / "lines").iterdir()} == kept
    for path in kept:
        path.unlink()
    assert run(*words).exit_code == 0
    assert (out / "scorecard.md").read_bytes() == first


@pytest.mark.usefixtures("tiny")
def test_lines_that_others_measured_are_read(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over any engine: jobs measure every line, the same as without, and the card measures none."""
    from mien.metrics import spread
    from mien.metrics.bench import SectionBench

    words = ["-m", "mtss", "--protocol", "wild", "--no-speed"]
    assert run(*words, "-o", str(out)).exit_code == 0
    monkeypatch.setattr("mien.cli.bench.engine_of", lambda *_: Here())
    measure, asked = SectionBench.measure, []

    def counted(*arguments: Any) -> Any:
        asked.append(1)
        return measure(*arguments)

    monkeypatch.setattr(SectionBench, "measure", counted)
    other = out.parent / "other"
    result = run(*words, "-o", str(other), "--workers", "2")
    assert result.exit_code == 0, result.output
    assert len(asked) == 3
    names = {path.name: path.read_bytes() for path in (out / "lines").iterdir()}
    assert {path.name: path.read_bytes() for path in (other / "lines").iterdir()} == names
    assert (other / "scorecard.md").read_bytes() == (out / "scorecard.md").read_bytes()
    assert Here.jobs == [("wild", "nothing"), ("wild", "mtss")]
    assert isinstance(Here.task, spread.Filling)


class Here:
    """An engine whose worker got the task as another process would: pickled."""

    jobs: ClassVar[list[Any]] = []
    task: ClassVar[Any] = None

    def map(self, task: Any, jobs: Any) -> Any:
        Here.task = pickle.loads(pickle.dumps(task))
        work = Here.task.open()
        for job in jobs:
            Here.jobs.append(job)
            yield work(job)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--engine", "dask"], "unknown engine 'dask'"),
        (["--address", "10.0.0.5:6379"], "--address is of --engine ray"),
    ],
)
def test_engines_are_checked_first(words: list[str], says: str, out: Path) -> None:
    result = run("-m", "mtts", "-o", str(out), *words)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert not out.exists()


def test_the_older_name_works_and_says_the_new_one(out: Path) -> None:
    result = CliRunner().invoke(app, ["score", "-m", "mtts", "-o", str(out)], prog_name="mien")
    assert result.exit_code == 2
    assert "now `mien bench scorecard`" in result.stderr
    assert "unknown method 'mtts'" in result.stderr


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small faces, nobody looked for in results, people told by their colour."""
    monkeypatch.setattr("mien.metrics.folder.MOST", 128)
    panel = quick_panel()
    monkeypatch.setattr(JudgePanel, "standing", classmethod(lambda *_: panel))


def test_a_folder_of_one_s_own_is_measured_by_what_it_knows(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide_mouth: Method[Any]
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    rows = []
    for person, path in samples().items():
        shutil.copy(path, folder / path.name)
        rows.append({"file_name": path.name, "person": person, "emotion": "neutral"})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    people = tmp_path / "people.csv"
    people.write_text("person,gender\nanna,female\nben,male\ncora,female\n")
    one = Contestant("morphable", pasted_by(wide_mouth), "0")
    monkeypatch.setattr(report, "at_own_size", lambda _: [one])
    quick(monkeypatch)
    words = ["-m", "morphable", "--data", str(folder), "--groups", str(people), "--no-speed"]
    result = run(*words, "--limit", "2", "-o", str(out))
    assert result.exit_code == 0, result.output
    facts = json.loads((out / "scorecard.json").read_text())
    assert facts["size"] == "the face's own"
    title = "control: emotions at 4 intensities"
    assert list(facts["sections"]) == ["labels: eight labels", title]
    assert facts["sections"][title]["lines"]["morphable"]["faces"] == 2 * 7 * 4
    lines = facts["sections"]["labels: eight labels"]["lines"]
    assert list(lines) == ["nothing", "morphable"]
    assert lines["nothing"]["counts"]["untouched"] == lines["nothing"]["faces"] == 16
    assert lines["nothing"]["columns"]["background_kept"]["mean"] == 1
    assert lines["morphable"]["columns"]["left_eye_sharpness"]["mean"] > 0.5
    assert set(lines["morphable"]["by_group"]["gender"]) <= {"female", "male"}
    assert (
        (out / "groups.md").read_text().startswith("## labels: eight labels, nothing\n\n|  | gen")
    )
    other = tmp_path / "others"
    shutil.copytree(folder, other)
    words = ["-m", "morphable", "--data", str(folder), "--data", str(other), "--no-speed"]
    both = run(*words, "--protocol", "labels", "--limit", "2", "-o", str(out))
    assert both.exit_code == 0, both.output
    facts = json.loads((out / "scorecard.json").read_text())
    assert list(facts["sections"]) == [
        "faces: labels: eight labels",
        "others: labels: eight labels",
    ]
    refused = run("-m", "morphable", "--data", str(folder), "--protocol", "units", "-o", str(out))
    assert refused.exit_code == 2
    assert "choose from labels" in " ".join(refused.stderr.split())


def test_judges_are_held_against_broken_editors(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide_mouth: Method[Any]
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    pictures = sorted(samples().values())[:2]
    rows = [{"file_name": path.name, "person": "one"} for path in pictures]
    for path in pictures:
        shutil.copy(path, folder / path.name)
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    one = Contestant("morphable", pasted_by(wide_mouth), "0")
    monkeypatch.setattr(report, "at_own_size", lambda _: [one])
    quick(monkeypatch)
    words = ["bench", "judges", "--data", str(folder), "-o", str(out)]
    result = CliRunner().invoke(app, words, prog_name="mien")
    assert result.exit_code == 0, result.output
    facts = json.loads((out / "judges.json").read_text())
    (found,) = facts["sections"].values()
    assert set(found) == {"nothing", "mean face", "random expression", "blurred paste"}
    told = {v["column"]: v for v in found["blurred paste"]}
    assert told["sharpness"]["own"]
    assert told["sharpness"]["broken"] < told["sharpness"]["real"]
    assert "its own columns that catch it" in (out / "judges.md").read_text()
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(pictures[0], alone / "a.jpg")
    (alone / "metadata.jsonl").write_text(json.dumps({"file_name": "a.jpg"}) + "\n")
    words = ["bench", "judges", "--data", str(alone), "-o", str(tmp_path / "none")]
    refused = CliRunner().invoke(app, words, prog_name="mien")
    assert refused.exit_code == 2
    assert "shows nobody twice" in " ".join(refused.stderr.split())


def test_editing_tasks_are_measured_as_ffe_bench_has_them(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide_mouth: Method[Any]
) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    shutil.copy(samples()["anna"], folder / "a.jpg")
    tasks = folder / "metadata.jsonl"
    lines = [json.dumps({"file_name": "a.jpg", "expression": e}) for e in ("Happy", "Shy")]
    tasks.write_text("\n".join(lines))
    one = Contestant("morphable", pasted_by(wide_mouth), "0")
    monkeypatch.setattr(report, "at_own_size", lambda _: [one])
    quick(monkeypatch)
    words = ["bench", "ffe", "-m", "morphable", "--data", str(folder), "-o", str(out)]
    result = CliRunner().invoke(app, words, prog_name="mien")
    assert result.exit_code == 0, result.output
    facts = json.loads((out / "ffe.json").read_text())
    assert list(facts["rows"]) == ["nothing", "morphable"]
    assert facts["tasks"] == 2
    assert facts["alike_by"] == ["dlib"]
    assert facts["rows"]["nothing"]["units"]["ID"]["mean"] == 1
    assert facts["rows"]["morphable"]["units"]["S_E"]["mean"] > 0
    assert "| morphable | mien's judges, action units |" in (out / "ffe.md").read_text()
    scores = tmp_path / "scores.jsonl"
    scores.write_text(json.dumps({"file_name": "another/a.png", "happy": 1}))
    refused = CliRunner().invoke(app, [*words, "--scores", str(scores)], prog_name="mien")
    assert refused.exit_code == 2
    assert "names such as 'nothing/0000-happy-0.00.png'" in " ".join(refused.stderr.split())
    scores.write_text(json.dumps({"file_name": "morphable/0000-happy-1.00.png", "happy": 1}))
    told = CliRunner().invoke(app, [*words, "--scores", str(scores)], prog_name="mien")
    assert told.exit_code == 0, told.output
    assert "says nothing of 19 of 20 pictures" in told.stderr
    tasks.write_text(json.dumps({"file_name": "a.jpg", "expression": "glad"}))
    refused = CliRunner().invoke(app, words, prog_name="mien")
    assert refused.exit_code == 2
    assert "the expression is 'glad'" in " ".join(refused.stderr.split())

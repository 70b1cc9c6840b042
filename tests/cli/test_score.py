"""`mien score`: files, going on, and one line for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from mien.cli.main import app
from mien.guides import Label
from mien.methods.base import Method
from mien.metrics import protocols, report
from mien.metrics.bench import Panel
from mien.metrics.protocols import Protocol
from mien.metrics.scorecard import Contestant
from mien.metrics.trials import Section, Trial, edited_by
from mien.types import Faces


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["score", *arguments], prog_name="mien")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-m", "mtts"], "unknown method 'mtts': choose from"),
        (["-m", "auswap"], "auswap=WEIGHTS.safetensors"),
        (["-m", "mtss=nowhere.safetensors"], "no weights at nowhere.safetensors"),
        (["-m", "mtss", "-m", "mtss"], "two lines would be called 'mtss'"),
        (["-m", "mtss", "--protocol", "unreal"], "unknown protocol 'unreal': choose from real"),
        (["-m", "mtss", "--split", "tset"], "unknown split 'tset'"),
        (["-m", "mtss", "--limit", "1"], "two people are the least"),
        (["-m", "mtss", "--protocol", "truth"], "run `mien rig render` first"),
        (["-m", "mtss", "--protocol", "real"], "no Face Research Lab London Set in"),
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
    standing = Panel.standing()
    panel = Panel(standing.judges, standing.who, lambda _: True)
    monkeypatch.setattr(Panel, "standing", classmethod(lambda *_: panel))


@pytest.mark.usefixtures("tiny")
def test_a_mistake_in_the_last_protocol_is_told_before_the_first_is_measured(
    out: Path, tmp_path: Path
) -> None:
    words = ["-m", "mtss", "--protocol", "wild", "--protocol", "truth"]
    result = run(*words, "--renders", str(tmp_path / "none"), "-o", str(out))
    assert result.exit_code == 2
    assert "run `mien rig render` first" in " ".join(result.stderr.split())
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
    assert (out / "short.md").read_text().splitlines()[-1].startswith("| mtss |")
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

"""What the README tells people to type exists."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import mien
from mien.cli import bench, main
from mien.guides import ActionUnits, Label, Reference
from mien.methods.config import BaseArchitecture
from mien.metrics.summary import short
from mien.types import Faces

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("docs", "src", "benchmarks", "recipes")
        for path in (ROOT / folder).rglob("*.md")
    ),
)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.M | re.S)


def blocks(root: Path, language: str, documents: tuple[str, ...] = DOCUMENTS) -> list[str]:
    texts = [(root / name).read_text(encoding="utf-8") for name in documents]
    return [body for text in texts for kind, body in FENCE.findall(text) if kind == language]


def shell_lines(root: Path) -> list[list[str]]:
    joined = "\n".join(blocks(root, "sh")).replace("\\\n", " ")
    shown = "\n".join(blocks(root, "text")).replace("\\\n", " ")  # shown, but not run by a tutorial
    lines = [*joined.splitlines(), *(n for n in shown.splitlines() if n.startswith("mien "))]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture
def hollow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands read their arguments as ever, and then do nothing; each is built once."""
    load = main._load

    @cache
    def emptied(name: str) -> Any:
        command = load(name)
        for leaf in getattr(command, "commands", {"": command}).values():
            leaf.callback = lambda *_, **__: None
        return command

    asked = bench._loaded

    @cache
    def unasked(name: str) -> Any:
        command = asked(name)
        command.callback = lambda *_, **__: None
        for param in command.params:  # nor are folders looked for or made
            param.callback = None
        return command

    monkeypatch.setattr(main, "_load", emptied)
    monkeypatch.setattr(bench, "_loaded", unasked)


@pytest.mark.usefixtures("hollow")
def test_commands_read_what_people_are_told_to_type(root: Path) -> None:
    examples = [shlex.split(line) for line in main.EXAMPLES.values()]
    lines = [words[1:] for words in shell_lines(root) + examples if words[0] == "mien"]
    assert {"edit", "swap", "sheet", "train", "data", "rig"} <= {words[0] for words in lines}
    for words in map(list, dict.fromkeys(map(tuple, lines))):  # many are said on several pages
        result = CliRunner().invoke(main.app, words, prog_name="mien")
        assert result.exit_code == 0, (words, result.output)


@pytest.mark.usefixtures("hollow")
def test_which_would_notice_a_mistake() -> None:
    for words in (["data", "import", "london"], ["data", "check", ".", "--quickly"], ["paint"]):
        assert CliRunner().invoke(main.app, words, prog_name="mien").exit_code == 2


def test_make_targets_exist(root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.M))
    used = {words[1] for words in shell_lines(root) if words[0] == "make"}
    assert {"demo", "test"} <= used <= targets


def test_python_examples_compile_and_import_what_exists(root: Path) -> None:
    examples = blocks(root, "python")
    assert examples
    for example in examples:
        compile(example, "README.md", "exec")
        for line in example.splitlines():
            if line.startswith(("import mien", "from mien")):
                exec(line, {})
            else:
                for name in re.findall(r"\bmien\.(\w+)", line):
                    assert hasattr(mien, name), f"{line!r}: mien has no {name}"


def test_the_example_method_is_one(root: Path) -> None:
    """CONTRIBUTING.md works a method through: it must run, by every guide."""
    example, _ = blocks(root, "python", ("CONTRIBUTING.md",))
    names: dict[str, Any] = {"__name__": "tint"}
    exec(example, names)
    torch.manual_seed(0)
    method = names["Tint"](BaseArchitecture(size=32))
    faces = Faces(torch.rand(2, 3, 32, 32) * 2 - 1, torch.zeros(2, 68, 2))
    for guide in (Label("happy"), ActionUnits.parse("AU12=0.8"), Reference(faces)):
        result = method.generate(faces, guide, intensity=0.5)
        assert result.shape == (2, 3, 32, 32)
        assert result.abs().max() <= 1
    assert torch.equal(method.generate(faces, Label("sad"), intensity=0.0), faces.pixels)


@pytest.mark.parametrize("name", ["scorecard", "scorecard_own"])
def test_the_scorecard_is_the_committed_result(root: Path, name: str) -> None:
    result = root / "benchmarks" / "results" / f"{name}.json"
    if not result.is_file():
        pytest.skip("no scorecard is committed")
    assert result.stat().st_size < 200_000, "commit short.json, not scorecard.json"
    table = short(json.loads(result.read_text(encoding="utf-8"))["sections"])
    results = (root / "docs" / "results.md").read_text(encoding="utf-8")
    assert table in results, "put short.md into docs/results.md"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)\)", text)
    local = [t for t in targets if not t.startswith(("http://", "https://", "mailto:"))]
    assert [t for t in local if not ((root / name).parent / t).exists()] == []

"""benchmarks/README.md has a row for each question, tools/README.md one for each script."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from mien.bench.questions import QUESTIONS


def rows(text: str) -> dict[str, list[str]]:
    """Heading of a first column -> the files that its rows name there."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = ""
            continue
        first = line.split("|")[1].strip()
        heading = heading or first
        found.setdefault(heading, []).extend(re.findall(r"`(\w+\.py)`", first))
    return found


def test_each_tool_has_one_row(root: Path) -> None:
    found = rows((root / "tools" / "README.md").read_text(encoding="utf-8"))
    files = {p.name for p in (root / "tools").glob("*.py")}
    assert sorted(found["script"]) == sorted(files)


def test_each_question_has_one_row(root: Path) -> None:
    text = (root / "benchmarks" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `mien bench ([\w-]+)` \|", text, re.M)
    assert sorted(named) == sorted({*named})
    assert set(named) >= QUESTIONS.keys()


OLD = {"judges"}
"""Answers that were written before answers said their command: the next run of it takes one out."""


def commands(found: Any, deep: int = 2) -> list[str]:
    """The commands that an answer, or its sections, name."""
    if not isinstance(found, dict):
        return []
    if "command" in found:
        return [found["command"]]
    return [name for part in found.values() if deep for name in commands(part, deep - 1)]


def test_each_answer_names_a_command_and_no_place_of_this_machine(root: Path) -> None:
    known = QUESTIONS.keys() | {"scorecard", "judges", "paper", "ffe", "ablations", "film"}
    for path in sorted((root / "benchmarks" / "results").glob("*.json")):
        text = path.read_text(encoding="utf-8")
        named = commands(json.loads(text))
        assert bool(named) != (path.stem in OLD), path.name
        for words in map(str.split, named):
            assert words[:2] in (["mien", "score"], ["python", "tools/paper_runs.py"]) or (
                words[:2] == ["mien", "bench"] and words[2] in known
            ), path.name
            assert not any(word.startswith("/") for word in words), path.name


def test_each_question_is_a_module_and_each_command_a_question(modules: list[Any]) -> None:
    asked = {
        m.name.removeprefix("bench.")
        for m in modules
        if m.name.startswith("bench.")
        if "command" in {n.name for n in m.tree.body if isinstance(n, ast.FunctionDef)}
    }
    parts = {"hostile.commands"}  # a kind of input
    assert asked - parts == {question.module for question in QUESTIONS.values()}


def options(tree: ast.AST) -> tuple[set[str], set[str]]:
    """The options that a script defines, as fields of what `parse_args` returns; and the fields of
    `options` that it uses."""
    defined, used = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=words, keywords=more):
                names = [ast.literal_eval(word) for word in words]
                names = [n for n in names if n.startswith("--")] or names
                given = [ast.literal_eval(k.value) for k in more if k.arg == "dest"]
                defined.add((given or names)[0].lstrip("-").replace("-", "_"))
            case ast.Attribute(value=ast.Name(id="options"), attr=field):
                used.add(field)
    return defined, used


def test_each_option_that_a_script_uses_is_one(root: Path) -> None:
    """Types cannot tell: what `parse_args` returns has any field."""
    scripts = [
        p for p in (root / "tools").glob("*.py") if "options = parser.parse_args()" in p.read_text()
    ]
    assert scripts
    for path in scripts:
        defined, used = options(ast.parse(path.read_text(encoding="utf-8")))
        assert used == defined, path.name


def test_an_option_that_is_not_there_would_be_found() -> None:
    text = "parser.add_argument('-o', '--out-file')\nprint(options.out_file, options.gone)"
    assert options(ast.parse(text)) == ({"out_file"}, {"out_file", "gone"})


def test_rows_are_read_by_their_table() -> None:
    scripts = "| script | q |\n| --- | --- |\n| `a.py` | `no.py` |\n"
    table = f"{scripts}\nx\n\n| file |\n| --- |\n| `b.py`, `c.py` |\n"
    assert rows(table) == {"script": ["a.py"], "file": ["b.py", "c.py"]}

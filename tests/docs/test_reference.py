"""The references are whole: Python, file formats, weights, and the project's own files."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

import mien
from mien import facs, hub
from mien.data.manifest import Record
from mien.guides import ExpressionSpec
from mien.methods.registry import METHODS
from mien.zoo.records import records

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "docs" / "reference" / "python.md"
FILES = ROOT / "docs" / "reference" / "files.md"


def found(name: str) -> Any:
    """What a dotted name names; AttributeError or ModuleNotFoundError if it does not."""
    module = name
    rest: list[str] = []
    while True:
        try:
            thing: Any = import_module(module)
            break
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            if not module:
                raise
            rest.insert(0, last)
    for part in rest:
        thing = getattr(thing, part)
    return thing


def entries() -> list[str]:
    return re.findall(r"^::: (\S+)$", PYTHON.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("name", entries())
def test_the_reference_names_what_exists_and_is_described(name: str) -> None:
    thing = found(name)
    assert (thing.__doc__ or "").strip(), f"{name} has no docstring"


def test_every_public_name_is_in_it() -> None:
    described = {id(found(name)) for name in entries()}
    modules = [found(name) for name in entries()]
    inside = {
        id(value)
        for module in modules
        if hasattr(module, "__spec__")
        for value in vars(module).values()
    }
    missing = [n for n in mien.__all__ if id(getattr(mien, n)) not in described | inside]
    assert missing == []


def imported(text: str) -> Iterator[str]:
    """Dotted names that an example imports from mien."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mien"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_examples_import_is_in_it() -> None:
    """By its own entry, or by that of the module that defines it."""
    known = entries()
    things = [found(name) for name in known]
    missing = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```python[^\n]*\n(.*?)^```", text, re.M | re.S):
            for name in imported(block):
                thing = found(name)
                home = getattr(thing, "__module__", name)
                listed = home in known or any(k.startswith(f"{name}.") for k in known)
                if not (listed or name in INSIDE or any(thing is one for one in things)):
                    missing.append(f"{page.name}: {name}")
    assert missing == []


INSIDE = {
    "mien.methods.learnt.Learnt", "mien.methods.registry.OWN", "mien.judges.identity.SIZE",
    "mien.zoo.samples.samples",
}  # fmt: skip
"""What the pages that add or train a method explain themselves."""


def test_files_have_every_field() -> None:
    text = FILES.read_text(encoding="utf-8")
    for kind in (ExpressionSpec, Record):
        missing = [f for f in kind.__dataclass_fields__ if f"| `{f}` |" not in text]
        assert missing == [], kind
    assert str(len(facs.UNITS)) in text


def test_weights_have_a_card_each(made: Callable[[str], str]) -> None:
    page = made("weights")
    for name, record in records().items():
        assert f"## {name} {{ #{name} }}" in page
        assert page.count(record.sha256) == 1
        assert all(str(s["name"]) in page for s in record.facts["training_sets"])
    for name in METHODS:
        record = records()[name]
        card = hub.model_card(name, record.facts, record.sha256)
        assert record.sha256 in card
        assert all(str(s["source"]) in card for s in record.facts["training_sets"])


CITED = {"data", "conference-paper", "article", "software", "book", "report"}
"""Types of a reference that CITATION.cff has here, of those that its schema 1.2.0 allows."""


def test_the_projects_files_agree() -> None:
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "license"} <= cited.keys()
    assert cited["version"] == version[1]
    assert {r["type"] for r in cited["references"]} <= CITED
    assert all({"title", "authors"} <= r.keys() for r in cited["references"])
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_forms_of_issues_are_forms() -> None:
    folder = ROOT / ".github" / "ISSUE_TEMPLATE"
    forms = [p for p in sorted(folder.glob("*.yml")) if p.stem != "config"]
    assert len(forms) >= 3
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= form.keys(), path.name
        for part in form["body"]:
            assert part["type"] in ("markdown", "textarea", "input", "checkboxes", "dropdown")
            assert "value" in part["attributes"] or "label" in part["attributes"], path.name
        assert any("validations" in part for part in form["body"]), path.name


def test_what_ci_runs_is_there() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    lines = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    named = [word for line in lines for word in line.split() if word.startswith(".ci/")]
    scripts = {f".ci/{path.name}" for path in (ROOT / ".ci").iterdir() if path.is_file()}
    assert set(named) == scripts - {".ci/firefox"}  # which Ubuntu has as a snap alone
    assert all((ROOT / word).is_file() for word in named)

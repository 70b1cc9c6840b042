"""Each method's page lists the mechanisms of its paper: code and tests that it names exist, and the
weights it gives are those of the recipes and of the weights that ship."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import mien
from mien.methods.learnt import Learnt
from mien.training import recipe as recipes

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("mtss", "auswap", "aipgan", "decoupling")
COLUMNS = [
    "component", "paper", "code", "setting", "paper's recipe", "ships", "test that it lives",
    "what it buys",
]  # fmt: skip
TEACHES = "test_every_mechanism_teaches_the_network_it_is_for"
NEWER = {"weights.choice", "weights.neutral"}
"""Settings that the weights that ship are older than, though their recipe has them by default."""


def rows(method: str) -> list[dict[str, str]]:
    """The table of a method's page."""
    text = (ROOT / f"docs/methods/{method}.md").read_text(encoding="utf-8")
    section = text.split("## Mechanisms, one by one")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert head == COLUMNS
    return [dict(zip(head, cells, strict=True)) for cells in body]


def said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (tuple, list)):
        return " ".join(f"{v:g}" for v in value)
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def value(config: Any, setting: str) -> str:
    part, field = setting.split(".")
    return said(getattr(getattr(config, part), field))


@pytest.mark.parametrize("method", METHODS)
def test_the_table_says_what_is_there(method: str) -> None:
    (paper,) = recipes.read(ROOT / f"recipes/{method}/paper_128.yaml")
    stages = recipes.read(ROOT / f"recipes/{method}.yaml")
    loaded = mien.load(method)
    assert isinstance(loaded, Learnt)
    ships = loaded.architecture
    found = rows(method)
    assert len(found) >= 8
    for row in found:
        setting = row["setting"].strip("`")
        if not setting:
            assert (row["paper's recipe"], row["ships"]) == ("part of it", "part of it")
            continue
        assert row["paper's recipe"] == value(paper.config, setting), setting
        if setting.startswith("architecture."):
            shipped = said(getattr(ships, setting.split(".")[1]))
        elif setting in NEWER:
            shipped = "newer"
        else:
            each = [value(s.config, setting) for s in stages]
            shipped = each[0] if len(set(each)) == 1 else ", ".join(each)
        assert row["ships"] == shipped, setting


@pytest.mark.parametrize("method", METHODS)
def test_the_recipe_of_what_ships_makes_it_where_weights_may_be_older(method: str) -> None:
    loaded = mien.load(method)
    assert isinstance(loaded, Learnt)
    older = getattr(loaded.architecture, "older", {})
    assert older or method == "auswap"
    for field in older:
        for stage in recipes.read(ROOT / f"recipes/{method}.yaml"):
            trained = getattr(stage.config.architecture, field)
            assert trained == getattr(loaded.architecture, field), (field, stage.name)


@pytest.mark.parametrize("method", METHODS)
def test_code_and_tests_that_the_table_names_exist(method: str) -> None:
    for row in rows(method):
        code = row["code"].strip("`")
        room = "mien.nn" if code.startswith("nn.") else f"mien.methods.{method}"
        module, *names = code.removeprefix("nn.").split(".")
        at: Any = importlib.import_module(f"{room}.{module}")
        for name in names:
            at = getattr(at, name)
        file, name = row["test that it lives"].strip("`").split("::")
        text = (ROOT / "tests/methods" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", text, re.M), name
        part, _, field = row["setting"].strip("`").partition(".")
        if name == TEACHES and part == "weights":
            assert f'("{field}", "' in text, f"{field} is no parameter of {name}"
        assert row["what it buys"]

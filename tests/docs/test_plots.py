"""Each figure shows the numbers that are committed, and a page shows each figure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
DRAWN = DOCS / "images" / "plots"


@pytest.fixture(scope="module")
def figures(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(DOCS / "plots" / "figures.py")


def test_every_figure_is_of_todays_numbers(figures: ModuleType) -> None:
    old = []
    for name, numbers in figures.FIGURES.items():
        said = re.search(
            r"sha256 of the numbers: (\w{64})", (DRAWN / f"{name}.svg").read_text(encoding="utf-8")
        )
        if said is None or said[1] != figures.digest(numbers()):
            old.append(name)
    assert old == [], f"run `make plots`: {', '.join(old)}"


def test_pages_show_them_all_and_they_are_small(figures: ModuleType) -> None:
    pages = "\n".join(p.read_text(encoding="utf-8") for p in DOCS.rglob("*.md"))
    assert {p.stem for p in DRAWN.iterdir()} == figures.FIGURES.keys()
    for path in DRAWN.iterdir():
        assert f"images/plots/{path.name})" in pages, path.name
        assert path.stat().st_size < 130_000, path.name


def test_a_figures_numbers_are_the_results(figures: ModuleType) -> None:
    panels = figures.scorecard()["panels"]
    rows = panels["Labels: emotion right"]
    assert {"nothing", "the truth itself"} < rows.keys()
    assert all(low <= mean <= high for found in rows.values() for mean, low, high in found)
    results = json.loads((DOCS.parent / "benchmarks/results/scorecard.json").read_text())
    columns = results["sections"]["labels: eight labels"]["lines"]["mtss"]["columns"]
    wanted = [[columns[c][k] for k in ("mean", "low", "high")] for c in ("emotion_a", "emotion_b")]
    assert [list(found) for found in rows["mtss"]] == wanted
    assert "the truth itself" not in panels["Transfer: PSNR gain, dB"]
    assert figures.digest({"a": 1}) != figures.digest({"a": 2})

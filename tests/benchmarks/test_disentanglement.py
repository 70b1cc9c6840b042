"""The methods' pages show what the committed results say of codes; and curves of committed logs."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from mien.errors import DataError
from mien.metrics.paper import in_markdown

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("mtss", "auswap", "aipgan", "decoupling")


@pytest.fixture(scope="module")
def photographs() -> dict[str, Any]:
    text = (ROOT / "benchmarks/results/codes.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["photographs"]
    return found


@pytest.mark.parametrize("method", METHODS)
def test_pages_show_what_was_measured(photographs: dict[str, Any], method: str) -> None:
    made = importlib.import_module("mien.bench.methods.probes").tables(photographs, method)
    page = (ROOT / f"docs/methods/{method}.md").read_text(encoding="utf-8")
    assert f"| {method}" in made
    assert made in page, f"put what `tables` says of {method} into its page"


def test_pages_show_what_became_of_each_claim() -> None:
    text = (ROOT / "benchmarks/results/claims.json").read_text(encoding="utf-8")
    made = importlib.import_module("mien.bench.methods.claims").tables(json.loads(text)["claims"])
    assert {"auswap", "decoupling"} <= made.keys()
    for method, table in made.items():
        page = (ROOT / f"docs/methods/{method}.md").read_text(encoding="utf-8")
        assert table in page, f"put what `tables` says of {method} into its page"


def test_both_kinds_of_people_are_measured(photographs: dict[str, Any]) -> None:
    assert photographs["london"]["split"] == "test"
    assert photographs["london"]["n"] >= 12
    assert photographs["grid"]["m"] == 3
    for one in photographs.values():
        assert {row.split()[0] for row in one["rows"]} == set(METHODS)


def test_the_table_of_papers_is_what_was_measured() -> None:
    found = json.loads((ROOT / "benchmarks/results/paper_london.json").read_text("utf-8"))
    page = (ROOT / "docs/scorecard.md").read_text(encoding="utf-8")
    lines = in_markdown(found["table"], found["frechet_by"]).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) > 16
    assert [row for row in rows if row not in page] == []


def test_a_run_is_put_together(tmp_path: Path) -> None:
    runs = importlib.import_module("paper_runs")
    (tmp_path / "recipe.yaml").write_text(
        "method: mtss\ntraining:\n  images: 80\nrun:\n  precision: 32-true\n"
    )
    lines = [
        {"seen": 8, "seconds": 1.0, "generator/style": 2.0, "other": 1},
        {"seen": 16, "seconds": 2.0, "generator/style": 1.0},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = runs.run(tmp_path)
    assert found["points"] == {"generator/style": [[8, 2.0], [16, 1.0]]}
    assert (found["asked"], found["images"]) == (80, 16)
    with pytest.raises(DataError, match="holds no run"):
        runs.run(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("recipe", "log"),
    [
        ("method: nobody's\ntraining: {images: 8}\nrun: {precision: x}\n", '{"seen": 8}\n'),
        ("method: mtss\ntraining: {images: 8}\nrun: {precision: x}\n", ""),
        ("method: mtss\ntraining: {images: 8}\nrun: {precision: x}\n", "half a line\n"),
        ("- method\n", '{"seen": 8}\n'),
        ("method: [\n", '{"seen": 8}\n'),
    ],
)
def test_what_is_no_run_is_told_in_a_line(tmp_path: Path, recipe: str, log: str) -> None:
    runs = importlib.import_module("paper_runs")
    (tmp_path / "recipe.yaml").write_text(recipe)
    (tmp_path / "log.jsonl").write_text(log)
    with pytest.raises(DataError, match=r"holds no run of a method of ours: [^\n]*$"):
        runs.run(tmp_path)

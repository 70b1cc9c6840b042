"""The table of what edits reach, in README.md and docs/results.md, is that of the committed
results."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mien.metrics import broken

ROOT = Path(__file__).resolve().parents[2]
DRAWN = json.loads((ROOT / "benchmarks" / "results" / "drawing.json").read_text("utf-8"))
ROW = re.compile(
    r"^\| `(\w+)`[^|]*\| (\d+) of (\d+)[^|]*\| ([\d.]+) \(([\d.]+)\) \| ([\d.]+) \|$", re.M
)


def table(text: str) -> dict[str, tuple[str, ...]]:
    """Label -> done, people, median and worst identity distance, sharpness."""
    return {label: tuple(cells) for label, *cells in ROW.findall(text)}


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_what_is_reached_is_what_was_measured(name: str) -> None:
    measured = {
        label: (
            str(round(row["pass_share"] * row["people"])), str(row["people"]),
            f"{row['identity_median']:.2f}", f"{row['identity_worst']:.2f}",
            f"{row['sharpness_median']:.2f}",
        )
        for label, row in DRAWN["table"]["morphable"].items()
    }  # fmt: skip
    assert table((ROOT / name).read_text(encoding="utf-8")) == measured


def test_speed_is_what_was_measured() -> None:
    """docs/speed.md: wall time and processor time of each row of budget.json, ms; a row of the page
    may hold two of them."""
    budget = json.loads((ROOT / "benchmarks/results/budget.json").read_text("utf-8"))
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    reached = page[page.index("| | bar, ms") : page.index("\nSo the start")]
    *lines, film = [
        [cell.strip() for cell in line.split("|")[3:5]] for line in reached.splitlines()[2:]
    ]
    for column, key in enumerate(("wall", "processor")):
        shown = [cell.strip("*") for line in lines for cell in line[column].split("; ")]
        assert shown == [f"{1000 * row[key][1]:.0f}" for row in budget["seconds"].values()]
    rate, processor = budget["film_640x480"].values()
    assert film == [f"{1000 / rate:.0f} ({rate} frames a second)", f"{1000 * processor:.0f}"]
    curve = ", ".join(f"{v:.0f}" for v in budget["resident_mb"])
    assert f"{curve} MB" in " ".join(page.split())


def test_what_fools_whom_is_what_was_measured() -> None:
    """docs/judges.md: the table by judge; and what the page says of it in words."""
    every = broken.read(ROOT / "benchmarks" / "results" / "judges_broken.json")
    page = (ROOT / "docs" / "judges.md").read_text(encoding="utf-8")
    assert broken.by_judge(every) in page, "put the second table of judges.md into docs/judges.md"
    own = [v for found in every.values() for rows in found.values() for v in rows if v.own]
    assert not any(v.fooled for v in own)  # no broken editor wins a column that says it sees it
    for name, about in broken.ABOUT.items():
        tried = [found[name] for title, found in every.items() if about in title]
        assert tried
        for rows in tried:
            assert any(v.own and v.caught for v in rows), name  # film and disc are caught

"""Bars are met, missed or not measured as a made-up scorecard says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mien.cli.main import app
from mien.metrics.summary import shortened

SMILE, BACK = "real: to a smile, by reference", "real: to rest, by reference"
GOOD = {
    "psnr": 24.0, "ms_ssim": 0.95, "units_a": 0.01, "emotion_a": 1.0, "emotion_b": 0.95,
    "identity": 0.3, "sharpness": 0.95, "leakage": 0.01,
}  # fmt: skip
NONE = {
    "psnr": 20.0, "ms_ssim": 0.9, "units_a": 0.02, "emotion_a": 0.0, "emotion_b": 0.0,
    "identity": 0.0, "sharpness": 1.0, "leakage": 0.0,
}  # fmt: skip
PEER = {**NONE, "psnr": 19.0, "identity": 0.5, "sharpness": 1.2, "leakage": -0.02}


def line(values: dict[str, float], frechet: float, above: float = 0.85, lost: int = 0) -> Any:
    columns = {
        name: {
            "mean": v, "median": v, "spread": 0.0, "low": v, "high": v, "count": 20,
        } for name, v in values.items()
    }  # fmt: skip
    return {
        "faces": 20, "people": 20, "columns": columns, "counts": {"lost": lost, "failed": 0},
        "sets": {"frechet_judge_a": frechet}, "gains": {"people_above": above},
    }  # fmt: skip


def rising(**r2: float) -> Any:
    by_name = {name: {"mean": {"r2": value, "slope": 1.0}} for name, value in r2.items()}
    return {"faces": 8, "people": 2, "columns": {}, "by_name": by_name}


@pytest.fixture
def facts() -> dict[str, Any]:
    """mtss meets every bar; nobody else of the four is in the table."""
    rows = {
        "nothing": line(NONE, 2.0), "the photograph": line(GOOD, 0.0), "mtss": line(GOOD, 1.0),
        "stargan": line(PEER, 3.0), "hisd": {"skipped": "takes no references"},
    }  # fmt: skip
    sections = {
        SMILE: rows, BACK: dict(rows),
        "control: emotions at 4 intensities": {"mtss": rising(happy=0.97, sad=0.95)},
        # what is beside the bars may be as bad as it likes
        "wild: portraits, eight labels": {"nothing": line(GOOD, 0.0), "mtss": line(PEER, 9.0)},
    }  # fmt: skip
    return {
        "peers": {"stargan": {}, "hisd": {}},
        "sections": {
            title: {"people": ["a"], "without_face": [], "lines": lines}
            for title, lines in sections.items()
        },
    }


def judged(facts: dict[str, Any], row: str = "mtss") -> dict[str, Any]:
    from mien.metrics import targets

    return {one.bar: one for one in targets.targets(facts) if one.row == row}


def bar(facts: dict[str, Any], words: str) -> Any:
    (found,) = [one for name, one in judged(facts).items() if words in name]
    return found


def lines(facts: dict[str, Any], title: str = SMILE) -> dict[str, Any]:
    found: dict[str, Any] = facts["sections"][title]["lines"]
    return found


def test_who_meets_every_bar_is_told_so(facts: dict[str, Any]) -> None:
    found = judged(facts)
    assert len(found) == 2 + 3 + 2 + 1
    assert {one.met for one in found.values()} == {True}
    assert bar(facts, "every peer").number == "22 of 22"  # 11 columns, twice
    assert bar(facts, "doing nothing").number == "12 of 12"
    missing = judged(facts, "decoupling")
    assert [one.met for one in missing.values()] == [None]


def test_short_json_is_judged_alike(facts: dict[str, Any]) -> None:
    assert judged(shortened(facts)) == judged(facts)


@pytest.mark.parametrize(
    ("column", "value", "peers", "nothing"),
    [
        ("psnr", 18.0, False, False),
        ("psnr", 20.0, True, False),  # as good as doing nothing is not above it
        ("units_a", 0.03, False, False),
        ("identity", 0.6, False, True),
        ("sharpness", 0.7, False, True),
        ("leakage", -0.03, False, True),
    ],
)
def test_one_column_is_enough_to_lose(
    facts: dict[str, Any], column: str, value: float, peers: bool, nothing: bool
) -> None:
    lines(facts)["mtss"] = line({**GOOD, column: value}, 1.0)
    assert bar(facts, "every peer").met is peers
    assert bar(facts, "doing nothing").met is nothing
    if not peers:
        assert bar(facts, "every peer").number.startswith(f"21 of 22; {SMILE}, {column}: ")


def test_sets_and_counts_are_compared_too(facts: dict[str, Any]) -> None:
    lines(facts)["mtss"] = line(GOOD, 2.5)
    assert bar(facts, "every peer").met
    assert bar(facts, "doing nothing").number.endswith("frechet_judge_a: 2.5 to 2")
    lines(facts)["mtss"] = line(GOOD, 1.0, lost=1)
    assert not bar(facts, "every peer").met
    assert bar(facts, "doing nothing").met


def test_the_best_method_is_the_one_that_loses_least(facts: dict[str, Any]) -> None:
    lines(facts)["mtss"] = line({**GOOD, "psnr": 18.0}, 1.0)
    for title in (SMILE, BACK):
        lines(facts, title)["auswap (x)"] = line(GOOD, 1.0)
    assert not any("every peer" in name for name in judged(facts))
    assert judged(facts, "auswap (x)")[
        "best method above every peer on every column of real, truth, labels"
    ].met


@pytest.mark.parametrize(
    ("words", "values", "above"),
    [
        ("MS-SSIM above nothing", GOOD, 0.849),
        ("judged happy", {**GOOD, "emotion_b": 0.94}, 0.85),
        ("identity distance", {**GOOD, "identity": 0.301}, 0.85),
    ],
)
def test_the_bars_of_the_real_test(
    facts: dict[str, Any], words: str, values: dict[str, float], above: float
) -> None:
    lines(facts)["mtss"] = line(values, 1.0, above)
    missed = [name for name, one in judged(facts).items() if one.met is False]
    assert len(missed) == 1
    assert missed[0].startswith(SMILE)
    assert words in missed[0]


def test_every_emotion_must_be_straight(facts: dict[str, Any]) -> None:
    title = "control: emotions at 4 intensities"
    lines(facts, title)["mtss"] = rising(happy=0.99, sad=0.949)
    found = bar(facts, "R²")
    assert (found.met, found.number) == (False, "happy 0.990, sad 0.949")
    del facts["sections"][title]
    assert bar(facts, "R²").met is None


def test_without_peers_nobody_is_above_them(facts: dict[str, Any]) -> None:
    del facts["peers"]
    for title in (SMILE, BACK):
        del lines(facts, title)["stargan"]
    (found,) = judged(facts, "").values()
    assert found.met is None


def test_the_command(facts: dict[str, Any], tmp_path: Path) -> None:
    place = tmp_path / "scorecard.json"

    def run() -> Any:
        return CliRunner().invoke(app, ["bench", "targets", str(place)], prog_name="mien")

    for text, line_said in (
        (None, "no scorecard at"), ("{", "is no JSON"), ("{}", "is no scorecard"),
    ):  # fmt: skip
        if text:
            place.write_text(text)
        refused = run()
        assert refused.exit_code == 2
        assert line_said in " ".join(refused.stderr.split())
    place.write_text(json.dumps(facts))
    said = run().stdout
    assert "| decoupling | in the table | not measured | no row |" in said
    assert said.endswith("8 of 11 met\n")

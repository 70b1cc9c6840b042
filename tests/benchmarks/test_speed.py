"""Times are taken in turn, and ratios within a round."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from mien.cli import main


def test_quartiles_and_ratios_are_those_of_the_rounds() -> None:
    from mien.bench.cost import speed

    found = speed.spreads(
        {"a": [10.0, 20.0, 30.0, 40.0, 50.0], "b": [5.0, 40.0, 30.0, 40.0, 100.0]}
    )
    assert found["a"] == speed.Spread(30, 20, 40, 50, 1)
    assert (found["b"].median, found["b"].slowest) == (40, 100)
    assert found["b"].ratio == 1  # 0.5, 2, 1, 1, 2: a slow round is slow for both


def test_rows_are_timed_in_turn_after_a_warm_up() -> None:
    from mien.bench.cost import speed

    said: list[str] = []

    def slowly() -> None:
        said.append("b")
        time.sleep(0.005)

    calls: dict[str, Callable[[], None]] = {"a": lambda: said.append("a"), "b": slowly}
    found = speed.timed(calls, rounds=3, warm_up=1)
    assert said == ["a", "b"] * 4
    assert found["b"].median >= 5
    assert found["b"].ratio > 1


def test_without_checkouts_the_reasons_remain() -> None:
    from mien.bench.cost import speed

    found, skipped = speed.rows(["mtss"], None, 128)
    assert list(found) == ["mtss"]
    assert skipped.keys() == {"stargan", "starganv2", "ganimation", "hisd", "liveportrait"}


def test_a_whole_process_writes_its_picture(tmp_path: Path) -> None:
    from mien.bench.cost import speed

    speed.cold("morphable", tmp_path)
    assert (tmp_path / "morphable.png").stat().st_size > 100_000
    assert speed.processes(["morphable"], 0) == {}


def test_every_row_is_written(fakes: Path, tmp_path: Path) -> None:
    words = ["bench", "speed", "-m", "mtss", "--checkouts", str(fakes), "--size", "16"]
    words += ["--rounds", "2", "--cold", "0", "-o", str(tmp_path)]
    done = CliRunner().invoke(main.app, words, prog_name="mien")
    assert done.exit_code == 0, done.output
    about = json.loads((tmp_path / "speed.json").read_text())
    names = ["mtss", "stargan", "starganv2", "ganimation", "hisd", "liveportrait"]
    assert list(about["crop_to_crop"]) == names
    assert about["crop_to_crop"]["mtss"]["ratio"] == 1
    assert all(0 < row["median"] <= row["slowest"] for row in about["crop_to_crop"].values())
    assert next(iter(about["stages_of_an_edit"])) == "whole edit"
    assert {"detect", "align", "edit", "paste"} <= about["stages_of_an_edit"].keys()
    assert about["machine"]["threads"] >= 1
    assert not about["skipped"]
    text = (tmp_path / "speed.md").read_text()
    assert text.count("random weights") == 5

"""A scorecard drawn: every row where its number is, intervals as wide as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import ConfigError
from mien.metrics.plot import forest

SVG = "{http://www.w3.org/2000/svg}"


def number(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "median": mean, "low": low, "high": high}


@pytest.fixture
def facts() -> dict[str, Any]:
    rows = {
        "nothing": {"columns": {"face_psnr": number(20.0, 19.0, 21.0)}},
        "the photograph": {"columns": {"face_psnr": number(80.0, 80.0, 80.0)}},
        "a & b": {"columns": {"face_psnr": number(24.0, 22.0, 29.0)}},
        "cannot": {"skipped": "knows labels alone"},
    }
    curves = {"lines": {"x": {"r2": 0.5}}, "people": 3}
    return {"sections": {"pairs: a to b": {"people": ["p", "q"], "lines": rows}, "control": curves}}


def test_marks_lie_where_the_numbers_say(facts: dict[str, Any]) -> None:
    root = ElementTree.fromstring(forest(facts))
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert "pairs: a to b (2 people)" in words
    assert "a & b" in words
    assert "cannot" not in words
    assert not any(word and word.startswith("control") for word in words)
    low, high = (float(c.get("cx", "nan")) for c in root.iter(f"{SVG}circle"))  # not the truth's
    rules = [line for line in root.iter(f"{SVG}line") if line.get("y1") != "90"]
    spans = [(float(r.get("x1", 0)), float(r.get("x2", 0))) for r in rules][-2:]
    left, right = spans[0][0], spans[1][1]  # 19 and 29 are the panel's ends
    assert (low - left) / (right - left) == pytest.approx(0.1, abs=0.01)
    assert (high - left) / (right - left) == pytest.approx(0.5, abs=0.01)
    assert (spans[1][0] - left) / (right - left) == pytest.approx(0.3, abs=0.01)


def test_unknown_columns_are_told(facts: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="unknown column 'psrn'"):
        forest(facts, ["psrn"])
    with pytest.raises(ConfigError, match="none of the columns"):
        forest(facts, ["identity"])


def test_the_command(facts: dict[str, Any], tmp_path: Path) -> None:
    card, out = tmp_path / "scorecard.json", tmp_path / "card.svg"
    card.write_text(json.dumps(facts))
    words = ["bench", "plot", str(card), "-o"]
    assert CliRunner().invoke(app, [*words, str(out)], prog_name="mien").exit_code == 0
    assert out.read_text() == forest(facts)
    refused = CliRunner().invoke(app, [*words, str(tmp_path / "card.png")], prog_name="mien")
    assert refused.exit_code == 2
    assert "is no .svg" in refused.stderr


@pytest.mark.parametrize("command", ["plot", "outside", "film"])
def test_where_nothing_can_be_written_is_told_first(tmp_path: Path, command: str) -> None:
    """Before what is to be measured is read: the files are none."""
    if command == "film":
        pytest.importorskip("av", reason="needs mien[video]")
    folder = tmp_path / "a.svg"
    folder.mkdir()
    given = [str(tmp_path / "none")] * (1 if command == "plot" else 2)
    for out, told in ((folder, "is a folder"), (tmp_path / "no" / "a.svg", "does not exist")):
        words = ["bench", command, *given, "-o", str(out)]
        refused = CliRunner().invoke(app, words, prog_name="mien")
        assert refused.exit_code == 2
        assert told in refused.stderr
    assert list(tmp_path.iterdir()) == [folder]

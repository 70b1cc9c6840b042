"""Rows of asks: what they mean, what is told of bad ones, what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import facs
from mien.errors import DataError, GuideError
from mien.guides import ActionUnits, Blendshapes, Composed, Gaze, Label, Staging
from mien.people.asks import drawn, of_labels, of_row, read


def test_a_row_becomes_a_guide() -> None:
    assert of_row({"label": "happy"}).guide == Label("happy")
    assert of_row({"label": "neutral"}).guide is None
    assert isinstance(of_row({"au": "AU12=0.5; AU4=1"}).guide, ActionUnits)
    assert isinstance(of_row({"blendshapes": '{"jawOpen": 0.3}'}).guide, Blendshapes)
    all_in = of_row({"label": "sad", "gaze": "0.5 0", "turn": "0 10 0", "light": "0.3 0"}).guide
    assert isinstance(all_in, Composed)
    assert [type(p) for p in all_in.parts] == [Label, Gaze, Staging]


def test_a_side_leaves_the_other_alone() -> None:
    told = of_row({"label": "happy", "side": "left"}).guide
    assert told is not None
    assert "AU12L" in told.describe()
    assert "AU12R" not in told.describe()
    assert of_row({"au": "AU12=0.5", "side": "right"}).guide == ActionUnits.parse("AU12R=0.5")
    assert of_row({"au": "AU26=0.5", "side": "right"}).guide == ActionUnits.parse("AU26=0.5")
    shapes = of_row({"blendshapes": '{"mouthSmileLeft": 1, "mouthSmileRight": 1}', "side": "left"})
    assert shapes.guide == Blendshapes((("mouthSmileLeft", 1.0),))


def test_units_are_known_where_the_label_is_asked_for_whole() -> None:
    whole, half = of_row({"label": "fear"}), of_row({"label": "fear", "intensity": "0.5"})
    assert whole.units is not None
    np.testing.assert_array_equal(whole.units, facs.prototype("fear"))
    assert half.units is None
    assert half.emotion == "fear"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, "asks for nothing"),
        ({"label": "bored"}, "unknown expression"),
        ({"label": "happy", "intensity": "3"}, "out of range"),
        ({"label": "happy", "intensity": "nan"}, "intensity is 'nan'"),
        ({"label": "happy", "side": "up"}, "side is 'up'"),
        ({"label": "happy", "blendshapes": '{"jawOpen": 1}'}, "exclude one another"),
        ({"blendshapes": "[1"}, "cannot read blendshapes"),
        ({"label": "happy", "intensity": "much"}, "cannot read intensity"),
        ({"gaze": "1"}, "cannot read gaze '1': write LEFT,UP"),
    ],
)
def test_bad_rows_are_told(row: dict[str, str], says: str) -> None:
    with pytest.raises(GuideError, match=says):
        of_row(row)


def test_a_table_skips_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "asks.csv"
    path.write_text("label,intensity\nhappy,1\nbored,1\nhappy,1\nsad,0.5\n")
    asks, faults = read(path)
    assert [a.name for a in asks] == ["happy", "sad-0.5"]
    assert ["line 3" in faults[0], "line 4" in faults[1]] == [True, True]
    path.write_text("label,mood\nhappy,1\n")
    with pytest.raises(DataError, match="a column 'mood'"):
        read(path)


def test_names_stay_inside_their_folder() -> None:
    assert of_row({"label": "happy", "name": "../../x/y"}).name == "x-y"


def test_draws_are_even_and_repeatable() -> None:
    asks = drawn("emotions", 16, (1, 2))
    assert asks == drawn("emotions", 16, (1, 2))
    assert asks != drawn("emotions", 16, (1, 3))
    counts = {e: sum(a.emotion == e for a in asks) for e in facs.EMOTIONS}
    assert set(counts.values()) == {2}
    assert len({a.name for a in drawn("units", 40, (0,))}) == 40
    assert [a.name for a in of_labels(["happy", "sad", "happy"])] == ["happy", "sad"]

"""Rows of asks: what they mean, what is told of bad ones, what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import facs
from mien.errors import DataError, GuideError
from mien.guides import ActionUnits, Blendshapes, Composed, Gaze, Label, Staging
from mien.metrics.circumplex import affect
from mien.people.asks import of_labels, of_row, read
from mien.people.camera import noisy
from mien.people.draws import LIGHT, NOISE, TURN, drawn, varied
from mien.people.together import LEAST, Together


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


def test_the_units_asked_of_a_face_at_rest_are_told() -> None:
    half = of_row({"label": "fear", "intensity": "0.5", "au": "AU12=1"})
    assert half.units is not None
    wanted = facs.prototype("fear")
    wanted[list(facs.columns("AU12"))] = 1
    np.testing.assert_allclose(half.units, 0.5 * wanted)
    assert half.emotion == "fear"
    assert of_row({"blendshapes": '{"jawOpen": 1}'}).units is None
    assert of_row({"label": "fear", "intensity": "1.5"}).units is None


def test_columns_may_be_units_or_blendshapes(tmp_path: Path) -> None:
    path = tmp_path / "vectors.csv"
    path.write_text("name,AU12,AU4L,jawOpen,mouthsmileleft\na,0.5,,,\nb,0.2,1,,\nc,,,0.4,0.3\n")
    asks, faults = read(path)
    assert not faults
    assert [a.guide for a in asks] == [
        ActionUnits.parse("AU12=0.5"),
        ActionUnits.parse("AU12=0.2", "AU4L=1"),
        Blendshapes((("jawOpen", 0.4), ("mouthSmileLeft", 0.3))),
    ]
    path.write_text("jawOpen\nmuch\n")
    with pytest.raises(DataError, match="cannot read blendshapes"):
        read(path)


def test_valence_and_arousal_are_a_point_of_the_circle() -> None:
    ask = of_row({"valence": "0.4", "arousal": "-0.3"})
    assert ask.affect == (0.4, -0.3)
    assert ask.units is not None
    angle = np.degrees(np.arctan2(-0.3, 0.4))
    np.testing.assert_allclose(ask.units, 0.5 * affect(float(angle)), atol=1e-4)


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
        ({"valence": "0.9", "arousal": "0.9"}, "lie in a circle"),
        ({"valence": "nan", "arousal": "0"}, "lie in a circle"),
        ({"label": "sad", "valence": "0.5"}, "exclude one another"),
        ({"noise": "90"}, "noise 90 is out of range"),
        ({"background": "blue"}, "cannot read background 'blue'"),
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


def test_affect_is_drawn_evenly_over_the_circle() -> None:
    asks = drawn("affect", 800, (4,))
    points = np.array([a.affect for a in asks])
    far = np.hypot(*points.T)
    assert far.max() <= 1.001
    assert np.mean(far < 0.5) == pytest.approx(0.25, abs=0.05)  # a quarter of the area
    quarters = np.bincount(2 * (points[:, 0] > 0) + (points[:, 1] > 0), minlength=4) / len(points)
    np.testing.assert_allclose(quarters, 0.25, atol=0.05)


def test_units_are_drawn_as_they_go_together() -> None:
    random = np.random.default_rng(0)
    one = random.random(2000) < 0.3
    units = np.zeros((2000, len(facs.UNITS)), np.float32)
    for name, shown in (("AU6L", one), ("AU12L", one), ("AU4L", ~one), ("AU61", one)):
        units[shown, facs.INDEX[name]] = random.uniform(0.3, 0.9, shown.sum())
    units[one, facs.INDEX["AU62"]] = 0.2  # no face does
    table = Together.learn(units)
    made = np.stack([table.draw(random) for _ in range(2000)])
    smile, cheek, frown = (made[:, facs.INDEX[n]] > LEAST for n in ("AU12L", "AU6L", "AU4L"))
    assert smile.mean() == pytest.approx(0.3, abs=0.05)
    assert (smile & cheek).mean() > 0.85 * smile.mean()
    assert (smile & frown).mean() < 0.5 * smile.mean() * frown.mean()
    assert made[:, [i for i, n in enumerate(facs.UNITS) if n.startswith("AU2")]].max() == 0
    assert not ((made[:, facs.INDEX["AU61"]] > 0) & (made[:, facs.INDEX["AU62"]] > 0)).any()


def test_the_table_that_ships_draws_smiles_with_raised_cheeks() -> None:
    random, table = np.random.default_rng(1), Together.shipped()
    made = np.stack([table.draw(random) for _ in range(1000)])
    assert np.corrcoef(made[:, facs.INDEX["AU12L"]], made[:, facs.INDEX["AU12R"]])[0, 1] > 0.7
    assert np.corrcoef(made[:, facs.INDEX["AU12L"]], made[:, facs.INDEX["AU6L"]])[0, 1] > 0.2
    asks = drawn("faces", 4, (1, 2))
    assert asks == drawn("faces", 4, (1, 2))
    assert all(a.units is not None for a in asks)


def test_head_light_and_noise_vary_within_bounds() -> None:
    ask = of_row({"label": "sad", "turn": "0 3 0", "name": "x"})
    many = [varied(ask, ("turn", "light", "noise"), (5, i)) for i in range(40)]
    assert many[0] == varied(ask, ("turn", "light", "noise"), (5, 0))
    for found in many:
        guide = found.guide
        assert isinstance(guide, Composed)
        label, staging = guide.parts
        assert isinstance(staging, Staging)
        assert (found.name, label) == ("x", Label("sad"))
        assert np.array_equal(staging.turn, (0, 3, 0))  # asked for
        assert max(map(abs, staging.light)) <= LIGHT
        assert 0 <= found.noise <= NOISE
    free = varied(of_row({"label": "sad"}), ("turn",), (5, 0)).guide
    assert isinstance(free, Composed)
    assert isinstance(free.parts[1], Staging)
    assert all(abs(v) <= most for v, most in zip(free.parts[1].turn, TURN, strict=True))
    assert free.parts[1].turn != (0, 0, 0)
    walls = [varied(ask, ("background",), (5, i)).background for i in range(40)]
    assert len(set(walls)) == 40
    assert all(wall and min(*wall.top, *wall.bottom) > 110 for wall in walls)  # bright ones
    asked = of_row({"label": "sad", "background": "#c0c0c0"})
    assert varied(asked, ("background",), (5, 0)).background == asked.background
    with pytest.raises(GuideError, match="cannot vary 'hair'"):
        varied(ask, ("hair",), (1,))


def test_noise_is_as_strong_as_asked_and_grows_with_light() -> None:
    flat = np.full((200, 200, 3), 128, np.uint8)
    random = np.random.default_rng(2)
    assert noisy(flat, 6, random).std() == pytest.approx(6, abs=0.3)
    assert noisy(flat // 4, 6, random).std() < 5.5
    assert np.array_equal(noisy(flat, 6, np.random.default_rng(1)),
                          noisy(flat, 6, np.random.default_rng(1)))  # fmt: skip

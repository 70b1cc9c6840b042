"""Action units, blendshapes and the shared list of expressions."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.face_model import units
from mien.face_model.mesh import FaceModel
from mien.guides.blendshapes import NAMES as ARKIT
from mien.rig.expressions import (
    COMMON,
    NAMED,
    ODDS,
    STAGED,
    TURN,
    choose_pose_and_light,
    choose_states,
    emotion_of,
    emotions,
    expression_list,
    rows,
    sections,
    smiles,
)


def test_every_unit_moves_something_and_every_recipe_exists(model: FaceModel) -> None:
    table = units.matrix(model.names)
    assert table.shape == (len(facs.UNITS), len(model.names))
    assert (np.abs(table).sum(1) > 0).all()


def test_arkits_blendshapes_come_back_as_they_went(model: FaceModel) -> None:
    asked = np.random.default_rng(0).random(len(ARKIT)).astype(np.float32)
    weights = units.of_arkit(model, asked)
    assert np.array_equal(units.to_arkit(model, weights), asked)
    assert np.array_equal(units.of_arkit(model, units.to_arkit(model, weights)), weights)
    assert (units.of_arkit(model, np.ones(len(ARKIT), np.float32)) == 1).all(), "none is left out"


@pytest.mark.parametrize(
    ("name", "moves"),
    [
        ("mouthSmileLeft", {"mouthSmile_L"}),
        ("jawLeft", {"jawLeft"}),
        ("browInnerUp", {"browInnerUp_L", "browInnerUp_R"}),
    ],
)
def test_one_of_arkits_blendshapes_moves_its_own(
    model: FaceModel, name: str, moves: set[str]
) -> None:
    weights = units.of_arkit(model, (np.array(ARKIT) == name).astype(np.float32))
    assert {model.names[i] for i in np.flatnonzero(weights)} == moves


def test_arkits_one_shape_for_both_sides_is_their_mean(model: FaceModel) -> None:
    weights = np.zeros(len(model.names), np.float32)
    weights[model.index["cheekPuff_L"]] = 0.5
    assert units.to_arkit(model, weights)[ARKIT.index("cheekPuff")] == 0.25


def test_one_sided_units_stay_on_their_side(model: FaceModel) -> None:
    left = units.to_weights(model, facs.vector({"AU12L": 1}))
    moved = {model.names[i] for i in np.flatnonzero(left)}
    assert moved == {"mouthSmile_L"}


def test_jaw_drop_and_mouth_stretch_make_one_full_opening(model: FaceModel) -> None:
    weights = units.to_weights(model, facs.vector({"AU26": 1, "AU27": 1}))
    assert weights[model.index["jawOpen"]] == pytest.approx(1.0)


def test_turning_the_eyes_left_is_the_persons_left(model: FaceModel) -> None:
    weights = units.to_weights(model, facs.vector({"AU61": 1}))
    assert {model.names[i] for i in np.flatnonzero(weights)} == {"eyeLookOut_L", "eyeLookIn_R"}


def test_units_come_back_from_their_weights(model: FaceModel) -> None:
    asked = facs.vector({"AU12": 0.6, "AU4": 0.5, "AU26": 0.4, "AU43L": 0.8})
    found = units.to_units(model, units.to_weights(model, asked))
    again = units.to_weights(model, found)
    assert np.abs(again - units.to_weights(model, asked)).max() < 0.03
    assert np.abs(found - asked)[list(facs.columns("AU12"))].max() < 0.05


def test_weights_keep_to_their_limits(model: FaceModel) -> None:
    weights = units.to_weights(model, 10 * np.ones(len(facs.UNITS), np.float32))
    assert weights.min() >= 0
    for name, weight in zip(model.names, weights, strict=True):
        shape = name.removesuffix("_L").removesuffix("_R")
        assert weight <= units.LIMITS.get(shape, 1.0) + 1e-6, name


def test_one_unit_is_as_strong_as_its_recipe_says(model: FaceModel) -> None:
    table = units.matrix(model.names)
    for i in range(len(facs.UNITS)):
        one = np.zeros(len(facs.UNITS), np.float32)
        one[i] = 1
        assert np.allclose(units.to_weights(model, one), table[i])


@pytest.mark.parametrize("label", [name for name in facs.LABELS if name != "neutral"])
def test_more_of_an_expression_is_more_up_to_twice(model: FaceModel, label: str) -> None:
    steps = np.linspace(0, 2, 21)
    weights = np.stack([units.to_weights(model, t * facs.prototype(label)) for t in steps])
    rise = np.diff(weights, axis=0)
    assert rise.min() >= 0
    moved = np.linalg.norm(rise, axis=1)
    assert moved.min() > 0.15 * moved[0]  # at twice it still does something


def test_expression_list() -> None:
    listed = expression_list(0)
    assert listed.shape == (sum(map(len, sections(0).values())), len(facs.UNITS))
    assert listed.min() >= 0
    assert listed.max() <= 1
    assert (listed[0] == 0).all()
    assert np.allclose(listed[1 : 1 + len(emotions())], emotions())
    assert (listed == expression_list(0)).all()
    assert (listed != expression_list(1)).any()
    common = listed[: -len(sections(0)["eyes"])]  # some single units come in both
    assert len(np.unique(common, axis=0)) > len(common) - 10


def test_random_mixes_do_not_contradict_themselves() -> None:
    for row in sections(3)["mix"]:
        on = {name for name, value in zip(facs.UNITS, row, strict=True) if value > 0}
        assert not {"AU61", "AU62"} <= on
        assert not {"AU63", "AU64"} <= on
        assert not ({"AU5L", "AU5R"} & on and {"AU43L", "AU43R"} & on)


def test_the_odds_are_odds() -> None:
    assert sum(ODDS.values()) == pytest.approx(1)
    assert sum(NAMED.values()) == pytest.approx(1)
    assert sum(STAGED.values()) == pytest.approx(1)
    assert list(sections(0)) == ["neutral", "emotion", *ODDS, "eyes"]


def test_real_smiles_smile() -> None:
    table = smiles()
    assert table.shape[1] == len(facs.UNITS)
    assert len(table) >= 100
    assert table[:, list(facs.columns("AU12"))].mean(1).min() >= 0.15
    assert table[:, [facs.INDEX[f"AU{n}"] for n in (61, 62, 63, 64)]].max() == 0


def test_states_of_a_photograph() -> None:
    full = 1 + len(emotions())
    rows = choose_states(0, "london/003", 60)
    assert (rows[:full] == np.arange(full)).all()
    assert len(set(rows.tolist())) == 60
    assert (rows[:20] == choose_states(0, "london/003", 20)).all()
    assert (rows != choose_states(0, "london/004", 60)).any()
    assert len(set(choose_states(0, "a", len(expression_list())).tolist())) == len(
        expression_list()
    )


def test_what_comes_after_the_common_ones_is_named() -> None:
    chosen = choose_states(0, "london/003", COMMON + 20).tolist()
    named = rows(tuple(NAMED))
    assert set(chosen[COMMON:]) <= named
    assert len(named - set(chosen)) > 20  # others get others
    parts = sections(0)
    assert len(named) == sum(len(parts[kind]) for kind in NAMED)
    closed = [expression_list()[k][list(facs.columns("AU43"))].min() > 0.5 for k in chosen[COMMON:]]
    assert any(closed)


def test_rows_of_a_kind_show_it() -> None:
    every, weak = expression_list(), sections(0)["weak emotion"]
    assert np.array_equal(every[sorted(rows(("weak emotion",)))], weak)
    assert all(0 < row.max() < 1 for row in weak)


def test_lids_close_rarely_in_the_common_ones_and_often_after_them() -> None:
    lids, listed = list(facs.columns("AU43")), expression_list()
    shown = [listed[choose_states(0, f"photo {i}", COMMON + 20)] for i in range(100)]
    closed = np.stack(shown)[..., lids].min(-1) > 0.3
    assert 0.005 < closed[:, :COMMON].mean() < 0.03
    assert closed[:, COMMON:].mean() > 0.15


def test_what_eyes_do_leaves_the_mouth_to_others() -> None:
    rows = sections(0)["eyes"]
    assert rows.min() >= 0
    assert rows.max() <= 1
    assert len(np.unique(rows, axis=0)) == len(rows)
    alone = [r for r in rows if r[list(facs.columns("AU43"))].min() == 1 and (r > 0).sum() == 2]
    assert len(alone) == 1


def test_states_and_stages_come_by_their_odds() -> None:
    kinds, stages = dict.fromkeys(ODDS, 0), dict.fromkeys(STAGED, 0)
    parts = list(sections(0).values())
    starts = np.cumsum([0, *map(len, parts)])
    for i in range(200):
        for state, row in enumerate(choose_states(0, f"photo {i}", 29)):
            part = int(np.searchsorted(starts, row, "right")) - 1
            stage = choose_pose_and_light(0, f"photo {i}", state, int(row))
            assert (np.abs(stage.turn) <= TURN).all()
            if part < 2:
                assert not any(stage.turn + stage.light)
                continue
            kinds[list(sections(0))[part]] += 1
            stages[list(STAGED)[bool(any(stage.turn)) + 2 * bool(any(stage.light))]] += 1
    for found, table in ((kinds, ODDS), (stages, STAGED)):
        total = sum(found.values())
        assert {k: n / total for k, n in found.items()} == pytest.approx(table, abs=0.03)


def test_the_emotion_of_units() -> None:
    assert emotion_of(facs.prototype("sad")) == "sad"
    assert emotion_of(facs.mirror(facs.prototype("contempt"))) == "contempt"
    assert emotion_of(0.5 * facs.prototype("sad")) is None

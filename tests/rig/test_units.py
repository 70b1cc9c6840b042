"""Action units, blendshapes and the shared list of expressions."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.rig import units
from mien.rig.expressions import choose_states, emotions, expression_list, prototype_rows
from mien.rig.mesh import FaceModel


def test_every_unit_moves_something_and_every_recipe_exists(model: FaceModel) -> None:
    table = units.matrix(model.names)
    assert table.shape == (len(facs.UNITS), len(model.names))
    assert (np.abs(table).sum(1) > 0).all()


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


def test_weights_are_clipped(model: FaceModel) -> None:
    weights = units.to_weights(model, np.ones(len(facs.UNITS), np.float32))
    assert weights.min() >= 0
    assert weights.max() <= max(1.0, *units.LIMITS.values())


def test_expression_list() -> None:
    listed = expression_list(0)
    assert listed.shape == (600, len(facs.UNITS))
    assert listed.min() >= 0
    assert listed.max() <= 1
    assert (listed[0] == 0).all()
    assert np.allclose(listed[1 : 1 + len(emotions())], emotions())
    assert (listed == expression_list(0)).all()
    assert (listed != expression_list(1)).any()
    assert len(np.unique(listed, axis=0)) > 590


def test_random_mixes_do_not_contradict_themselves() -> None:
    for row in expression_list(3)[-200:]:
        on = {name for name, value in zip(facs.UNITS, row, strict=True) if value > 0}
        assert not {"AU61", "AU62"} <= on
        assert not {"AU63", "AU64"} <= on
        assert not ({"AU5L", "AU5R"} & on and {"AU43L", "AU43R"} & on)


def test_states_of_a_photograph() -> None:
    full, lower = prototype_rows()
    rows = choose_states(0, "london/003", 39)
    assert (rows[: 1 + full] == np.arange(1 + full)).all()
    assert len(set(rows.tolist())) == 39
    assert ((rows > full) & (rows <= full + lower)).sum() == lower // 2
    assert (rows == choose_states(0, "london/003", 39)).all()
    assert (rows != choose_states(0, "london/004", 39)).any()

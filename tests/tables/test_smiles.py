"""The table of real smiles: from training people, without their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mien import facs
from mien.data import split_of
from mien.face_model.mesh import FaceModel
from mien.tables.smiles import GAZE, SETS, expressive, smiles


def test_only_training_people_who_are_not_at_rest(original: Callable[..., Path]) -> None:
    for name in SETS:
        root = original(name).parent
    found = expressive(root)
    assert {split_of(p.person) for p in found} == {"train"}
    assert {p.person.partition("/")[0] for p in found} == set(SETS)
    assert "neutral" not in {p.record.emotion for p in found}


def test_smiles_are_kept_and_rest_is_not(original: Callable[..., Path]) -> None:
    original("congress")
    root = original("london").parent
    model = FaceModel.load()
    people = (
        "london/005",
        "london/013",
    )  # asked to smile: the first hardly does, the second laughs
    found = list(smiles(model, [p for p in expressive(root) if p.person in people]))
    assert len(found) == 1
    for units in found:
        assert units.shape == (len(facs.UNITS),)
        assert units[list(facs.columns("AU12"))].mean() > 0.2
        assert (units[GAZE] == 0).all()
        assert ((units == 0) | (units >= 0.05)).all()
        assert (np.round(units, 3) == units).all()

"""The folds that ship are those of the people they are named after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.data.rigging import neutral_and_smile
from mien.face_model import folds
from mien.face_model.folds import FoldChart
from mien.face_model.mesh import FaceModel
from mien.tables.folds import DONORS, example
from mien.types import AlignedFace


@pytest.fixture(scope="module")
def pairs(original: Callable[..., Path]) -> dict[str, tuple[AlignedFace, AlignedFace]]:
    """Rest and smile of every fifth donor, by the name."""
    wanted = {f"london/{number}" for number in DONORS[::5]}
    found = neutral_and_smile(original("london"))
    return {name: (rest, smile) for name, rest, smile in found if name in wanted}


def test_each_donors_folds_are_that_persons(
    model: FaceModel, pairs: dict[str, tuple[AlignedFace, AlignedFace]]
) -> None:
    library, chart = folds.shipped(), FoldChart(model)
    where = chart.rasterised(folds.place(model)[:, None])[..., 0]
    kept = {donor.name: donor.folds for donor in library.donors}
    assert len(pairs) == len(DONORS[::5])
    for name, (rest, smile) in pairs.items():
        person = example(model, chart, name, rest, smile)
        (made,) = folds._donors([person], library.mean, where)
        off = {other: float(np.abs(one - made.folds).mean()) for other, one in kept.items()}
        assert min(off, key=off.__getitem__) == name
        # not less: the shade in a smile's corners is read otherwise since the file was made
        assert off[name] < 0.5 * sorted(off.values())[1]

"""F1 and ICC(3,1) as the field defines them, and units as FACS codes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mien import facs
from mien.metrics.agreement import FEWEST, agreement, code_columns, consistency, f1, icc

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""The example of Shrout and Fleiss (1979), whose ICC(3,1) they give as .71."""


def test_icc_is_that_of_the_paper() -> None:
    assert consistency(SHROUT_FLEISS) == pytest.approx(0.7148, abs=1e-4)


def test_icc_forgives_an_offset_and_no_disorder() -> None:
    coded = np.linspace(0, 1, 9)
    assert icc(coded + 0.3, coded) == pytest.approx(1)
    assert icc(coded[::-1], coded) == pytest.approx(-1)
    assert icc(0.2 * coded, coded) == pytest.approx(0.4 / 1.04)  # a scale is not forgiven
    assert icc(np.zeros(5), np.zeros(5)) is None


def test_f1_counts_from_the_second_grade() -> None:
    second, first = facs.LETTERS["B"], facs.LETTERS["A"]
    assert f1([second, first, 0.0], [second, second, 0.0]) == pytest.approx(2 / 3)
    assert f1([0.9, 0.9], [first, 0.0]) is None  # never coded as there
    assert f1([np.float32(second)], [np.float32(second)]) == 1
    assert f1([0.0, 0.0], [1.0, 0.0]) == 0


def test_units_that_nobody_coded_are_left_out() -> None:
    count = FEWEST + 1
    coded = torch.full((count, len(facs.UNITS)), torch.nan)
    amounts = torch.linspace(0, 1, count)
    coded[:, facs.INDEX["AU12L"]] = amounts
    coded[:, facs.INDEX["AU12R"]] = 0
    coded[0, facs.INDEX["AU26"]] = 1.0  # one result is too few
    read = torch.zeros(count, len(facs.UNITS))
    read[:, facs.INDEX["AU12R"]] = amounts  # the stronger side counts
    columns = {k: v.tolist() for k, v in code_columns("a", read, coded).items()}
    found = agreement(columns)["a"]
    assert set(found["by_unit"]) == {"AU12"}
    assert found["f1"] == found["icc"] == 1
    assert found["by_unit"]["AU12"]["results"] == count

"""F1 and ICC(3,1) as the field defines them, and units as FACS codes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mien import facs
from mien.metrics.agreement import FEWEST, agreement, code_columns, consistency, f1, icc
from mien.metrics.bench import Measured
from mien.metrics.scorecard import GAINS, summary
from mien.metrics.table import codes

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
    single = np.array([second], np.float32)
    assert f1(single, single) == 1
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


def test_a_line_tells_agreement_and_no_raw_codes() -> None:
    count = FEWEST
    coded = torch.full((count, len(facs.UNITS)), torch.nan)
    coded[:, list(facs.columns("AU4"))] = torch.linspace(0, 1, count)[:, None]
    read = coded.nan_to_num(0.0)
    columns = {k: v.tolist() for k, v in code_columns("a", read, coded).items()}
    columns |= {"psnr": [20.0] * count, "failed": [0.0] * count, "lost": [0.0] * count}
    columns |= {name: [0.0] * count for name in GAINS}
    measured = Measured([f"p{i}" for i in range(count)], ["coded"] * count, columns)
    line = summary(measured, measured, False)
    assert line["codes"]["a"]["icc"] == 1
    assert not any(":" in name for name in line["columns"])
    text = codes({"units: coded units": {"lines": {"m": line}}})
    assert "| units: coded units | m | a | mean | 1.000 | 1.000 |  |" in text
    assert f"| units: coded units | m | a | AU4 | 1.000 | 1.000 | {count} ({count - 2}) |" in text

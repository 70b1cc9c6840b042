"""Lines of readings over intensities, against numpy's least squares."""

from __future__ import annotations

import numpy as np
import pytest

from mien.metrics.intensity import line

AMOUNTS = [0.0, 0.25, 0.5, 0.75, 1.0]


def test_line_is_numpys() -> None:
    rng = np.random.default_rng(0)
    asked = AMOUNTS * 8
    read = 0.6 * np.array(asked) + rng.normal(0, 0.1, len(asked))
    people = [str(k // 5) for k in range(len(asked))]
    found = line(asked, read.tolist(), people)
    assert found.slope == pytest.approx(np.polyfit(asked, read, 1)[0], abs=1e-4)
    assert found.r2 == pytest.approx(np.corrcoef(asked, read)[0, 1] ** 2, abs=1e-4)
    assert found.slope_low < found.slope < found.slope_high
    assert found.r2_low < found.r2 < found.r2_high
    own = [np.polyfit(AMOUNTS, read[k : k + 5], 1)[0] for k in range(0, 40, 5)]
    assert found.own_slope is not None
    assert found.own_slope.mean == pytest.approx(np.mean(own), abs=1e-4)


def test_people_who_differ_spoil_the_common_line_and_not_their_own() -> None:
    read = [a * slope for slope in (0.2, 1.0) for a in AMOUNTS]
    found = line(AMOUNTS * 2, read, ["a"] * 5 + ["b"] * 5)
    assert found.own_r2 is not None
    assert found.own_r2.mean == 1.0
    assert found.r2 < 0.8


def test_a_reading_that_never_changes_follows_nothing() -> None:
    found = line(AMOUNTS * 2, [0.3] * 10, ["a"] * 5 + ["b"] * 5)
    assert (found.r2, found.slope) == (0.0, 0.0)


def test_no_line_of_ones_own_through_two_points() -> None:
    found = line([0, 1, 0, 1], [0, 0.9, 0, 1.1], ["a", "a", "b", "b"])
    assert found.own_r2 is None
    assert found.slope == pytest.approx(1.0)

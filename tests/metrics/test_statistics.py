"""The interval draws people, not pictures."""

from __future__ import annotations

import numpy as np
import pytest

from mien.metrics.statistics import summarise


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for trial in range(60):
        own = rng.normal(0, 1, 30)  # 30 people, 4 pictures each, alike within a person
        values = np.repeat(own, 4) + rng.normal(0, 0.01, 120)
        s = summarise(values, [str(k // 4) for k in range(120)], draws=400, seed=trial)
        covered.append(s.low <= 0 <= s.high)
    assert 0.85 <= np.mean(covered) <= 1.0


def test_pictures_of_one_person_are_one_witness() -> None:
    values = np.r_[np.zeros(50), np.ones(50)]
    two = summarise(values, ["a"] * 50 + ["b"] * 50)
    many = summarise(values, [str(k) for k in range(100)])
    assert two.high - two.low > 3 * (many.high - many.low)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 values of 1 people"):
        summarise([1.0, 2.0], ["a"])

"""Numbers over people: mean, spread and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Summary:
    """Of one quantity: mean, median, standard deviation, 95 % interval of the mean over people."""

    mean: float
    median: float
    spread: float
    low: float
    high: float
    count: int


def summarise(
    values: Sequence[float] | NDArray[np.floating[Any]],
    people: Sequence[str],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> Summary:
    """Summary of `values`, one per picture, of `people`.

    The interval is a percentile bootstrap that draws people, not pictures: pictures of one person
    are no independent witnesses.

    >>> summarise([1.0, 1.0, 3.0], ["a", "a", "b"]).mean
    1.6667
    """
    array = np.asarray(values, np.float64)
    if len(array) != len(people) or not len(array):
        raise ValueError(f"{len(array)} values of {len(people)} people")
    _, owner = np.unique(np.asarray(people), return_inverse=True)
    sums, counts = np.bincount(owner, array), np.bincount(owner)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    numbers = (array.mean(), np.median(array), array.std(), low, high)
    mean, median, spread, low, high = (round(float(number), 4) for number in numbers)
    return Summary(mean, median, spread, low, high, len(array))

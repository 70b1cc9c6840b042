"""Whether more is more: a judge's reading against the intensity that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.metrics.statistics import Summary, summarise

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """Least squares of readings over intensities asked: 1 and 1 are a perfect answer.

    r2, slope: of all people's points together, with 95 % intervals that draw people. own_r2,
    own_slope: of each person's own line, over people; None where nobody was asked three
    intensities.
    """

    r2: float
    r2_low: float
    r2_high: float
    slope: float
    slope_low: float
    slope_high: float
    own_r2: Summary | None
    own_slope: Summary | None
    points: int


def line(
    asked: Sequence[float], read: Sequence[float], people: Sequence[str], *,
    draws: int = 2000, seed: int = 0,
) -> Line:  # fmt: skip
    """The line of N readings; R2 of readings that never change is 0, not undefined.

    >>> one = line([0, 0.5, 1, 0, 0.5, 1], [0, 0.4, 0.8, 0, 0.4, 0.8], list("aaabbb"))
    >>> one.r2, one.slope
    (1.0, 0.8)
    """
    x, y = np.asarray(asked, np.float64), np.asarray(read, np.float64)
    names, owner = np.unique(np.asarray(people), return_inverse=True)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y])  # (6, N)
    sums: Numbers = np.stack([np.bincount(owner, t, len(names)) for t in terms], 1)  # (people, 6)
    drawn = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    r2, slope = _fit(sums.sum(0))
    spans = [np.percentile(v, [2.5, 97.5]) for v in _fit(sums[drawn].sum(1))]
    full = [k for k in range(len(names)) if len(set(x[owner == k])) >= 3]
    own = [
        summarise(values.tolist(), [str(names[k]) for k in full], draws=draws, seed=seed)
        if full
        else None
        for values in _fit(sums[full])
    ]
    (r2_low, r2_high), (slope_low, slope_high) = (
        (round(float(low), 4), round(float(high), 4)) for low, high in spans
    )
    return Line(
        round(float(r2), 4), r2_low, r2_high, round(float(slope), 4), slope_low, slope_high,
        own[0], own[1], len(x),
    )  # fmt: skip


def _fit(sums: Numbers) -> tuple[Numbers, Numbers]:
    """R2 and slope from (..., 6): count, sums of x, y, xx, yy, xy; 0 where nothing varies."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    across, along, both = n * xx - x * x, n * yy - y * y, n * xy - x * y
    flat = (across <= 1e-12) | (along <= 1e-12)
    slope = np.where(across <= 1e-12, 0, both / np.where(across <= 1e-12, 1, across))
    r2 = np.where(flat, 0, both**2 / np.where(flat, 1, across * along))
    return r2, slope

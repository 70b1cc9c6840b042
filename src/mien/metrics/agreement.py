"""Agreement with people who code faces: occurrence F1 and ICC(3,1), as the field tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien import facs

Numbers = NDArray[np.floating[Any]]
OCCURS = facs.LETTERS["B"] - 1e-6
"""Intensity in [0, 1] from which a unit occurs: B, 2 of FACS's 5, as is usual for DISFA. Grades are
intensities by `facs.LETTERS`, so that ICC is of that scale and not of whole grades."""
FEWEST = 5
"""Coded results that a unit needs."""
_CODED, _READ = "coded", "read"


def f1(read: Sequence[float] | Numbers, coded: Sequence[float] | Numbers) -> float | None:
    """F1 of occurrence (`OCCURS`) of intensities read against those coded, (N,) each in [0, 1];
    None where the unit is never coded as there.

    >>> f1([0.5, 0.1, 0.9, 0.0], [1.0, 0.6, 0.0, 0.0])
    0.5
    """
    said, there = (np.asarray(v, np.float64) >= OCCURS for v in (read, coded))
    if not there.any():
        return None
    return float(2 * (said & there).sum() / (said.sum() + there.sum()))


def icc(read: Sequence[float] | Numbers, coded: Sequence[float] | Numbers) -> float | None:
    """ICC(3,1), consistency of two raters, a two-way mixed model of single ratings (Shrout and
    Fleiss 1979), of (N,) each; None where nothing varies.

    >>> icc([1, 2, 3], [3, 4, 5])
    1.0
    """
    return consistency(np.stack([np.asarray(read), np.asarray(coded)], 1).astype(np.float64))


def consistency(ratings: Numbers) -> float | None:
    """ICC(3,1) of ratings (N targets, K raters)."""
    targets, raters = ratings.shape
    if targets < 2:
        return None
    middle = ratings.mean()
    of_target = ratings.mean(1, keepdims=True)
    of_rater = ratings.mean(0, keepdims=True)
    between = raters * np.square(of_target - middle).sum() / (targets - 1)
    residual = np.square(ratings - of_target - of_rater + middle).sum()
    residual /= (targets - 1) * (raters - 1)
    below = between + (raters - 1) * residual
    return None if below <= 1e-12 else round(float((between - residual) / below), 10)


def code_columns(judge: str, units: Tensor, coded: Tensor) -> dict[str, Tensor]:
    """What a judge reads of units (B, 47), and the codes (B, 47), a column each, by FACS's whole
    units: of two sides the stronger, NaN where nobody coded either."""
    out: dict[str, Tensor] = {}
    for number in facs.NAMES:
        at = list(facs.columns(f"AU{number}"))
        out[f"{_READ}:{judge}:AU{number}"] = units[:, at].amax(1)
        known = torch.where(coded[:, at].isnan(), -1.0, coded[:, at]).amax(1)
        out[f"{_CODED}:AU{number}"] = torch.where(known < 0, torch.nan, known)
    return out


def is_code(column: str) -> bool:
    """Whether a column is one of `code_columns`."""
    return column.partition(":")[0] in (_CODED, _READ)


def agreement(columns: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """For each judge F1 and ICC of each unit that is coded in `FEWEST` results or more, and their
    means over the units that have one."""
    judges = sorted({name.split(":")[1] for name in columns if name.startswith(f"{_READ}:")})
    out: dict[str, Any] = {}
    for judge in judges:
        by_unit: dict[str, dict[str, Any]] = {}
        for number in facs.NAMES:
            coded = np.asarray(columns[f"{_CODED}:AU{number}"], np.float64)
            read = np.asarray(columns[f"{_READ}:{judge}:AU{number}"], np.float64)
            known = np.isfinite(coded)
            if known.sum() >= FEWEST:
                pair = read[known], coded[known]
                by_unit[f"AU{number}"] = {
                    "f1": _rounded(f1(*pair)), "icc": _rounded(icc(*pair)),
                    "results": int(known.sum()), "there": int((pair[1] >= OCCURS).sum()),
                }  # fmt: skip
        out[judge] = {"by_unit": by_unit}
        for key in ("f1", "icc"):
            values = [value for one in by_unit.values() if (value := one[key]) is not None]
            out[judge][key] = _rounded(float(np.mean(values))) if values else None
    return out


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

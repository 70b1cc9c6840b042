"""What methods that read action units share: the map to codes and back, the labels' prototypes, and
the error of a reading.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien import facs


class UnitMap(nn.Module):
    """Action units (B, 47) <-> expression code (B, D), both linear, so that a line in one is a line
    in the other. Differs: the papers take labels or references only.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.to_code = nn.Linear(len(facs.UNITS), length)
        self.to_units = nn.Linear(length, len(facs.UNITS))


def prototypes() -> Tensor:
    """The action units of every emotion's full prototype, (8, 47), in the order of
    `facs.EMOTIONS`.
    """
    return torch.stack([torch.from_numpy(facs.prototype(name)) for name in facs.EMOTIONS])


def read_error(read: Tensor, units: Tensor, known: Tensor) -> Tensor:
    """Squared error of AU intensities (B, 47), summed over units, mean over the faces whose units
    are `known`, (B,) or each by itself (B, 47), 0 or 1; 0 where none are.
    """
    known = known[:, None].expand_as(units) if known.ndim == 1 else known
    error = ((read - units).square() * known).sum(1)
    return error.sum() / known.amax(1).sum().clamp_min(1)

"""What methods that read action units share: the labels' prototypes, and the error of a reading."""

from __future__ import annotations

import torch
from torch import Tensor

from mien import facs


def prototypes() -> Tensor:
    """The action units of every emotion's full prototype, (8, 47), in the order of
    `facs.EMOTIONS`.
    """
    return torch.stack([torch.from_numpy(facs.prototype(name)) for name in facs.EMOTIONS])


def read_error(read: Tensor, units: Tensor, known: Tensor) -> Tensor:
    """Squared error of AU intensities (B, 47), summed over units, mean over the faces whose units
    are `known` (B,) 0 or 1; 0 where none are.
    """
    error = (read - units).square().sum(1)
    return (error * known).sum() / known.sum().clamp_min(1)

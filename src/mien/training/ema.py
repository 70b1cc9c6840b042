"""Exponential moving average of weights, its half-life counted in images."""

from __future__ import annotations

import copy

import torch
from torch import nn


class EMA:
    """Keeps `average`, a frozen copy of `module` that follows it.

    decay = 0.5 ** (batch / half-life), capped early on so that the start is forgotten (Karras et
    al., EDM2, counts the same way): the half-life never exceeds a tenth of the images seen.
    """

    def __init__(self, module: nn.Module, half_life: float) -> None:
        self.average = copy.deepcopy(module).eval().requires_grad_(False)
        self.half_life = half_life

    @torch.no_grad()
    def update(self, module: nn.Module, batch: int, seen: int) -> None:
        """Move the average towards `module` after a batch; `seen` images in all."""
        half_life = min(self.half_life, max(seen, 1) / 10)
        weight = 1 - 0.5 ** (batch / max(half_life, 1e-8))
        for mine, theirs in zip(
            self.average.state_dict().values(), module.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(theirs.detach(), weight)
            else:
                mine.copy_(theirs)

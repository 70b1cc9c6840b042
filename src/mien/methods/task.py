"""How a learnt method is trained: the phases of a step, what each minimises, what is watched."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mien import facs
from mien.methods.learnt import Learnt
from mien.types import Faces


@dataclass(frozen=True)
class Loss:
    """A total to minimise and its named parts, already weighted, for the log."""

    parts: Mapping[str, Tensor]

    @classmethod
    def weighed(cls, parts: Mapping[str, Tensor], weights: object) -> Loss:
        """Parts times the fields of `weights` of the same names; parts of weight 0 vanish."""
        return cls({k: getattr(weights, k) * v for k, v in parts.items() if getattr(weights, k)})

    @property
    def total(self) -> Tensor:
        """The sum of the parts, a scalar."""
        return torch.stack(list(self.parts.values())).sum()


def rate_at(progress: float, rise: float, decay: str) -> float:
    """Factor of a learning rate at `progress` 0..1 of its course: up over the share `rise`, then as
    `decay` says: none, linear (falls from half on) or cosine.
    """
    start = min(1.0, progress / rise) if rise else 1.0
    fall = {
        "none": 1.0,
        "linear": min(1.0, 2 * (1 - progress)),
        "cosine": 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)),
    }[decay]
    return max(start * fall, 1e-3)


@dataclass(frozen=True)
class Group:
    """Modules that one optimiser steps at one learning rate."""

    modules: Sequence[nn.Module]
    lr: float


@dataclass(frozen=True)
class Phase:
    """One kind of step in training: what it minimises, what it updates, how often, from when to
    when.

    `every` n-th batch; `start` and `stop` (None: the end) in images seen: phases that follow one
    another are the stages of a training, each with an optimiser of its own. The optimiser is Adam
    (AdamW when `weight_decay` > 0); `clip` bounds the gradient's norm per module of a group.
    """

    name: str
    groups: Sequence[Group]
    loss: Callable[[Any, int], Loss]  # (batch, images seen) -> Loss
    every: int = 1
    start: int = 0
    stop: int | None = None
    betas: tuple[float, float] = (0.0, 0.99)
    weight_decay: float = 0.0
    clip: float = 100.0
    schedule: Callable[[float], float] = field(
        default=lambda _: 1.0
    )  # progress 0..1 -> factor of lr

    def runs(self, seen: int) -> bool:
        """Whether it takes part at so many images."""
        return self.start <= seen and (self.stop is None or seen < self.stop)


class Task(nn.Module, ABC):
    """How a method is trained: its phases, the data it wants, and the average that is kept."""

    method: Learnt
    ema_images: float
    """Half-life of the moving average of the method's weights, in images (after EDM2's convention).
    """

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The phases of one training step, in order."""

    @abstractmethod
    def dataset(self, split: str, seed: int) -> Any:
        """A map-style dataset; item i depends on (seed, i) alone, so that resuming is exact."""

    def conclude(self, method: Learnt) -> None:
        """The last touch to the averaged method before its weights are written: whatever is fitted
        to what has been learnt, and not learnt itself.
        """

    @torch.no_grad()
    def preview(self, method: Learnt, batch: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
        """Named columns (B, 3, S, S) of a sheet of pictures, made with the averaged method.

        Source, every label, the source's own code; where the truth is known, the target by
        reference and by units.
        """
        x = batch["source"]
        source = Faces(x, x.new_zeros(len(x), 68, 2))
        identity = method.identity(source)
        columns = [("source", x)]
        for k, name in enumerate(facs.EMOTIONS):
            index = torch.full((len(x),), k, device=x.device)
            columns.append((name, method.decode(identity, method.from_labels(index))))
        columns.append(("own", method.decode(identity, method.encode(source))))
        if "target" in batch:
            donor = Faces(batch["donor"], source.landmarks)
            columns += [
                ("donor", batch["donor"]),
                ("like donor", method.decode(identity, method.encode(donor))),
                ("by units", method.decode(identity, method.from_units(batch["target_units"]))),
                ("truth", batch["target"]),
            ]
        return columns

    @torch.no_grad()
    def validate(self, method: Learnt, batch: Mapping[str, Tensor]) -> dict[str, float]:
        """PSNR (dB) to the truth, of the averaged method by units and by reference, and of the
        unedited source; nothing where no truth is known.
        """
        if "target" not in batch:
            return {}
        x, y = batch["source"], batch["target"]
        source = Faces(x, x.new_zeros(len(x), 68, 2))
        keep = (x - y).abs().flatten(1).amax(1) > 0
        identity = method.identity(source)
        edits = method.decode(identity, method.from_units(batch["target_units"]))
        lent = method.decode(identity, method.encode(Faces(batch["donor"], source.landmarks)))
        return {
            "psnr_nothing": psnr(x[keep], y[keep]),
            "psnr_units": psnr(edits[keep], y[keep]),
            "psnr_reference": psnr(lent[keep], y[keep]),
        }


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over the batch of 10 log10(4 / MSE) for images in [-1, 1], dB."""
    mse = (a - b).square().flatten(1).mean(1).clamp_min(1e-10)
    return float((10 * torch.log10(4 / mse)).mean())

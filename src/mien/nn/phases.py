"""What a training step is made of: named losses, who learns from them, when, at which rate; and the
task that lists them. Which networks it trains, and on what, is the task's; the loop that runs any
task is `training/trainer.py`.
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from mien.nn.alive import Answer

Kept = TypeVar("Kept", bound=nn.Module)


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


@contextlib.contextmanager
def fixed(*modules: nn.Module) -> Iterator[None]:
    """What is computed within passes gradients through modules and teaches them nothing."""
    learning = [p for m in modules for p in m.parameters() if p.requires_grad]
    for p in learning:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in learning:
            p.requires_grad_(True)


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

    @cached_property
    def modules(self) -> list[nn.Module]:
        """All that it updates."""
        return [module for group in self.groups for module in group.modules]

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """Their parameters, in order."""
        return [p for module in self.modules for p in module.parameters()]

    def runs(self, seen: int) -> bool:
        """Whether it takes part at so many images."""
        return self.start <= seen and (self.stop is None or seen < self.stop)


class Task(nn.Module, ABC, Generic[Kept]):
    """Something to train: its phases, the data it wants, and the module whose average is kept."""

    ema_images: float
    """Half-life of the moving average of what is kept, in images (after EDM2's convention)."""

    @property
    @abstractmethod
    def kept(self) -> Kept:
        """The module that the training is for; the others of the task only help it learn."""

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The phases of one training step, in order."""

    @abstractmethod
    def dataset(self, split: str, seed: int) -> Any:
        """A map-style data set of `mien.data.batch.Tensors`; item i depends on (seed, i) alone, so
        that resuming is exact. None of validation people where nothing is measured on the way.
        """

    def conclude(self, average: Kept) -> None:
        """The last touch to the average before its weights are written: whatever is fitted to what
        has been learnt, and not learnt itself.
        """

    def preview(self, average: Kept, batch: Any) -> list[tuple[str, Tensor]]:
        """Named columns (B, 3, S, S) of a sheet of pictures, made with the average; none here."""
        return []

    def answers(self, average: Kept, batch: Any) -> dict[str, Answer]:
        """What the adversaries say of validation people by name, for `nn.alive`; none here."""
        return {}

    def validate(self, average: Kept, batch: Any) -> dict[str, float]:
        """Numbers by name that say how well the average does on faces of validation people; none
        here.
        """
        return {}

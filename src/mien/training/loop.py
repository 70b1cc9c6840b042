"""The one training loop: any list of phases, on Lightning's manual optimisation.

Lightning brings devices, precision, strategies and the progress bar; what is counted, averaged and
kept is here. Budgets count images.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import lightning as L
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.utils.data import Sampler

from mien.errors import TrainingError
from mien.methods.task import Phase, Task
from mien.training.ema import EMA
from mien.training.state import Counters

PATIENCE = 20
"""Steps in a row whose loss is not finite before the run stops."""


class Stream(Sampler[int]):
    """Indices start, start + 1, ... of one process out of `world`; the budget ends it."""

    def __init__(self, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        self.start, self.stop, self.rank, self.world = start, stop, rank, world

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start + self.rank, self.stop, self.world))

    def __len__(self) -> int:
        return max(0, len(range(self.start + self.rank, self.stop, self.world)))


def optimizer_of(phase: Phase) -> Optimizer:
    """Adam, or AdamW with weight decay, one parameter group per `Group`."""
    groups = [
        {"params": [p for m in g.modules for p in m.parameters()], "lr": g.lr, "peak": g.lr}
        for g in phase.groups
    ]
    kind = AdamW if phase.weight_decay else Adam
    return kind(groups, betas=phase.betas, weight_decay=phase.weight_decay)


class Loop(L.LightningModule):
    """Runs a task's phases; `log_parts` holds the newest named losses for the callbacks."""

    def __init__(self, task: Task, budget: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.task, self.budget = task, budget
        self.list: Sequence[Phase] = task.phases()
        self.ema = EMA(task.method, task.ema_images)
        self.counters = Counters()
        self.log_parts: dict[str, float] = {}
        self.bad = 0  # steps in a row without a finite loss
        self._clock = time.monotonic()

    @property
    def plan(self) -> str:
        """The phases in words: their names, where those that end begin and end (one that begins
        late may begin later), and the shapes of what they update.
        """
        return json.dumps([(p.name, p.stop and [p.start, p.stop], _shapes(p)) for p in self.list])

    def configure_optimizers(self) -> list[Optimizer]:
        return [optimizer_of(phase) for phase in self.list]

    def on_fit_start(self) -> None:
        self.ema.average.to(self.device)
        self._clock = time.monotonic()

    def training_step(self, batch: dict[str, Tensor], index: int) -> None:
        optimizers: Any = self.optimizers(use_pl_optimizer=True)
        if not isinstance(optimizers, list):
            optimizers = [optimizers]
        c = self.counters
        for phase, optimizer in zip(self.list, optimizers, strict=True):
            if phase.runs(c.seen) and c.batches % phase.every == 0:
                self.step(phase, optimizer, batch)
            elif phase.stop is not None and c.seen >= phase.stop:
                optimizer.optimizer.state.clear()  # its moments are of no more use
        count = len(next(iter(batch.values()))) * self.trainer.world_size
        c.seen, c.batches = c.seen + count, c.batches + 1
        now = time.monotonic()
        c.seconds, self._clock = c.seconds + now - self._clock, now
        self.ema.update(self.task.method, count, c.seen)

    def step(self, phase: Phase, optimizer: LightningOptimizer, batch: dict[str, Tensor]) -> None:
        """One step of one phase: only its modules learn, and only from a finite loss."""
        modules = [m for g in phase.groups for m in g.modules]
        self.freeze_all_but(modules)
        progress = self.counters.seen / self.budget
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * phase.schedule(progress)
        optimizer.zero_grad()
        loss = phase.loss(batch, self.counters.seen)
        if not self.finite(loss.total):
            return
        self.manual_backward(loss.total)
        for module in modules:
            nn.utils.clip_grad_norm_(module.parameters(), phase.clip, error_if_nonfinite=False)
        if all(p.grad is None or bool(p.grad.isfinite().all()) for p in _parameters(modules)):
            optimizer.step()
        self.log_parts |= {f"{phase.name}/{k}": float(v.detach()) for k, v in loss.parts.items()}

    def finite(self, total: Tensor) -> bool:
        """True when the loss is finite; stops the run after `PATIENCE` that were not."""
        self.bad = 0 if bool(torch.isfinite(total)) else self.bad + 1
        if self.bad >= PATIENCE:
            raise TrainingError(
                f"the loss was not finite {PATIENCE} times in a row at image {self.counters.seen}; "
                "the last good state is kept: lower the learning rate and resume"
            )
        return self.bad == 0

    def freeze_all_but(self, modules: Sequence[nn.Module]) -> None:
        """Other networks still pass gradients through, but gather none."""
        for p in self.task.parameters():
            p.requires_grad_(False)
        for p in _parameters(modules):
            p.requires_grad_(True)


def _parameters(modules: Sequence[nn.Module]) -> Iterator[nn.Parameter]:
    for module in modules:
        yield from module.parameters()


def _shapes(phase: Phase) -> list[list[int]]:
    return [list(p.shape) for group in phase.groups for p in _parameters(group.modules)]

"""The one training loop: runs the phases of any task, in one process or several.

Lightning Fabric brings devices, precision and processes; what is counted, averaged and kept is
here. Budgets count images. With several processes each has its own images of a batch, and they
agree on gradients: averaged after every phase, as in StyleGAN2-ADA's public loop, so that networks
may be called in any order and by any of their methods, which a wrapper for `forward` does not see.

What is drawn at random in a step depends on (seed, process, images seen) alone, as what a data set
shows depends on (seed, index): a run resumes exactly on any device, and keeps no random state.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor, distributed, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.utils.data import Sampler

from mien.data.batch import Tensors
from mien.errors import TrainingError
from mien.nn.phases import Phase, Task
from mien.training import checkpoint
from mien.training.checkpoint import Counters
from mien.training.ema import EMA

PATIENCE = 20
"""Steps in a row whose loss is not finite before the run stops."""


class Stream(Sampler[int]):
    """Every `world`-th index from `start` on for the process `rank`; the budget ends it, for all
    after the same number.
    """

    def __init__(self, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        rounds = max(0, stop - start) // world
        self.indices = range(start + rank, start + rank + rounds * world, world)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


def optimizer_of(phase: Phase) -> Optimizer:
    """Adam, or AdamW with weight decay, one parameter group per `Group`."""
    groups = [
        {"params": [p for m in g.modules for p in m.parameters()], "lr": g.lr, "peak": g.lr}
        for g in phase.groups
    ]
    kind = AdamW if phase.weight_decay else Adam
    return kind(groups, betas=phase.betas, weight_decay=phase.weight_decay)


def seed_of(seed: int, rank: int, image: int) -> int:
    """The seed of a process's random draws in the step that begins at an image.

    >>> seed_of(0, 0, 0) == seed_of(0, 0, 0) != seed_of(0, 1, 0)
    True
    """
    state = np.random.SeedSequence((seed, rank, image)).generate_state(1, np.uint64)
    return int(state[0])


class Trainer:
    """A task in training: its phases with their optimisers, the average, the counters.

    `parts` holds the newest named losses, those of this process's own images.
    """

    def __init__(self, task: Task[Any], budget: int, seed: int, fabric: Fabric) -> None:
        self.task, self.budget, self.seed, self.fabric = task, budget, seed, fabric
        self.phases: Sequence[Phase] = task.phases()
        self.ema = EMA(task.kept, task.ema_images)
        task.to(fabric.device)
        self.ema.average.to(fabric.device)
        self.parameters = list(task.parameters())  # to find them takes as long as a small step
        self.optimizers = [optimizer_of(phase) for phase in self.phases]
        self.counters = Counters()
        self.parts: dict[str, float] = {}
        self.bad: dict[str, int] = {}  # steps in a row without a finite loss, by phase

    @property
    def plan(self) -> str:
        """The phases in words: their names, where those that end begin and end (one that begins
        late may begin later), and the shapes of what they update.
        """
        rows = [(p.name, p.stop and [p.start, p.stop], _shapes(p)) for p in self.phases]
        return json.dumps(rows)

    def resume(self, path: Path) -> None:
        """Go on from a state on disk."""
        self.counters = checkpoint.load(path, self.task, self.ema.average, self.optimizers)[0]

    def fit(self, loader: Iterable[Tensors], after: Callable[[Trainer], bool]) -> None:
        """Learn from the loader's batches to its end, or until `after`, called after each, says
        True.
        """
        self.task.train()
        clock = time.monotonic()
        for batch in loader:
            self.learn(batch.to(self.fabric.device))
            now = time.monotonic()
            self.counters.seconds, clock = self.counters.seconds + now - clock, now
            if after(self):
                break

    def learn(self, batch: Tensors) -> None:
        """Every phase that is due, on this process's share of a batch; then counters and
        average.
        """
        c = self.counters
        torch.manual_seed(seed_of(self.seed, self.fabric.global_rank, c.seen))
        for phase, optimizer in zip(self.phases, self.optimizers, strict=True):
            if phase.runs(c.seen) and c.batches % phase.every == 0:
                self.step(phase, optimizer, batch)
            elif phase.stop is not None and c.seen >= phase.stop:
                optimizer.state.clear()  # its moments are of no more use
        count = len(batch) * self.fabric.world_size
        c.seen, c.batches = c.seen + count, c.batches + 1
        self.share_buffers()
        self.ema.update(self.task.kept, count, c.seen)

    def step(self, phase: Phase, optimizer: Optimizer, batch: Tensors) -> None:
        """One step of one phase: only its modules learn, and only from a finite loss."""
        self.freeze_all_but(phase.parameters)
        progress = self.counters.seen / self.budget
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * phase.schedule(progress)
        optimizer.zero_grad()
        with self.autocast():
            loss = phase.loss(batch, self.counters.seen)
            total = loss.total
        if not self.finite(phase, total):
            return
        total.backward()
        self.average_gradients(phase.parameters)
        for module in phase.modules:
            nn.utils.clip_grad_norm_(module.parameters(), phase.clip, error_if_nonfinite=False)
        if all(p.grad is None or bool(p.grad.isfinite().all()) for p in phase.parameters):
            optimizer.step()
        self.parts |= {f"{phase.name}/{k}": float(v.detach()) for k, v in loss.parts.items()}

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """Fabric's precision, but no weight's bf16 copy is kept: where a step uses a weight twice,
        its two gradients would be added in bf16.
        """
        kept = torch.is_autocast_cache_enabled()
        with self.fabric.autocast():
            torch.set_autocast_cache_enabled(False)
            try:
                yield
            finally:
                torch.set_autocast_cache_enabled(kept)

    def finite(self, phase: Phase, total: Tensor) -> bool:
        """True when the loss is finite in every process; stops the run after `PATIENCE` of a phase
        that were not.
        """
        here = torch.isfinite(total.detach()).float()
        everywhere = bool(self.reduced(here) == 1)
        self.bad[phase.name] = 0 if everywhere else self.bad.get(phase.name, 0) + 1
        if self.bad[phase.name] >= PATIENCE:
            raise TrainingError(
                f"the loss of {phase.name} was not finite {PATIENCE} times in a row at image "
                f"{self.counters.seen}; the last good state is kept: lower the learning rate and "
                "resume"
            )
        return everywhere

    def freeze_all_but(self, parameters: Iterable[nn.Parameter]) -> None:
        """Other networks still pass gradients through, but gather none."""
        for p in self.parameters:
            p.requires_grad = False
        for p in parameters:
            p.requires_grad = True

    # ---- several processes -----------------------------------------------------------------------

    def reduced(self, value: Tensor) -> Tensor:
        """The mean of a tensor over all processes."""
        if self.fabric.world_size == 1:
            return value
        mean = self.fabric.all_reduce(value, reduce_op="mean")
        assert isinstance(mean, Tensor)
        return mean

    def first(self, *flags: bool) -> tuple[bool, ...]:
        """Yes or no, as the first process says it."""
        if self.fabric.world_size == 1:
            return flags
        said = torch.tensor(flags, device=self.fabric.device, dtype=torch.uint8)
        distributed.broadcast(said, src=0)
        return tuple(map(bool, said.tolist()))

    def gathered(self, sums: Mapping[str, tuple[float, int]]) -> dict[str, float]:
        """Means by name over all processes, of sums and counts that each has."""
        every: list[Any] = [sums]
        if self.fabric.world_size > 1:
            every = [None] * self.fabric.world_size
            distributed.all_gather_object(every, dict(sums))
        names = dict.fromkeys(name for one in every for name in one)
        both = {n: [one[n] for one in every if n in one] for n in names}
        return {n: sum(t for t, _ in v) / sum(c for _, c in v) for n, v in both.items()}

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """The mean gradient of all processes, in each. What has none in one counts as 0 there; what
        has none anywhere keeps none.
        """
        if self.fabric.world_size == 1:
            return
        there = torch.tensor([float(p.grad is not None) for p in parameters])
        own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([there.to(own[0]), *(g.flatten() for g in own)])
        mean = self.reduced(flat)
        found, rest = mean[: len(there)].tolist(), mean[len(there) :]
        shares = torch.split(rest, [p.numel() for p in parameters])
        for p, share, any_ in zip(parameters, shares, found, strict=True):
            p.grad = share.view_as(p).clone() if any_ else None

    def share_buffers(self) -> None:
        """Running statistics are the first process's in all, as torch's DDP has them."""
        if self.fabric.world_size == 1:
            return
        for buffer in self.task.buffers():
            distributed.broadcast(buffer, src=0)


def _shapes(phase: Phase) -> list[list[int]]:
    return [list(p.shape) for p in phase.parameters]

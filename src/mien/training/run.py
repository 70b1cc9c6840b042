"""A run of any task in a folder: processes, data, resume, the training log."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from lightning.fabric import Fabric
from lightning.fabric.utilities.exceptions import MisconfigurationException
from rich.console import Console
from rich.progress import Progress
from torch import distributed, nn
from torch.utils.data import DataLoader

from mien.data.batch import collate
from mien.errors import ConfigError, TrainingError
from mien.nn.phases import Task
from mien.training import checkpoint
from mien.training.log import STATE, TrainingLog
from mien.training.recipe import Run
from mien.training.trainer import Stream, Trainer

RECIPE = "recipe.yaml"
Kept = TypeVar("Kept", bound=nn.Module)


@dataclass(frozen=True)
class Budget:
    """How much is learnt from."""

    images: int
    batch: int
    """Images a step, of each process."""
    seed: int


def launched(how: Run) -> Fabric:
    """The processes of a run, each on a device of its own; all but the first are started here, by
    the command that started this one.
    """
    strategy = "ddp" if how.devices > 1 else "auto"
    try:
        fabric = Fabric(devices=how.devices, strategy=strategy, precision=how.precision)
    except MisconfigurationException as error:
        said = str(error).strip().splitlines()[0]
        raise ConfigError(f"cannot train on {how.devices} devices: {said}") from None
    fabric.launch()
    return fabric


def rank() -> int:
    """Which process this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def seen_in(folder: Path) -> int:
    """Images that the run in `folder` has seen, 0 for a new one."""
    path = folder / STATE
    if not path.exists():
        return 0
    with checkpoint.opened(path) as (_, meta):
        return int(json.loads(meta["counters"])["seen"])


def run(
    begin: Callable[[], Task[Kept]], budget: Budget, how: Run, out: Path, *, notes: str,
    minutes: float | None = None, resume: bool = True,
) -> Trainer:  # fmt: skip
    """Run or resume a task until its budget (or `minutes`) is spent.

    begin: makes the task, its first weights by torch's random numbers; out: the run's folder;
    notes: what is kept in it of how it came about.
    """
    started = seen_in(out) if resume else 0
    if not resume and (out / STATE).exists():
        raise TrainingError(f"{out} holds a run already: resume it or choose another --out")
    fabric = launched(how)
    torch.manual_seed(budget.seed)  # the same first weights in every process
    task = begin()
    trainer = Trainer(task, budget.images, budget.seed, fabric)
    if started:
        checkpoint.check(out / STATE, task, trainer.plan)
    log = TrainingLog(out, task, sheet_minutes=how.sheet_minutes, minutes=minutes)
    loader = _loader(task, budget, how, started, fabric)
    # only now: what the user got wrong has been said, and leaves no folder behind
    if fabric.is_global_zero:
        out.mkdir(parents=True, exist_ok=True)
        (out / RECIPE).write_text(notes, encoding="utf-8")
    if started:
        trainer.resume(out / STATE)
    if len(loader):
        with _bar(trainer, out.name) as move:
            trainer.fit(loader, lambda t: bool(move(t.counters.seen)) or log(t))
        log.write(trainer)
    return trainer


@contextlib.contextmanager
def _bar(trainer: Trainer, name: str) -> Iterator[Callable[[int], None]]:
    """A bar of progress, to be moved to so many images; nothing where nobody looks."""
    shown = trainer.fabric.is_global_zero and sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=not shown) as bar:
        row = bar.add_task(name, total=trainer.budget, completed=trainer.counters.seen)
        yield lambda seen: bar.update(row, completed=seen)


def _loader(
    task: Task[Any], budget: Budget, how: Run, started: int, fabric: Fabric
) -> DataLoader[Any]:
    return DataLoader(
        task.dataset("train", budget.seed),
        batch_size=budget.batch,
        sampler=Stream(started, budget.images, fabric.global_rank, fabric.world_size),
        num_workers=how.workers,
        drop_last=True,
        persistent_workers=how.workers > 0,
        collate_fn=collate,
    )

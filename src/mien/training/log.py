"""What a run writes beside its weights: a log of named losses, sheets of pictures, its state."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from mien.data.batch import Batch, Tensors, collate
from mien.nn.alive import heard, vitals
from mien.nn.phases import Task
from mien.nn.tensors import to_levels
from mien.training import checkpoint
from mien.training.board import Board
from mien.training.trainer import Trainer

STATE, LOG, SHEETS = "state.safetensors", "log.jsonl", "sheets"
CHECKED, SHOWN = 96, 8
"""Items of the validation people that are measured, and of these drawn."""
SEED = 7
"""Of those items."""
STEPS = 50
"""Steps after which a loss that was 0 in all of them is reported."""


def _pixels(t: Tensor) -> np.ndarray[Any, Any]:
    """(B, 3, S, S) in [-1, 1] -> uint8 (B, S, S, 3)."""
    return np.asarray(to_levels(t).byte().permute(0, 2, 3, 1).cpu().numpy())


def contact_sheet(columns: list[tuple[str, Tensor]]) -> np.ndarray[Any, Any]:
    """Named columns (B, 3, S, S) in [-1, 1] -> uint8 picture, a row per face, names on top."""
    head = 18
    grid = np.concatenate([np.concatenate(list(_pixels(t))) for _, t in columns], axis=1)
    out = np.full((grid.shape[0] + head, grid.shape[1], 3), 255, np.uint8)
    out[head:] = grid
    side = columns[0][1].shape[-1]
    for k, (name, _) in enumerate(columns):
        cv2.putText(
            out, name, (k * side + 3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA
        )
    return out


class TrainingLog:
    """Called after every batch: writes when it is time, and says when a run must stop.

    By the clock of the first process, which alone writes: the run's state, a sheet of pictures, and
    a line of `log.jsonl` with the means of all processes' losses and the validation numbers, which
    go to TensorBoard too where it is installed.
    """

    def __init__(
        self, folder: Path, task: Task[Any], *, sheet_minutes: float = 5.0,
        minutes: float | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.task = folder, task
        self.every, self.limit = sheet_minutes * 60, minutes * 60 if minutes else None
        held = task.dataset("validation", SEED)
        self.checked: Tensors | None = None
        if held is not None:
            self.checked = collate([held[i] for i in range(min(CHECKED, len(held)))])
        self.sums: dict[str, tuple[float, int]] = {}
        self.board = Board(folder)
        self.began = self.last = time.monotonic()

    def __call__(self, trainer: Trainer) -> bool:
        """Whether the run's time is over."""
        self.note(trainer.parts)
        now = time.monotonic()
        over = self.limit is not None and now - self.began >= self.limit
        due = over or now - self.last >= self.every
        # one clock decides, or processes would wait for one another for ever
        due, over = (bool(flag) for flag in trainer.first(due, over))
        if due:
            self.write(trainer)
            self.last = time.monotonic()
        return over

    def note(self, parts: dict[str, float]) -> None:
        """Count in a batch's losses."""
        for name, value in parts.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1

    def write(self, trainer: Trainer) -> None:
        """One entry of everything."""
        means = trainer.gathered(self.sums)
        often = {name for name, (_, count) in self.sums.items() if count >= STEPS}
        self.sums = {}
        if not trainer.fabric.is_global_zero:
            return
        self.alarm([
            f"{name} was 0 in every step since the last entry: nothing is learnt from it"
            for name, mean in means.items() if name in often and mean == 0
        ])  # fmt: skip
        checkpoint.save(
            self.folder / STATE, trainer.task, trainer.ema.average, trainer.optimizers,
            trainer.counters, trainer.plan,
        )  # fmt: skip
        with torch.no_grad():
            numbers = self.check(trainer)
        c = trainer.counters
        entry = {"seen": c.seen, "seconds": round(c.seconds, 1)} | numbers
        entry |= {name: round(mean, 5) for name, mean in means.items()}
        with (self.folder / LOG).open("a") as log:
            log.write(json.dumps(entry) + "\n")
        self.board.add(entry, self.sheet(c.seen), c.seen)

    def sheet(self, seen: int) -> Path:
        """Where the sheet of pictures after so many images is."""
        return self.folder / SHEETS / f"{seen:09d}.png"

    def check(self, trainer: Trainer) -> dict[str, float]:
        """Validation numbers; draws the sheet on the way."""
        if self.checked is None:
            return {}
        average, on = trainer.ema.average, self.checked.to(trainer.fabric.device)
        columns = self.task.preview(average, on[:SHOWN])
        if columns:
            target = self.sheet(trainer.counters.seen)
            target.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target), contact_sheet(columns)[..., ::-1])
        numbers = {k: round(v, 3) for k, v in self.task.validate(average, on).items()}
        if isinstance(on, Batch):
            gates, shut = vitals(average, on.source.pixels)
            self.task.eval()  # spectral norm moves on with every call while it learns
            voices, silent = heard(self.task.answers(average, on))
            self.task.train()
            numbers |= gates | voices
            self.alarm(shut + silent)
        return numbers

    def alarm(self, lines: list[str]) -> None:
        """Say that mechanisms are dead."""
        for line in lines:
            warnings.warn(f"{self.folder.name}: {line}", stacklevel=2)

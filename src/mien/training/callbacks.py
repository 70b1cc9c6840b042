"""What a run writes beside its weights: a log of named losses, sheets of pictures, its state."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from mien.methods.task import Task
from mien.training import state
from mien.training.loop import Loop


def _pixels(t: Tensor) -> np.ndarray[Any, Any]:
    """(B, 3, S, S) in [-1, 1] -> uint8 (B, S, S, 3)."""
    bytes_ = t.clamp(-1, 1).add(1).mul(127.5).round().byte()
    return np.asarray(bytes_.permute(0, 2, 3, 1).cpu().numpy())


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


class Journal(L.Callback):
    """Means of the named losses to `log.jsonl`, a sheet and validation numbers, and the state, by
    the clock.
    """

    def __init__(
        self, folder: Path, task: Task, *, sheet_minutes: float = 5.0, faces: int = 8,
        checks: int = 96, seed: int = 7, minutes: float | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.task = folder, task
        self.every, self.limit = sheet_minutes * 60, minutes * 60 if minutes else None
        held = task.dataset("validation", seed)
        self.checks = default_collate([held[i] for i in range(checks)])
        self.shown = {k: v[:faces] for k, v in self.checks.items()}
        self.sums: dict[str, list[float]] = {}
        self.began = self.last = time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, loop: Any, *_: Any) -> None:
        for name, value in loop.log_parts.items():
            self.sums.setdefault(name, []).append(value)
        now = time.monotonic()
        if now - self.last >= self.every:
            self.write(trainer, loop)
            self.last = time.monotonic()
        if self.limit and now - self.began >= self.limit:
            trainer.should_stop = True

    def on_train_end(self, trainer: L.Trainer, loop: Any) -> None:
        self.write(trainer, loop)

    def write(self, trainer: L.Trainer, loop: Loop) -> None:
        """One entry of everything; only the first process writes."""
        if not trainer.is_global_zero:
            return
        seen = loop.counters.seen
        optimizers = trainer.optimizers
        state.save(
            self.folder / "state.safetensors", loop.task, loop.ema.average, optimizers,
            loop.counters, {"steps": getattr(self.task, "steps", 0)}, loop.plan,
        )  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            numbers = self.check(loop)
        entry = {"seen": seen, "seconds": round(loop.counters.seconds, 1)} | numbers
        entry |= {k: round(float(np.mean(v)), 5) for k, v in self.sums.items()}
        self.sums = {}
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def check(self, loop: Loop) -> dict[str, float]:
        """Validation numbers; draws the sheet on the way."""
        method = loop.ema.average
        assert isinstance(method, type(loop.task.method))
        on = {k: v.to(loop.device) for k, v in self.checks.items()}
        shown = {k: v.to(loop.device) for k, v in self.shown.items()}
        sheet = contact_sheet(self.task.preview(method, shown))
        target = self.folder / "sheets" / f"{loop.counters.seen:09d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), sheet[..., ::-1])
        return {k: round(v, 3) for k, v in self.task.validate(method, on).items()}

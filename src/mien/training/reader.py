"""How the reader of action units is taught: `mien train recipes/reader.yaml`, single faces of the
rig, whose units are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch

from mien.data.batch import Batch
from mien.data.loading import LabelledFaces, RigFaces
from mien.methods.config import TrainedConfig
from mien.nn.phases import Group, Loss, Phase, Task, rate_at
from mien.nn.reader import Architecture, UnitReader
from mien.nn.units import read_error


@dataclass(frozen=True)
class LossWeights:
    """Weights of the losses."""

    units: float = 1.0  # squared error, summed over units
    distance: float = 0.3  # ... and its root: of a unit that is little and often at rest


@dataclass(frozen=True)
class Training:
    """Budget and rate. Images are counted, not steps."""

    images: int = 200_000  # seen in all
    batch: int = 32  # images a step, of each process
    lr: float = 1e-3  # highest; it falls as a cosine
    betas: tuple[float, float] = (0.9, 0.99)  # Adam's
    weight_decay: float = 0.01
    clip: float = 1.0  # largest norm of the gradient
    warmup: int = 2000  # images over which the rate rises
    ema_images: float = 4000.0  # half-life of the average of the weights
    seed: int = 0


@dataclass(frozen=True)
class ReaderConfig(TrainedConfig):
    """Everything that a recipe may set for the reader."""

    architecture: Architecture = field(default_factory=Architecture)
    weights: LossWeights = field(default_factory=LossWeights)
    training: Training = field(default_factory=Training)

    small_architecture: ClassVar[Mapping[str, Any]] = {"width": 16, "width_max": 16, "code": 16}
    small_training: ClassVar[Mapping[str, Any]] = {"warmup": 0}


class ReaderTask(Task[UnitReader]):
    """The reader and the faces that teach it."""

    def __init__(self, config: ReaderConfig, data: Path) -> None:
        """data: folder of rig shards."""
        super().__init__()
        self.config, self.data = config, data
        self.net = UnitReader(config.architecture)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth faster
        self.ema_images = config.training.ema_images

    @property
    def kept(self) -> UnitReader:
        return self.net

    def dataset(self, split: str, seed: int) -> LabelledFaces:
        return LabelledFaces(
            RigFaces(self.data, split, size=self.config.architecture.size, seed=seed)
        )

    def phases(self) -> Sequence[Phase]:
        t = self.config.training
        rate = partial(rate_at, rise=t.warmup / t.images, decay="cosine")
        return [
            Phase("reader", [Group([self.net], t.lr)], self.learn, betas=t.betas,
                  weight_decay=t.weight_decay, clip=t.clip, schedule=rate)
        ]  # fmt: skip

    def learn(self, batch: Batch, seen: int) -> Loss:
        face = batch.source
        read = self.net(face.pixels).float()
        off = (read - face.units).abs() * face.known
        parts = {
            "units": read_error(read, face.units, face.known),
            "distance": off.sum(1).mean(),
        }
        return Loss.weighed(parts, self.config.weights)

    @torch.no_grad()
    def validate(self, average: UnitReader, batch: Batch) -> dict[str, float]:
        """Mean error of the units that are known."""
        face = batch.source
        wrong = (average(face.pixels).float().clamp(0, 1) - face.units).abs() * face.known
        return {"units_mae": float(wrong.sum() / face.known.sum().clamp_min(1))}

"""Training of the landmark network: `python -m mien.training.landmarks --out runs/landmarks`.

Two rounds. The first learns from the training people's hand-checked points and their rig renders.
Its network labels the photographs that have no points, with the help of optical flow where the same
person at rest was checked; the second round learns from those and their renders as well.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from mien.data.adapters import DATASETS
from mien.data.batch import Tensors
from mien.errors import DataError
from mien.faces.landmarks import SIZE
from mien.nn.phases import Group, Loss, Phase, Task, rate_at
from mien.nn.tensors import from_levels
from mien.training.landmark_data import hand_checked, render_examples, self_labelled
from mien.training.landmark_net import LandmarkNet
from mien.training.landmark_scores import scores
from mien.training.landmark_views import Example, view
from mien.training.recipe import Run
from mien.training.run import Budget, run
from mien.training.weights import training_sets, write_record, write_weights
from mien.zoo import data_home


@dataclass(frozen=True)
class LandmarkConfig:
    """What the training of the landmark network depends on besides its data."""

    images: int = 100_000
    """Views shown in the first round."""
    more_images: int = 280_000
    """Views shown in the second round, which starts from the first one's network."""
    calm: float = 0.45
    """Share of the first round's views that are nearly aligned, sharp and uncovered."""
    more_calm: float = 0.65
    """The same of the second round: it ends on views like those that the network is used on."""
    batch: int = 64
    """Views per step."""
    rate: float = 2e-3
    """Highest learning rate of the first round; it rises over a twentieth of the views,
    and falls as a cosine."""
    more_rate: float = 1.5e-3
    """Highest learning rate of the second round."""
    renders: int = 44
    """Renders of a photograph with hand-checked points."""
    more_renders: int = 6
    """Renders of a photograph that the first round's network labelled."""
    worst_fit: float = 0.055
    """Self-labelled photographs that the rig's face follows worse than this are left out, in
    distances of the outer eye corners."""
    decay: float = 1e-3
    """Weight decay."""
    half_life: float = 22_000
    """Of the moving average of the weights, which is what ships, in views."""
    outline: float = 0.4
    """Weight of the jaw's points, which slide along their contour and are less sure."""
    eyes: float = 2.0
    """Weight of the eyes' points: a lid's whole travel is a few pixels of the crop."""
    inner_lips: float = 1.5
    """Weight of the points between the lips."""
    seed: int = 0
    """Seed of weights and views."""


@dataclass(frozen=True)
class View(Tensors):
    """Crops and where their landmarks are."""

    crop: Tensor
    """uint8 (B, S, S, 3)."""
    points: Tensor
    """(B, 68, 2) px of the crop."""


class Views(Dataset[View]):
    """A stream of views of examples, drawn by their weights; view i by (seed, i)."""

    def __init__(self, examples: Sequence[Example], seed: int, calm: float) -> None:
        self.examples, self.seed, self.calm = examples, seed, calm
        chance = np.array([example.weight for example in examples])
        self.chance = chance / chance.sum()

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, i: int) -> View:
        random = np.random.default_rng((self.seed, i))
        pick, other = random.choice(len(self.examples), 2, p=self.chance)
        example, background = self.examples[pick], self.examples[other].pixels
        crop, points = view(example.pixels(), example.points, background, SIZE, random, self.calm)
        return View(torch.from_numpy(crop), torch.from_numpy(points))


class LandmarkTask(Task[LandmarkNet]):
    """The network of landmarks, from scratch or from `start`, and views of examples."""

    def __init__(
        self, examples: Sequence[Example], config: LandmarkConfig, rate: float, calm: float,
        start: LandmarkNet | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.examples, self.config, self.peak, self.calm = examples, config, rate, calm
        self.net = (copy.deepcopy(start) if start else LandmarkNet()).train().requires_grad_(True)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a third faster
        self.ema_images = config.half_life
        weights = torch.ones(68)
        weights[:17], weights[36:48], weights[60:] = config.outline, config.eyes, config.inner_lips
        self.weights = weights

    @property
    def kept(self) -> LandmarkNet:
        return self.net

    def dataset(self, split: str, seed: int) -> Views | None:
        """Views of the examples; none of validation people, who are measured at the end."""
        return Views(self.examples, seed, self.calm) if split == "train" else None

    def phases(self) -> Sequence[Phase]:
        rate = partial(rate_at, rise=0.05, decay="cosine")
        groups = [Group([self.net], self.peak)]
        return [
            Phase("landmarks", groups, self.learn, betas=(0.9, 0.999),
                  weight_decay=self.config.decay, clip=1.0, schedule=rate)
        ]  # fmt: skip

    def learn(self, batch: View, _: int) -> Loss:
        x = from_levels(batch.crop.permute(0, 3, 1, 2))
        with torch.autocast(x.device.type, torch.bfloat16):
            maps = self.net.maps(x)
        places = self.net.places(maps.float())
        return Loss({"points": landmark_loss(places, batch.points, self.weights.to(x))})


def fit(
    examples: Sequence[Example], config: LandmarkConfig, budget: Budget, rate: float, calm: float,
    out: Path, start: LandmarkNet | None = None,
) -> LandmarkNet:  # fmt: skip
    """Train on views of `examples`, or go on with it in folder `out`; the averaged network."""
    notes = json.dumps(asdict(config) | asdict(budget), indent=1)
    how = Run(workers=int((os.cpu_count() or 1) > 1))
    trainer = run(
        lambda: LandmarkTask(examples, config, rate, calm, start), budget, how, out, notes=notes
    )
    average = trainer.ema.average
    assert isinstance(average, LandmarkNet)
    return average


def landmark_loss(units: Tensor, points: Tensor, weights: Tensor) -> Tensor:
    """Smooth L1 in px of the crop: quadratic under half a pixel; units (B, 68, 2) in [0, 1], points
    px.
    """
    distance = F.smooth_l1_loss(units * SIZE - 0.5, points, beta=0.5, reduction="none").sum(dim=2)
    return (distance * weights).sum() / (weights.sum() * len(points))


def train(config: LandmarkConfig, workers: int, out: Path) -> tuple[LandmarkNet, dict[str, int]]:
    """Both rounds on whatever of the known photographs is in `data_home()`, and what they used."""
    sets = {name: (data_home() / name, d.records) for name, d in DATASETS.items()}
    known = [(root, records(root)) for root, records in sets.values() if root.is_dir()]
    checked = [one for root, found in known for one in hand_checked(root, found)]
    if not checked:
        raise DataError(f"no photographs with .tem points in {data_home()}: see docs/data.md")
    examples = render_examples(checked, config.renders, math.inf, config.seed, workers)
    first = Budget(config.images, config.batch, config.seed)
    net = fit(examples, config, first, config.rate, config.calm, out / "first")
    own = [one for root, found in known for one in self_labelled(root, found, net, config.seed)]
    examples += render_examples(own, config.more_renders, config.worst_fit, config.seed, workers)
    second = Budget(config.more_images, config.batch, config.seed + 1)
    rate, calm = config.more_rate, config.more_calm
    net = fit(examples, config, second, rate, calm, out / "second", net)
    counts = {"hand_checked_photographs": len(checked), "self_labelled_photographs": len(own)}
    return net, counts | {"examples": len(examples)}


def save(net: LandmarkNet, folder: Path, facts: Mapping[str, Any]) -> None:
    """Half-precision weights and their record, `landmarks.safetensors` and `landmarks.json`."""
    weights = folder / "landmarks.safetensors"
    write_weights(weights, net, {})
    write_record(weights, net, facts)


def main() -> None:
    """Train, measure on people never seen, and write weights and record."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and record")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = LandmarkConfig(seed=options.seed)
    started = time.monotonic()
    net, counts = train(config, options.workers, options.out)
    save(net, options.out, facts(net, config, counts, time.monotonic() - started))


def facts(
    net: LandmarkNet, config: LandmarkConfig, counts: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    """The record of the weights, but for what any weights' record says."""
    return {
        "what": "68 facial landmarks (iBUG order) in an aligned crop of 128 px",
        "training_sets": training_sets(f"{name}/" for name in DATASETS),
        "labels": "hand-checked points of the Face Research Lab sets, rig renders, the checked"
        " points carried to the same people's smiles by optical flow, and the network's own answers"
        " of the first round; none from another landmark model",
        "training_people": "those whose split is train, see mien.data.split",
        "counts": dict(counts),
        "config": asdict(config),
        "command": f"python -m mien.training.landmarks --seed {config.seed} --out DIR",
        "minutes": round(seconds / 60, 1),
        "scores_unseen_people": scores(net, "test"),
    }


if __name__ == "__main__":
    main()

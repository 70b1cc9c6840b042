"""Training of the landmark network: `python -m mien.training.landmarks --out runs/landmarks`.

Two rounds. The first learns from the training people's hand-checked points and their rig renders.
Its network labels the photographs that have no points, with the help of optical flow where the same
person at rest was checked; the second round learns from those and their renders as well. The loop
is short and its own: this network serves the others and has one loss and one phase.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mien.data.adapters import DATASETS
from mien.errors import DataError
from mien.faces.landmarks import SIZE
from mien.files import replacing
from mien.training.landmark_data import hand_checked, render_examples, self_labelled
from mien.training.landmark_net import LandmarkNet
from mien.training.landmark_scores import scores
from mien.training.landmark_views import Example, view
from mien.types import Float, UInt8
from mien.zoo import data_home
from mien.zoo.records import digest


@dataclass(frozen=True)
class LandmarkConfig:
    """What the training of the landmark network depends on besides its data."""

    images: int = 100_000
    """Views shown in the first round."""
    more_images: int = 180_000
    """Views shown in the second round, which starts from the first one's network."""
    batch: int = 64
    """Views per step."""
    rate: float = 2e-3
    """Highest learning rate of the first round; it rises over a twentieth and falls as a cosine."""
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
    average: float = 0.998
    """Memory of the moving average of the weights, which is what ships."""
    outline: float = 0.4
    """Weight of the jaw's points, which slide along their contour and are less sure."""
    eyes: float = 2.0
    """Weight of the eyes' points: a lid's whole travel is a few pixels of the crop."""
    inner_lips: float = 1.5
    """Weight of the points between the lips."""
    seed: int = 0
    """Seed of weights and views."""


class Views:
    """Batches without end: crops uint8 (B, S, S, 3) and points float32 (B, 68, 2) in crop px."""

    def __init__(self, examples: Sequence[Example], batch: int, seed: int) -> None:
        self.examples, self.batch = examples, batch
        self.random = np.random.default_rng(seed)
        chance = np.array([example.weight for example in examples])
        self.chance = chance / chance.sum()

    def draw(self) -> tuple[Tensor, Tensor]:
        """The next batch."""
        picks = self.random.choice(len(self.examples), 2 * self.batch, p=self.chance)
        crops, points = zip(*(self._view(a, b) for a, b in picks.reshape(-1, 2)), strict=True)
        return torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(points))

    def _view(self, pick: int, other: int) -> tuple[UInt8, Float]:
        example = self.examples[pick]
        background = self.examples[other].pixels
        return view(example.pixels(), example.points, background, SIZE, self.random)


class Drawer(Protocol):
    """What batches are drawn from."""

    def draw(self) -> tuple[Tensor, Tensor]:
        """The next batch."""
        ...


def drawn(views: Drawer, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """`count` batches, each drawn by a thread while the one before is learned from."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(views.draw)
        for _ in range(count):
            batch = coming.result()
            coming = pool.submit(views.draw)
            yield batch


def fit(
    examples: Sequence[Example],
    config: LandmarkConfig,
    images: int,
    rate: float,
    seed: int,
    start: LandmarkNet | None = None,
) -> LandmarkNet:
    """Train on views of `examples`, from scratch or from `start`; returns the averaged network."""
    torch.manual_seed(seed)
    net = (copy.deepcopy(start) if start else LandmarkNet()).train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a third faster
    shadow = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=config.decay)
    steps = images // config.batch
    weights = torch.ones(68)
    weights[:17], weights[36:48], weights[60:] = config.outline, config.eyes, config.inner_lips
    views = Views(examples, config.batch, seed)
    for step, (crops, points) in enumerate(drawn(views, steps)):
        for group in optimiser.param_groups:
            group["lr"] = rate * schedule(step / steps)
        x = crops.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
        with torch.autocast("cpu", torch.bfloat16):
            maps = net.maps(x)
        loss = landmark_loss(net.places(maps.float()), points, weights)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        follow_average(shadow, net, min(config.average, step / (step + 10)))
        if step % 100 == 0:
            print(f"step {step}/{steps} loss {loss.item():.3f}", flush=True)
    return shadow


def landmark_loss(units: Tensor, points: Tensor, weights: Tensor) -> Tensor:
    """Smooth L1 in px of the crop: quadratic under half a pixel; units (B, 68, 2) in [0, 1], points
    px.
    """
    distance = F.smooth_l1_loss(units * SIZE - 0.5, points, beta=0.5, reduction="none").sum(dim=2)
    return (distance * weights).sum() / (weights.sum() * len(points))


def schedule(done: float) -> float:
    """Factor of the learning rate when a share of the steps is done: it rises, then falls."""
    return done / 0.05 if done < 0.05 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.05) / 0.95)


@torch.no_grad()
def follow_average(shadow: nn.Module, net: nn.Module, memory: float) -> None:
    """Exponential moving average of parameters and of the batch statistics."""
    for kept, new in zip(shadow.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - memory)
        else:
            kept.copy_(new)


def train(config: LandmarkConfig, workers: int) -> tuple[LandmarkNet, dict[str, int]]:
    """Both rounds on whatever of the known photographs is in `data_home()`, and what they used."""
    sets = {name: (data_home() / name, d.records) for name, d in DATASETS.items()}
    known = [(root, records(root)) for root, records in sets.values() if root.is_dir()]
    checked = [one for root, found in known for one in hand_checked(root, found)]
    if not checked:
        raise DataError(f"no photographs with .tem points in {data_home()}: see docs/data.md")
    examples = render_examples(checked, config.renders, math.inf, config.seed, workers)
    net = fit(examples, config, config.images, config.rate, config.seed)
    own = [one for root, found in known for one in self_labelled(root, found, net, config.seed)]
    examples += render_examples(own, config.more_renders, config.worst_fit, config.seed, workers)
    net = fit(examples, config, config.more_images, config.more_rate, config.seed + 1, net)
    counts = {"hand_checked_photographs": len(checked), "self_labelled_photographs": len(own)}
    return net, counts | {"examples": len(examples)}


def save(net: LandmarkNet, folder: Path, facts: Mapping[str, Any]) -> None:
    """Half-precision weights and their record, `landmarks.safetensors` and `landmarks.json`."""
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }
    weights = folder / "landmarks.safetensors"
    with replacing(weights) as part:
        save_file(state, part)
        part.chmod(0o644)
    with replacing(folder / "landmarks.json") as part:
        part.write_text(json.dumps({**facts, "sha256": digest(weights)}, indent=2) + "\n")


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
    net, counts = train(config, options.workers)
    save(net, options.out, facts(net, config, counts, time.monotonic() - started))


def facts(
    net: LandmarkNet, config: LandmarkConfig, counts: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    """The record of the weights, but for their hash."""
    return {
        "name": "landmarks",
        "what": "68 facial landmarks (iBUG order) in an aligned crop of 128 px",
        "parameters": sum(p.numel() for p in net.parameters()),
        "precision": "float16",
        "licence": "Apache-2.0",
        "training_sets": [
            {"name": d.title, "licence": d.licence, "source": d.source} for d in DATASETS.values()
        ]
        + [{"name": "ICT Face Model Light (animates the photographs)", "licence": "MIT",
            "source": "https://github.com/ICT-VGL/ICT-FaceKit"}],
        "labels": "hand-checked points of the Face Research Lab sets, rig renders, the checked"
        " points carried to the same people's smiles by optical flow, and the network's own answers"
        " of the first round; none from another landmark model",
        "training_people": "those whose split is train, see mien.data.split",
        "counts": dict(counts),
        "config": asdict(config),
        "command": f"python -m mien.training.landmarks --seed {config.seed} --out DIR",
        "minutes": round(seconds / 60, 1),
        "scores_unseen_people": scores(net, "test"),
    }  # fmt: skip


if __name__ == "__main__":
    main()

"""Training of the landmark network: `python -m mien.training.landmarks --out src/mien/zoo/weights`.

The loop is short and its own: this network serves the others and has one loss and one phase.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from mien.faces.landmarks import SIZE, LandmarkNet
from mien.training.landmark_views import view
from mien.types import Float, UInt8


@dataclass(frozen=True)
class Example:
    """A face with its points: a picture around it as JPEG bytes, points (68, 2) in its px, and how
    often it is drawn.
    """

    jpeg: bytes
    points: Float
    weight: float = 1.0

    @classmethod
    def of(cls, pixels: UInt8, points: Float, weight: float = 1.0) -> Example:
        """Keep a picture uint8 (H, W, 3) RGB and its points."""
        data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        return cls(data.tobytes(), points.astype(np.float32), weight)

    def pixels(self) -> UInt8:
        """The picture, uint8 (H, W, 3) RGB."""
        picture = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        return np.asarray(picture, dtype=np.uint8)


@dataclass(frozen=True)
class LandmarkConfig:
    """What the training of the landmark network depends on besides its data."""

    images: int = 90_000
    """Views shown in all."""
    batch: int = 64
    """Views per step."""
    rate: float = 2e-3
    """Highest learning rate; it rises over a twentieth of the run and falls as a cosine."""
    decay: float = 1e-3
    """Weight decay."""
    average: float = 0.998
    """Memory of the moving average of the weights, which is what ships."""
    outline: float = 0.4
    """Weight of the jaw's points, which slide along their contour and are less sure than the
    others.
    """
    seed: int = 0
    """Seed of weights and views."""


class Views(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches: crops uint8 (B, S, S, 3) and points float32 (B, 68, 2) in crop px."""

    def __init__(self, examples: Sequence[Example], batch: int, seed: int) -> None:
        self.examples, self.batch, self.seed = examples, batch, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng((self.seed, worker.id if worker else 0))
        chance = np.array([example.weight for example in self.examples])
        chance /= chance.sum()
        while True:
            picks = random.choice(len(self.examples), 2 * self.batch, p=chance)
            made = [self._view(a, b, random) for a, b in picks.reshape(-1, 2)]
            crops, points = zip(*made, strict=True)
            yield torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(points))

    def _view(self, pick: int, other: int, random: np.random.Generator) -> tuple[UInt8, Float]:
        example = self.examples[pick]
        return view(example.pixels(), example.points, self.examples[other].pixels(), SIZE, random)


def fit(
    examples: Sequence[Example], config: LandmarkConfig, start: LandmarkNet | None = None
) -> LandmarkNet:
    """Train on views of `examples`, from scratch or from `start`; returns the averaged network."""
    torch.manual_seed(config.seed)
    net = (copy.deepcopy(start) if start else LandmarkNet()).train()
    shadow = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.decay)
    steps = config.images // config.batch
    weights = torch.ones(68)
    weights[:17] = config.outline
    loader = DataLoader(Views(examples, config.batch, config.seed), batch_size=None, num_workers=1)
    for step, (crops, points) in zip(range(steps), loader, strict=False):
        for group in optimiser.param_groups:
            group["lr"] = config.rate * _schedule(step / steps)
        x = crops.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
        with torch.autocast("cpu", torch.bfloat16):
            maps = net.maps(x)
        loss = landmark_loss(net.places(maps.float()), points, weights)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        _follow(shadow, net, min(config.average, step / (step + 10)))
        if step % 100 == 0:
            print(f"step {step}/{steps} loss {loss.item():.3f}", flush=True)
    return shadow


def landmark_loss(units: Tensor, points: Tensor, weights: Tensor) -> Tensor:
    """Smooth L1 in px of the crop: quadratic under half a pixel; units (B, 68, 2) in [0, 1], points
    px.
    """
    distance = F.smooth_l1_loss(units * SIZE - 0.5, points, beta=0.5, reduction="none").sum(dim=2)
    return (distance * weights).sum() / (weights.sum() * len(points))


def _schedule(done: float) -> float:
    return done / 0.05 if done < 0.05 else 0.5 + 0.5 * math.cos(math.pi * (done - 0.05) / 0.95)


@torch.no_grad()
def _follow(shadow: nn.Module, net: nn.Module, memory: float) -> None:
    """Exponential moving average of parameters and of the batch statistics."""
    for kept, new in zip(shadow.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - memory)
        else:
            kept.copy_(new)

"""Training of the reader of expressions: `python -m mien.training.reader --out runs/reader`.

The network sees a face and answers blendshape weights; what it is off by is measured on the face
model's mesh, for different weights may move the same skin. One loss and one phase: the loop is
short and its own.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mien.data.adapters import DATASETS
from mien.face_model.mesh import FACE, FaceModel
from mien.files import replacing
from mien.methods.morphable.reader import SIZE, STAGES, goal
from mien.training import landmark_net
from mien.training.landmark_net import Block, LandmarkNet, conv
from mien.training.landmark_views import view
from mien.training.reader_data import Shown, examples, photographs
from mien.types import Float, UInt8
from mien.zoo.records import digest

LIPS, LIDS, BROWS, ELSEWHERE = 3.0, 2.0, 1.5, 0.3
"""What a movement of these parts of the face counts for in the loss."""
NEAR = 0.6
"""How far from a part's landmarks, cm, it ends."""
EVEN = 0.65
"""0: shapes count by what they move, and a jaw drowns out the lids; 1: all alike."""
PLAIN = 0.03
"""What an error of a weight itself counts for."""


@dataclass(frozen=True)
class ReaderConfig:
    """What the training of the reader depends on besides its data."""

    images: int = 220_000
    """Views shown."""
    batch: int = 64
    """Views per step."""
    rate: float = 2e-3
    """Highest learning rate; it rises over a twentieth and falls as a cosine."""
    calm: int = 50
    """Pictures drawn of a face at rest."""
    other: int = 6
    """Pictures drawn of a photograph of any other face."""
    decay: float = 1e-2
    """Weight decay."""
    average: float = 0.998
    """Memory of the moving average of the weights, which is what ships."""
    seed: int = 0
    """Seed of weights, pictures and views."""


class ReaderNet(nn.Module):
    """Crops (B, 3, 128, 128) in [-1, 1] -> blendshape weights (B, 53), before they are bounded."""

    def __init__(self, shapes: int, widths: tuple[int, ...] = (20, 40, 72, 112)) -> None:
        super().__init__()
        into = 3
        for (name, blocks), width in zip(STAGES.items(), widths, strict=True):
            stage = [conv(into, width, 3, 2), *(Block(width) for _ in range(blocks))]
            setattr(self, name, nn.Sequential(*stage))
            into = width
        side = SIZE >> len(STAGES)
        self.narrow = conv(into, 48, 1, 1)
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(48 * side * side, 256), nn.ReLU())
        self.drop = nn.Dropout(0.1)
        self.weights = nn.Linear(256, shapes)

    def start_from(self, landmarks: LandmarkNet) -> None:
        """Take the way down from the landmark network: it knows lips, lids and brows."""
        kept = {k: v for k, v in landmarks.state_dict().items() if k.split(".")[0] in STAGES}
        renamed = {k.replace("stem.", "stem.0."): v for k, v in kept.items()}
        left = self.load_state_dict(renamed, strict=False)
        assert not left.unexpected_keys, left

    def forward(self, crops: Tensor) -> Tensor:
        """See the class."""
        x = crops
        for name in STAGES:
            x = getattr(self, name)(x)
        out: Tensor = self.weights(self.drop(self.hidden(self.narrow(x))))
        return out

    def folded(self) -> dict[str, Tensor]:
        """The convolutions `methods.morphable.reader` runs, each with its normalisation in it."""
        out: dict[str, Tensor] = {}

        def fold(name: str, pair: nn.Sequential) -> None:
            convolution, norm = pair[0], pair[1]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            fused = fuse_conv_bn_eval(convolution, norm)
            assert fused.bias is not None
            out[f"{name}.weight"], out[f"{name}.bias"] = fused.weight, fused.bias

        for name, blocks in STAGES.items():
            stage = getattr(self, name)
            fold(name, stage[0])
            for i in range(blocks):
                fold(f"{name}.{i}.first", stage[1 + i].first)
                fold(f"{name}.{i}.second", stage[1 + i].second)
        fold("narrow", self.narrow)
        for name, linear in (("hidden", self.hidden[1]), ("weights", self.weights)):
            assert isinstance(linear, nn.Linear)
            out[f"{name}.weight"] = linear.weight[..., None, None]
            out[f"{name}.bias"] = linear.bias
        return out


def metric(model: FaceModel) -> Tensor:
    """Errors of weights (53,) times this matrix (53, K) are movements of the skin that have nothing
    to do with one another."""
    near = model.neutral[FACE]
    parts = ((LIPS, range(48, 68)), (LIDS, range(36, 48)), (BROWS, range(17, 27)))
    counts = np.full(len(near), ELSEWHERE)
    for weight, marks in parts:
        marked = model.neutral[model.landmarks[list(marks)]]
        apart = np.linalg.norm(near[:, None] - marked[None], axis=-1).min(1)
        counts = np.maximum(counts, weight * np.exp(-((apart / NEAR) ** 2)))
    moves = model.expressions[:, FACE] * np.sqrt(counts / counts.sum())[:, None]
    moves = moves.reshape(len(model.names), -1).astype(np.float64)
    size = np.linalg.norm(moves, axis=1, keepdims=True)
    gram = moves @ moves.T / (size @ size.T) ** EVEN
    gram /= np.trace(gram) / len(gram)
    values, vectors = np.linalg.eigh(gram + PLAIN * np.eye(len(gram)))
    return torch.from_numpy((vectors * np.sqrt(values)).astype(np.float32))


def reader_loss(answer: Tensor, truth: Tensor, moves: Tensor) -> Tensor:
    """Mean square of the movement that the answer (B, 53) is off by. Most shapes are at rest in
    most pictures: a loss that grows with the distance alone leaves them there."""
    off = (answer - truth) @ moves
    return off.square().sum(1).mean()


class Views:
    """Batches without end: crops uint8 (B, 128, 128, 3) and weights float32 (B, 53)."""

    def __init__(
        self, shown: Sequence[Shown], names: tuple[str, ...], batch: int, seed: int
    ) -> None:
        self.shown, self.batch = shown, batch
        self.random = np.random.default_rng(seed)
        chance = np.array([one.face.weight for one in shown])
        self.chance = chance / chance.sum()
        self.mirror = mirror(names)
        self.goal = goal()

    def draw(self) -> tuple[Tensor, Tensor]:
        """The next batch."""
        picks = self.random.choice(len(self.shown), 2 * self.batch, p=self.chance)
        crops, weights = zip(*(self._view(a, b) for a, b in picks.reshape(-1, 2)), strict=True)
        return torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(weights))

    def _view(self, pick: int, other: int) -> tuple[UInt8, Float]:
        one = self.shown[pick]
        background = self.shown[other].face.pixels
        seen = view(one.face.pixels(), one.face.points, background, SIZE, self.random, self.goal)
        return seen.crop, one.weights[self.mirror] if seen.mirrored else one.weights


def mirror(names: tuple[str, ...]) -> np.ndarray:
    """`weights[mirror(names)]` are those of the mirror image."""

    def other(name: str) -> str:
        if name.endswith(("_L", "_R")):
            return name[:-1] + {"L": "R", "R": "L"}[name[-1]]
        for a, b in (("Left", "Right"), ("Right", "Left")):
            if name.endswith(a):
                return name.removesuffix(a) + b
        return name

    return np.array([names.index(other(name)) for name in names])


def drawn(views: Views, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """`count` batches, each drawn by a thread while the one before is learned from."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(views.draw)
        for _ in range(count):
            batch = coming.result()
            coming = pool.submit(views.draw)
            yield batch


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


def fit(
    shown: Sequence[Shown],
    model: FaceModel,
    config: ReaderConfig,
    look: Callable[[ReaderNet], None] = lambda _: None,
) -> ReaderNet:
    """Train on views of `shown`; returns the averaged network, which `look` sees now and then."""
    torch.manual_seed(config.seed)
    net = ReaderNet(len(model.names)).train()
    net.start_from(landmark_net.load())
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a third faster
    shadow = copy.deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.decay)
    steps, moves = config.images // config.batch, metric(model)
    views = Views(shown, model.names, config.batch, config.seed)
    for step, (crops, weights) in enumerate(drawn(views, steps)):
        for group in optimiser.param_groups:
            group["lr"] = config.rate * schedule(step / steps)
        x = crops.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
        with torch.autocast("cpu", torch.bfloat16):
            answer = net(x)
        loss = reader_loss(answer.float(), weights, moves)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        follow_average(shadow, net, min(config.average, step / (step + 10)))
        if step % 100 == 0:
            print(f"step {step}/{steps} loss {loss.item():.4f}", flush=True)
        if step % 500 == 499:
            look(shadow)
    return shadow


@torch.no_grad()
def score(net: ReaderNet, shown: Sequence[Shown], model: FaceModel, seed: int) -> dict[str, float]:
    """The loss on views of pictures never seen, beside that of the answer that nothing moves."""
    views = Views(shown, model.names, 64, seed)
    moves, rows = metric(model), []
    for _ in range(max(1, len(shown) // 64)):
        crops, weights = views.draw()
        answer = net(crops.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)).clamp_min(0)
        nothing = torch.zeros_like(answer)
        rows.append([float(reader_loss(a, weights, moves)) for a in (answer, nothing)])
    off, still = np.mean(rows, 0)
    return {"off": round(float(off), 4), "off_of_nothing": round(float(still), 4)}


def save(net: ReaderNet, folder: Path, facts: Mapping[str, Any]) -> None:
    """Half-precision weights and their record, `reader.safetensors` and `reader.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "reader.safetensors"
    with replacing(weights) as part:
        save_file({k: v.detach().half().contiguous() for k, v in net.folded().items()}, part)
        part.chmod(0o644)
    with replacing(folder / "reader.json") as part:
        part.write_text(json.dumps({**facts, "sha256": digest(weights)}, indent=2) + "\n")


def main() -> None:
    """Draw, train, measure on people never seen, and write weights and record."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and record")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config, model = ReaderConfig(seed=options.seed), FaceModel.load()
    started = time.monotonic()
    counts = (config.calm, config.other, config.seed, options.workers)
    shown = examples(photographs("train"), *counts)
    net = fit(shown, model, config, lambda so_far: save(so_far, options.out, {"name": "reader"}))
    unseen = {
        split: score(net, examples(photographs(split), *counts), model, config.seed)
        for split in ("validation", "test")
    }
    about = facts(net, config, len(shown), time.monotonic() - started)
    save(net, options.out, about | {"scores_unseen_people": unseen})


def facts(net: ReaderNet, config: ReaderConfig, pictures: int, seconds: float) -> dict[str, Any]:
    """The record of the weights, but for scores and hash."""
    return {
        "name": "reader",
        "what": "53 blendshape weights, relative to the person at rest, of a face of 128 px",
        "parameters": sum(p.numel() for p in net.parameters()),
        "precision": "float16",
        "licence": "Apache-2.0",
        "training_sets": [
            {"name": d.title, "licence": d.licence, "source": d.source} for d in DATASETS.values()
        ]
        + [{"name": "ICT Face Model Light (draws the expressions)", "licence": "MIT",
            "source": "https://github.com/ICT-VGL/ICT-FaceKit"}],
        "labels": "the blendshape weights that were drawn; none from another reader",
        "training_people": "those whose split is train, see mien.data.split",
        "pictures": pictures,
        "config": asdict(config),
        "command": f"python -m mien.training.reader --seed {config.seed} --out DIR",
        "minutes": round(seconds / 60, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()

"""Training of the judges: `python -m mien.training.judges --name a --data RENDERS --out DIR`.

One judge learns from its half of the training people (see `judge_data`). The loop is its own, as
the landmark network's is. The same command resumes, exactly; with other renders in --data it goes
on with those. Judges measure what methods make, so no method and no other training may import them:
`tests/house` holds that.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs, images
from mien.data.adapters import DATASETS
from mien.data.loading import RigFaces
from mien.files import replacing
from mien.judges import NAMES, Judge, Reading
from mien.judges.judge import NETWORKS
from mien.judges.networks import SIZE, Answer
from mien.sheet import sheet
from mien.training import checkpoint
from mien.training.checkpoint import Counters
from mien.training.ema import EMA
from mien.training.judge_data import Item, JudgeFaces, photographs, seen, stacked
from mien.training.judge_scores import photograph_scores, reading, render_faces, render_scores
from mien.training.landmarks import landmark_loss
from mien.types import UInt8
from mien.zoo.records import digest

STATE = "state.safetensors"


@dataclass(frozen=True)
class JudgeConfig:
    """What the training of a judge depends on besides its data."""

    images: int = 200_000
    """Faces shown."""
    batch: int = 64
    """Faces per step."""
    rate: float = 1.5e-3
    """Highest learning rate; it rises over a fortieth of the faces and falls as a cosine."""
    decay: float = 0.05
    """Weight decay."""
    half_life: float = 4000
    """Of the moving average of the weights, which is what ships, in faces."""
    share: float = 0.12
    """Chance of a labelled photograph, and that of a smiling portrait, instead of a render."""
    units: float = 10.0
    """Weight of the action units' error."""
    active: float = 1.0
    """How much more a unit at full strength counts than one at rest."""
    emotions: float = 1.0
    """Weight of the emotions' cross-entropy."""
    landmarks: float = 0.3
    """Weight of the landmarks' error, px."""
    seed: int = 0
    """Seed of weights and of what is shown."""


SEEDS = {"a": 1, "b": 2}
RATES = {"a": 2e-3, "b": 1e-3}


def judge_loss(answer: Answer, truth: Item, config: JudgeConfig) -> dict[str, Tensor]:
    """The weighted parts whose sum is minimised."""
    outline = torch.ones(68)
    outline[:17] = 0.4  # the jaw's points slide along their contour and are less sure
    return {
        "units": config.units * units_loss(answer.units, truth.units, truth.exact, config.active),
        "emotions": config.emotions * emotions_loss(answer.emotions, truth.emotions),
        "landmarks": config.landmarks * landmark_loss(answer.landmarks, truth.landmarks, outline),
    }


def units_loss(logits: Tensor, truth: Tensor, exact: Tensor, active: float) -> Tensor:
    """Cross-entropy, less what the truth itself has, and the distance; where not `exact` (B,), only
    falling short costs.

    The distance is what a judge is measured by; the other's slope does not vanish where a unit is
    wrongly at rest.
    """
    least = torch.maximum(truth, logits.detach().sigmoid())
    goal = torch.where(exact[:, None] > 0, truth, least)
    loss = F.binary_cross_entropy_with_logits(logits, goal, reduction="none")
    floor = F.binary_cross_entropy(goal, goal, reduction="none")
    distance = (logits.sigmoid() - goal).abs()
    return ((loss - floor + distance) * (1 + active * goal)).mean()


def emotions_loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Cross-entropy over the faces that wear an emotion's prototype."""
    return -(shares * logits.log_softmax(1)).sum() / shares.sum().clamp(min=1)


def rate_at(seen: int, config: JudgeConfig) -> float:
    """Learning rate after `seen` faces."""
    rising = (seen + config.batch) / (config.images / 40)
    if rising < 1:
        return config.rate * rising
    return config.rate * (0.5 + 0.5 * math.cos(math.pi * min(1.0, seen / config.images)))


class Run:
    """One judge's training: network, average, optimiser, counters; saved and resumed as a whole."""

    def __init__(self, name: str, data: Path, out: Path, config: JudgeConfig) -> None:
        torch.manual_seed(config.seed)
        self.name, self.data, self.out, self.config = name, data, out, config
        self.net = NETWORKS[name]().train()
        self.ema = EMA(self.net, config.half_life)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=config.rate, weight_decay=config.decay, betas=(0.9, 0.98)
        )
        self.counters = Counters()
        self.faces = JudgeFaces(data, name, config.share, config.seed)
        if (out / STATE).exists():
            self.counters, _ = checkpoint.load(
                out / STATE, self.net, self.ema.average, [self.optimiser]
            )

    def step(self) -> dict[str, float]:
        """Learn from the next batch; the parts of its loss."""
        count, seen = self.config.batch, self.counters.seen
        truth = stacked([self.faces[i] for i in range(seen, seen + count)])
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(seen, self.config)
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.net(truth.pixels)
        parts = judge_loss(answer, truth, self.config)
        self.optimiser.zero_grad()
        torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.counters.seen += count
        self.counters.batches += 1
        self.ema.update(self.net, count, self.counters.seen)
        return {key: value.item() for key, value in parts.items()}

    def save(self) -> None:
        checkpoint.save(
            self.out / STATE, self.net, self.ema.average, [self.optimiser], self.counters
        )

    def judge(self) -> Judge:
        """The average as it stands, calibrated on validation people."""
        return Judge(self.name, calibrated(self.ema.average, self.validation()))

    def validation(self) -> Item:
        """Renders of validation people, every one's strength and mix."""
        plain = RigFaces(self.data, "validation", size=SIZE, augment=False)
        return render_faces(plain, 640)

    def report(self, losses: Mapping[str, float]) -> None:
        """A line in log.jsonl and a sheet of pictures."""
        judge, faces = self.judge(), self.validation()
        shown = photographs("validation", found=True)
        row = {
            **vars(self.counters), **losses,
            "rendered": render_scores(judge, faces), "real": photograph_scores(judge, shown),
        }  # fmt: skip
        with (self.out / "log.jsonl").open("a") as f:
            f.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
        some = [part[:: len(part) // 12][:12] for part in faces]
        page = judged(judge, stacked([*map(Item, *some), *(seen(p, None) for p in shown)]))
        images.write(self.out / f"sheet_{self.counters.seen:07d}.png", page)


def calibrated(net: nn.Module, faces: Item) -> nn.Module:
    """`net` with its emotions' logits scaled to the likeliest temperature on `faces`."""
    known = faces.emotions.sum(1) > 0
    with torch.no_grad():
        logits = torch.cat([net(batch).emotions for batch in torch.split(faces.pixels[known], 64)])
    scales = torch.logspace(-1, 0.5, 61)
    costs = [float(emotions_loss(logits * s, faces.emotions[known])) for s in scales]
    scale = scales[int(np.argmin(costs))]
    return _scaled(net, float(scale))


def _scaled(net: nn.Module, scale: float) -> nn.Module:
    out: nn.Module = type(net)()
    tensors = dict(net.state_dict())
    for key in ("emotions.weight", "emotions.bias"):
        tensors[key] = tensors[key] * scale
    out.load_state_dict(tensors)
    return out.eval().requires_grad_(False)


def judged(judge: Judge, faces: Item, columns: int = 6) -> UInt8:
    """A sheet: truth's landmarks red, the judge's green; below, the truth and what it read."""
    read = reading(judge, faces.pixels)
    cells = [_cell(faces, read, i) for i in range(len(faces.units))]
    return sheet([cells[i : i + columns] for i in range(0, len(cells), columns)])


def _cell(faces: Item, read: Reading, i: int, side: int = 256) -> UInt8:
    pixels = ((faces.pixels[i].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    page = np.full((side + 48, side, 3), 255, np.uint8)
    page[:side] = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
    for points, colour in ((faces.landmarks[i], (255, 60, 60)), (read.landmarks[i], (60, 255, 60))):
        for x, y in ((points.numpy() + 0.5) * side / SIZE - 0.5).round().astype(int).tolist():
            cv2.circle(page, (x, y), 1, colour, -1)
    told = facs.EMOTIONS[int(faces.emotions[i].argmax())] if faces.emotions[i].sum() else "mixture"
    for line, text in enumerate(
        (f"{told}: {_named(faces.units[i])}",
         f"{facs.EMOTIONS[int(read.emotions[i].argmax())]}: {_named(read.units[i])}")
    ):  # fmt: skip
        cv2.putText(
            page, text, (2, side + 16 + 20 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1,
            cv2.LINE_AA,
        )  # fmt: skip
    return page


def _named(units: Tensor, most: int = 5) -> str:
    """The strongest units in a few words."""
    order = [int(k) for k in units.argsort(descending=True)[:most] if units[k] > 0.1]
    return " ".join(f"{facs.UNITS[k][2:]}={units[k]:.1f}" for k in order)


def train(run: Run, minutes: float, every: float) -> None:
    """Until the budget or `minutes` are spent; reports and saves every few minutes."""
    began = last = time.monotonic()
    spent, losses = run.counters.seconds, {}
    while run.counters.seen < run.config.images:
        losses = run.step()
        now = time.monotonic()
        run.counters.seconds = spent + now - began
        if now - last > 60 * every or now - began > 60 * minutes:
            run.save()
            run.report(losses)
            last = time.monotonic()
        if now - began > 60 * minutes:
            return
    run.save()
    run.report(losses)


def save(run: Run) -> None:
    """Half-precision weights and their record, `judge_<name>.safetensors` and `.json`."""
    judge = run.judge()
    path = run.out / f"judge_{run.name}.safetensors"
    tensors = {key: value.half().contiguous() for key, value in judge.net.state_dict().items()}
    with replacing(path) as part:
        save_file(tensors, part)
        part.chmod(0o644)
    with replacing(path.with_suffix(".json")) as part:
        part.write_text(json.dumps(facts(run, judge) | {"sha256": digest(path)}, indent=2) + "\n")


def facts(run: Run, judge: Judge) -> dict[str, Any]:
    """The record of the weights, but for their hash."""
    people = {photo.person for photo in run.faces.renders.photos}
    return {
        "name": f"judge_{run.name}",
        "what": "action units (47), emotions (8) and landmarks (68) of an aligned crop of 128 px;"
        " measures, never trains",
        "network": type(judge.net).__name__,
        "parameters": sum(p.numel() for p in judge.net.parameters()),
        "precision": "float16",
        "licence": "Apache-2.0",
        "training_sets": [
            {"name": d.title, "licence": d.licence, "source": d.source} for d in DATASETS.values()
        ]
        + [{"name": "ICT Face Model Light (animates the photographs)", "licence": "MIT",
            "source": "https://github.com/ICT-VGL/ICT-FaceKit"}],
        "labels": "the rig's own units and landmarks; hand-checked points; the London Set's"
        " folders (neutral, smiling); portraits count as happy where the rig's fit has AU12 of 0.4",
        "training_people": f"half {run.name!r} of those whose split is train, see"
        " mien.training.judge_data.half_of",
        "counts": {
            "people_rendered": len(people),
            "photographs": len(run.faces.photographs),
            "smiling_portraits": len(run.faces.portraits),
            "faces_shown": run.counters.seen,
        },
        "config": asdict(run.config),
        "command": f"python -m mien.training.judges --name {run.name} --data RENDERS --out DIR",
        "minutes": round(run.counters.seconds / 60, 1),
        "scores_validation_people": {
            "rendered": render_scores(judge, run.validation()),
            "real": photograph_scores(judge, photographs("validation", found=True)),
        },
    }  # fmt: skip


def main() -> None:
    """Train or resume, measure on validation people, and write weights and record."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--name", choices=NAMES, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of `mien rig render`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--images", type=int, default=JudgeConfig.images)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--every", type=float, default=4, help="minutes between sheets")
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = JudgeConfig(images=options.images, rate=RATES[options.name], seed=SEEDS[options.name])
    options.out.mkdir(parents=True, exist_ok=True)
    run = Run(options.name, options.data, options.out, config)
    train(run, options.minutes, options.every)
    save(run)


if __name__ == "__main__":
    main()

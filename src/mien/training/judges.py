"""Training of the judges: `python -m mien.training.judges --name a --data RENDERS --out DIR`.

One judge learns from its half of the training people (see `judge_data`). The same command resumes,
exactly; with other renders in --data it goes on with those. Judges measure what methods make, so no
method and no other training may import them: `tests/house` holds that.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs
from mien.data.loading import RigFaces
from mien.judges import NAMES, Judge, Reading
from mien.judges.judge import NETWORKS
from mien.judges.networks import SIZE, Answer
from mien.nn.phases import Group, Loss, Phase, Task, rate_at
from mien.nn.tensors import to_levels, to_tensor
from mien.sheet import sheet
from mien.training.judge_data import Item, JudgeFaces, Plain, photographs
from mien.training.judge_scores import photograph_scores, reading, render_faces, render_scores
from mien.training.landmarks import landmark_loss
from mien.training.log import CHECKED
from mien.training.recipe import Run
from mien.training.run import Budget, run
from mien.training.trainer import Trainer
from mien.training.weights import machine, training_sets, write_record, write_weights
from mien.types import UInt8


@dataclass(frozen=True)
class JudgeConfig:
    """What the training of a judge depends on besides its data."""

    images: int = 200_000
    """Faces shown."""
    batch: int = 64
    """Faces per step."""
    rate: float = 1.5e-3
    """Highest learning rate; it rises over `rise` of the faces, and falls as a cosine."""
    rise: float = 1 / 40
    """Share of the faces over which the rate rises."""
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
    """Cross-entropy over the faces that show an emotion's prototype."""
    return -(shares * logits.log_softmax(1)).sum() / shares.sum().clamp(min=1)


class JudgeTask(Task[nn.Module]):
    """A judge's network, what it learns from, and what it is measured on."""

    def __init__(self, name: str, data: Path, config: JudgeConfig) -> None:
        super().__init__()
        self.name, self.data, self.config = name, data, config
        self.net = NETWORKS[name]().train()
        self.ema_images = config.half_life

    @property
    def kept(self) -> nn.Module:
        return self.net

    def dataset(self, split: str, seed: int) -> JudgeFaces | Plain:
        if split == "train":
            return JudgeFaces(self.data, self.name, self.config.share, seed)
        return Plain(RigFaces(self.data, split, size=SIZE, augment=False), CHECKED)

    def phases(self) -> Sequence[Phase]:
        c = self.config
        rate = partial(rate_at, rise=c.rise, decay="cosine")
        return [
            Phase("judge", [Group([self.net], c.rate)], self.learn, betas=(0.9, 0.98),
                  weight_decay=c.decay, clip=1.0, schedule=rate)
        ]  # fmt: skip

    def learn(self, truth: Item, _: int) -> Loss:
        with torch.autocast(truth.pixels.device.type, torch.bfloat16):
            answer = self.net(truth.pixels)
        return Loss(judge_loss(answer, truth, self.config))

    @torch.no_grad()
    def preview(self, average: nn.Module, batch: Item) -> list[tuple[str, Tensor]]:
        """Faces with the truth's landmarks red and the judge's green, and both in words."""
        judge = Judge(self.name, average)
        read = reading(judge, batch.pixels)
        cells = np.stack([_cell(batch, read, i) for i in range(len(batch))])
        return [("", to_tensor(cells))]

    @torch.no_grad()
    def validate(self, average: nn.Module, batch: Item) -> dict[str, float]:
        scores = render_scores(Judge(self.name, average), batch)
        return {k: v for k, v in scores.items() if isinstance(v, float)}

    def judge(self, average: nn.Module) -> Judge:
        """The average as it stands, calibrated on validation people."""
        return Judge(self.name, calibrated(average, self.validation()))

    def validation(self) -> Item:
        """Renders of validation people, every one's strength and mix."""
        return render_faces(RigFaces(self.data, "validation", size=SIZE, augment=False), 640)


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
    pixels = to_levels(faces.pixels[i].permute(1, 2, 0)).byte().numpy()
    page = np.full((side + 48, side, 3), 255, np.uint8)
    page[:side] = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
    for points, colour in ((faces.landmarks[i], (255, 60, 60)), (read.landmarks[i], (60, 255, 60))):
        for x, y in ((points.numpy() + 0.5) * side / SIZE - 0.5).round().astype(int).tolist():
            cv2.circle(page, (x, y), 1, colour, -1)
    label = facs.EMOTIONS[int(faces.emotions[i].argmax())] if faces.emotions[i].sum() else "mixture"
    for line, text in enumerate(
        (f"{label}: {_named(faces.units[i])}",
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


def train(
    name: str, data: Path, out: Path, config: JudgeConfig, *, how: Run = Run(),  # noqa: B008 (frozen)
    minutes: float | None = None,
) -> Trainer:  # fmt: skip
    """Learn, or go on with it, until the faces or `minutes` are spent; then weights and record are
    written, `judge_<name>.safetensors` and `.json`.
    """
    budget = Budget(config.images, config.batch, config.seed)
    notes = json.dumps({"judge": name, **asdict(config)}, indent=1)
    trainer = run(
        lambda: JudgeTask(name, data, config), budget, how, out, notes=notes, minutes=minutes
    )
    if trainer.fabric.is_global_zero:
        save(trainer, out)
    return trainer


def save(trainer: Trainer, out: Path) -> None:
    """Half-precision weights and their record."""
    task = trainer.task
    assert isinstance(task, JudgeTask)
    judge = task.judge(trainer.ema.average)
    path = out / f"judge_{task.name}.safetensors"
    write_weights(path, judge.net, {})
    write_record(path, judge.net, facts(trainer, task, judge))


def facts(trainer: Trainer, task: JudgeTask, judge: Judge) -> dict[str, Any]:
    """The record of the weights, but for what any weights' record says."""
    faces = task.dataset("train", task.config.seed)
    assert isinstance(faces, JudgeFaces)
    people = {photo.person for photo in faces.renders.photos}
    return {
        "what": "action units (47), emotions (8) and landmarks (68) of an aligned crop of 128 px;"
        " measures, never trains",
        "network": type(judge.net).__name__,
        "training_sets": training_sets(people),
        "labels": "the rig's own units and landmarks; hand-checked points; the London Set's"
        " folders (neutral, smiling); portraits count as happy where the rig's fit has AU12 of 0.4",
        "training_people": f"half {task.name!r} of those whose split is train, see"
        " mien.training.judge_data.half_of",
        "counts": {
            "people_rendered": len(people),
            "photographs": len(faces.photographs),
            "smiling_portraits": len(faces.portraits),
            "faces_shown": trainer.counters.seen,
        },
        "config": asdict(task.config),
        "command": f"python -m mien.training.judges --name {task.name} --data RENDERS --out DIR",
        "hardware": machine(),
        "minutes": round(trainer.counters.seconds / 60, 1),
        "scores_validation_people": {
            "rendered": render_scores(judge, task.validation()),
            "real": photograph_scores(judge, photographs("validation", found=True)),
        },
    }


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
    how = Run(sheet_minutes=options.every)
    minutes = None if math.isinf(options.minutes) else options.minutes
    train(options.name, options.data, options.out, config, how=how, minutes=minutes)


if __name__ == "__main__":
    main()

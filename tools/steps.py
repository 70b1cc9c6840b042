#!/usr/bin/env python3
"""What a method's recipes learn in fifty steps, to compare before and after a change of its code.

    python tools/steps.py decoupling -o before.json    # in a checkout of before
    python tools/steps.py decoupling -o after.json
    cmp before.json after.json

Every stage of every recipe, made small, on each kind of made batches: the losses of each step,
unrounded, and a hash of all state after them; of a kind that the stage is not made for, what it
lacks. It needs the repository: its batches are the tests'.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from one_line import or_one_line

from mien.data.batch import Named
from mien.nn.growth import CODES
from mien.training import recipe as recipes
from mien.training.recipe import Stage
from mien.training.stages import make_task
from mien.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "made"))

from batches import made_pairs, made_strangers, sources  # noqa: E402

SIDE, BATCH, STEPS = 32, 4, 50


def _named(size: int, count: int) -> Named:
    faces = made_pairs(size, count).source
    return Named(replace(faces, label=faces.label.clamp_min(0)), torch.arange(count))


MADE: dict[str, Callable[[int, int], Any]] = {
    "pairs": made_pairs,
    "strangers": made_strangers,
    "named": _named,
}


def steps(stage: Stage, kind: str) -> dict[str, Any]:
    """The losses of each step of a stage, and the hash of its state after the last."""
    small = stage.config.small()
    budget = STEPS * BATCH
    config = replace(small, training=replace(small.training, images=budget, batch=BATCH))
    torch.manual_seed(0)
    task = make_task(replace(stage, config=config), ROOT)
    trainer = Trainer(task, budget, 0, Fabric(accelerator="cpu", devices=1))
    task.train()
    losses: list[Any] = []
    for step in range(STEPS):
        made: Any = MADE[kind](SIDE, BATCH)
        moved = (made.source.pixels + 0.02 * step).clamp(-1, 1)
        made = replace(made, source=replace(made.source, pixels=moved))
        try:
            alone = kind == "pairs" and _alone(task, trainer.counters.seen)
            trainer.learn(sources(made) if alone else made)
        except (
            AttributeError,
            AssertionError,
        ) as error:  # strangers have no truth, others no emotion to be given
            losses.append(f"{type(error).__name__}: {error}")
            break
        losses.append(dict(trainer.parts))
    state = hashlib.sha256()
    for name, value in sorted(task.state_dict().items()):
        state.update(name.encode())
        state.update(value.contiguous().numpy().tobytes())
    return {"losses": losses, "state": state.hexdigest()}


def _alone(task: Any, seen: int) -> bool:
    """Whether a step learns from single faces."""
    stages: Any = getattr(task, "stages", ())
    codes = bool(stages) and stages[0].name == CODES and seen < stages[0].stop
    return codes or getattr(task.config.training, "data", "") == "faces"


def answers(method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Recipe, stage and kind of batches -> what was learnt."""
    folder = ROOT / "recipes"
    for path in (folder / f"{method}.yaml", *sorted((folder / method).glob("*.yaml"))):
        for stage in recipes.read(path):
            for kind in MADE:
                yield f"{path.relative_to(folder)} {stage.name} {kind}", steps(stage, kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("method")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.write_text(json.dumps(dict(answers(options.method)), indent=1) + "\n")


if __name__ == "__main__":
    or_one_line(main)

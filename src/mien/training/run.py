"""From a recipe to a run: data, loop, callbacks, resume, and the weights at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.fabric import Fabric
from torch.utils.data import DataLoader

from mien.data.batch import collate
from mien.data.loading import open_renders
from mien.errors import TrainingError
from mien.methods import registry
from mien.methods.fitting import fit
from mien.methods.learnt import Learnt
from mien.methods.strengths import Strengths
from mien.methods.task import MethodTask
from mien.metrics.triples import faces_of
from mien.nn.units import renamed
from mien.training import checkpoint
from mien.training.journal import STATE, Journal
from mien.training.recipe import Recipe, Run, dump
from mien.training.trainer import Stream, Trainer
from mien.types import Faces

FITTED = 16
"""People on whom a method's strengths are fitted, at most."""


def make_task(recipe: Recipe, data: Path) -> MethodTask[Any]:
    """The task of a recipe over the rig shards in `data`."""
    kind = registry.resolve(registry.entry(recipe.method).task)
    task: MethodTask[Any] = kind(recipe.config, data)
    return task


def begin_with(task: MethodTask[Any], weights: Path) -> None:
    """Copy what fits of `weights` into the task's method; TrainingError when nothing does."""
    from mien.nn.tensors import named
    from mien.zoo.records import read_weights

    mine = task.method.state_dict()
    fits = {
        k: v.to(mine[k])
        for k, v in named(renamed(read_weights(weights)[0])).items()
        if k in mine and mine[k].shape == v.shape
    }
    if not fits:
        raise TrainingError(f"{weights} has nothing that fits this method: check --init")
    task.method.load_state_dict(mine | fits)


def seen_in(folder: Path) -> int:
    """Images that the run in `folder` has seen, 0 for a new one."""
    import json

    path = folder / STATE
    if not path.exists():
        return 0
    with checkpoint.opened(path) as (_, meta):
        return int(json.loads(meta["counters"])["seen"])


def changed_in(folder: Path, recipe: Recipe) -> list[str]:
    """The fields of a recipe, `training.images` and the like, that are not what the run in `folder`
    was made with: resumed with these it is no longer the run that one call would have made. Where
    it runs (`run`) does not count.
    """
    try:
        old = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return []
    before, now = _fields(old), _fields(yaml.safe_load(dump(recipe)))
    names = sorted(before.keys() | now.keys())
    return [n for n in names if before.get(n) != now.get(n) and not n.startswith("run.")]


def _fields(values: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings as one, its names joined by points."""
    if not isinstance(values, dict):
        return {path.removesuffix("."): values}
    return {k: v for name in values for k, v in _fields(values[name], f"{path}{name}.").items()}


def train(
    recipe: Recipe, data: Path, out: Path, *, minutes: float | None = None, resume: bool = True,
    init: Path | None = None, progress: bool = True,
) -> Path:  # fmt: skip
    """Run or resume a recipe until its budget (or `minutes`) is spent; returns the weights' path.

    data: folder of rig shards; out: the run's folder (config, log, sheets, state, weights); init:
    weights that a new run begins with, wherever name and shape agree.
    """
    config = recipe.config.training
    started = seen_in(out) if resume else 0
    if not resume and (out / STATE).exists():
        raise TrainingError(f"{out} holds a run already: resume it or choose another --out")
    fabric = launched(recipe.run)
    torch.manual_seed(config.seed)  # of the first weights, the same in every process
    task = make_task(recipe, data)
    if init is not None and not started:
        begin_with(task, init)
    trainer = Trainer(task, config.images, config.seed, fabric)
    if started:
        checkpoint.check(out / STATE, task, trainer.plan)
    journal = Journal(out, task, sheet_minutes=recipe.run.sheet_minutes, minutes=minutes)
    loader = DataLoader(
        task.dataset("train", config.seed),
        batch_size=config.batch,
        sampler=Stream(started, config.images, fabric.global_rank, fabric.world_size),
        num_workers=recipe.run.workers,
        drop_last=True,
        collate_fn=collate,
        persistent_workers=recipe.run.workers > 0,
    )
    # only now: what the user got wrong has been said, and leaves no folder behind
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.yaml").write_text(dump(recipe))
    if started:
        trainer.resume(out / STATE)
    if len(loader):
        trainer.fit(loader, journal)
        journal.write(trainer)
    average = trainer.ema.average
    assert isinstance(average, Learnt)
    task.conclude(average)
    average.strengths = strengths_of(average, data)
    return save_weights(trainer, recipe, out)


def strengths_of(method: Learnt, data: Path) -> Strengths:
    """The strengths of a learnt method, fitted on the validation people who are at rest; none where
    the renders in `data` show nobody so.
    """
    photos = [p for p in open_renders(data, "validation") if p.neutral]
    first = {p.person: p for p in reversed(photos)}
    if not first:
        return {}
    faces = faces_of([(p, 0) for p in list(first.values())[:FITTED]], method.size)
    here = Faces(faces.pixels.to(method.device), faces.landmarks.to(method.device))
    return fit(method.eval(), here)


def launched(run: Run) -> Fabric:
    """The processes of a run, each on a device of its own; all but the first are started here, by
    the command that started this one.
    """
    fabric = Fabric(
        devices=run.devices,
        strategy="ddp" if run.devices > 1 else "auto",
        precision=run.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def save_weights(trainer: Trainer, recipe: Recipe, out: Path) -> Path:
    """The averaged method as fp16 safetensors, its architecture in the metadata."""
    import dataclasses
    import json

    path = out / f"{recipe.method}.safetensors"
    average = trainer.ema.average
    assert isinstance(average, Learnt)
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in average.state_dict().items()}
    meta = {
        "method": recipe.method,
        "architecture": json.dumps(dataclasses.asdict(recipe.config.architecture)),
        "strengths": json.dumps(dict(average.strengths)),
        "images": str(trainer.counters.seen),
    }
    checkpoint.save_tensors(path, {k: torch.as_tensor(v) for k, v in tensors.items()}, meta)
    return path

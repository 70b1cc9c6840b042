"""From a recipe to a method's weights: its stages one after the other, each beginning with the
weights of the one before, and the record of what came of it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import nn

from mien import facs
from mien.data import read_manifest, terms
from mien.data.loading import open_renders
from mien.data.photographs import Photographs, is_manifest, shown
from mien.data.terms import weights_for
from mien.errors import ConfigError, TrainingError, near
from mien.methods import registry
from mien.methods.fitting import fit
from mien.methods.learnt import Learnt
from mien.methods.renamed import arrays_today, recipe_today
from mien.methods.strengths import Strengths
from mien.metrics.triples import faces_of
from mien.nn.phases import Task
from mien.nn.tensors import named
from mien.training.log import LOG
from mien.training.recipe import Stage, dump
from mien.training.run import RECIPE, Budget, rank, run, seen_in
from mien.training.weights import machine, training_sets, write_record, write_weights
from mien.types import Faces
from mien.zoo.records import digest, read_weights

FITTED = 16
"""People on whom a method's strengths are fitted, at most."""


def folder_of(stage: Stage, out: Path) -> Path:
    """Where a stage's run is: the run's folder itself where it is the only one."""
    return out / stage.name if stage.name else out


def train(
    stages: Sequence[Stage], data: Path, out: Path, *, only: str | None = None, command: str = "",
    minutes: float | None = None, resume: bool = True, init: Path | None = None,
) -> Path:  # fmt: skip
    """Go through the stages of a recipe, or on with them; returns the path of the last weights.

    data: folder of rig shards; only: the name of the stage that is run, which begins with what the
    one before it has left; init: weights that the first stage begins with instead of none, wherever
    name and shape agree; minutes: of each stage, at most. Beside the weights lies their record.
    """
    names = [stage.name for stage in stages]
    if only is not None and only not in names:
        if not any(names):
            raise ConfigError("the recipe has one stage, without a name: leave out --stage")
        raise ConfigError(f"the recipe has no stage {only!r}: {near(only, names)}")
    weights = init
    for k, stage in enumerate(stages):
        folder = folder_of(stage, out)
        made = folder / f"{stage.method}.safetensors"
        if only is None or only == stage.name:
            if not (resume and stage.name and finished(stage, folder)):
                first = {"minutes": minutes, "resume": resume, "init": weights}
                seen = train_stage(stage, data, folder, **first)  # type: ignore[arg-type]
                _describe(stages[: k + 1], data, out, command, init)
                if stage.config.training.images - seen >= stage.step:
                    return made  # out of time: the next stage begins with what this one ends with
            if only is not None:
                return made
        weights = made if init is None or only is None else init
    return made


def _describe(
    stages: Sequence[Stage], data: Path, out: Path, command: str, init: Path | None
) -> None:
    """Write the record of the last stage's weights, by the process that wrote them."""
    path = folder_of(stages[-1], out) / f"{stages[-1].method}.safetensors"
    if rank() == 0:
        begun = {} if init is None else {"begun_with": f"{init.name}, SHA-256 {digest(init)}"}
        write_record(path, net_of(stages[-1]), facts(stages, data, out, command) | begun)


def train_stage(
    stage: Stage, data: Path, out: Path, *, minutes: float | None = None, resume: bool = True,
    init: Path | None = None,
) -> int:  # fmt: skip
    """Run or resume one stage, and write its weights; the images that it has seen."""
    t = stage.config.training

    def begin() -> Task[Any]:
        task = make_task(stage, data)
        if init is not None and not (resume and seen_in(out)):
            begin_with(task, init)
        return task

    budget = Budget(t.images, t.batch, t.seed)
    trainer = run(begin, budget, stage.run, out, notes=dump(stage), minutes=minutes, resume=resume)
    average = trainer.ema.average
    if trainer.fabric.is_global_zero:
        trainer.task.conclude(average)
        if isinstance(average, Learnt):
            average.strengths = strengths_of(average, data)
        path = out / f"{stage.method}.safetensors"
        write_weights(path, average, metadata(stage, average, trainer.counters.seen))
    trainer.fabric.barrier()  # what is written is there before anyone goes on
    return trainer.counters.seen


def make_task(stage: Stage, data: Path) -> Task[Any]:
    """The task of a stage over the rig shards in `data`."""
    kind = registry.resolve(registry.trained(stage.method).task)
    task: Task[Any] = kind(stage.config, data)
    return task


def begin_with(task: Task[Any], weights: Path) -> None:
    """Copy what fits of `weights` into what the task keeps; TrainingError when nothing does."""
    mine = task.kept.state_dict()
    fits = {
        k: v.to(mine[k])
        for k, v in named(arrays_today(read_weights(weights)[0])).items()
        if k in mine and mine[k].shape == v.shape
    }
    if not fits:
        raise TrainingError(f"{weights} has nothing that fits: check --init")
    task.kept.load_state_dict(mine | fits)


def finished(stage: Stage, folder: Path) -> bool:
    """Whether the stage's run in `folder` has come to its end, by the same recipe."""
    there = (folder / f"{stage.method}.safetensors").exists()
    left = stage.config.training.images - seen_in(folder)
    return there and left < stage.step and not changed_in(folder, stage)


def changed_in(folder: Path, stage: Stage) -> list[str]:
    """The fields of a stage, `training.images` and the like, that are not what the run in `folder`
    was made with: resumed with these it is no longer the run that one call would have made. Where
    it runs (`run`) does not count.
    """
    try:
        old = yaml.safe_load((folder / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return []
    before, now = (
        _fields(recipe_today(old if isinstance(old, dict) else {}, note=False)),
        _fields(yaml.safe_load(dump(stage))),
    )
    names = sorted(before.keys() | now.keys())
    return [n for n in names if before.get(n) != now.get(n) and not n.startswith("run.")]


def _fields(values: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings as one, its names joined by points."""
    if not isinstance(values, dict):
        return {path.removesuffix("."): values}
    return {k: v for name in values for k, v in _fields(values[name], f"{path}{name}.").items()}


def strengths_of(method: Learnt, data: Path) -> Strengths:
    """The strengths of a learnt method, fitted on the validation people who are at rest; none where
    `data` shows nobody so.
    """
    if is_manifest(data):
        return _fitted(method, neutral_faces(data, method.size))
    photos = [p for p in open_renders(data, "validation") if p.neutral]
    first = {p.person: p for p in reversed(photos)}
    if not first:
        return {}
    return _fitted(method, faces_of([(p, 0) for p in list(first.values())[:FITTED]], method.size))


def neutral_faces(data: Path, size: int) -> Faces[torch.Tensor] | None:
    """Photographs of the first validation people who are at rest; None where nobody is."""
    found = Photographs(data, "validation", size=size, augment=False)
    first: dict[str, int] = {}
    for k in found.labelled.get(facs.EMOTIONS.index("neutral"), []):
        first.setdefault(found.records[k].person, k)
    if not first:
        return None
    still = np.random.default_rng(0)  # draws nothing without augmentation
    each = [shown(found.photograph(k, still)) for k in list(first.values())[:FITTED]]
    return Faces(torch.stack([s.pixels for s in each]), torch.stack([s.landmarks for s in each]))


def _fitted(method: Learnt, faces: Faces[torch.Tensor] | None) -> Strengths:
    if faces is None:
        return {}
    here = Faces(faces.pixels.to(method.device), faces.landmarks.to(method.device))
    return fit(method.eval(), here)


# ---- what is said of the weights -----------------------------------------------------------------


def metadata(stage: Stage, kept: nn.Module, images: int) -> dict[str, str]:
    """What a weights file says of itself, by which a method is built again."""
    said = {
        "method": stage.method,
        "architecture": json.dumps(dataclasses.asdict(stage.config.architecture)),
        "images": str(images),
    }
    if isinstance(kept, Learnt):
        said["strengths"] = json.dumps(dict(kept.strengths))
    return said


def net_of(stage: Stage) -> nn.Module:
    """What a stage trains, untrained."""
    row = registry.trained(stage.method)
    net: nn.Module = registry.resolve(row.method)(stage.config.architecture)
    return net


def facts(stages: Sequence[Stage], data: Path, out: Path, command: str) -> dict[str, Any]:
    """The record of a method's weights, but for what any weights' record says."""
    sets, people = learnt_from(data)
    rows = [_row(s, folder_of(s, out)) for s in stages if (folder_of(s, out) / LOG).exists()]
    last = stages[-1]
    return {
        "what": f"{registry.trained(last.method).makes} at {last.config.architecture.size} px",
        "training_sets": sets,
        "may_be_used_for": weights_for(sets),
        "training_people": f"{len(people)}, those whose split is train, see mien.data.split",
        "people": people,
        "command": command,
        "stages": rows,
        "images": sum(row["images"] for row in rows),
        "hours": round(sum(row["hours"] for row in rows), 2),
        "hardware": machine(),
        "seed": last.config.training.seed,
        "validation": rows[-1]["validation"],
    }


def learnt_from(data: Path) -> tuple[list[dict[str, str]], list[str]]:
    """The sets that training data come from, with their terms, and the people who are learnt."""
    if is_manifest(data):
        records = [r for r in read_manifest(data) if r.split == "train"]
        return terms.training_sets(records), sorted({r.person for r in records})
    people = sorted({p.person for p in open_renders(data, "train")})
    return training_sets(people), people


def _row(stage: Stage, folder: Path) -> dict[str, Any]:
    """What a stage was: its budget, and its last numbers on validation people."""
    final = json.loads((folder / LOG).read_text(encoding="utf-8").splitlines()[-1])
    counted = ("seen", "seconds")
    return {
        "name": stage.name,
        "images": final["seen"],
        "batch": stage.config.training.batch,
        "processes": stage.run.devices,
        "hours": round(final["seconds"] / 3600, 3),
        "validation": {k: v for k, v in final.items() if "/" not in k and k not in counted},
    }

"""The whole state of a run in one safetensors file, so that resuming is exact and no pickle is ever
read.

Holds the task's weights, the average, every optimiser's moments, the random state and the counters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.errors import TrainingError
from mien.files import replacing


@dataclass
class Counters:
    """What is counted: images seen, batches, discriminator steps and the like by name."""

    seen: int = 0
    batches: int = 0
    seconds: float = 0.0


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file whole or not at all."""
    with replacing(path) as part:
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, part, dict(metadata))


def _optimizer_tensors(optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    out = {}
    for o, optimizer in enumerate(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                out[f"optimizer.{o}.{index}.{name}"] = torch.as_tensor(value)
    return out


def save(
    path: Path,
    task: nn.Module,
    average: nn.Module,
    optimizers: Sequence[Optimizer],
    counters: Counters,
    extra: Mapping[str, int],
) -> None:
    """Write the state of a run; refuses weights that are not finite."""
    tensors = {f"task.{k}": v for k, v in task.state_dict().items()}
    if not all(bool(torch.isfinite(v).all()) for v in tensors.values() if v.is_floating_point()):
        raise TrainingError("the weights are not finite: the last good state on disk is kept")
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    tensors |= _optimizer_tensors(optimizers)
    tensors["rng"] = torch.get_rng_state()
    meta = {"counters": json.dumps(vars(counters)), "extra": json.dumps(dict(extra))}
    save_tensors(path, tensors, meta)


def load(
    path: Path, task: nn.Module, average: nn.Module, optimizers: Sequence[Optimizer]
) -> tuple[Counters, dict[str, int]]:
    """Bring a run back to where `save` left it."""
    with safe_open(path, framework="pt") as f:
        meta = f.metadata()
        tensors = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 (not a dict)
    part = {
        prefix: {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        for prefix in ("task.", "average.")
    }
    try:
        task.load_state_dict(part["task."])
        average.load_state_dict(part["average."])
    except RuntimeError:
        raise TrainingError(
            f"{path} was made with another architecture: choose another --out folder"
        ) from None
    for o, optimizer in enumerate(optimizers):
        whole = optimizer.state_dict()
        whole["state"] = {}
        for name, value in tensors.items():
            if name.startswith(f"optimizer.{o}."):
                _, _, index, key = name.split(".", 3)
                whole["state"].setdefault(int(index), {})[key] = value
        optimizer.load_state_dict(whole)
    torch.set_rng_state(tensors["rng"])
    return Counters(**json.loads(meta["counters"])), json.loads(meta["extra"])

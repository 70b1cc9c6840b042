"""The whole state of a run in one safetensors file, so that resuming is exact and no pickle is ever
read.

Holds the task's weights, the average, every optimiser's moments and the counters.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as saved
from torch import Tensor, nn
from torch.optim import Optimizer

from mien.errors import TrainingError
from mien.files import replacing
from mien.methods.renamed import arrays_today


@dataclass
class Counters:
    """What is counted: images seen, batches, discriminator steps and the like by name."""

    seen: int = 0
    batches: int = 0
    seconds: float = 0.0


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file whole or not at all; the same tensors and facts, the same bytes."""
    content = saved({k: v.contiguous().clone() for k, v in tensors.items()}, dict(metadata))
    with replacing(path) as part:
        part.write_bytes(_in_order(content))


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its metadata by name: the library writes them in any order, by which
    a training that is run twice would have two hashes.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin where they may be mapped
    return len(text).to_bytes(8, "little") + text + content[start:]


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
    plan: str = "",
    extra: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Write the state of a run; refuses weights that are not finite.

    plan: the phases in words, which `check` compares.
    """
    tensors = {f"task.{k}": v for k, v in task.state_dict().items()}
    if not all(bool(torch.isfinite(v).all()) for v in tensors.values() if v.is_floating_point()):
        raise TrainingError("the weights are not finite: the last good state on disk is kept")
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    tensors |= _optimizer_tensors(optimizers)
    meta = {"counters": json.dumps(vars(counters)), "extra": json.dumps(dict(extra))}
    meta["plan"] = plan
    save_tensors(path, tensors, meta)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Any, dict[str, str]]]:
    """A state's tensors by name, unread, and what stands beside them; TrainingError for a file that
    is no state.
    """
    try:
        with safe_open(path, framework="pt") as file:
            meta = file.metadata() or {}
            json.loads(meta["counters"])["seen"]
            yield file, meta
    except (SafetensorError, OSError, KeyError, ValueError, TypeError):
        raise TrainingError(
            f"{path} is damaged or no state of a run: delete it, or choose another --out folder"
        ) from None


def check(path: Path, task: nn.Module, plan: str) -> None:
    """TrainingError unless a run with these weights and phases left the state; nothing is read but
    names and shapes.
    """
    with opened(path) as (file, meta):
        there = arrays_today(
            {
                name: tuple(file.get_slice(name).get_shape())
                for name in file.keys()  # noqa: SIM118 (not a dict)
                if name.startswith("task.")
            }
        )
        kept = meta.get("plan") or plan
    if there != {f"task.{name}": tuple(value.shape) for name, value in task.state_dict().items()}:
        raise TrainingError(
            f"{path} was made with another architecture: choose another --out folder"
        )
    if kept != plan:
        raise TrainingError(
            f"{path} was made with other stages, which begin and end elsewhere: give "
            "training.images and what else decides them as they were, or choose another --out"
        )


def load(
    path: Path, task: nn.Module, average: nn.Module, optimizers: Sequence[Optimizer]
) -> tuple[Counters, dict[str, int]]:
    """Bring a run back to where `save` left it."""
    with opened(path) as (file, meta):
        names = file.keys()  # it is no mapping
        tensors = arrays_today({name: file.get_tensor(name) for name in names})
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
    return Counters(**json.loads(meta["counters"])), json.loads(meta["extra"])

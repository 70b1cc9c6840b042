"""What an edit costs: parameters, arithmetic, time, memory. Apart from the quality, since time
differs from run to run.
"""

from __future__ import annotations

import multiprocessing
import re
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mien.faces.align import template
from mien.guides import Label
from mien.methods.learnt import Learnt
from mien.methods.registry import OWN, load
from mien.types import Faces

_WARM_UP, _REPEATS = 2, 12


@dataclass(frozen=True)
class Cost:
    """Of one edit of one face by label, on the CPU."""

    parameters: int
    gmac: float
    """10^9 multiply-adds of convolutions and matrix products, as torch counts them."""
    milliseconds: float
    """Median of `_REPEATS` edits after `_WARM_UP`."""
    slowest: float
    """Milliseconds of the slowest of them."""
    peak_mb: float
    """Largest resident size of a fresh process that edits one face, Python and torch included."""
    threads: int


def cost(name: str, weights: Path | None) -> Cost:
    """Of a method, measured in a process of its own, so that nothing else weighs in."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_in_this_process, name, weights).result()


def _in_this_process(name: str, weights: Path | None) -> Cost:
    method = load(name, weights)
    assert isinstance(method, Learnt)
    method.drawn_by = OWN  # its networks; what the face model's drawing costs is another question
    edit(method, _face(method.size))
    peak = peak_mb()
    parameters, gmac = arithmetic(method)
    times = []
    for k in range(_WARM_UP + _REPEATS):
        face = _face(method.size, k + 1)  # of a face that it knows already a method remembers much
        began = time.perf_counter()
        edit(method, face)
        if k >= _WARM_UP:
            times.append(1000 * (time.perf_counter() - began))
    return Cost(
        parameters, gmac, round(statistics.median(times), 2), round(max(times), 2), round(peak, 1),
        torch.get_num_threads(),
    )  # fmt: skip


def arithmetic(method: Learnt) -> tuple[int, float]:
    """Parameters, and 10^9 multiply-adds of one edit by label."""
    counter = FlopCounterMode(display=False)
    with counter:
        edit(method, _face(method.size, -1))
    parameters = sum(p.numel() for p in method.parameters())
    return parameters, round(counter.get_total_flops() / 2e9, 4)


def edit(method: Learnt, face: Faces[Tensor]) -> None:
    """What is timed: a happier face, from crop to crop."""
    method.generate(face, Label("happy"))


def _face(size: int, seed: int = 0) -> Faces[Tensor]:
    landmarks = torch.from_numpy(template(size))[None]
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))
    return Faces(pixels * 2 - 1, landmarks)


def peak_mb() -> float:
    """Largest resident size of this process so far, MB; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux's getrusage counts the process that started this one too
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        return int(found[1]) * 1024 / 1e6 if found else 0.0
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)

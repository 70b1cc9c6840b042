"""The networks by each runtime in one run: torch, the way an edit does, ONNX Runtime, OpenVINO.

`pip install '.[export]' openvino`, then `mien bench runtimes -o runtimes.json`. One
thread each; a round times every runtime once, so that a busy neighbour meets all of them; quartiles
over rounds, ms.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import util
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from mien.bench.answers import conditions, write
from mien.bench.options import Out
from mien.export import NAMES, Part, parts_of
from mien.export.write import compared, export, runner
from mien.faces import blazeface, landmark_maps, landmarks
from mien.images import to_uint8
from mien.methods import reader

Run = Callable[[], object]


def by_mien(part: Part, given: dict[str, np.ndarray]) -> Run | None:
    """mien's own arithmetic (numpy; OpenCV's runtime for the landmarks), where an edit uses it: one
    picture at a time."""
    runs: dict[str, Callable[[np.ndarray], object]] = {
        "detector": blazeface.look,
        "landmarks": lambda crop: landmark_maps.places(crop[None], landmarks._shipped()),
        "reader": reader.read,
    }
    if part.name not in runs:
        return None
    crops, run = to_uint8(given["pixels"]), runs[part.name]
    return lambda: [run(crop) for crop in crops]


def by_openvino(path: Path, given: dict[str, np.ndarray], precision: str) -> Run:
    """The network by OpenVINO, on one thread."""
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(path), "CPU",
        {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision},
    )  # fmt: skip
    return lambda: compiled(given)


def timed(runs: dict[str, Run], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each, in turn: quartiles."""
    for run in runs.values():
        run()
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            found[name].append(1e3 * (time.perf_counter() - began))
    parts = {name: np.percentile(v, (25, 50, 75)).round(3).tolist() for name, v in found.items()}
    return {name: dict(zip(("q1", "median", "q3"), v, strict=True)) for name, v in parts.items()}


def imports(modules: tuple[str, ...]) -> dict[str, float]:
    """Processor seconds that importing each takes in a process of its own, the least of five."""
    import resource

    out = {}
    for module in modules:
        if util.find_spec(module) is None:
            continue
        least = float("inf")
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            least = min(least, spent)
        out[module] = round(least, 3)
    return out


def graphs(name: str, folder: Path) -> list[tuple[Part, Path]]:
    """The parts of a name and their files, which are made unless they are there."""
    parts = [(part, folder / f"{part.name}.onnx") for part in parts_of(name)]
    if not all(path.exists() for _, path in parts):
        export(name, folder)
    return parts


def runs_of(part: Part, path: Path, given: dict[str, np.ndarray]) -> dict[str, Run]:
    """By runtime, the network on one batch."""
    session = runner(path)
    runs: dict[str, Run] = {
        "torch": partial(part.run, given),
        "onnxruntime": partial(session.run, None, given),
    }
    if (ours := by_mien(part, given)) is not None:
        runs["mien"] = ours
    if util.find_spec("openvino") is not None:
        runs["openvino"] = by_openvino(path, given, "f32")
        runs["openvino bf16"] = by_openvino(path, given, "bf16")
    return runs


def command(
    out: Out,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="What to export and time (default: all)."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often everything is timed.")] = 15,
    batch: Annotated[int, typer.Option(help="Faces at a time.")] = 1,
    place: Annotated[
        Path | None, typer.Option("--graphs", help="Where files are kept for the next time.")
    ] = None,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    table = {}
    with tempfile.TemporaryDirectory() as passing:
        for name in names or NAMES:
            for part, path in graphs(name, (place or Path(passing)) / name):
                given = part.sample(batch)
                off, levels = compared(part, path)
                took = timed(runs_of(part, path, given), rounds)
                row = {"off": off, "levels": levels, "ms": took}
                table[f"{name}/{part.name}"] = row
                print(
                    f"{name}/{part.name}",
                    {k: v["median"] for k, v in took.items()},
                    flush=True,
                )
    facts = {
        **conditions(),
        "load": os.getloadavg(), "cores": os.cpu_count(),
        "import_seconds": imports(("numpy", "torch", "onnxruntime", "openvino")),
        "networks": table,
    }  # fmt: skip
    write(out, facts, say=False)

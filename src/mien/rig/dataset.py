"""Training data: every photograph in some forty expressions, one file each.

A *shard* is `<out>/<split>/<photo>.safetensors`. State 0 is the photograph itself; the others are
rows of the shared list in `expressions.safetensors`. A shard is written whole or not at all, so a
killed run goes on where it stopped, and its bytes depend on the seed and the photograph alone, not
on how many workers made it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from safetensors.numpy import save

from mien.errors import DataError
from mien.rig.arrays import Float, Int, UInt8
from mien.rig.expressions import choose_states, expression_list
from mien.rig.mesh import FaceModel
from mien.rig.render import Render, Rig, shrink_flow
from mien.rig.sampling import shrink

WORST_FIT = 0.032
"""Fits with a larger mean error, in distances of the outer eye corners, are refused: their renders
would not show the units that they are labelled with."""
REPORT = "report.json"
EXPRESSIONS = "expressions.safetensors"


@dataclass(frozen=True)
class Source:
    """A photograph to animate.

    crop uint8 (320, 320, 3) RGB; landmarks (68, 2) in its pixels; neutral: the person was asked for
    no expression;
    split: train, validation or test; origin: the data set.
    """

    person: str
    photo: str
    split: str
    crop: UInt8
    landmarks: Float
    neutral: bool
    licence: str
    origin: str = ""

    def shard(self, out: Path) -> Path:
        """Where this photograph's states go."""
        return out / self.split / f"{self.photo.replace('/', '-')}.safetensors"


@dataclass(frozen=True)
class Outcome:
    """What became of a photograph: `status` is written, kept (it was there) or refused; error in
    eye distances."""

    photo: str
    status: str
    error: float | None = None


def render_dataset(
    model: FaceModel,
    sources: Sequence[Source],
    out: Path,
    *,
    states: int = 40,
    size: int = 160,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> list[Outcome]:
    """Render `sources` into shards under `out`; finished shards are kept.

    `states` per photograph, the first being itself; `size` px; `workers` processes (default: all
    cores; 1 stays in this one). With more than one worker the calling script needs the usual `if
    __name__ == "__main__"`.

    Raises:
        DataError: `out` holds renders of another seed, size or number of states.
    """
    _claim(out, {"states": states, "size": size, "seed": seed})
    jobs = [(source, out, states, size, seed) for source in sources]
    doubles = len(jobs) - len({job[0].shard(out) for job in jobs})
    if doubles:
        raise DataError(f"{doubles} photographs share their name with another: rename them")
    running = _run(model, jobs, workers or os.cpu_count() or 1)
    outcomes = list(track(running, "rendering", len(jobs), disable=not progress))
    report = {
        "photographs": len(outcomes),
        **{s: sum(o.status == s for o in outcomes) for s in ("written", "kept", "refused")},
        "worst_fit": WORST_FIT,
        "refused_photos": [asdict(o) for o in outcomes if o.status == "refused"],
    }
    _write(out / REPORT, json.dumps(report, indent=1).encode())
    return outcomes


def states_of(rig: Rig, rows: Int, expressions: Float, size: int) -> dict[str, NDArray[np.generic]]:
    """The arrays of a shard: the photograph itself, then `rows` of `expressions` (E, 47)."""
    shown = [(rig.units, rig.original(size))]
    shown += [(expressions[row], rig.render(expressions[row], size)) for row in rows]
    small = [_halved(render) for _, render in shown]
    return {
        "images": np.stack([r.image for _, r in shown]),
        "units": np.stack([u for u, _ in shown]).astype(np.float32),
        "expression": np.concatenate([[-1], rows]).astype(np.int32),
        "landmarks": np.stack([r.landmarks for _, r in shown]).astype(np.float32),
        "flow": np.stack([flow for flow, _, _ in small]).astype(np.float16),
        "visibility": np.stack([_byte(seen) for _, seen, _ in small]),
        "mouth": np.stack([_byte(mouth) for _, _, mouth in small]),
    }


def _halved(render: Render) -> tuple[Float, Float, Float]:
    side = len(render.image) // 2
    flow, seen = shrink_flow(render.flow, render.visibility, 2)
    return flow, seen, shrink(render.mouth, side)


def _byte(share: Float) -> UInt8:
    return np.round(share * 255).astype(np.uint8)


_Job = tuple[Source, Path, int, int, int]


def _render_one(model: FaceModel, job: _Job) -> Outcome:
    source, out, states, size, seed = job
    path = source.shard(out)
    if path.is_file():
        return Outcome(source.photo, "kept")
    rig = Rig(model, source.crop, source.landmarks, source.neutral)
    error = round(rig.fit.relative_error, 4)
    if error > WORST_FIT:
        return Outcome(source.photo, "refused", error)
    rows = choose_states(seed, source.photo, states - 1)
    metadata = {
        "person": source.person,
        "photo": source.photo,
        "split": source.split,
        "licence": source.licence,
        "source": source.origin,
        "seed": seed,
        "neutral": source.neutral,
        "fit_error": error,
    }
    arrays = states_of(rig, rows, expression_list(seed), size)
    _write(path, save(arrays, {"mien": json.dumps(metadata, sort_keys=True)}))
    return Outcome(source.photo, "written", error)


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: written beside, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def _claim(out: Path, settings: dict[str, int]) -> None:
    """Write the shared list, or check that it is the one that `out` was begun with."""
    path = out / EXPRESSIONS
    wanted = save({"units": expression_list(settings["seed"])}, {"mien": json.dumps(settings)})
    if path.is_file() and path.read_bytes() != wanted:
        raise DataError(
            f"{out} holds renders made with other settings: choose another folder or remove it"
        )
    _write(path, wanted)


def _run(model: FaceModel, jobs: Sequence[_Job], workers: int) -> Iterator[Outcome]:
    """Outcomes of `jobs`, in their order."""
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from (_render_one(model, job) for job in jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _start, (model,)) as pool:
        yield from pool.imap(_work, jobs)


_model: list[FaceModel] = []
"""A worker process's face model: handed over once, not with every job."""


def _start(model: FaceModel) -> None:
    cv2.setNumThreads(1)
    _model[:] = [model]


def _work(job: _Job) -> Outcome:
    return _render_one(_model[0], job)

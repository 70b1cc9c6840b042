"""What an edit may cost, and what it costs: everything that has a bar of speed, in one run.

    mien bench budget -o OUT
    mien bench budget --checkouts CHECKOUTS -o OUT   # beside StarGAN v2, LivePortrait

Photographs are bundled samples, enlarged. Rows that are compared are timed in turn, once a round,
so that a busy neighbour meets all of them. Wall time and processor time, both as medians with
quartiles: where they differ, either two threads were at work (processor time is larger) or the
machine was busy (wall time is). The load average is given before and after. Peers have random
weights, which time does not know. About three minutes on two idle cores. How methods compare from
crop to crop, with their parameters and arithmetic, is the question of `mien bench speed`; this
is the product's.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import av
import cv2
import numpy as np
import typer

import mien
from mien import images
from mien.bench.answers import conditions, write_both
from mien.bench.films.video import moving
from mien.bench.options import OutFolder
from mien.editor import Editor
from mien.faces import align
from mien.faces.detect import detect
from mien.guides import Label
from mien.metrics.table import markdown
from mien.types import Faces, Float, UInt8
from mien.zoo.samples import samples

PORTRAIT, LARGE = 1350, 3464
"""Sides of photographs: as the London set's, and twelve megapixels."""
FURTHEST = 60.0
"""How far a photograph is shifted at most, px."""
LABELS = ("happy", "surprise", "anger", "sad")


@dataclass(frozen=True)
class Cost:
    """Seconds over rounds, of the clock on the wall and of all processors; `limit` is the bar of
    the wall's."""

    wall: tuple[float, float, float]
    processor: tuple[float, float, float]
    limit: float | None = None


class Rows:
    """What is timed, in turn."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}

    def time(
        self,
        calls: Mapping[str, Callable[[], object]],
        rounds: int,
        limits: Mapping[str, float] | None = None,
        usage: int = resource.RUSAGE_SELF,
    ) -> None:
        """Each call once a round, after one that does not count."""
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
        for k in range(rounds + 1):
            for name, call in calls.items():
                began, spent = time.perf_counter(), _processor(usage)
                call()
                cost = time.perf_counter() - began, _processor(usage) - spent
                if k:
                    taken[name].append(cost)
        for name, each in taken.items():
            wall, processor = (_quartiles(column) for column in zip(*each, strict=True))
            self.costs[name] = Cost(wall, processor, (limits or {}).get(name))
            print(f"{name}: {wall[1]:.3f} s", file=sys.stderr, flush=True)


def _processor(usage: int) -> float:
    spent = resource.getrusage(usage)
    return spent.ru_utime + spent.ru_stime


def _quartiles(values: tuple[float, ...]) -> tuple[float, float, float]:
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return round(lower, 5), round(median, 5), round(upper, 5)


def photographs(side: int, count: int, first: int = 0) -> list[UInt8]:
    """Samples at `side` px, each shifted a little, so that none was seen before: `count` from the
    `first` on of as many as are wanted."""
    faces = [images.read(path).pixels for path in samples().values()]
    out = []
    for k in range(first, first + count):
        face, along, down = faces[k % len(faces)], 0.37 * k % FURTHEST, 0.21 * k % FURTHEST
        matrix = np.array([[side / len(face), 0, along], [0, side / len(face), down]])
        seen = cv2.warpAffine(
            face, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        out.append(np.asarray(seen, np.uint8))
    return out


def edited(editor: Editor, pixels: UInt8, label: str) -> UInt8:
    """Found, drawn, pasted and marked; not encoded."""
    return editor.edit(pixels, Label(label)).marked.pixels


def edits(rows: Rows, editor: Editor, rounds: int) -> None:
    """Photographs that were never seen, and one that was edited a moment ago."""
    for side, limit, what in ((PORTRAIT, 0.15, f"{PORTRAIT} px"), (LARGE, 0.6, "12 megapixels")):
        fresh = iter(photographs(side, rounds + 2))
        known, labels = next(fresh), iter(LABELS * (rounds + 1))
        edited(editor, known, "happy")
        new, again = f"warm edit, {what}, a new face", f"warm edit, {what}, a face known"
        rows.time(
            {
                new: lambda f=fresh: edited(editor, next(f), "happy"),  # type: ignore[misc]
                again: lambda p=known, w=labels: edited(editor, p, next(w)),  # type: ignore[misc]
            },
            rounds,
            {new: limit, again: limit},
        )


def cold(rows: Rows, folder: Path, rounds: int) -> None:
    """`mien edit` from its start to its end."""
    photo = folder / "photo.jpg"
    images.store(photo, images.encode(images.photograph(photographs(PORTRAIT, 1)[0]), ".jpg"))
    words = [sys.executable, "-m", "mien.cli.main", "edit", str(photo), "--to", "happy"]
    call = partial(
        subprocess.run,
        [*words, "-o", str(folder / "out.jpg"), "--force"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    name = "mien edit, from its start"
    rows.time({name: call}, rounds, {name: 1.5}, resource.RUSAGE_CHILDREN)


@contextmanager
def single() -> Iterator[None]:
    """One thread for OpenCV and for what mien does side by side."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def faces(rows: Rows, editor: Editor, rounds: int, checkouts: Path | None) -> None:
    """A face drawn at 256 px on one core, alone and beside the generators of peers."""
    pixels = photographs(600, 1)[0]
    face = align.align(pixels, detect(pixels)[0], 256)
    batch, labels = Faces.stack([face]), iter(LABELS * (rounds + 1))
    held = editor.method.fits(batch)
    calls: dict[str, Callable[[], object]] = {
        "a face drawn, 256 px, one core": lambda: editor.method.edit(batch, Label(next(labels)))
    }
    if checkouts is not None:
        calls |= generators(checkouts, 256)
    with single():
        rows.time(calls, rounds, {"a face drawn, 256 px, one core": 1 / 60})
    del held


def generators(checkouts: Path, size: int) -> dict[str, Callable[[], object]]:
    """Peers' generators with random weights, one face, one thread."""
    import torch

    from mien.bench.peers import liveportrait
    from mien.bench.peers.base import Plan
    from mien.bench.peers.run import PEERS, quietly

    torch.set_num_threads(1)
    kind = PEERS["starganv2"]
    peer = quietly(kind, checkouts / kind.facts.folder, Plan(size, 1, 1))
    star = peer.row().to("cpu").eval().requires_grad_(False)
    moving = liveportrait.random_row(checkouts / liveportrait.FACTS.folder, size)
    seen = torch.rand(1, 3, size, size) * 2 - 1
    face = Faces(seen, torch.from_numpy(align.template(size))[None])
    style = star.from_labels(torch.tensor([1]))
    code = moving.encode(face)
    identities = star.identity(face), moving.identity(face)
    runs = torch.inference_mode()
    return {
        f"StarGAN v2's generator, {size} px": runs(lambda: star.compose(identities[0], style)),
        "LivePortrait, 256 px in, 512 px out": runs(lambda: moving.compose(identities[1], code)),
    }


def slider(rows: Rows, editor: Editor, rounds: int) -> int:
    """A step of a slider in the studio while it is moved: what the server does between the event
    and the answer; returns the bytes of its picture, at most."""
    from mien.guides import ExpressionSpec
    from mien.server.sitting import Sitting
    from mien.server.wish import Wish
    from mien.studio.rendering import picture

    sitting, sent = Sitting(images.photograph(photographs(PORTRAIT, 1)[0]), editor), [0]
    steps = iter(np.linspace(0.2, 1.0, rounds + 2))

    def step() -> None:
        strength = round(float(next(steps)), 3)
        sitting.wear(Wish("happy", strength, ExpressionSpec(to="happy")))
        sent[0] = max(sent[0], len(picture(sitting.preview(live=True))))

    name = "a slider's step in the studio"
    rows.time({name: step}, rounds, {name: 0.06})
    return sent[0]


def film(editor: Editor, folder: Path, frames: int) -> dict[str, float]:
    """A film of 640 x 480 with one face, from its file to the edited one: frames a second, and
    processor seconds a frame."""
    from mien.video.driving import Constant
    from mien.video.film import edit_film
    from mien.video.reading import look

    path = swaying(folder / "film.mp4", frames)
    began, spent = time.perf_counter(), _processor(resource.RUSAGE_SELF)
    edit_film(editor, look(path), folder / "edited.mp4", Constant(Label("happy")))
    took = time.perf_counter() - began
    each = (_processor(resource.RUSAGE_SELF) - spent) / frames
    return {"frames a second": round(frames / took, 2), "processor seconds a frame": round(each, 4)}


def swaying(path: Path, frames: int) -> Path:
    """A sample's head that sways before a wall, with a camera's noise."""
    size = width, height = 640, 480
    poses: list[Float] = []
    for time_ in np.arange(frames) / 25:
        scale = 0.62 + 0.06 * np.sin(0.5 * time_)
        matrix = cv2.getRotationMatrix2D((300, 300), 4 * np.sin(1.1 * time_), scale)
        matrix[:, 2] += (20 + 40 * np.sin(0.7 * time_), -60 + 15 * np.sin(1.3 * time_))
        poses.append(np.asarray(matrix, np.float32))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for pixels in moving(size, poses):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


CURVE = """
import os, sys, cv2, numpy as np, mien
from mien import heap, images
from mien.zoo.samples import samples
heap.share()
editor, side, count = mien.Editor(mien.load()), int(sys.argv[1]), int(sys.argv[2])
faces = [images.read(path).pixels for path in samples().values()]
for k in range(count):
    face = faces[k % len(faces)]
    along, down = 0.37 * k % 60, 0.21 * k % 60
    matrix = np.array([[side / len(face), 0, along], [0, side / len(face), down]])
    pixels = cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)
    editor.edit(pixels, mien.Label("happy")).marked
    with open("/proc/self/statm") as statm:
        print(int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, flush=True)
"""


def memory(count: int) -> list[float]:
    """MB of a process of its own, with nothing that only measures and with the heap of
    `mien edit`, after each of so many photographs, none of which was seen before."""
    words = [sys.executable, "-c", CURVE, str(PORTRAIT), str(count)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return [round(float(line), 1) for line in done.stdout.split()]


def table(costs: Mapping[str, Cost]) -> str:
    """Bars and costs in Markdown."""

    def cells(name: str, cost: Cost) -> dict[str, str]:
        lower, median, upper = (1000 * v for v in cost.wall)
        return {
            "": name,
            "bar, ms": "" if cost.limit is None else f"{1000 * cost.limit:.0f}",
            "ms": f"{median:.0f}",
            "quartiles": f"{lower:.0f} to {upper:.0f}",
            "processor, ms": f"{1000 * cost.processor[1]:.0f}",
        }

    head = ["", "bar, ms", "ms", "quartiles", "processor, ms"]
    return markdown(head, [cells(name, cost) for name, cost in costs.items()])


def command(
    out: OutFolder,
    checkouts: Annotated[Path | None, typer.Option(help="Folder of clones of peers' code.")] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Of the clock.")] = 9,
    frames: Annotated[int, typer.Option(help="Of the film.")] = 150,
    curve: Annotated[
        int, typer.Option("--photographs", min=1, help="Of the curve of memory.")
    ] = 12,
) -> None:
    """Measure, and write the answer."""
    before, rows, editor = os.getloadavg(), Rows(), Editor(mien.load())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cold(rows, folder, rounds)
        edits(rows, editor, rounds)
        sent = slider(rows, editor, rounds)
        moving = film(editor, folder, frames)
    faces(rows, editor, rounds, checkouts)
    about = conditions()
    about["machine"] |= {"load_before": before, "load_after": os.getloadavg()}
    about |= {
        "seconds": {name: asdict(cost) for name, cost in rows.costs.items()},
        "film_640x480": moving, "slider_bytes": sent,
        "resident_mb": memory(curve),
    }  # fmt: skip
    text = table(rows.costs)
    text += f"\nFilm, 640 x 480: {moving}\nA slider's step sends {sent} bytes\n"
    text += f"Memory, MB, after each photograph: {about['resident_mb']}\n"
    text += f"Load average before {before}, after {os.getloadavg()}\n"
    write_both(out, "budget", about, text)

"""How long methods take, side by side: mien's networks, public peers, LivePortrait.

    mien bench speed -o OUT
    mien bench speed --checkouts CHECKOUTS --threads 1 -o OUT

Every row is timed once a round, one after the other, so that whatever else the machine does falls
on all alike; ratios are taken within a round. Peers have random weights, which time does not know.
What the product costs, beside its bars, is the question of `mien bench budget`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from mien import images
from mien.bench.answers import conditions, write_both
from mien.bench.networks import network
from mien.bench.options import OutFolder
from mien.bench.peers import liveportrait
from mien.bench.peers.base import PeerMethod, Plan
from mien.bench.peers.run import PEERS, quietly
from mien.editor import Editor
from mien.errors import MienError
from mien.faces.align import template
from mien.guides import Guide, Label, Reference
from mien.methods.base import Method
from mien.methods.learnt import Learnt
from mien.methods.registry import DEFAULT, METHODS, load
from mien.metrics.table import markdown
from mien.types import Faces
from mien.zoo.records import records
from mien.zoo.samples import samples

WARM_UP, ROUNDS = 2, 15


@dataclass(frozen=True)
class Row:
    """A method and what it is asked; `size` is the side that it works at, px."""

    method: Learnt
    guide: Guide
    size: int
    note: str = ""

    @torch.no_grad()
    def run(self, face: Faces[Tensor]) -> None:
        """An edit; a peer is spared the look at the face's own expression, which it never takes."""
        if isinstance(self.method, PeerMethod):
            identity = self.method.identity(face)
            self.method.decode(identity, self.method.expression(self.guide, face))
        else:
            self.method.generate(face, self.guide)


@dataclass(frozen=True)
class Spread:
    """Milliseconds over rounds; `ratio` is to the first row, the median over rounds."""

    median: float
    lower: float
    upper: float
    slowest: float
    ratio: float


def face_of(size: int, seed: int = 0) -> Faces[Tensor]:
    """Noise where a face might be: time does not know."""
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))
    return Faces(pixels * 2 - 1, torch.from_numpy(template(size))[None])


def rows(
    methods: Sequence[str], checkouts: Path | None, size: int
) -> tuple[dict[str, Row], dict[str, str]]:
    """What is timed from crop to crop, mien's methods first; and what is not, with the reason."""
    found = {name: Row(m := network(name), Label("happy"), m.size) for name in methods}
    skipped: dict[str, str] = {}
    for name, kind in PEERS.items():
        if checkouts is None:
            skipped[name] = "no --checkouts given"
            continue
        try:
            peer = quietly(kind, checkouts / kind.facts.folder, Plan(size, 1, 1))
            row = peer.row().to("cpu").eval().requires_grad_(False)
            found[name] = Row(row, Label("happy"), size, "random weights")
        except MienError as error:
            skipped[name] = str(error)
    name = liveportrait.FACTS.name
    try:
        if checkouts is None:
            raise MienError("no --checkouts given")
        moving = liveportrait.random_row(checkouts / liveportrait.FACTS.folder, size)
        note = "random weights; sees 256 px, answers at 512 px"
        found[name] = Row(moving, Reference(face_of(size, 1)), size, note)
    except MienError as error:
        skipped[name] = str(error)
    return found, skipped


def timed(calls: Mapping[str, Callable[[], Any]], rounds: int, warm_up: int) -> dict[str, Spread]:
    """Each call once a round, in turn."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(warm_up + rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if k >= warm_up:
                taken[name].append(1000 * (time.perf_counter() - began))
    return spreads(taken)


def spreads(taken: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """Quartiles of each row, and its ratio to the first."""
    first = next(iter(taken.values()))
    out = {}
    for name, each in taken.items():
        lower, median, upper = statistics.quantiles(each, n=4, method="inclusive")
        ratio = statistics.median(a / b for a, b in zip(each, first, strict=True))
        values = (median, lower, upper, max(each), ratio)
        out[name] = Spread(*(round(v, 3) for v in values))
    return out


def cold(method: str, folder: Path) -> None:
    """`mien edit` of a sample photograph in a process of its own, up to the file in `folder`."""
    words = [str(samples()["anna"]), "--to", "happy", "--method", method, "-o"]
    subprocess.run(
        [sys.executable, "-m", "mien.cli.main", "edit", *words, str(folder / f"{method}.png")],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def processes(methods: Sequence[str], rounds: int) -> dict[str, Spread]:
    """Whole processes that edit one photograph by each method, in turn; nothing for no rounds."""
    if not rounds:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        calls = {name: lambda n=name: cold(n, Path(folder)) for name in methods}
        return timed(calls, rounds, 1)


def stages(method: Method[Any], rounds: int, warm_up: int) -> dict[str, Spread]:
    """The stages of `mien edit` on a sample photograph, as the editor itself takes the time."""
    photo = images.read(samples()["anna"])
    editor = Editor(method)
    taken: dict[str, list[float]] = {}
    for k in range(warm_up + rounds):
        result = editor.edit(photo, Label("happy"))
        whole = {"whole edit": sum(result.seconds.values()), **result.seconds}
        for name, seconds in whole.items() if k >= warm_up else ():
            taken.setdefault(name, []).append(1000 * seconds)
    return spreads(taken)


def arithmetic(row: Row) -> tuple[float, float]:
    """Millions of parameters, and 10^9 multiply-adds of convolutions and matrix products."""
    with FlopCounterMode(display=False) as counter:
        row.run(face_of(row.size))
    parameters = sum(p.numel() for p in row.method.parameters()) / 1e6
    return round(parameters, 2), round(counter.get_total_flops() / 2e9, 3)


def table(
    kinds: Mapping[str, Row],
    crop: Mapping[str, Spread],
    whole: Mapping[str, Spread],
    process: Mapping[str, Spread],
) -> str:
    """Tables in Markdown."""

    def cells(name: str, spread: Spread) -> dict[str, str]:
        return {
            "row": name,
            "ms": f"{spread.median:.1f}",
            "quartiles": f"{spread.lower:.1f} to {spread.upper:.1f}",
            "slowest": f"{spread.slowest:.1f}",
            "ratio": f"{spread.ratio:.2f}",
        }

    lines = []
    for name, spread in crop.items():
        parameters, gmac = arithmetic(kinds[name])
        own = {"px": str(kinds[name].size), "M parameters": f"{parameters}", "GMAC": f"{gmac}"}
        lines.append(cells(name, spread) | own | {"note": kinds[name].note})
    first = ["row", "px", "M parameters", "GMAC", "ms", "quartiles", "slowest", "ratio", "note"]
    text = "Crop to crop, one face:\n\n" + markdown(first, lines)
    columns = ["row", "ms", "quartiles", "slowest", "ratio"]
    text += f"\nStages of an edit by {DEFAULT}, one photograph:\n\n"
    text += markdown(columns, [cells(n, s) for n, s in whole.items()])
    if process:
        text += "\n`mien edit` from its start to its end, one photograph:\n\n"
        text += markdown(columns, [cells(n, s) for n, s in process.items()])
    return text


def command(
    out: OutFolder,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="A learnt one; repeat (default: those that ship)."),
    ] = None,
    checkouts: Annotated[Path | None, typer.Option(help="Folder of clones of peers' code.")] = None,
    size: Annotated[int, typer.Option(help="Side that peers work at, px.")] = 128,
    threads: Annotated[int | None, typer.Option(help="Of torch (default: its own choice).")] = None,
    rounds: Annotated[int, typer.Option(min=2, help="Of the clock.")] = ROUNDS,
    whole_rounds: Annotated[
        int, typer.Option("--cold", min=0, help="Rounds of whole processes; 0 for none.")
    ] = 5,
) -> None:
    """Measure, and write the answer."""
    if threads:
        torch.set_num_threads(threads)
    learnt = [name for name in METHODS if METHODS[name].task and name in records()]
    named = methods or learnt
    kinds, skipped = rows(named, checkouts, size)
    faces = {name: face_of(row.size) for name, row in kinds.items()}
    calls = {name: lambda r=row, f=faces[name]: r.run(f) for name, row in kinds.items()}
    crop = timed(calls, rounds, WARM_UP)
    whole = stages(load(), rounds, WARM_UP)
    process = processes([DEFAULT, named[0]], whole_rounds)
    about = conditions()
    about["machine"] |= {"torch": torch.__version__, "threads": torch.get_num_threads()}
    about |= {
        "warm_up": WARM_UP, "rounds": rounds, "skipped": skipped,
        "crop_to_crop": {name: asdict(spread) for name, spread in crop.items()},
        "stages_of_an_edit": {name: asdict(spread) for name, spread in whole.items()},
        "whole_process": {name: asdict(spread) for name, spread in process.items()},
    }  # fmt: skip
    text = table(kinds, crop, whole, process)
    text += "".join(f"\n{name}: not measured, {why}\n" for name, why in skipped.items())
    write_both(out, "speed", about, text)

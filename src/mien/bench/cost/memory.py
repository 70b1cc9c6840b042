"""Does memory stay flat? Resident memory over many photographs, and over a long film.

    mien bench memory -o OUT                       # a thousand photographs, ten minutes
    mien bench memory --photographs 150 --minutes 2 -o OUT

Either is edited by a process of its own, with nothing that only measures. Photographs are bundled
samples at 1,350 px, each a little moved, so that none was seen before; the film is a sample's head
that sways, 640 x 480. Resident memory is read after each photograph, and once a second of the film.
Given are the median of the second quarter and of the last one, the most, and the slope of a
straight line through all but the first quarter, in which caches fill. An hour and a half on two
idle cores.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from mien.bench.answers import conditions, write_both
from mien.bench.cost.budget import memory, swaying
from mien.bench.films.video import RATE
from mien.bench.options import OutFolder
from mien.errors import ConfigError
from mien.metrics.table import markdown

FILM = """
import os, sys, mien
from pathlib import Path
from mien.editor import Editor
from mien.video.driving import Constant
from mien.video.film import film_steps
from mien.video.reading import look
path, rate = Path(sys.argv[1]), int(sys.argv[2])
editor, drive = Editor(mien.load()), Constant(mien.Label("happy"))
for cut in film_steps(editor, look(path), path.with_name("edited.mp4"), drive):
    if cut.frames % rate == 0:
        with open("/proc/self/statm") as statm:
            print(int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, flush=True)
"""


def film(path: Path) -> list[float]:
    """MB of a process of its own, with nothing that only measures, once a second of a film."""
    words = [sys.executable, "-c", FILM, str(path), str(RATE)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return [round(float(line), 1) for line in done.stdout.split()]


def flatness(curve: list[float]) -> dict[str, Any]:
    """How flat a curve of MB is; the slope is MB a sample."""
    quarter = len(curve) // 4
    settled = np.array(curve[quarter:])
    slope = float(np.polyfit(np.arange(len(settled)), settled, 1)[0])
    return {
        "samples": len(curve),
        "second_quarter": round(statistics.median(curve[quarter : 2 * quarter]), 1),
        "last_quarter": round(statistics.median(curve[-quarter:]), 1),
        "most": max(curve),
        "slope": round(slope, 4),
        "curve": curve,
    }


def command(
    out: OutFolder,
    photographs: Annotated[int, typer.Option(min=8, help="That are edited.")] = 1000,
    minutes: Annotated[float, typer.Option(help="Of the film.")] = 10.0,
) -> None:
    """Measure, and write the answer."""
    if minutes * 60 < 8:
        raise ConfigError("eight seconds at least")
    found = {"photographs": flatness(memory(photographs))}
    with tempfile.TemporaryDirectory() as name:
        path = swaying(Path(name) / "film.mp4", round(60 * minutes * RATE))
        found["seconds of film"] = flatness(film(path))
    head = ["", "samples", "second_quarter", "last_quarter", "most", "slope"]
    rows = [{"": name, **{key: f"{row[key]}" for key in head[1:]}} for name, row in found.items()]
    text = markdown(head, rows)
    write_both(out, "memory", conditions() | {"resident_mb": found}, text)

"""Does memory stay flat? Resident memory over many photographs, and over a long film.

    python benchmarks/memory.py -o OUT                       # a thousand photographs, ten minutes
    python benchmarks/memory.py --photographs 150 --minutes 2 -o OUT

Either is edited by a process of its own, with nothing that only measures. Photographs are bundled
samples at 1,350 px, each a little moved, so that none was seen before; the film is a sample's head
that sways, 640 x 480. Resident memory is read after each photograph, and once a second of the film.
Told are the median of the second quarter and of the last one, the most, and the slope of a straight
line through all but the first quarter, in which caches fill. An hour and a half on two idle cores.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from budget import PORTRAIT, photographs, swaying
from mistakes import or_one_line
from reports import conditions, write
from video import RATE, resident

import mien
from mien.editor import Editor
from mien.guides import Label
from mien.metrics.table import markdown


def edit_photographs(count: int) -> None:
    """Prints the resident bytes after each."""
    editor = Editor(mien.load())
    for index in range(count):
        (pixels,) = photographs(PORTRAIT, 1, index)
        editor.edit(pixels, Label("happy")).marked  # noqa: B018 - made when it is asked for
        print(resident(), flush=True)


def edit_film(path: Path) -> None:
    """Prints the resident bytes once a second of the film."""
    from mien.video.driving import Constant
    from mien.video.film import film_steps
    from mien.video.reading import look

    target, drive = path.with_name("edited.mp4"), Constant(Label("happy"))
    for cut in film_steps(Editor(mien.load()), look(path), target, drive):
        if cut.frames % RATE == 0:
            print(resident(), flush=True)


def measured(*words: str) -> list[float]:
    """MB that a process of its own prints."""
    child = [sys.executable, __file__, *words]
    done = subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True)
    return [round(int(line) / 1e6, 1) for line in done.stdout.split()]


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the film")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    if options.child:
        what, of = options.child
        edit_photographs(int(of)) if what == "photographs" else edit_film(Path(of))
        return
    if options.out is None or options.photographs < 8 or options.minutes * 60 < 8:
        parser.error("-o OUT, eight photographs and eight seconds at least")
    found = {"photographs": flatness(measured("--child", "photographs", str(options.photographs)))}
    with tempfile.TemporaryDirectory() as name:
        path = swaying(Path(name) / "film.mp4", round(60 * options.minutes * RATE))
        found["seconds of film"] = flatness(measured("--child", "film", str(path)))
    head = ["", "samples", "second_quarter", "last_quarter", "most", "slope"]
    rows = [{"": name, **{key: f"{row[key]}" for key in head[1:]}} for name, row in found.items()]
    text = markdown(head, rows)
    write(options.out, "memory", conditions() | {"resident_mb": found}, text)
    print(text)


if __name__ == "__main__":
    or_one_line(main)

"""Films of people who talk: do lips go on talking under an expression, and does anything flicker?

    mien bench talking -o benchmarks/results/talking.json

The test speakers of `grid` that are there (75 frames of 360 x 288 each), drawn by the face model.
Each film is made three times: coded anew without an edit, which is what it is compared with, since
H.264 takes noise away; `happy`, speech kept; and with the expression of the other speaker's film.
`mien bench film` says what it measures. The bars are those of the films that were asked for: the
range of the lips' opening over the source's at least 0.8, its correlation at least 0.9, and the
change from frame to frame where nothing moves at most 1.05 of the source's.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mien
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut
from mien.editor import Editor
from mien.guides import ExpressionSpec
from mien.judges.landmarker import landmarker
from mien.metrics.film import temporal
from mien.video.driving import Constant, Curve, Drive, DrivingFilm
from mien.video.film import edit_film
from mien.video.reading import Film, look
from mien.zoo import data_home

SPEAKERS = ("brbk7n", "id2_vcd_swwp2s")
BARS = {"lips_range": 0.8, "lips_correlation": 0.9, "still_change": 1.05}


def made(editor: Editor, source: Film, folder: Path, drives: dict[str, Drive]) -> dict[str, Any]:
    """What is measured of a film under each drive, beside the same film without an edit."""
    films = {name: folder / f"{name}.mp4" for name in ("before", *drives)}
    happy = Constant(ExpressionSpec(to="happy").guide(None, "speech"))
    edit_film(editor, source, films["before"], happy, Curve().scaled(0))
    found = {}
    for name, drive in drives.items():
        edit_film(editor, source, films[name], drive)
        before, after = (look(films[one]).frames() for one in ("before", name))
        pixels = (f.pixels for f in before), (f.pixels for f in after)
        found[name] = asdict(temporal(*pixels, landmarker()))
    return found


def command(
    out: MaybeOut = None,
) -> None:
    """Measure, and write the answer."""
    editor, rows = Editor(mien.load()), {}
    sources = {name: look(data_home() / "grid" / "clips" / f"{name}.mpg") for name in SPEAKERS}
    for name, other in (SPEAKERS, SPEAKERS[::-1]):
        drives: dict[str, Drive] = {
            "happy": Constant(ExpressionSpec(to="happy").guide(None, "speech")),
            "like_film": DrivingFilm(sources[other], editor.method),
        }
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = made(editor, sources[name], Path(folder), drives)
    write(out, conditions() | {"bars": BARS, "films": rows})

"""Does what an outsider reads rise with what is asked, on dark skin as on light?

    mien bench rising -o benchmarks/results/rising.json

Neutral photographs of the split's London people are given one action unit at 0, a quarter, a half,
three quarters and in full, as `mien edit` draws it; MediaPipe's landmarker, which teaches nothing,
says how much of its own blendshape for it each picture shows, less what the photograph shows. One
row a unit: the medians over people of light and of dark skin, and the share of people whose own
five readings never fall by more than `NOISE`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import mien
from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import Limit, Out, SplitName
from mien.data.adapters import DATASETS
from mien.editor import Editor
from mien.errors import DataError
from mien.face_model.mouth import cheek_colour
from mien.faces.align import align
from mien.faces.detect import face_of
from mien.guides import ActionUnits
from mien.judges.landmarker import landmarker
from mien.types import UInt8
from mien.zoo import data_home

UNITS = {
    "AU26": ("jawOpen",),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"),
    "AU43": ("eyeBlinkLeft", "eyeBlinkRight"),
    "AU4": ("browDownLeft", "browDownRight"),
    "AU1": ("browInnerUp",),
}
"""The unit asked for, and the landmarker's blendshapes for it."""
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
NOISE = 0.02
"""A reading, 0..1, that falls by less has not fallen."""
SEEN, DARK = 512, 90.0
"""Side of the crops that the landmarker sees, and brightness of cheeks under which skin is dark."""


def read(pixels: UInt8, names: tuple[str, ...]) -> float:
    """The landmarker's mean reading of some blendshapes."""
    shapes = landmarker().see(np.ascontiguousarray(pixels)).named
    return float(np.mean([shapes[name] for name in names]))


def readings(editor: Editor, path: Path) -> tuple[bool, dict[str, list[float]]]:
    """Whether the skin is dark, and per unit the readings at `STEPS`, less the photograph's."""
    photo = images.read(path)
    face = face_of(photo.pixels, None)
    cheek = cheek_colour(photo.pixels.astype(np.float32), face.landmarks.astype(np.float64))
    out = {}
    for unit, names in UNITS.items():
        row = [read(align(photo.pixels, face, SEEN).pixels, names)]
        for step in STEPS[1:]:
            made = editor.edit(photo, ActionUnits.parse(f"{unit}={step}")).pixels
            row.append(read(align(made, face, SEEN).pixels, names))
        out[unit] = [value - row[0] for value in row]
    return float(cheek.mean()) < DARK, out


def figures(rows: list[tuple[bool, dict[str, list[float]]]]) -> dict[str, Any]:
    """The table."""
    out: dict[str, Any] = {}
    for unit in UNITS:
        kinds = {"light": [], "dark": []}  # type: dict[str, list[list[float]]]
        for dark, found in rows:
            kinds["dark" if dark else "light"].append(found[unit])
        out[unit] = {
            kind: {
                "people": len(curves),
                "medians": [round(float(v), 3) for v in np.median(curves, 0)],
                "rising": round(float((np.diff(curves, axis=1) > -NOISE).all(1).mean()), 3),
            }
            for kind, curves in kinds.items()
            if curves
        }
    return out


def command(
    out: Out,
    split: SplitName = "test",
    limit: Limit = None,
) -> None:
    """Measure, and write the answer."""
    home = data_home() / "london"
    paths = [
        home / record.file_name
        for record in DATASETS["london"].records(home)
        if record.split == split and record.emotion == "neutral"
    ]
    if not paths:
        raise DataError(f"nobody of the {split} split is photographed neutral")
    if limit:
        paths = paths[:: max(1, len(paths) // limit)][:limit]
    editor = Editor(mien.load())
    table = figures([readings(editor, path) for path in paths])
    report = {**conditions(), "split": split, "steps": STEPS, "table": table}
    write(out, report, say=False)
    for unit, row in table.items():
        print(unit, json.dumps(row))

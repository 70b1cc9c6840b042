"""What moves what: each action unit asked for alone, and what judges see of every unit.

    mien bench units -o benchmarks/results/units.json
    mien bench units --method aipgan --limit 4 -o OUT.json

Neutral photographs of test people (London, Canada), as portraits of 256 px, edited by
`mien.Editor`. A row of the matrix is a unit asked for at 1, both sides at once; a column a unit as
the two judges read it; an entry the mean over people, sides and judges of the reading after minus
that before. `of the reading` holds, for each unit asked for, what its own reading changed by and
what the sum of the absolute changes of all others is. A unit that no judge reads cannot be seen
here (`docs/judges.md`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mien
from mien import facs, images
from mien.bench.answers import conditions
from mien.bench.options import Limit, Method, Out
from mien.data.adapters import DATASETS
from mien.editor import Editor
from mien.errors import DataError, FaceUndrawable
from mien.faces.align import align
from mien.files import write_text
from mien.guides import ActionUnits
from mien.judges import judge
from mien.methods.registry import DEFAULT
from mien.types import Face, Faces, Float, UInt8
from mien.zoo import data_home

SIDE = 128
"""Side of the crops that judges read, px."""
NAMES = tuple(f"AU{number}" for number in facs.NAMES)


def photographs(people: int | None) -> dict[str, Path]:
    """Person -> neutral photograph, of the test split."""
    found = {
        r.person: data_home() / name / r.file_name
        for name in ("london", "canada")
        for r in DATASETS[name].records(data_home() / name)
        if r.split == "test" and r.emotion == "neutral"
    }
    if not found:
        raise DataError("nobody of the test split is photographed at rest: see docs/data.md")
    return dict(list(found.items())[:people])


def read(pictures: Sequence[UInt8], face: Face) -> Float:
    """Both judges' mean reading of each picture (N, 30); of a unit's two sides the mean."""
    crops = Faces.stack([align(picture, face, SIDE) for picture in pictures]).pixels
    readings = np.mean([judge.load(name).read(crops).units.numpy() for name in judge.NAMES], 0)
    return np.stack([readings[:, list(facs.columns(name))].mean(1) for name in NAMES], 1)


def moved(editor: Editor, path: Path) -> tuple[Float, dict[str, str]]:
    """Reading after minus before of one person (30 asked, 30 read), NaN where an edit was refused;
    and why it was.
    """
    shown, face = editor.portrait(images.read(path))
    made = [shown]
    refused: dict[str, str] = {}
    for name in NAMES:
        try:
            made.append(editor.on_portrait(shown, face, ActionUnits.parse(f"{name}=1")))
        except FaceUndrawable as error:
            refused[name] = str(error)
            made.append(shown)
    readings = read(made, face)
    changes = readings[1:] - readings[0]
    changes[[NAMES.index(name) for name in refused]] = np.nan
    return changes, refused


def summary(changes: Float) -> dict[str, Any]:
    """The matrix of changes (people, asked, read), and of each row its own and all others'."""
    mean = np.nanmean(changes, 0)
    own, all_of_it = np.diag(mean), np.abs(mean).sum(1)
    return {
        "matrix": [[round(float(v), 4) for v in row] for row in mean],
        "of the reading": {
            name: {
                "own": round(float(own[i]), 4),
                "others": round(float(all_of_it[i] - abs(own[i])), 4),
                "own of people": [
                    round(float(v), 4) for v in np.nanpercentile(changes[:, i, i], (0, 50, 100))
                ],
            }
            for i, name in enumerate(NAMES)
        },
    }


def command(
    out: Out,
    method: Method = DEFAULT,
    limit: Limit = None,
) -> None:
    """Measure, and write the answer."""
    editor = Editor(mien.load(method))
    changes: list[Float] = []
    refused: dict[str, str] = {}
    for person, path in photographs(limit).items():
        one, why = moved(editor, path)
        changes.append(one)
        refused |= {f"{person} {name}": text for name, text in why.items()}
        print(person, flush=True)
    facts = conditions() | {
        "method": method,
        "judges": list(judge.NAMES),
        "people": len(changes),
        "refused": refused,
        "names": list(NAMES),
    }
    text = json.dumps(facts | summary(np.stack(changes)), indent=1)
    write_text(out, re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", _one_line, text) + "\n")


def _one_line(numbers: re.Match[str]) -> str:
    return f"[{' '.join(numbers[1].split())}]"

"""What FFE-Bench asks of whom: twelve expressions, and the editing tasks of a folder.

FFE-Bench (Hua et al., *PixelSmile*, arXiv 2603.25728, sec. 3) has six basic expressions and six
more. Contempt is a label here; what five of the others mean in action units is ours, after the
visual definitions by which its authors let them be judged (table 6 there).

A task is a picture, its face's box and an expression. Its layout is Hugging Face's imagefolder: a
`metadata.jsonl` of lines such as `{"file_name": "a.png", "bbox": [l, t, r, b], "expression":
"Angry"}`. Inferred: the columns' names; its card tells what a sample is made of, not what the
columns are called. Where a manifest names no expression, all twelve are asked of everybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from mien import facs, images
from mien.data.manifest import FILE_NAME
from mien.errors import DataError, FaceNotFound, ImageError
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import ActionUnits, Label
from mien.metrics.folder import Folder, own_side
from mien.metrics.protocols import Setting
from mien.nn import tensors
from mien.types import Face, Faces

BASIC = ("happy", "sad", "anger", "fear", "surprise", "disgust")
COMPOSED: Mapping[str, Mapping[str, float]] = {
    "confused": {"AU4": 0.8, "AU7": 0.4, "AU17": 0.3, "AU24": 0.3, "AU61": 0.6, "AU63": 0.3},
    "confident": {"AU6": 0.2, "AU7": 0.5, "AU12": 0.5, "AU14": 0.2, "AU17": 0.2},
    "shy": {"AU12": 0.4, "AU14": 0.3, "AU24": 0.3, "AU43": 0.25, "AU64": 0.9},
    "sleepy": {"AU2": 0.2, "AU25": 0.3, "AU26": 0.3, "AU43": 0.65},
    "anxious": {"AU1": 0.7, "AU4": 0.6, "AU5": 0.3, "AU20": 0.4, "AU24": 0.4, "AU62": 0.5},
}
"""Expressions that no label names here, in action units: knitted brows and a look aside; a smile
and a firm gaze; a smile and eyes cast down; drooping lids; tense brows and lips, an uneasy gaze."""
EXPRESSIONS = (*BASIC, "contempt", *COMPOSED)
"""All twelve."""
SYNONYMS: Mapping[str, str] = {
    "happiness": "happy", "sadness": "sad", "angry": "anger", "surprised": "surprise",
    "fearful": "fear", "disgusted": "disgust", "contemptuous": "contempt",
    "confusion": "confused", "confidence": "confident", "embarrassment": "shy",
    "embarrassed": "shy", "drowsiness": "sleepy", "drowsy": "sleepy", "nervousness": "anxious",
    "nervous": "anxious",
}  # fmt: skip
"""What its authors call them elsewhere -> `EXPRESSIONS`."""
_FARTHEST = 1e6
"""Places of a box, px, are less."""
_COLUMNS = {
    "file": ("file_name", "image"), "box": ("bbox", "face_bbox", "face_box", "box"),
    "asked": ("expression", "target_expression", "target", "category"),
}  # fmt: skip


def expression(word: str) -> str | None:
    """One of `EXPRESSIONS`, by its own name or its authors'; None for any other word.

    >>> expression("Angry"), expression("Nervousness"), expression("glad")
    ('anger', 'anxious', None)
    """
    name = word.strip().lower()
    name = SYNONYMS.get(name, name)
    return name if name in EXPRESSIONS else None


def guide(name: str) -> Label | ActionUnits:
    """How mien is asked for an expression."""
    if name not in COMPOSED:
        return Label(name)
    return ActionUnits(tuple(facs.Setting(unit, v) for unit, v in COMPOSED[name].items()))


def meaning(name: str) -> facs.Vector:
    """What an expression is in action units, (47,)."""
    return facs.vector(COMPOSED[name]) if name in COMPOSED else facs.prototype(name)


@dataclass(frozen=True)
class Task:
    """A face and the expression that it is to be given."""

    file_name: str
    person: str
    expression: str
    source: Faces[Tensor]


def tasks(setting: Setting) -> tuple[list[Task], list[str]]:
    """The tasks of a setting's folder, and the pictures in which no face was found.

    Raises:
        DataError: there is no folder, no picture or no face, or a line of its manifest cannot be
            meant.
    """
    place = setting.folder
    assert place is not None
    rows = _asked(place)
    if rows:
        kept = set(setting.chosen([row["file"] for row in rows], len(rows)))
        return _found(((row, place) for row in rows if row["file"] in kept), {})
    folder = Folder.read(setting)
    first = {
        who: next((r for r in records if r.emotion == "neutral"), records[0])
        for who, records in folder.people.items()
    }
    every = (
        ({"file": r.file_name, "asked": name, "box": None, "person": who}, folder.place)
        for who, r in first.items()
        for name in EXPRESSIONS
    )
    return _found(every, {r.file_name: r.landmarks for r in first.values()})


def _found(
    rows: Iterator[tuple[dict[str, Any], Path]], known: Mapping[str, Any]
) -> tuple[list[Task], list[str]]:
    out, without, faces = [], [], {}
    for row, place in rows:
        name, box = row["file"], row["box"]
        key = (name, tuple(box or ()))
        if key not in faces:
            faces[key] = _face(place / name, box, known.get(name))
            if faces[key] is None:
                without.append(name)
        source = faces[key]
        if source is not None:
            out.append(Task(name, row.get("person") or Path(name).stem, row["asked"], source))
    if not out:
        raise DataError(f"no face in the pictures that are to be edited: {', '.join(without[:5])}")
    return out, without


def _face(path: Path, box: list[float] | None, landmarks: Any) -> Faces[Tensor] | None:
    """The face in a picture, that in the box where there is one; at its own size."""
    try:
        pixels = images.read(path).pixels
        if landmarks is not None:
            face = Face.at(landmarks)
        else:
            found = detect(pixels)
            face = max(found, key=lambda f: f.area if box is None else _shared(f.box, box))
            if box is not None and not _shared(face.box, box):
                return None
    except (FaceNotFound, ImageError, ValueError):  # ValueError: nobody is found
        return None
    return tensors.faces(Faces.stack([align(pixels, face, own_side(face))]))


def _shared(one: tuple[float, ...], other: list[float]) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    a, b = np.asarray(one), np.asarray(other)
    inner = (np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).clip(0).prod()
    return float(inner / max((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner, 1e-9))


def _asked(place: Path) -> list[dict[str, Any]]:
    """The lines of a folder's manifest that name an expression to be given; none if none does."""
    if not place.is_dir():
        raise DataError(f"no folder {place}: name one with photographs by --data")
    path = place / FILE_NAME
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            said = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError):
            raise DataError(f"{path}, line {number}: not JSON") from None
        if isinstance(said, dict) and any(name in said for name in _COLUMNS["asked"]):
            row = _row(said, f"{path}, line {number}")
            if not (place / row["file"]).is_file():
                raise DataError(f"{path}, line {number}: there is no file {row['file']!r}")
            rows.append(row)
    return rows


def _row(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    row = {k: next((said[n] for n in names if n in said), None) for k, names in _COLUMNS.items()}
    name = expression(row["asked"]) if isinstance(row["asked"], str) else None
    if name is None:
        raise DataError(
            f"{where}: the expression is {row['asked']!r}: choose from {', '.join(EXPRESSIONS)}"
        )
    file, box = row["file"], row["box"]
    if not isinstance(file, str) or Path(file).is_absolute() or ".." in Path(file).parts:
        raise DataError(f"{where}: file_name must be a path below the folder")
    numbers = isinstance(box, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < _FARTHEST for v in box
    )
    if box is not None and not (numbers and len(box) == 4 and box[0] < box[2] and box[1] < box[3]):
        raise DataError(f"{where}: bbox must be left, top, right, bottom in px, or absent")
    return {"file": file, "asked": name, "box": box}

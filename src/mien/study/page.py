"""One page that holds a whole study, and the key to it.

The page is one HTML file with pictures, script and style inside; its content security policy lets
it fetch nothing. It does not hold the right answers: those are in the key.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import images
from mien.errors import DataError
from mien.files import read_table, replacing
from mien.study.design import CHECK, DIFFERENT, LEFT, RIGHT, SAME, Trial
from mien.study.pictures import Picture
from mien.types import UInt8

KEY = ("study", "trial", "condition", "question", "left", "right", "answer")
"""Columns of the key: one row a trial, pictures as list 1 of the participants sees them."""
INTRO = (
    "You will see pairs of faces. Each time, answer the question above them with the buttons or "
    "with the arrow keys. There is no time limit, but do not think for long. Some questions only "
    "check whether you are reading. Your answers stay on this computer until you send them."
)
LARGEST_PAGE = 200_000_000
"""Bytes of a page, beyond which browsers become slow."""
_CHOICES = {
    LEFT: [[LEFT, "Left"], [RIGHT, "Right"]],
    SAME: [[SAME, "Same person"], [DIFFERENT, "Different people"]],
}


def key_of(page: Path) -> Path:
    """Where the key of a page is written: beside it."""
    return page.with_name(f"{page.stem}.key.csv")


def study_id(rows: Sequence[Sequence[str]]) -> str:
    """Twelve hexadecimal digits of the rows of a key (without the study's own column)."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]


def write(
    path: Path, trials: Sequence[Trial], folder: Path, size: int, title: str, intro: str
) -> tuple[str, int]:
    """Write the page and its key; return the study's id and the page's size in bytes.

    Args:
        path: the page; the key goes to `key_of(path)`.
        trials: what is asked, sorted by name.
        folder: pictures are named relative to it in the key.
        size: largest side of a picture, px; larger ones are shrunk.
        title: heading of the page.
        intro: what participants read first, plain text; an empty line begins a paragraph.

    Raises:
        ImageError: a picture cannot be read.
        DataError: the page would be too large, a file cannot be written, or the key of another
            study is there.
    """
    rows = [_key_row(t, folder) for t in trials]
    study = study_id(rows)
    # sorted by their bytes' hash: the order in the page tells nothing of photograph and edit
    files = {p.file: p for t in trials for p in (t.left, t.right)}
    shown = {file: _embedded(picture, size) for file, picture in files.items()}
    order = sorted(shown, key=lambda f: hashlib.sha256(shown[f].encode()).digest())
    number = {file: i for i, file in enumerate(order)}
    data = {
        "id": study,
        "pictures": [shown[file] for file in order],
        "trials": [_shown(t, number) for t in trials],
    }
    page = _page(data, title, intro).encode()
    if len(page) > LARGEST_PAGE:
        raise DataError(
            f"the page would have {len(page) / 1e6:.0f} MB: choose a smaller --size or --trials"
        )
    _spare(key_of(path), study)
    _write({key_of(path): _csv([KEY, *((study, *row) for row in rows)]), path: page})
    return study, len(page)


def _key_row(trial: Trial, folder: Path) -> tuple[str, ...]:
    left, right = (_relative(p.file, folder) for p in (trial.left, trial.right))
    return trial.name, trial.condition, trial.question, left, right, trial.answer


def _relative(file: Path, folder: Path) -> str:
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()


def _shown(trial: Trial, number: dict[Path, int]) -> dict[str, Any]:
    """What the page knows of a trial."""
    choices = _CHOICES[LEFT if trial.answer in (LEFT, RIGHT) else SAME]
    return {
        "id": trial.name, "question": trial.question, "choices": choices,
        "left": number[trial.left.file], "right": number[trial.right.file],
        "check": trial.condition == CHECK,
    }  # fmt: skip


def _embedded(picture: Picture, size: int) -> str:
    """A picture as a data URI. All are encoded alike; what a file says of having been altered stays
    in it."""
    photo = images.read(picture.file)
    pixels = _fitted(photo.pixels, size)
    said = {k: v for k, v in images.statement(picture.file).items() if k != "DigitalSourceType"}
    data = images.encode(pixels, ".jpg", metadata=said, altered=not picture.photograph)
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def _fitted(pixels: UInt8, size: int) -> UInt8:
    """The picture (H, W, 3), no side of it longer than `size` px."""
    longest = max(pixels.shape[:2])
    if longest <= size:
        return pixels
    height, width = (max(1, round(n * size / longest)) for n in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _page(data: dict[str, Any], title: str, intro: str) -> str:
    here = resources.files("mien.study")
    template, style, script = (
        (here / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    paragraphs = [f"<p>{html.escape(p)}</p>" for p in intro.split("\n\n") if p.strip()]
    parts = {
        "policy": policy,
        "version": metadata.version("mien"),
        "title": html.escape(title),
        "style": style,
        "intro": "".join(paragraphs),
        # no text in it can end the element
        "data": json.dumps(data).replace("<", "\\u003c"),
        "script": script,
    }
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], template)


def _digest(text: str) -> str:
    """How a content security policy names a text that may stand in the page."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _spare(key: Path, study: str) -> None:
    """DataError where a key is there of another study: its answers could not be read any more."""
    if not key.exists():
        return
    columns, rows = read_table(key)
    of = {row["study"] for _, row in rows} if "study" in columns else set()
    if of != {study}:
        raise DataError(
            f"{key} is the key of another study, whose answers it reads: choose another name, or "
            "take it away"
        )


def _write(files: Mapping[Path, bytes]) -> None:
    """Write files, all of them or none; DataError where one cannot be."""
    path = None
    try:
        with ExitStack() as stack:
            for path, data in files.items():
                stack.enter_context(replacing(path)).write_bytes(data)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None

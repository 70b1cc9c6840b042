"""The manifest: a `metadata.jsonl` beside the photographs, in Hugging Face's *imagefolder* layout.

Every data set becomes the same table, one line a photograph, so that training and measuring know no
data set by name. `datasets.load_dataset("imagefolder", data_dir=...)` opens the folder as it is.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from mien import facs
from mien.data.row import UNSAID, Row
from mien.data.split import SPLITS, Split, splits_of
from mien.errors import DataError
from mien.files import replacing

FILE_NAME = "metadata.jsonl"
"""The name that Hugging Face's imagefolder looks for."""

Moment: TypeAlias = Literal["onset", "peak"]
MOMENTS: tuple[Moment, ...] = ("onset", "peak")


@dataclass(frozen=True, eq=False)
class Record:
    """One photograph and what is known about it."""

    file_name: str
    """Path of the picture relative to the manifest, with forward slashes."""
    person: str
    """Who it shows, unique over all data sets: `london/003`."""
    emotion: str | None
    """One of `facs.EMOTIONS`, or None when nobody has said."""
    units: facs.Vector | None
    """Action units, float32 (47,) in [0, 1] in the order of `facs.UNITS`, NaN for those that nobody
    has coded; None when none is known."""
    landmarks: NDArray[np.float32] | None
    """Points, float32 (68, 2), (x, y) in px of the picture, iBUG order, or None: hand-checked, of
    aligned crops those that `align_photographs` went by."""
    licence: str
    """SPDX identifier where there is one, otherwise the terms in a few words."""
    source: str
    """Where the original is to be had: a DOI or an address."""
    split: Split
    """By person: what the manifest says, else `splits_of` all its people."""
    sequence: str | None = None
    """The film or series that it is a frame of, unique over all data sets, or None."""
    frame: int | None = None
    """Its number there in the order of time, or None."""
    moment: Moment | None = None
    """`onset`, the face at rest before the expression, or `peak`, its strongest; None for other
    frames, and where nobody has said."""


_COLUMNS = tuple(f.name for f in fields(Record))


def read_manifest(folder: Path) -> list[Record]:
    """Records of the manifest in `folder`, in its order; DataError names the first mistake."""
    records, errors = scan_manifest(folder)
    if errors:
        raise DataError(errors[0])
    return records


def scan_manifest(folder: Path) -> tuple[list[Record], list[str]]:
    """The lines that can be read, as records, and one text for each mistake in the others."""
    path = folder / FILE_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(
            f"no {FILE_NAME} in {folder}: `mien data import own {folder} -o OUT` makes a folder "
            "with one"
        ) from None
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"cannot read {path}: {e}") from None
    found: list[tuple[Record, bool]] = []
    errors: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = Row.of(line)
        record, stated = _record(row)
        errors += [f"{path}, line {number}: {mistake}" for mistake in row.mistakes]
        if not row.mistakes:
            found.append((record, stated))
    return _split(found), errors


def write_manifest(folder: Path, records: Iterable[Record]) -> Path:
    """Write the manifest of `folder` in one step (no reader sees half of it); return its path."""
    path = folder / FILE_NAME
    text = "".join(json.dumps(_row(r), ensure_ascii=False) + "\n" for r in records)
    try:
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as e:
        raise DataError(f"cannot write {path}: {e.strerror}") from None
    return path


def _row(record: Record) -> dict[str, Any]:
    def listed(values: NDArray[np.float32], digits: int) -> Any:
        return np.round(values.astype(float), digits).tolist()

    row = {name: getattr(record, name) for name in _COLUMNS}
    if record.units is not None:
        row["units"] = [None if np.isnan(u) else u for u in listed(record.units, 4)]
    if record.landmarks is not None:
        row["landmarks"] = listed(record.landmarks, 3)
    late = ("sequence", "frame", "moment")  # said of frames alone
    return {k: v for k, v in row.items() if v is not None or k not in late}


def _record(row: Row) -> tuple[Record, bool]:
    """The record of a line, and whether the line says the split; mistakes go to `row`."""
    for name in row.values.keys() - set(_COLUMNS):
        if near := difflib.get_close_matches(name, _COLUMNS, 1, 0.75):
            row.mistake(f"there is no column {name!r}: did you mean {near[0]!r}?")
    file_name = row.file_name()
    split = row.one_of("split", SPLITS)
    record = Record(
        file_name=file_name,
        person=row.text("person") or file_name.rpartition(".")[0] or file_name,
        emotion=row.one_of("emotion", facs.EMOTIONS, facs.WORDS),
        units=row.units(),
        landmarks=row.landmarks(),
        licence=row.text("licence") or UNSAID,
        source=row.text("source") or UNSAID,
        split=cast(Split, split or "train"),
        sequence=row.text("sequence"),
        frame=row.count("frame"),
        moment=cast("Moment | None", row.one_of("moment", MOMENTS)),
    )
    return record, split is not None


def _split(found: list[tuple[Record, bool]]) -> list[Record]:
    """The records, those without a split in that of their person's others, else in a new one."""
    stated = {r.person: r.split for r, said in reversed(found) if said}
    made = splits_of(r.person for r, _ in found if r.person not in stated)
    everyone = made | stated
    return [r if said else replace(r, split=everyone[r.person]) for r, said in found]

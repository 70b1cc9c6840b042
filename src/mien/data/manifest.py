"""The manifest: a `metadata.jsonl` beside the photographs, in Hugging Face's *imagefolder* layout.

Every data set becomes the same table, one line a photograph, so that training and measuring know no
data set by name. `datasets.load_dataset("imagefolder", data_dir=...)` opens the folder as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import facs
from mien.data.split import SPLITS, Split
from mien.errors import DataError
from mien.files import replacing

FILE_NAME = "metadata.jsonl"
"""The name that Hugging Face's imagefolder looks for."""


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
    """Action units, float32 (47,) in [0, 1] in the order of `facs.UNITS`, or None when unknown."""
    landmarks: NDArray[np.float32] | None
    """Hand-checked points, float32 (68, 2), (x, y) in photograph px, iBUG order, or None."""
    licence: str
    """SPDX identifier where there is one, otherwise the terms in a few words."""
    source: str
    """Where the original is to be had: a DOI or an address."""
    split: Split
    """`split_of(person)`."""


def read_manifest(folder: Path) -> list[Record]:
    """Records of the manifest in `folder`, in its order; DataError names the first bad line."""
    records, errors = scan_manifest(folder)
    if errors:
        raise DataError(errors[0])
    return records


def scan_manifest(folder: Path) -> tuple[list[Record], list[str]]:
    """The lines that can be read, as records, and one text for each that cannot."""
    path = folder / FILE_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(f"no {FILE_NAME} in {folder}: make one with `mien data import`") from None
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"cannot read {path}: {e}") from None
    records: list[Record] = []
    errors: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(_record(line))
        except DataError as e:
            errors.append(f"{path}, line {number}: {e}")
    return records, errors


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
    def listed(values: NDArray[np.float32] | None, digits: int) -> Any:
        return None if values is None else np.round(values.astype(float), digits).tolist()

    return {
        "file_name": record.file_name,
        "person": record.person,
        "emotion": record.emotion,
        "units": listed(record.units, 4),
        "landmarks": listed(record.landmarks, 3),
        "licence": record.licence,
        "source": record.source,
        "split": record.split,
    }


def _record(line: str) -> Record:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as e:  # also numbers of 4,300 digits, and 1,000 brackets
        raise DataError(f"not JSON ({getattr(e, 'msg', type(e).__name__)})") from None
    if not isinstance(row, dict):
        raise DataError("expected one JSON object a line")
    split = _text(row, "split")
    if split not in SPLITS:
        raise DataError(f"split is {split!r}, not one of {', '.join(SPLITS)}")
    return Record(
        file_name=_file_name(row),
        person=_text(row, "person"),
        emotion=None if row.get("emotion") is None else _text(row, "emotion"),
        units=_array(row, "units", (len(facs.UNITS),)),
        landmarks=_array(row, "landmarks", (68, 2)),
        licence=_text(row, "licence"),
        source=_text(row, "source"),
        split=split,
    )


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value or not _writable(value):
        raise DataError(f"{field!r} must be a text that is not empty")
    return value


def _writable(text: str) -> bool:
    """Whether a text can be a name: JSON has half letters, and letters of no width, that cannot."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _file_name(row: Mapping[str, Any]) -> str:
    """A manifest may come from elsewhere: it must not point out of its own folder."""
    name = _text(row, "file_name")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise DataError(f"file_name {name!r} must stay inside the manifest's folder")
    return name


def _array(
    row: Mapping[str, Any], field: str, shape: tuple[int, ...]
) -> NDArray[np.float32] | None:
    value = row.get(field)
    if value is None:
        return None
    try:
        array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0, np.float32)
    if array.shape != shape or not np.isfinite(array).all():
        raise DataError(f"{field!r} must be null or finite numbers of shape {shape}")
    return array

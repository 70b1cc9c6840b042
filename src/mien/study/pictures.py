"""The pictures of a study and what is known of each: from a table beside them.

Three tables are read: `series.csv` (`mien series`), `metadata.jsonl` (`mien people`, and every
manifest of mien), and a CSV file of the user's own with the columns `COLUMNS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mien import facs
from mien.data.manifest import FILE_NAME, read_manifest
from mien.errors import DataError, GuideError
from mien.files import read_table

COLUMNS = ("file", "person", "label", "intensity", "photograph")
"""Columns of a table of one's own: the picture's path in the folder, who it shows, the expression
(empty: at rest), how strong (empty: 1), and `yes` for a photograph that nobody altered."""
SERIES = "series.csv"
NEUTRAL = "neutral"
_YES, _NO = ("yes", "1", "true"), ("", "no", "0", "false")


@dataclass(frozen=True)
class Picture:
    """One picture that may be shown."""

    file: Path
    person: str
    label: str
    """The expression it shows, such as `happy`, `happy (left)` or `AU4=0.9`; `neutral` at rest."""
    intensity: float
    """How far the expression is shown, 0 to 2; 0 for a face at rest."""
    photograph: bool
    """Whether nobody altered it."""


def read(folder: Path, table: Path | None, photographs: str | None) -> tuple[list[Picture], int]:
    """The pictures of a folder by its table, sorted by file, and how many were left out because
    they failed a check of `mien series`.

    Args:
        folder: the pictures' folder.
        table: a CSV file of one's own; None looks for `series.csv`, `metadata.jsonl`, and then
            for the only CSV file of the folder.
        photographs: the label of those pictures that nobody altered, such as `neutral`; None goes
            by the column `photograph`, without which there are none.

    Raises:
        DataError: there is no table, it cannot be read, or it names a picture that is not there.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: name one with pictures and a table of them")
    path = table or _table_of(folder)
    if path.name == FILE_NAME:
        found, left_out = _of_manifest(folder), 0
    else:
        found, left_out = _of_csv(folder, path)
    if photographs is not None:
        found = [
            Picture(p.file, p.person, p.label, p.intensity, p.label == photographs) for p in found
        ]
        if not any(p.photograph for p in found):
            raise DataError(f"no picture of {path} has the label {photographs!r}")
    missing = [p.file for p in found if not p.file.is_file()]
    if missing:
        raise DataError(f"{path} names {missing[0]}, which is not there")
    if not found:
        raise DataError(f"{path} has no picture that can be shown")
    return sorted(found, key=lambda p: p.file.as_posix()), left_out


def _table_of(folder: Path) -> Path:
    for name in (SERIES, FILE_NAME):
        if (folder / name).is_file():
            return folder / name
    tables = sorted(folder.glob("*.csv"))
    if len(tables) == 1:
        return tables[0]
    many = f"{len(tables)} CSV files" if tables else "no table"
    raise DataError(
        f"{folder} has {many}: write a CSV file with the columns {', '.join(COLUMNS)} and name it "
        "with --table"
    )


def _of_manifest(folder: Path) -> list[Picture]:
    """A manifest knows no intensities: a label is one shown in full. Pictures without one are left
    out, for nobody has said what they show."""
    found = {}
    for record in read_manifest(folder):
        if record.emotion is not None:
            strength = 0.0 if record.emotion == NEUTRAL else 1.0
            file = folder / record.file_name
            found[file] = Picture(file, record.person, record.emotion, strength, False)
    return list(found.values())


def _of_csv(folder: Path, path: Path) -> tuple[list[Picture], int]:
    found: dict[Path, Picture] = {}
    left_out = set()
    for number, row in _rows(path):
        if row.get("checks", "passed") not in ("", "passed"):
            left_out.add(row.get("file"))
            continue
        try:
            picture = _picture(folder, row)
        except GuideError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
        found.setdefault(picture.file, picture)  # repetitions of a series are one picture
    return list(found.values()), len(left_out)


def _rows(path: Path) -> Iterable[tuple[int, Mapping[str, str]]]:
    names, rows = read_table(path)
    for needed in COLUMNS[:2]:
        if needed not in names:
            raise DataError(f"{path} has no column {needed!r}: there must be {', '.join(COLUMNS)}")
    return rows


def _picture(folder: Path, row: Mapping[str, str]) -> Picture:
    """A row of `series.csv` or of a table of one's own; GuideError for what cannot be read."""
    if not row["file"] or not row["person"]:
        raise GuideError("file and person must be filled")
    strength = _number(row.get("intensity", ""))
    label = row.get("label") or row.get("asked") or NEUTRAL
    if label in facs.EMOTIONS or ":" in label:
        facs.emotion(label)  # GuideError for a variant that there is not
    if label == NEUTRAL or strength == 0:
        label, strength = NEUTRAL, 0.0
    elif (side := row.get("side") or "both") != "both":
        label = f"{label} ({side})"
    said = row.get("photograph", "").lower()
    if said not in (*_YES, *_NO):
        raise GuideError(f"photograph is {said!r}: write yes or no")
    return Picture(folder / row["file"], row["person"], label, strength, said in _YES)


def _number(text: str) -> float:
    try:
        value = float(text) if text else 1.0
    except ValueError:
        value = math.nan
    if not 0 <= value <= 10:
        raise GuideError(f"cannot read intensity {text!r}: write a number, such as 0.5")
    return value

"""What can be wrong with a data set, found before it costs a training run."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mien import images
from mien.data.manifest import FILE_NAME, Record, scan_manifest
from mien.errors import DataError, ImageError


@dataclass(frozen=True)
class Problem:
    """Something to mend: its kind, the file, line or person it concerns, and what is wrong."""

    kind: str
    where: str
    what: str


@dataclass(frozen=True)
class Checked:
    """A manifest's records and everything that is wrong with them."""

    records: list[Record]
    problems: list[Problem]


def check(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Checked:
    """Read the manifest in `folder` and every picture it names. DataError if there is no manifest.

    Looked for: lines that break the schema (unknown emotions and units out of range among them),
    pictures that are missing or do not decode, landmarks outside their picture, the same pixels
    twice, pictures that no line names (Hugging Face refuses those), a person in two splits.
    """
    records, errors = scan_manifest(folder)
    problems = [Problem("schema", FILE_NAME, error) for error in errors]
    if not records and not errors:
        raise DataError(f"{folder / FILE_NAME} is empty")
    problems += _names(folder, records, complete=not errors)
    problems += _splits(records)
    problems += _pictures(folder, records, progress)
    return Checked(records, problems)


def _names(folder: Path, records: list[Record], complete: bool) -> Iterable[Problem]:
    counts = Counter(r.file_name for r in records)
    for name, count in counts.items():
        if count > 1:
            yield Problem("name", name, f"named by {count} lines")
    if complete:  # a line that cannot be read might have named the picture
        for path in sorted(p for p in folder.rglob("*") if images.of_name(p) is not None):
            name = path.relative_to(folder).as_posix()
            if name not in counts:
                yield Problem("name", name, "a picture that no line names")


def _splits(records: list[Record]) -> Iterable[Problem]:
    splits: dict[str, set[str]] = defaultdict(set)
    for record in records:
        splits[record.person].add(record.split)
    for person, found in splits.items():
        if len(found) > 1:
            yield Problem("split", person, f"one person in {' and '.join(sorted(found))}")


def _pictures(
    folder: Path, records: list[Record], progress: Callable[[int, int], None]
) -> Iterable[Problem]:
    seen: dict[bytes, str] = {}
    for done, record in enumerate(records, 1):
        name = record.file_name
        try:
            pixels = images.read(folder / name).pixels
        except ImageError as e:
            yield Problem("picture", name, str(e))
            continue
        finally:
            progress(done, len(records))
        height, width = pixels.shape[:2]
        points = record.landmarks
        if points is not None and ((points < -0.5) | (points > (width, height))).any():
            yield Problem("landmarks", name, f"points outside the picture ({width} x {height})")
        content = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        first = seen.setdefault(content, name)
        if first != name:
            yield Problem("duplicate", name, f"the same pixels as {first}")

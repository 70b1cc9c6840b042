"""Photographs of one's own, whatever their folder looks like: their names, or a table, say who is
on each and what the face shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien import facs, images
from mien.data.adapters.reading import walk
from mien.data.importing import clear, put, whole
from mien.data.manifest import Record, write_manifest
from mien.data.row import UNSAID
from mien.data.split import splits_of
from mien.errors import DataError, GuideError, ImageError, near
from mien.files import read_table

NAME = "own"
"""What the command calls them; also what their people's ids begin with."""
LAYOUT = "{emotion}/{person}"
"""Where nothing else is said: a folder for each expression, as in `happy/anna.jpg`."""
SOURCE = "own photographs"
_SAID = {**{name: name for name in facs.EMOTIONS}, **facs.WORDS}
_PARTS = {
    "{person}": "(?P<person>[^/]+?)",
    "{emotion}": f"(?P<emotion>{'|'.join(sorted(_SAID, key=len, reverse=True))})",
    "*": "[^/]*",
}
COLUMNS = ("file", "person", "label")


@dataclass(frozen=True)
class Labelled:
    """What is said of a photograph: its path below the folder, who is on it, what it shows."""

    file: str
    person: str | None
    emotion: str | None


def import_own(
    folder: Path, out: Path, *, layout: str = LAYOUT, table: Path | None = None, licence: str = "",
    copy: bool = False, progress: Callable[[int, int], None] = lambda done, total: None,
    left_out: Callable[[str], None] = lambda reason: None,
) -> list[Record]:  # fmt: skip
    """Bring photographs of one's own to an imagefolder in `out`; returns its records.

    Args:
        folder: The photographs, in folders of any depth.
        out: Where to; an earlier import of one's own is replaced, anything else is not.
        layout: What paths look like, without endings, the end of each path: `{person}`, `{emotion}`
            and `*` stand for what they say and for anything within a name.
        table: Instead of `layout`, a CSV file with the columns `file`, `person` and `label`, of
            which `person` and `label` may be empty or missing.
        licence: What the photographs may be used for: an SPDX identifier or a few words.
        copy: Whether to copy pictures rather than to hard-link them.
        progress: Called with how many are done, of how many.
        left_out: Called with a line for each picture that is left out: one that cannot be read, and
            one of which nothing is said.

    Raises:
        DataError: either folder is not what it should be, the layout or the table cannot be read,
            or no picture is left.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the one with your photographs")
    if out.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{out} lies in {folder}: choose a folder beside it")
    labelled = list(
        _by_names(folder, layout, left_out) if table is None else _by_table(folder, table)
    )
    clear(out, lambda record: record.person.startswith(f"{NAME}/"))
    taken: list[Labelled] = []
    with whole(out):
        for done, one in enumerate(labelled, 1):
            try:
                images.read(folder / one.file)
            except ImageError as error:
                left_out(str(error))
            else:
                put((folder / one.file).resolve(), out / one.file, copy)
                taken.append(one)
            progress(done, len(labelled))
        if not taken:
            raise DataError(f"no photograph in {folder} can be taken" + _how(folder, layout, table))
        records = _records(taken, licence)
        write_manifest(out, records)
    return records


def _records(taken: Sequence[Labelled], licence: str) -> list[Record]:
    splits = splits_of({_id(one) for one in taken})
    who = [(one, _id(one)) for one in taken]
    return [
        Record(one.file, name, one.emotion, None, None, licence or UNSAID, SOURCE, splits[name])
        for one, name in who
    ]


def _id(one: Labelled) -> str:
    return f"{NAME}/{one.person or one.file}"


def _how(folder: Path, layout: str, table: Path | None) -> str:
    if table is not None:
        return f": {table} names them by their paths below the folder"
    seen = next((path for path in walk(folder) if images.of_name(Path(path))), None)
    if seen is None:
        return ", for there is none: give the folder they are in"
    return (
        f": {seen} does not look like {layout!r}. Say what names mean by --layout, such as "
        "'{person}' or '{person}-{emotion}', or by --table"
    )


def _by_names(folder: Path, layout: str, left_out: Callable[[str], None]) -> Iterator[Labelled]:
    pattern = _pattern(layout)
    for path in walk(folder):
        if images.of_name(Path(path)) is None:
            continue
        match = pattern.fullmatch(path.rpartition(".")[0])
        if match is None:
            left_out(f"{folder / path}: its name does not look like {layout!r}")
            continue
        found = match.groupdict()
        said = found.get("emotion")
        yield Labelled(path, found.get("person"), None if said is None else _SAID[said.lower()])


def _pattern(layout: str) -> re.Pattern[str]:
    pieces = re.split(r"(\{[^}]*\}|\*)", layout)
    for piece in pieces[1::2]:
        if piece not in _PARTS:
            raise DataError(f"the layout has {piece}: {near(piece, _PARTS)}")
        if piece != "*" and pieces.count(piece) > 1:
            raise DataError(f"the layout has {piece} twice: write it once, and * elsewhere")
    if not {*pieces} & {"{person}", "{emotion}"}:
        raise DataError(f"the layout {layout!r} has neither {{person}} nor {{emotion}}")
    text = "".join(_PARTS[p] if k % 2 else re.escape(p) for k, p in enumerate(pieces))
    return re.compile(f"(?:.*/)?{text}", re.IGNORECASE)


def _by_table(folder: Path, table: Path) -> Iterator[Labelled]:
    columns, rows = read_table(table)
    for column in columns:
        if column not in COLUMNS:
            raise DataError(f"{table} has a column {column!r}: {near(column, COLUMNS)}")
    if "file" not in columns:
        raise DataError(f"{table} has no column 'file': there must be {', '.join(COLUMNS)}")
    seen: set[str] = set()
    for number, row in rows:
        path = Path(row["file"])
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise DataError(f"{table}, line {number}: file is not a path below {folder}")
        if path.as_posix() in seen:
            raise DataError(f"{table}, line {number}: {path} has a line above")
        seen.add(path.as_posix())
        said = row.get("label", "")
        try:
            emotion = None if not said else _SAID.get(said.lower()) or facs.emotion(said)
        except GuideError as error:
            raise DataError(f"{table}, line {number}: {error}") from None
        yield Labelled(path.as_posix(), row.get("person") or None, emotion)

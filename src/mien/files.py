"""Files that are there in full or not at all, names that a file system takes, and tables."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path

from mien.errors import DataError

_LONGEST = 255  # bytes of a name where the file system does not say
_DECIMALS = re.compile(r"[+-]?\d+(,\d+)?(\s+[+-]?\d+(,\d+)?)*")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to; it becomes `path` at the end, or nothing does.

    The folder is made. A link is written through: it stays, and the file that it names changes. An
    OSError of the writing passes through, the temporary file does not stay.
    """
    path = behind(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # not made of the file's own name, which may be as long as names can be
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, its folder too, whole or not at all; DataError if that fails."""
    try:
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


def read_table(
    path: Path, pairs: Collection[str] = ()
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The columns of a CSV file with a heading, and its rows by column, each with its line number.

    Columns may be parted by commas, semicolons or tabs, as spreadsheets write them by the language
    they are set to; parted by semicolons or tabs, numbers may have decimal commas, but in the
    columns of `pairs`, where a comma parts two numbers. Cells are without blanks at their ends, and
    empty where a line is short.

    Raises:
        DataError: it cannot be read, is not UTF-8, or has a line with more cells than columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            heading = file.readline()
            mark = max(",;\t", key=heading.count)
            file.seek(0)
            reader = csv.DictReader(file, delimiter=mark, restval="")
            columns = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path} is not a CSV file in UTF-8") from None
    for number, row in rows:
        if any(cell.strip() for cell in row.pop(None, ())):
            raise DataError(
                f"{path}, line {number} has more cells than the heading has columns: put a cell "
                "that holds a comma in quotes"
            )
    local = set() if mark == "," else {*columns} - {*pairs}
    return columns, [
        (number, {name: _cell(text.strip(), name in local) for name, text in row.items()})
        for number, row in rows
    ]


def _cell(text: str, local: bool) -> str:
    return text.replace(",", ".") if local and _DECIMALS.fullmatch(text) else text


def behind(path: Path) -> Path:
    """The file that a link names in the end, there or not yet; any other path as it is. OSError for
    links that lead in a circle.
    """
    if not path.is_symlink():
        return path
    try:
        return Path(os.path.realpath(path, strict=True))
    except FileNotFoundError:
        return Path(os.path.realpath(path))


def fitting(stem: str, suffix: str, folder: Path) -> str:
    """The file name `stem` + `suffix`, its stem cut to what names in `folder` may be long."""
    return cut(stem, longest(folder) - len(os.fsencode(suffix))) + suffix


def cut(text: str, most: int) -> str:
    """The beginning of a name that takes `most` bytes or fewer, no letter of it halved."""
    while len(os.fsencode(text)) > most:
        text = text[:-1]
    return text


def longest(folder: Path) -> int:
    """Bytes that a file's name may have in a folder, which need not be there yet."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            return os.pathconf(place, "PC_NAME_MAX")
    return _LONGEST

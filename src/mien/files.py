"""Files that are there in full or not at all, and names that a file system takes."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from mien.errors import DataError

_LONGEST = 255  # bytes of a name where the file system does not say


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

"""The one table of picture formats: what is read, looked for in folders, written and uploaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HEAD = 32
"""Bytes at a file's beginning by which `of_head` knows its format."""


@dataclass(frozen=True)
class Format:
    """A picture format, and what mien does with it."""

    name: str
    """Pillow's."""
    suffixes: tuple[str, ...]
    """In lower case, the usual one first."""
    mime: str
    begins: bytes = b"(?!)"
    """A pattern for the first bytes; nothing matches the default."""
    read: bool = True
    written: bool = False
    uploaded: bool = False
    """Taken from strangers by the server; formats with few and plain readers."""


FORMATS: tuple[Format, ...] = (
    Format(
        "JPEG", (".jpg", ".jpeg", ".jfif", ".jpe"), "image/jpeg",
        rb"\xff\xd8\xff", written=True, uploaded=True,
    ),
    Format(
        "PNG", (".png",), "image/png", rb"\x89PNG\r\n\x1a\n", written=True, uploaded=True,
    ),
    Format("WEBP", (".webp",), "image/webp", rb"RIFF.{4}WEBP", written=True, uploaded=True),
    Format("AVIF", (".avif",), "image/avif", rb".{4}ftyp(avif|avis|mif1|msf1)"),
    Format("TIFF", (".tif", ".tiff"), "image/tiff", rb"II[*+]\0|MM\0[*+]"),
    Format(
        "BMP", (".bmp", ".dib"), "image/bmp", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0{3}",
    ),
    Format("GIF", (".gif",), "image/gif", rb"GIF8[79]a"),
    Format(
        "PPM", (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
        "image/x-portable-anymap", rb"P[1-6fF]\s",
    ),
    Format(
        "JPEG2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"), "image/jp2",
        rb"\xff\x4f\xff\x51|\0{3}\x0cjP  \r\n\x87\n",
    ),
    # photographs all the same: a folder's are reported, not left out
    Format(
        "HEIF", (".heic", ".heif", ".hif"), "image/heif", rb".{4}ftyphe[iv][cx]", read=False,
    ),
    Format(
        "RAW", (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"),
        "image/x-raw", read=False,
    ),
)  # fmt: skip
"""Every format that mien knows by name."""

READABLE: tuple[str, ...] = tuple(f.name for f in FORMATS if f.read)
"""Pillow's names of what is opened: no format whose reader starts another program."""
WRITTEN: dict[str, str] = {s: f.name for f in FORMATS if f.written for s in f.suffixes}
"""Suffix -> Pillow's name of the format that is written by it."""
UPLOADED: tuple[str, ...] = tuple(s for f in FORMATS if f.uploaded for s in f.suffixes)
"""Suffixes that the server's page offers to take."""


def of_name(path: Path) -> Format | None:
    """The format that a file's suffix promises."""
    suffix = path.suffix.lower()
    return next((f for f in FORMATS if suffix in f.suffixes), None)


def of_head(head: bytes) -> Format | None:
    """The format that a file's first bytes (`HEAD` of them, or all) show."""
    return next((f for f in FORMATS if re.match(f.begins, head[:HEAD], re.DOTALL)), None)

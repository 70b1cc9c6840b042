"""What a picture's EXIF says, as far as it can be read: damage costs the tag, not the picture.

Pillow's EXIF reader and writer are not made for hostile or broken blocks: types that contradict
their tag, offsets beyond the end and letters where numbers should be come out as whatever exception
Python has for them. So every call into it here is fenced, tag by tag.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from PIL import ExifTags, Image

ORIENTATION = 0x0112
MOST = 65_000
"""Bytes of EXIF that are kept: a JPEG holds 65,533 in all."""

# directories inside the directory
_PARTS: tuple[int, ...] = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
# How a TIFF lies in its file, and other programs' blocks (XMP, IPTC, Photoshop, ICC), which may
# hold the unaltered picture: none is about the photograph, and none holds for the result.
_STORAGE = frozenset(
    {*range(254, 260), 262, *range(263, 267), 273, *range(277, 282), 284, *range(288, 294)}
    | {301, 317, *range(320, 326), 330, *range(332, 348), *range(512, 522), 529, 530, 532, 559, 700}
    | {33723, 34377, 34675, 37724, 40965, 46275, 50255, *range(50706, 50785)}
)  # fmt: skip


def settle(image: Image.Image) -> None:
    """Take out of an opened TIFF what would stop it from loading: its loader reads EXIF too."""
    exif = _attempt(image.getexif)
    exif = exif if exif is not None else image.getexif()  # what was read until it broke
    for tag in (*_PARTS, ExifTags.IFD.Interop):
        if tag in exif and _attempt(exif.get_ifd, tag) is None:
            with contextlib.suppress(KeyError):
                del exif[tag]


def taken(image: Image.Image) -> tuple[int, bytes | None]:
    """Orientation (1 to 8; 1 where it is not said or makes no sense) and a block of the tags that
    can be read, without it; None where there are none. The smallest come first where they are more
    than `MOST` bytes.
    """
    exif = _attempt(image.getexif)
    if exif is None:
        return 1, None
    orientation = _attempt(exif.get, ORIENTATION)
    turned = next((n for n in range(2, 9) if orientation == n), 1)
    kept, room = _empty(exif), MOST
    for size, part, tag, value in sorted(_sound(exif), key=lambda row: row[0]):
        if size <= room:
            room -= size
            _put(kept, part, tag, value)
    block = _attempt(kept.tobytes) if room < MOST else None
    return turned, block


def _sound(exif: Image.Exif) -> Iterator[tuple[int, int, int, Any]]:
    """(bytes, directory, tag, value) of everything that can be read and written again."""
    places: dict[int, Mapping[int, Any]] = {0: exif}
    for part in _PARTS:
        places[part] = _attempt(exif.get_ifd, part) or {}
    for part, entries in places.items():
        for tag in list(entries):
            if part == 0 and (tag in _STORAGE or tag in _PARTS or tag == ORIENTATION):
                continue
            size = _attempt(_size, exif, part, tag)
            if size is not None:
                yield size, part, tag, entries[tag]


def _size(exif: Image.Exif, part: int, tag: int) -> int:
    """Bytes of one tag in a block of its own, which it must survive."""
    alone = _empty(exif)
    _put(alone, part, tag, (exif.get_ifd(part) if part else exif)[tag])
    block = alone.tobytes()
    again = Image.Exif()
    again.load(block)
    (again.get_ifd(part) if part else again)[tag]
    return len(block)


def _empty(like: Image.Exif) -> Image.Exif:
    made = Image.Exif()
    made.endian = like.endian
    return made


def _put(exif: Image.Exif, part: int, tag: int, value: Any) -> None:
    if part:
        exif.get_ifd(part)[tag] = value
    else:
        exif[tag] = value


def _attempt(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call answers; None where Pillow trips over what is in the block."""
    try:
        return call(*arguments)
    except Exception:
        return None

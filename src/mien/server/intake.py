"""Photographs that strangers send: known by their first bytes, judged by their header, and only
then decoded.
"""

from __future__ import annotations

import io
import re

from mien import images
from mien.errors import ImageError
from mien.images import Photo
from mien.server.answers import Refused
from mien.server.limits import Limits

_TYPES = "JPEG, PNG or WebP"
_LONGEST = 60  # characters of a name: four bytes each are still a name on the disk


def photo(data: bytes, limits: Limits, name: str = "image") -> Photo:
    """The photograph in these bytes.

    Refused (415) unless they begin as a JPEG, PNG or WebP does, whatever the sender calls them;
    PictureTooLarge before anything is decoded; ImageError when damaged or cut short.
    """
    if not data:
        raise Refused(422, "bad_picture", f"{name} is empty: send a {_TYPES}")
    kind = images.of_head(data)
    if kind is None or not kind.uploaded:
        raise Refused(415, "unsupported_picture", f"{name} is not a picture: send a {_TYPES}")
    try:
        return images.read(io.BytesIO(data), limits.pixels)
    except ImageError as error:
        raise type(error)(str(error).replace("the picture", name, 1)) from None


def safe(name: str) -> str:
    """A name for a file of ours that keeps what people know it by: its end, with the suffix."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.\- ()]", "_", last)[-_LONGEST:].lstrip(". ") or "file"

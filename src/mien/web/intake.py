"""Photographs that strangers send: known by their first bytes, judged by their header, and only
then decoded.
"""

from __future__ import annotations

import io

from mien import images
from mien.errors import ImageError
from mien.images import Photo
from mien.web.answers import Refused
from mien.web.limits import Limits

_TYPES = "JPEG, PNG or WebP"


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

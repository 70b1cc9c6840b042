"""What a film in the studio is made of: files known by their first bytes, and photographs as films
in which nothing moves.
"""

from __future__ import annotations

import math
from pathlib import Path

from mien.images import Photo
from mien.server.cropping import fitting
from mien.server.limits import Limits
from mien.video import still

STILL_SECONDS = 10
"""How long a photograph that is animated lasts before it is cut."""
_EBML = b"\x1aE\xdf\xa3"
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def write_still(path: Path, photo: Photo, limits: Limits) -> None:
    """Write a film of `STILL_SECONDS` in which nothing moves, of a size that films may have."""
    height, width = photo.pixels.shape[:2]
    scale = min(1.0, math.sqrt(limits.film_pixels / (height * width)))
    pixels = fitting(photo.pixels, int(max(height, width) * scale) // 2 * 2)
    seconds = min(STILL_SECONDS, limits.film_seconds, limits.film_frames / still.RATE)
    still.write_still(path, pixels, int(seconds * still.RATE))


def media_type(path: Path) -> str | None:
    """What a file is by its first bytes: a film made of boxes (MP4, QuickTime), one in EBML
    (Matroska, WebM), or None.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head[4:8] in _BOXES:
        return "video/mp4"
    return "video/webm" if head.startswith(_EBML) else None

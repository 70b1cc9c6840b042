"""A photograph as a film in which nothing moves, for expressions that do."""

from __future__ import annotations

import itertools
from pathlib import Path

from mien import images
from mien.errors import VideoError
from mien.types import UInt8
from mien.video.writing import write_stills

RATE = 25
"""Frames a second."""
LONGEST = 600.0
"""Most seconds of such a film."""


def is_photograph(path: Path) -> bool:
    """Whether a file begins as a picture does that may not move; False where there is none."""
    try:
        with path.open("rb") as file:
            kind = images.of_head(file.read(64))
    except OSError:
        return False
    return kind is not None and kind.name != "GIF"


def write_still(path: Path, pixels: UInt8, seconds: float) -> None:
    """A film of a picture (H, W, 3), without sound, whose last frame is shown at `seconds`; where
    that is between two frames, the later one.

    Raises:
        VideoError: it would last longer than `LONGEST`, or cannot be written.
    """
    if seconds > LONGEST:
        raise VideoError(f"a film of {seconds:.0f} s: a photograph moves {LONGEST:g} s at most")
    count = 1 + int(-(-seconds * RATE // 1))
    write_stills(path, itertools.repeat(pixels, count), RATE, {"source": "a photograph"})

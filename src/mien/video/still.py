"""A photograph as a film in which nothing moves, for expressions that do."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

from mien.errors import VideoError
from mien.types import UInt8
from mien.video.writing import write_stills

RATE = 25
"""Frames a second."""
LONGEST = 600.0
"""Most seconds of such a film."""


def frames_until(seconds: float) -> int:
    """How many frames such a film needs for its last one to be shown at `seconds`, or after it
    where that is between two frames; VideoError if it would last longer than `LONGEST`."""
    if seconds > LONGEST:
        raise VideoError(f"a film of {seconds:.0f} s: a photograph moves {LONGEST:g} s at most")
    return 1 + math.ceil(seconds * RATE)


def write_still(path: Path, pixels: UInt8, frames: int) -> None:
    """A film of so many frames of a picture (H, W, 3), without sound; VideoError if it cannot be
    written."""
    write_stills(path, itertools.repeat(pixels, frames), RATE, {"source": "a photograph"})

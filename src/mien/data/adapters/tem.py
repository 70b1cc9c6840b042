"""Psychomorph / WebMorph templates: 189 hand-checked points, and the 68 of them that mien works with.

A `.tem` file holds the number of points, one `x y` line per point, then line definitions (which points a curve
joins). The FRL template (189 points) is the one of the Face Research Lab sets. Its numbering was read off the line
definitions and checked on pictures; low 68-point numbers are on the left of the picture, the person's right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from mien.errors import DataError
from mien.types import Float

COUNT = 189

# The face outline, ear to ear; the chin (129) is the end of the first half and the start of the second.
_OUTLINE = (
    109,
    185,
    110,
    186,
    111,
    125,
    126,
    127,
    128,
    129,
    130,
    131,
    132,
    133,
    114,
    188,
    113,
    187,
    112,
)
_CHIN = 9
_BROW_UPPER = ((71, 72, 73, 74, 75), (78, 79, 80, 81, 82))
_BROW_LOWER = ((71, 83, 84, 76), (77, 85, 86, 82))
# Where 68-point annotators put brow points: on the upper edge at the inner end, nearer the middle of the hair at the tail.
_BROW_INWARD = 0.2
_BRIDGE = ((50, 51, 52, 53, 54), (56, 57, 58, 59, 60))
_EYE_UPPER = ((18, 19, 20, 21, 22), (23, 24, 25, 26, 27))
_EYE_LOWER = ((18, 28, 29, 30, 22), (23, 31, 32, 33, 27))
_LIPS_OUTER = (87, 88, 89, 90, 91, 92, 93, 108, 107, 106, 105, 104)
_LIPS_UPPER_INNER = (95, 96, 97)
_LIPS_LOWER_INNER = (102, 101, 100)


def read_tem(path: Path | str) -> Float:
    """The points of a template, float32 (189, 2), (x, y) px. DataError if the file is not such a template."""
    try:
        lines = Path(path).read_text(encoding="ascii", errors="replace").split("\n")
        count = int(lines[0])
        rows = [[float(value) for value in line.split()] for line in lines[1 : count + 1]]
        points = np.asarray(rows, dtype=np.float32)
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"{path} is not a point template (.tem): {error}") from error
    if points.shape != (COUNT, 2) or not np.isfinite(points).all():
        raise DataError(f"{path} has {count} points; mien reads the 189-point FRL template")
    return points

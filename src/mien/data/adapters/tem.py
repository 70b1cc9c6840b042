"""Psychomorph / WebMorph templates: 189 hand-checked points, and the 68 of them that mien works
with.

A `.tem` file holds the number of points, one `x y` line per point, then line definitions (which
points a curve joins). The FRL template (189 points) is the one of the Face Research Lab sets. Its
numbering was read off the line definitions and checked on pictures; low 68-point numbers are on the
left of the picture, the person's right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.types import Float

COUNT = 189

# The face outline, ear to ear; the chin (129) ends the first half and starts the second.
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
_BRIDGE = ((50, 51, 52, 53, 54), (56, 57, 58, 59, 60))
_LIPS_OUTER = (87, 88, 89, 90, 91, 92, 93)
_LIP_BOTTOM = (93, 108, 107, 106, 105, 104, 87)
_INNER = (95, 96, 97, 102, 101, 100)  # 61, 62, 63 above, 65, 66, 67 below

# Curves of the template, and where along them (in steps from point to point) the 68-point scheme
# has its points.
_CURVES: tuple[tuple[int, tuple[int, ...], tuple[float, ...]], ...] = (
    (17, (71, 72, 73, 74, 75), (0.15, 1.2, 2.4, 3.35, 4.0)),
    (22, (78, 79, 80, 81, 82), (0.0, 0.65, 1.6, 2.8, 3.85)),
    (36, (18, 19, 20, 21, 22), (0.0, 4 / 3, 8 / 3, 4.0)),
    (40, (22, 30, 29, 28, 18), (4 / 3, 8 / 3)),
    (42, (23, 24, 25, 26, 27), (0.0, 4 / 3, 8 / 3, 4.0)),
    (46, (27, 33, 32, 31, 23), (4 / 3, 8 / 3)),
    (48, _LIPS_OUTER, (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)),
    (55, _LIP_BOTTOM, (1.3, 2.3, 3.0, 3.7, 4.7)),
)


def read_tem(path: Path | str) -> Float:
    """The points of a template, float32 (189, 2), (x, y) px. DataError if the file is not such a
    template.
    """
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


def to_68(points: Float) -> Float:
    """The 68 landmarks (iBUG order) that 189 template points imply: float32 (189, 2) -> (68, 2),
    same pixels.
    """
    t = points.astype(np.float64)
    out = np.empty((68, 2))
    out[:17] = _outline(t[list(_OUTLINE)])
    for first, curve, steps in _CURVES:
        out[first : first + len(steps)] = _along(t[list(curve)], np.asarray(steps))
    bridge = (t[list(_BRIDGE[0])] + t[list(_BRIDGE[1])]) / 2
    out[27:31] = _along(bridge, np.asarray((0.4, 1.6, 2.8, 4.0)))
    out[31], out[35] = _between(t[64], t[63], 0.15), _between(t[69], t[68], 0.15)
    out[32], out[34] = _between(t[180], t[64], 0.38), _between(t[181], t[69], 0.38)
    out[33] = t[55]
    out[[61, 62, 63, 65, 66, 67]] = t[list(_INNER)]
    # The inner corners lie inside the outer ones, where the red of the lips parts.
    out[60] = _between(t[87], (t[94] + t[99]) / 2, 0.42)
    out[64] = _between(t[93], (t[98] + t[103]) / 2, 0.42)
    return out.astype(np.float32)


def _between(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return a + share * (b - a)


def _along(curve: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (m, 2) of the Catmull-Rom curve through `curve` (n, 2) at fractional indices."""
    ends = np.concatenate([2 * curve[:1] - curve[1:2], curve, 2 * curve[-1:] - curve[-2:-1]])
    whole = np.clip(np.floor(steps).astype(int), 0, len(curve) - 2)
    t = (steps - whole)[:, None]
    a, b, c, d = (ends[whole + k] for k in range(4))
    bend = t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d))
    return np.asarray(b + 0.5 * t * (c - a + bend))


def _outline(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seventeen points, evenly spaced by arc length on either side of the chin."""
    fine = np.linspace(0, len(curve) - 1, 40 * (len(curve) - 1) + 1)
    dense = _along(curve, fine)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    chin = length[40 * _CHIN]
    wanted = np.concatenate([np.linspace(0, chin, 9), np.linspace(chin, length[-1], 9)[1:]])
    return np.stack([np.interp(wanted, length, dense[:, axis]) for axis in (0, 1)], axis=1)

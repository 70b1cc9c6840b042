"""Soft lines on skin: drawn on the model's neutral face, where a photograph shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Index
from mien.face_model.neighbours import Nearest

NEAR = 4
"""Vertices by which a point of a line is found in the photograph."""
FINE_SIGMA = 3.0
"""Sigma, px, in which a line is drawn well enough."""
MARGIN = 3.0
"""Room around a line, in sigmas of its profile."""


@dataclass(frozen=True)
class Stroke:
    """A soft line of `depth` (K,) along `path` (K, 2), model cm, `width` its Gaussian's sigma,
    cm."""

    path: Double
    depth: Double
    width: float


@dataclass(frozen=True)
class Line:
    """A soft line of `depth` (K,) in the photograph: points (K, 2) px, `sigma` px, and the corners
    (x, y) of what it darkens, px."""

    at: Double
    depth: Double
    sigma: float
    low: tuple[int, int]
    high: tuple[int, int]


@dataclass(frozen=True)
class Placed:
    """Lines whose points (K, 2), one line after the other, are known by the vertices `near` (K,
    NEAR) them and the share (K, NEAR) of each: `depth` (K,), and of each line (L,) its `width`, cm,
    and how many points it has; the first `strokes` of them darken, the rest are areas."""

    near: Index
    share: Double
    depth: Double
    width: Double
    counts: Index
    strokes: int


class Canvas:
    """Skin of one photograph of side S, on which lines are drawn."""

    def __init__(
        self, nearest: Nearest, points: Float, skin: Float, scale: float, side: int
    ) -> None:
        """Vertices P: the `nearest` of them on the model's neutral face, cm; their `points` (P, 2)
        px in the photograph, which has `scale` px/cm and side `side`; `skin` (P,): how deep a line
        may be there, 0..1."""
        self._nearest, self._points, self._skin = nearest, points, skin
        self._scale, self._side = scale, side

    def placed(self, strokes: Sequence[Stroke], areas: Sequence[Stroke]) -> Placed:
        """Strokes that darken and strokes that are areas, and what on the model's neutral face is
        near them."""
        every = [*strokes, *areas]
        far, near = self._nearest(np.concatenate([s.path for s in every]), NEAR)
        share = 1 / (far + 0.02) ** 2
        share /= share.sum(1, keepdims=True)
        depth, width = np.concatenate([s.depth for s in every]), np.array([s.width for s in every])
        counts = np.array([len(s.path) for s in every])
        return Placed(near, share, depth, width, counts, len(strokes))

    def at(self, placed: Placed) -> Double:
        """Where the points (K, 2) of what is placed lie in the photograph, px."""
        out: Double = (self._points[placed.near] * placed.share[..., None]).sum(1)
        return out

    def lines(self, placed: Placed, at: Double) -> tuple[list[Line], list[Line]]:
        """Strokes in the photograph, and areas, without what leaves it, their points being `at`."""
        near, share, counts = placed.near, placed.share, placed.counts
        bare = (self._skin[near] * share).sum(1)
        first = np.cumsum(counts) - counts
        sigma = placed.width * self._scale
        depth = placed.depth * bare
        depth *= np.repeat(sigma * np.sqrt(2 * np.pi), counts) * _spacing(at, first)  # per px
        room = np.ceil(MARGIN * sigma)[:, None]
        low = (np.floor(np.minimum.reduceat(at, first)) - room).astype(int)
        high = (np.ceil(np.maximum.reduceat(at, first)) + room).astype(int)
        inside = np.flatnonzero(((low >= 0) & (high < self._side)).all(1))
        starts, ends = low.tolist(), high.tolist()
        found: tuple[list[Line], list[Line]] = [], []
        for k in inside.tolist():
            part = slice(first[k], first[k] + counts[k])
            line = Line(at[part], depth[part], float(sigma[k]), tuple(starts[k]), tuple(ends[k]))
            found[k >= placed.strokes].append(line)
        return found


def bounds(lines: Sequence[Line]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The corners (x, y) of what lines darken together, px."""
    lows, highs = zip(*((line.low, line.high) for line in lines), strict=True)
    left, top = map(min, zip(*lows, strict=True))
    right, bottom = map(max, zip(*highs, strict=True))
    return (left, top), (right, bottom)


def inked(lines: Sequence[Line], corner: tuple[int, int]) -> tuple[tuple[slice, slice], Float]:
    """Lines of one sigma, drawn, and where, counted from `corner` (x, y) px."""
    low, high = bounds(lines)
    width, height = high[0] - low[0] + 1, high[1] - low[1] + 1
    times = max(1, int(lines[0].sigma / FINE_SIGMA))  # what is soft is drawn at a part of the size
    ink = np.zeros((-(-height // times) + 1, -(-width // times) + 1), np.float32)
    at = (np.concatenate([line.at for line in lines]) - low + 0.5) / times - 0.5
    depth = np.concatenate([line.depth for line in lines]) / times**2
    whole = np.floor(at).astype(int)
    x, y = (at - whole).T
    column, row = whole.T
    wide, first = ink.shape[1], row * ink.shape[1] + column
    cells = np.concatenate([first, first + wide, first + 1, first + wide + 1])
    shares = ((1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y)
    values = np.concatenate([share * depth for share in shares]).astype(np.float32)
    np.add.at(ink.reshape(-1), cells, values)
    left, top = low[0] - corner[0], low[1] - corner[1]
    part = slice(top, top + height), slice(left, left + width)
    # what is spread over its pixels, and enlarged, is softer already
    softened = (1 - times**-2) / 6 + (times > 1) / 6
    soft = cv2.GaussianBlur(ink, (0, 0), np.sqrt((lines[0].sigma / times) ** 2 - softened))
    if times > 1:
        size = ink.shape[1] * times, ink.shape[0] * times
        soft = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
    return part, np.asarray(soft[:height, :width], np.float32)


def _spacing(at: Double, first: Index) -> Double:
    """How far apart (K,) the points (K, 2) of curves lie, each of which begins at one of `first`
    (L,)."""
    index = np.arange(len(at))
    starts, ends = (np.zeros(len(at), bool) for _ in range(2))
    starts[first] = True
    ends[np.append(first[1:], len(at)) - 1] = True
    before, after = np.where(starts, index, index - 1), np.where(ends, index, index + 1)
    steps = (at[after] - at[before]) / (after - before)[:, None]
    out: Double = np.sqrt(steps[:, 0] ** 2 + steps[:, 1] ** 2)
    return out

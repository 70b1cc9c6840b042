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
    """Strokes whose points (K, 2), one after the other, are known by the vertices `near` (K, NEAR)
    them, and the share (K, NEAR) of each."""

    strokes: tuple[Stroke, ...]
    near: Index
    share: Double


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

    def placed(self, strokes: Sequence[Stroke]) -> Placed:
        """Strokes, and what on the model's neutral face is near them."""
        far, near = self._nearest(np.concatenate([s.path for s in strokes]), NEAR)
        share = 1 / (far + 0.02) ** 2
        share /= share.sum(1, keepdims=True)
        return Placed(tuple(strokes), near, share)

    def lines(self, placed: Placed) -> list[Line | None]:
        """Strokes in the photograph; None for one that leaves it."""
        strokes, near, share = placed.strokes, placed.near, placed.share
        at = (self._points[near] * share[..., None]).sum(1)
        bare = (self._skin[near] * share).sum(1)
        counts = [len(s.path) for s in strokes]
        first = np.cumsum([0, *counts[:-1]])
        sigma = np.array([s.width for s in strokes]) * self._scale
        depth = np.concatenate([s.depth for s in strokes]) * bare
        depth *= np.repeat(sigma * np.sqrt(2 * np.pi), counts) * _spacing(at, first)  # per px
        room = np.ceil(MARGIN * sigma)[:, None]
        low = (np.floor(np.minimum.reduceat(at, first)) - room).astype(int)
        high = (np.ceil(np.maximum.reduceat(at, first)) + room).astype(int)
        inside = ((low >= 0) & (high < self._side)).all(1)
        return [
            Line(at[part], depth[part], width, tuple(start), tuple(end)) if kept else None
            for part, width, start, end, kept in zip(
                map(slice, first, first + counts), sigma.tolist(), low.tolist(), high.tolist(),
                inside.astype(int).tolist(), strict=True,
            )
        ]  # fmt: skip


def bounds(lines: Sequence[Line]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The corners (x, y) of what lines darken together, px."""
    lows, highs = zip(*((line.low, line.high) for line in lines), strict=True)
    left, top = map(min, zip(*lows, strict=True))
    right, bottom = map(max, zip(*highs, strict=True))
    return (left, top), (right, bottom)


def inked(lines: Sequence[Line], corner: tuple[int, int]) -> tuple[tuple[slice, slice], Float]:
    """Lines of one sigma, drawn, and where, counted from `corner` (x, y) px."""
    low, high = bounds(lines)
    ink = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.float32)
    at = np.concatenate([line.at for line in lines])
    depth = np.concatenate([line.depth for line in lines])
    whole = np.floor(at).astype(int)
    x, y = (at - whole).T
    column, row = (whole - low).T
    wide, first = ink.shape[1], row * ink.shape[1] + column
    cells = np.concatenate([first, first + wide, first + 1, first + wide + 1])
    shares = ((1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y)
    values = np.concatenate([share * depth for share in shares]).astype(np.float32)
    np.add.at(ink.reshape(-1), cells, values)
    left, top = low[0] - corner[0], low[1] - corner[1]
    part = slice(top, top + ink.shape[0]), slice(left, left + wide)
    return part, np.asarray(cv2.GaussianBlur(ink, (0, 0), lines[0].sigma), np.float32)


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

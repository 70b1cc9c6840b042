"""The lashes of an upper lid that is closed or nearly so: curves that hang from its edge, in small
bundles, longer, denser, darker and more curled in some people than in others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.eyes import fixed_point

COUNT = (24, 52)
"""Fewest and most lashes of a lid."""
LASH_THICK = 0.035
"""Width of a lash, cm."""
LASH_COVER = (0.5, 0.75)
"""How much of what is behind it a lash hides, least and most."""
LONG, LONGER = (0.18, 0.5), (0.55, 1.4)
"""Length as seen from the front, cm: near the nose, and at two thirds of the way out; and people's,
in units of that."""
FAN = (-0.35, 0.75)
"""Slope aside, towards the temple, of the first and of the last lash, per length."""
CURL = (0.2, 0.5)
"""How much the tips turn up and out, per length."""
BUNDLES, TOGETHER = (2, 5), (0.1, 0.7)
"""How many lashes lean on one another, fewest and most, and how far their tips come together."""
LINE, LINE_COVER = (0.08, 0.11), (0.5, 0.72)
"""Width of the line that their roots make, cm, and how dark it is."""
SHADE = (0.26, 0.36)
"""How dark the shade is that lashes and the lid's edge throw."""
POINTS = 6


@dataclass(frozen=True)
class Lashes:
    """One person's lashes, the same in every picture: their number, length and fan in units of the
    usual, curl, how far they come `together`; `cover`, `line` (cm), `line_cover` and `shade` are
    how they look."""

    seed: int
    count: int
    long: float
    fan: float
    curl: float
    together: float
    cover: float
    line: float
    line_cover: float
    shade: float

    @classmethod
    def of(cls, seed: int) -> Lashes:
        """`seed`: of the person."""
        random = np.random.default_rng((seed, 23))
        ranges = (COUNT, LONGER, (0.7, 1.25), CURL, TOGETHER, LASH_COVER, LINE, LINE_COVER, SHADE)
        count, *rest = (float(random.uniform(*between)) for between in ranges)
        return cls(seed, round(count), *rest)

    def __call__(self, edge: Float, unit: float, side: str, hang: float) -> list[Float]:
        """Lashes, each (6, 2) px from root to tip, along a lid's `edge` (N, 2) px from the inner
        corner to the outer one, at `unit` px per cm; `hang` 0..1: how far they hang down."""
        random = np.random.default_rng((self.seed, 7 if side == "L" else 8))
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))])
        out = float(np.sign(edge[-1, 0] - edge[0, 0]) or 1.0)
        step = 0.82 / self.count
        places = np.linspace(0.12, 0.94, self.count) + random.normal(0, 0.5 * step, self.count)
        roots = [
            np.array([np.interp(place * length[-1], length, edge[:, i]) for i in (0, 1)])
            for place in places
        ]
        sizes = LONG[0] + (LONG[1] - LONG[0]) * np.sin(np.pi * np.minimum(places / 1.3, 1.0))
        sizes *= self.long * (0.5 + 0.5 * hang) * unit * random.uniform(0.55, 1.15, self.count)
        aside = self.fan * (FAN[0] + (FAN[1] - FAN[0]) * places)
        aside += random.normal(0, 0.12, self.count)
        tips = np.array([root[0] for root in roots]) + out * aside * sizes
        sizes_of = random.integers(BUNDLES[0], BUNDLES[1] + 1, self.count)
        bundles = np.repeat(np.arange(self.count), sizes_of)[: self.count]
        meet = np.bincount(bundles, tips) / np.bincount(bundles)
        tips += self.together * (meet[bundles] - tips)
        aside = (tips - np.array([root[0] for root in roots])) / np.maximum(sizes, 1e-6)
        return [
            _curve(root, float(size), float(slope), out, self.curl)
            for root, size, slope in zip(roots, sizes, aside, strict=True)
        ]


def _curve(root: Double, long: float, aside: float, out: float, curl: float) -> Float:
    t = np.linspace(0, 1, POINTS)
    x = aside * t + out * curl * 0.5 * t**2
    y = t - curl * t**2
    return (root + long * np.stack([x, y], 1)).astype(np.float32)


def inked(
    strokes: list[Float], unit: float, shape: tuple[int, ...], hides: float
) -> tuple[tuple[slice, slice], Float] | None:
    """The part of a raster of `shape` (H, W) that lashes, tapering curves through points (K, 2) px,
    lie in, and how much (h, w) of what is behind they hide, at most `hides`; None outside."""
    every = np.concatenate(strokes)
    low = np.maximum(np.floor(every.min(0) - 2).astype(int), 0)
    high = np.minimum(np.ceil(every.max(0) + 2).astype(int) + 1, shape[1::-1])
    if (high <= low).any():
        return None
    ink = np.zeros((high - low)[::-1], np.float32)
    for stroke in strokes:
        one = np.zeros(ink.shape, np.uint8)
        shares = np.linspace(1, 0.25, len(stroke) - 1)
        for (a, b), share in zip(pairwise(fixed_point(stroke - low).tolist()), shares, strict=True):
            cv2.line(one, a, b, (round(255 * share),), 1, cv2.LINE_AA, 4)
        np.maximum(ink, one.astype(np.float32) / 255, out=ink)
    thick = LASH_THICK * unit
    if thick > 1:
        ink = cv2.GaussianBlur(ink, (0, 0), thick / 2) * min(thick, 2.0)
    cover = np.asarray(np.clip(ink * min(1.0, thick), 0, 1) * hides, np.float32)
    return (slice(low[1], high[1]), slice(low[0], high[0])), cover


def smoothed(line: Float) -> Float:
    """Points (N, 2) of a curve, each the mean of seven."""
    padded = np.pad(line, ((3, 3), (0, 0)), mode="edge")
    out = [np.convolve(padded[:, j], np.full(7, 1 / 7), "valid") for j in (0, 1)]
    return np.stack(out, 1).astype(np.float32)

"""How lips end at an opened mouth: its outline runs out to a point at either corner, a little
uneven along the way; a fold goes on beyond the point, in shade; the lower lip is wet along it.

The mesh ends the opening with whatever triangles it has there. Lips do otherwise: they meet at an
angle, and where they do skin is folded (the commissure). How much was found by eye, beside
photographs of open mouths.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float
from mien.face_model.smoothstep import smoothstep

RIM, SOFTER = 0.025, 1.2
"""Half width of the soft edge between lip and inside, cm, and how much wider it is in the
corners, in units of itself."""
EVEN = 0.06
"""Reach along the lips, cm, over which the mesh's corners are evened out."""
TAPER, ANGULAR = 0.4, (0.85, 1.15)
"""How far from its ends the opening runs to a point, cm, at most this part of its half width; and
people's power of the way there: 1 is a straight side."""
MOST_TAPER = 0.35
ROUND, ROUNDER, FLATTER = (0.6, 1.7), 0.4, 0.6
"""Half height over length of that way up to which a corner is an angle, and from which on the mouth
is round; by how much the power is less there, and how much less its fold is."""
UNEVEN, WAVES, SLIT = 0.014, (3, 16), 0.2
"""How far the edge strays, cm (standard deviation), in how many half waves along the mouth; and
half the height, cm, under which it strays less."""
STEEPEST, BENDS = 4.0, 0.45
"""Bounds of the slopes of the edges and of the line on which a corner's fold goes on."""
FOLD, FOLD_HIGH, FOLD_DEEP = (0.2, 0.36), 0.07, (0.36, 0.58)
"""A corner's fold: people's length beyond the opening, cm, half its height, cm, and how dark."""
WET, WET_AT, WET_WIDE = (0.05, 0.16), 0.05, 0.03
"""How much light the lower lip's wet edge throws back, how far below the opening, and how wide
that strip is, cm."""


@dataclass(frozen=True)
class Edge:
    """An opening in a window (H, W), 0..1 each: how much of the `inside` shows; by how much the
    lips are darker in its corners, `fold`; how much light their wet edge throws back, `shine`."""

    inside: Float
    fold: Float
    shine: Float


@dataclass(frozen=True)
class LipRim:
    """One person's, the same in every picture. `waves` (4, K): how high the unevenness of the
    upper and the lower edge is, its phase, and how bright and where the wet edge shines."""

    angular: float
    fold: float
    deep: float
    wet: float
    waves: Double

    @classmethod
    def of(cls, seed: int) -> LipRim:
        """`seed`: of the person."""
        random = np.random.default_rng((seed, 29))
        drawn = (float(random.uniform(*between)) for between in (ANGULAR, FOLD, FOLD_DEEP, WET))
        angular, fold, deep, wet = drawn
        count = WAVES[1] - WAVES[0]
        high = random.normal(0, 1, (2, count)) / np.sqrt(count / 2)
        return cls(angular, fold, deep, wet, np.r_[high, random.uniform(0, 2 * np.pi, (2, count))])

    def reach(self, unit: float) -> int:
        """How far, px, it goes beyond an opening, at `unit` px per cm."""
        return round((max(FOLD) + FOLD_HIGH) * unit) + 2

    def __call__(self, mask: Bool, unit: float) -> Edge:
        """The edge of an opening `mask` (H, W) that is not empty, at `unit` px per cm."""
        x = np.arange(mask.shape[1], dtype=np.float32)
        middle, high, ends = _outline(mask, unit)
        from_end = np.minimum(x - ends[0], ends[1] - x) + np.float32(0.5)
        high, round_ = self._pointed(high, from_end, (ends[1] - ends[0] + 1) / 2, unit)
        steep = np.clip(np.abs(np.gradient(high)), 0, STEEPEST)
        even = 1 / np.sqrt(1 + steep**2)
        y = np.arange(mask.shape[0], dtype=np.float32)[:, None]
        off = y - middle
        along = (x - ends[0]) / np.float32(max(ends[1] - ends[0], 1))
        upper, lower, gleam = self._strays(np.asarray(along, np.float32))
        near = smoothstep(1 - from_end / np.float32(TAPER * unit))  # to a corner, inside
        thin = np.clip(high / np.float32(SLIT * unit), 0, 1)
        stray = np.where(off < 0, upper, lower) * np.float32(UNEVEN * unit) * (1 - near) * thin
        far = (high - np.abs(off)) * even + stray  # px, into the opening
        rim = np.maximum(RIM * unit * (1 + SOFTER * near), 0.9)
        beyond = np.minimum(1, 1 + from_end / np.float32(self.fold * unit))
        aside = np.maximum(np.abs(off) - np.maximum(high, 0), 0) / np.float32(FOLD_HIGH * unit)
        deep = self.deep * (1 - FLATTER * round_)
        fold = deep * near * smoothstep(beyond) * np.exp(-(aside**2))
        below = -far / np.float32(unit) - WET_AT
        shine = np.exp(-((below / WET_WIDE) ** 2)) * (off > 0) * np.clip(1 - near, 0, 1)
        shine *= self.wet * np.clip(gleam, 0, 1) * (from_end > 0)
        fields = smoothstep(far / (2 * rim) + np.float32(0.5)), fold, shine
        return Edge(*(np.asarray(one, np.float32) for one in fields))

    def _pointed(
        self, high: Float, from_end: Float, half: float, unit: float
    ) -> tuple[Float, Float]:
        """Half heights (W,) px that run to a point at the ends, negative beyond; and how round (W,)
        the end on that side is, 0..1. `from_end` (W,) px, inwards, and `half` the width."""
        long = max(min(TAPER * unit, MOST_TAPER * half), 1.0)
        at = np.clip(from_end / np.float32(long), -1, 1)
        first, last = np.flatnonzero(from_end >= 0)[[0, -1]]
        step = min(round(long), (last - first) // 2)
        side = np.where(np.arange(len(high)) < (first + last) / 2, first + step, last - step)
        angle, full = ROUND
        round_ = smoothstep((high[side] / np.float32(long) - angle) / (full - angle))
        power = self.angular * (1 - ROUNDER * round_)
        most = high[side] * np.sign(at) * np.abs(at) ** power
        pointed = np.where(from_end < long, np.minimum(high, most), high).astype(np.float32)
        share = 0.5 + 0.5 * float(round_.max())
        even = cv2.GaussianBlur(pointed[None], (0, 0), max(share * EVEN * unit, 0.5))[0]
        return np.asarray(even, np.float32), np.asarray(round_, np.float32)

    def _strays(self, along: Float) -> tuple[Float, Float, Float]:
        """How far the upper and the lower edge stray, and how much the wet one shines (W,), at
        places `along` (W,) an opening, 0..1 from end to end."""
        numbers = np.arange(*WAVES)[:, None]
        turns = np.pi * numbers * along + self.waves[2][:, None]
        upper = (self.waves[0][:, None] * np.sin(turns)).sum(0)
        lower = (self.waves[1][:, None] * np.sin(turns + self.waves[3][:, None])).sum(0)
        gleam = (self.waves[0][:, None] * np.sin(2 * turns + self.waves[3][:, None])).sum(0)
        upper, lower, gleam = (np.asarray(one, np.float32) for one in (upper, lower, gleam))
        return upper, lower, np.float32(0.4) + np.float32(0.5) * gleam


def _outline(mask: Bool, unit: float) -> tuple[Float, Float, tuple[int, int]]:
    """The middle and half the height (W,), px, of an opening (H, W), evened out, and its first and
    last column. Beyond its ends the middle goes on as it went."""
    columns = np.arange(mask.shape[1])
    open_ = np.flatnonzero(mask.any(0))
    first, last = int(open_[0]), int(open_[-1])
    top = mask[:, open_].argmax(0)
    bottom = mask.shape[0] - mask[::-1, open_].argmax(0)
    edges = [np.interp(columns, open_, one).astype(np.float32) for one in (top, bottom)]
    sigma = max(min(EVEN * unit, 0.05 * (last - first + 1)), 0.5)
    upper, lower = (cv2.GaussianBlur(one[None], (0, 0), sigma)[0] for one in edges)
    middle, high = (upper + lower - 1) / 2, (lower - upper) / 2
    run = max(1, min(round(TAPER * unit), (last - first) // 3))
    for end, way in ((first, 1), (last, -1)):
        if not first <= end + way * run <= last:
            continue
        slope = np.clip((middle[end] - middle[end + way * run]) / run, -BENDS, BENDS)
        out = columns < end if way > 0 else columns > end
        middle[out] = middle[end] + slope * np.abs(columns[out] - end)
    return np.asarray(middle, np.float32), np.asarray(high, np.float32), (first, last)

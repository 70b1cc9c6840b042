"""How one person's upper teeth differ from those of the donor whom they are taken from.

A library has few rows, and people who share one must not share a mouth: a row is mirrored or not,
each tooth of it is a little wider or narrower, longer or shorter, turned and tilted, lighter or
darker; some front teeth stand apart; edges are rounder or flatter and let more or less light
through. How high the row stands behind the lip and how round it looks differ too.

Inferred: spreads by eye within what anatomy has. Laterals end 0.5 to 1 mm above the middle
incisors, canines about level with these (S. J. Nelson, *Wheeler's Dental Anatomy*, 10th ed.,
2015); lips at rest show 1.9 mm of men's and 3.4 mm of women's middle incisors, fewer with age
(R. G. Vig and G. C. Brundo, "The kinetics of anterior tooth display", J. Prosthet. Dent. 39, 1978).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import Generator

from mien.face_model.arrays import Double, Float, Index, UInt8
from mien.face_model.crowns import bounds
from mien.face_model.mouths import FLAT, Donor
from mien.types import digest

SIDE = 5
"""Teeth of one side."""
ROUND = (0.1, 0.3)
"""By how much the sides of a row rise at most, cm: least and most round rows."""
HIGHER = (-0.08, 0.07)
"""How much higher than the mesh's a row stands behind the lip, cm."""
CANT = 0.02
"""How much higher one side stands than the other, cm / cm (standard deviation)."""
MIRRORED, ONE_SIDED = 0.5, 0.15
"""The odds that a row is seen in a mirror; and by how much farther one side may reach than the
other, cm, which else goes on as its mirror image."""
WIDER = 0.07
"""How much wider or narrower a tooth is, in its own widths (standard deviation)."""
WITH_GAP, GAP = 0.16, (0.015, 0.05)
"""The odds that two front teeth stand apart, and by how much, cm."""
LONGER = (0.015, 0.035, 0.05, 0.04, 0.04)
"""How much longer or shorter each tooth is, from the middle on, cm (standard deviations)."""
SHORTER = (0.0, 0.035, 0.0, 0.03, 0.05)
"""... and what they lack beside the middle ones on average, cm: the lower lip of the smiles that
rows are cut out of hides the ends of the long ones."""
SHORTEST = 0.07
"""How much shorter than the donor's a tooth is at most, cm: a black gap below one looks chipped."""
LEVEL = (0.3, 1.7)
"""How regular people's rows are: all of these spreads are as many times as large."""
SLANTED, TURNED = 0.05, 0.05
"""Slope of a tooth's edge, cm / cm, and change of its light from one side to the other (standard
deviations)."""
ROUNDED = (0.01, 0.07)
"""How much higher the edge of a tooth ends at its sides than in its middle, cm."""
NOTCH, DEEPEST = 0.07, 0.08
"""How far, cm, the place where two ends part lies from where the teeth touch, and the most of a
notch in one tooth's end that is filled: rows are cut along a lip, whose edge is uneven."""
SHADES, DEEPER = 0.025, np.array([0.96, 0.93, 0.865], np.float32)
"""Brightness of a tooth in units of the next one's (standard deviation); tint of one in which
dentine is seen through the enamel, as it is in many canines and in some incisors."""
DEEP = (0.08, 0.12, 0.38, 0.3, 0.3)
"""How far that goes, from the middle on."""
CLEAR, CLEAR_REACH = np.array([0.8, 0.83, 0.85], np.float32), (0.05, 0.12)
"""Tint of an edge, through which the dark is seen, and how far up it goes, cm."""
SOFT = 0.05
"""Width of the passage from one tooth to the next, cm."""


@dataclass(frozen=True)
class Teeth:
    """One person's: `seed`; `mirrored`; `arc` cm by which the sides rise at most; `higher` cm;
    `cant` cm / cm."""

    seed: int
    mirrored: bool
    arc: float
    higher: float
    cant: float

    @classmethod
    def of(cls, seed: int) -> Teeth:
        """`seed`: of the person."""
        random = np.random.default_rng((seed, 31))
        mirrored = bool(random.random() < MIRRORED)
        arc, higher = (float(random.uniform(*between)) for between in (ROUND, HIGHER))
        return cls(seed, mirrored, arc, higher, CANT * float(random.normal()))

    def above(self, column: Float, high: Float, arc: Float) -> Float:
        """How high above the row's edge pixels (H, W) lie that are `high` (H, W) cm above the
        mesh's at `column` (W,), where the row rises by `arc` (W,) cm."""
        aside = (column + np.float32(0.5)) / np.float32(FLAT.density) - np.float32(FLAT.half)
        rises = np.float32(self.arc) * np.tanh(arc / np.float32(self.arc))
        at = rises + np.float32(self.higher) + np.float32(self.cant) * aside
        return np.asarray(high - at, np.float32)

    def worn(self, donor: Donor) -> Donor:
        """A donor's row as this person has it; the frames of a film share it."""
        key = digest(donor.name, donor.pixels, donor.top, donor.arc)
        return _worn(self, _Of(key, donor))


@dataclass(frozen=True)
class _Of:
    """A donor that is known again by a hash of what it looks like."""

    key: bytes
    donor: Donor = field(compare=False)


@lru_cache(4)
def _worn(teeth: Teeth, of: _Of) -> Donor:
    one, other = of.donor, _mirrored(of.donor)
    if teeth.mirrored:
        one, other = other, one
    left, right = one.reach
    if abs(left - right) > ONE_SIDED:
        one = one.beside(other, other.pixels[..., :3].astype(np.float32))
    random = np.random.default_rng((teeth.seed, 32))
    level = float(random.uniform(*LEVEL))
    ends, others = bounds(one.pixels, FLAT)
    old = np.array([-x for x in ends[:0:-1]] + others)  # (11,) cm, where teeth touch
    form = _Form.of(old, level, random)
    tooth, place = form.at(FLAT.across.astype(np.float64))
    source = np.interp(FLAT.across, form.places, form.sources)
    foot = form.foot(tooth, place) - _moved(_notches(one, old), source)
    out = _warped(one, source, foot, form.free(FLAT.across))
    light = form.light(tooth, place)
    clear = form.clear(tooth, random)
    return replace(one, pixels=_lit(out, light, clear), top=_moved(one.top, source))


def _mirrored(donor: Donor) -> Donor:
    pixels = np.ascontiguousarray(donor.pixels[:, ::-1])
    return replace(donor, pixels=pixels, top=donor.top[::-1].copy(), arc=donor.arc[::-1].copy())


@dataclass(frozen=True)
class _Form:
    """The ten front teeth of one row: the `ends` (10, 2) of each, cm, in the row that is made, and
    `places` (P,) there with their `sources` (P,) in the donor's; `own` (10, 5): how each differs,
    in standard deviations; `level`: how large those are; `round_` cm."""

    ends: Double
    places: Double
    sources: Double
    own: Double
    level: float
    round_: float

    @classmethod
    def of(cls, old: Double, level: float, random: Generator) -> _Form:
        """Of a row whose teeth touch at `old` (11,) cm."""
        own = np.clip(random.normal(0, 1, (2 * SIDE, 5)), -1.6, 1.6)
        widths = np.diff(old) * (1 + WIDER * level * own[:, 0])
        gaps = np.zeros(2 * SIDE + 1)
        if random.random() < WITH_GAP * level:
            gaps[SIDE + int(random.integers(-1, 2))] = random.uniform(*GAP)
        starts = np.cumsum(gaps[:-1] + np.r_[0, widths[:-1]])
        ends = np.stack([starts, starts + widths], 1)
        ends -= (ends[SIDE - 1, 1] + ends[SIDE, 0]) / 2 - old[SIDE]  # the middle stays
        half = FLAT.half
        edge = (ends[0, 0] - 0.01, ends[-1, 1] + 0.01)
        places = np.r_[min(-half, edge[0]), ends.ravel(), max(half, edge[1])]
        sources = np.r_[-half, np.repeat(old, 2)[1:-1], half]
        return cls(ends, places, sources, own, level, float(random.uniform(*ROUNDED)))

    def at(self, across: Double) -> tuple[Index, Double]:
        """On which tooth (C,) a place (C,) cm is, and where on it, -1 to the left, 1 to the
        right."""
        middles = (self.ends[1:, 0] + self.ends[:-1, 1]) / 2
        tooth = np.searchsorted(middles, across)
        start, stop = self.ends[tooth].T
        return tooth, np.clip(2 * (across - start) / (stop - start) - 1, -1, 1)

    def free(self, across: Float) -> Float:
        """How much (C,) of a column is a gap between two teeth."""
        out = np.zeros(len(across))
        for (_, one), (other, _) in pairwise(self.ends):
            inside = np.minimum(across - one, other - across) * FLAT.density
            out = np.maximum(out, np.clip(inside + 0.5, 0, 1) * (other - one > 1e-6))
        return np.asarray(out, np.float32)

    def foot(self, tooth: Index, place: Double) -> Float:
        """How much higher (C,) than the donor's edge, cm, each column ends."""
        number = _numbers()[tooth]
        out = np.array(SHORTER)[number] + self.level * np.array(LONGER)[number] * self.own[tooth, 1]
        out = np.minimum(out, SHORTEST)
        out += self.level * SLANTED * self.own[tooth, 2] * place * 0.3
        out += self.round_ * np.abs(place) ** 3
        soft = cv2.GaussianBlur(out[None].astype(np.float32), (0, 0), 0.4 * SOFT * FLAT.density)
        return np.asarray(soft[0], np.float32)

    def light(self, tooth: Index, place: Double) -> Float:
        """Light and tint (C, 3) of each column beside the donor's."""
        shade = SHADES * self.own[tooth, 3] + TURNED * self.level * self.own[tooth, 4] * place
        deep = np.clip(np.array(DEEP)[_numbers()[tooth]] * (1 + self.own[tooth, 3]), 0, 1)
        out = (1 + shade)[:, None] * (1 + deep[:, None] * (DEEPER - 1))
        soft = cv2.GaussianBlur(
            out.astype(np.float32), (1, 0), 0.01, sigmaY=0.5 * SOFT * FLAT.density
        )
        return np.asarray(soft, np.float32)

    def clear(self, tooth: Index, random: Generator) -> tuple[Float, float]:
        """How far (C,) the tint of a clear edge goes, and how far up, cm."""
        much = np.array([1.0, 1.0, 0.5, 0.3, 0.2])[_numbers()[tooth]] * random.uniform(0.4, 1.0)
        return np.asarray(much, np.float32), float(random.uniform(*CLEAR_REACH))


def _numbers() -> Index:
    """Which tooth (10,) of its side each is, 0 in the middle."""
    return np.concatenate([np.arange(SIDE)[::-1], np.arange(SIDE)])


def _moved(values: Float, source: Double) -> Float:
    """Values (C,) of a donor's columns at the places `source` (C,) cm."""
    return np.interp(source, FLAT.across, values).astype(np.float32)


def _notches(donor: Donor, old: Double) -> Float:
    """How deep (C,) the end of each tooth of a row is notched, cm, teeth touching at `old` (11,)
    cm: how far it lies above the end of a tooth that bulges everywhere and is round; negative where
    it is the longer."""
    cover = donor.pixels[..., 3].astype(np.float64)
    edge = FLAT.above - cover.sum(0) / np.maximum(cover.max(0), 1) / FLAT.density
    x, out = FLAT.across.astype(np.float64), np.zeros(len(edge))
    parts = [int(np.where(np.abs(x - at) < NOTCH, edge, -np.inf).argmax()) for at in old]
    for first, last in pairwise(parts):
        if last - first > 2:
            part = slice(first, last + 1)
            bulging = _bulging(x[part], edge[part])[None]
            out[part] = edge[part] - cv2.GaussianBlur(bulging, (0, 0), SOFT * FLAT.density)[0]
    out[cover.max(0) < cover.max() / 2] = 0  # a row that fades out has no end
    soft = cv2.GaussianBlur(out[None].astype(np.float32), (0, 0), 0.4 * SOFT * FLAT.density)
    return np.asarray(np.clip(soft[0], -DEEPEST, DEEPEST), np.float32)


def _bulging(x: Double, y: Double) -> Double:
    """The highest convex curve that is nowhere above points `x`, `y` (P,), x ascending."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2:]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            kept.pop()
        kept.append(i)
    out: Double = np.interp(x, x[kept], y[kept])
    return out


def _warped(donor: Donor, source: Double, foot: Float, free: Float) -> Float:
    """The row premultiplied (R, C, 4), whose columns are the donor's at `source` (C,) cm and end
    `foot` (C,) cm higher; nothing where teeth leave `free` (C,)."""
    cover = donor.pixels[..., 3:].astype(np.float32) / 255
    full = np.concatenate([donor.pixels[..., :3] * cover, cover], -1)
    top = np.maximum(_moved(donor.top, source), 0.3)
    high = FLAT.heights[:, None]
    there = np.where(high < top, (high - foot) * top / (top - foot), high)
    column = ((source + FLAT.half) * FLAT.density - 0.5).astype(np.float32)
    u = np.ascontiguousarray(np.broadcast_to(column, there.shape))
    v = ((FLAT.above - there) * FLAT.density - 0.5).astype(np.float32)
    out = cv2.remap(full, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    gum = 1 - np.exp(-(((high - top) / 0.35) ** 2))  # papillae fill it there
    return np.asarray(np.clip(out, 0, 255) * (1 - free * gum)[..., None], np.float32)


def _lit(row: Float, light: Float, clear: tuple[Float, float]) -> UInt8:
    """A premultiplied row (R, C, 4) as pixels and cover, in `light` (C, 3), with `clear` edges."""
    cover = np.clip(row[..., 3:], 0, 1)
    edge = FLAT.above - cover[..., 0].sum(0) / FLAT.density
    much, reach = clear
    near = much * np.exp(-np.maximum(FLAT.heights[:, None] - edge, 0) / reach)
    colour = row[..., :3] / np.maximum(cover, 0.02) * light * (1 + near[..., None] * (CLEAR - 1))
    return np.round(np.dstack([np.clip(colour, 0, 255), 255 * cover])).astype(np.uint8)

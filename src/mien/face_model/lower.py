"""The lower row of teeth, drawn: hardly a smile shows it, so there is no donor.

Eight front teeth of a lower jaw's proportions (incisors narrow and nearly equal, 5.3 and 5.9 mm,
the canine broader and a little taller), flat at their edges, tapering to the gum, which rises
between them; in a person's own irregularity, in the enamel of the upper row, a little duller and
yellower. Proportions: S. J. Nelson, *Wheeler's Dental Anatomy*, 10th ed. (2015), seen from the
front on the model's jaw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.mouths import FLAT, LEVELS
from mien.face_model.sampling import pyramid

WIDTHS = (0.53, 0.57, 0.62, 0.55, 0.42, 0.35)
"""Widths of the teeth of one side as they are seen from the front, cm, from the middle on."""
HEIGHTS = (0.88, 0.9, 1.02, 0.86, 0.78, 0.7)
"""Height of each up to the gum, cm."""
TAPER, ROUNDED = 0.14, 0.1
"""How much narrower a tooth is at the gum; how far its edge is rounded at the sides, cm."""
CUSPS, SLANTED = (0.0, 0.015, 0.12, 0.13, 0.1, 0.1), 0.07
"""How much higher the point of each tooth is than its sides, cm: canines and what follows are
pointed; and how an edge is slanted, cm / cm (standard deviation)."""
FACES = (0.0, 0.06, 0.2, 0.26, 0.28, 0.28)
"""How much darker the outer side of each is than the inner one: the arch bends away."""
UNEVEN, UNLIKE, SHADES, TURNED = 0.026, 0.05, 0.03, 0.3
"""Standard deviations of the place of an edge, cm, of a tooth's width and of its brightness, and of
how far it is turned about its length, in half widths."""
CROWDED = (0.3, 1.6)
"""How crooked people's rows are, least and most, in units of these."""
OVERLAP = 0.06
"""How much of a crooked row's teeth stand before their neighbours: standard deviation of the place
of their middles, in half widths."""
DULL = np.array([1.035, 0.95, 0.9], np.float32)
"""The lower teeth in units of the upper ones' enamel: deeper in the mouth, lit from above."""
NECK = np.array([0.98, 0.955, 0.91], np.float32)
"""Tint at the gum."""
TIP = np.array([0.93, 0.96, 0.98], np.float32)
"""Tint of the edge, which light passes through."""
DEEP = np.array([0.975, 0.945, 0.895], np.float32)
"""Tint of dentine, which is seen through enamel."""
DENTINE, UNALIKE = (0.15, 0.25, 0.7, 0.45, 0.45, 0.45), 0.32
"""How far that goes on each tooth of one side, canines before all, and how people and their teeth
differ in it (standard deviation)."""
CLEFT, TOUCH = 0.16, 0.02
"""How dark it is where two teeth touch, and how far around, cm."""
BETWEEN = 0.5
"""Light between two teeth, where the next ones stand behind."""
SOFT = 0.022
"""How soft a tooth's outline is, cm."""


@dataclass(frozen=True)
class _Row:
    """A row laid flat by `FLAT`, its edge down: tooth, gum (R, C), how much of each there is; light
    (R, C); neck, tip, deep (R, C), how far the tints of gum, edge and dentine go."""

    tooth: Float
    gum: Float
    light: Float
    neck: Float
    tip: Float
    deep: Float


def lower_row(enamel: Float, gum: Float, tinted: bool, seed: int) -> tuple[Float, ...]:
    """The row premultiplied (R, C, 4), 0..255 and 0..1, at full size, half, quarter, eighth, as
    `Donor.levels` has the upper one: `enamel` (3,) and `gum` (3,) colours, 0..255; whether teeth
    have other tints than that; `seed` of the person's irregularity."""
    row = _row(seed % 64)
    one = np.ones(3, np.float32)
    tints = (NECK, TIP, DEEP, DULL)
    neck, tip, deep, dull = tints if tinted else (one * part.mean() for part in tints)
    tint = 1 + row.neck[..., None] * (neck - 1) + row.tip[..., None] * (tip - 1)
    tint *= 1 + row.deep[..., None] * (deep - 1)
    colour = enamel * dull * tint * row.tooth[..., None] + gum * row.gum[..., None]
    colour *= row.light[..., None]
    cover = row.tooth + row.gum
    return pyramid(np.asarray(np.dstack([np.clip(colour, 0, 255), cover]), np.float32), LEVELS)


@lru_cache(64)
def _row(seed: int) -> _Row:
    random, hues = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    rows, columns = FLAT.shape
    x = np.asarray((np.arange(columns) + 0.5) / FLAT.density - FLAT.half, np.float32)
    h = np.asarray(FLAT.above - (np.arange(rows)[:, None] + 0.5) / FLAT.density, np.float32)
    tooth, neck, tip, deep = (np.zeros((rows, columns), np.float32) for _ in range(4))
    light, scallop = np.ones_like(tooth), np.full(columns, 0.6, np.float32)
    clefts = _cleft(x, h)
    crooked = float(np.random.default_rng((seed, 2)).uniform(*CROWDED))
    slants = np.random.default_rng((seed, 3))
    for sign in (-1, 1):
        edge = 0.0
        for form in zip(WIDTHS, HEIGHTS, DENTINE, CUSPS, FACES, strict=True):
            width, height, part, cusp, face = form
            half = width * float(1 + random.normal(0, UNLIKE)) / 2
            own = random.normal(0, 1, 4) * (1, crooked, 1, crooked)
            before = OVERLAP * crooked * half * float(hues.normal())
            off = sign * x - np.float32(edge + half + before)
            crown = height * float(1 + 0.04 * own[0])
            place = np.clip(off / np.float32(half), -1, 1)
            point = np.float32(cusp) * np.abs(place) ** 1.4
            slant = np.float32(SLANTED * crooked * slants.normal()) * off
            high = h - np.float32(UNEVEN * own[1]) - point + np.clip(slant, -0.05, 0.05)
            inside, tone, up = _tooth(off, high, half, crown, own[2:])
            tone = tone * (1 - np.float32(face) * (0.5 + 0.5 * place) ** 1.5)
            more = np.clip(inside - tooth, 0, 1)
            light += (tone - light) * more
            neck += (up**1.5 - neck) * more
            deep += (max(part + UNALIKE * float(hues.normal()), 0.0) - deep) * more
            tip += (np.exp(-np.maximum(h, 0) / 0.11) - tip) * more
            tooth = np.maximum(tooth, inside)
            across = np.abs(off) / half
            scallop[across < 1] = crown * (1 - 0.26 * across[across < 1] ** 2.2)
            edge += 2 * half
            clefts = clefts * _cleft(sign * x - np.float32(edge), h)
    between = np.clip((h - 0.12) / 0.06, 0, 1) * (1 - tooth) * (np.abs(x) < sum(WIDTHS) - 0.1)
    light, tooth = light * clefts, tooth + between
    light += (BETWEEN - light) * between
    scallop = cv2.GaussianBlur(scallop[None], (0, 0), 0.03 * FLAT.density)[0]
    gum = _within(np.asarray((h - scallop) * 0.7, np.float32))
    light += (1 - light) * gum  # teeth shade their own enamel alone
    light *= _grain(random, (rows, columns))
    light *= 1 - 0.3 * gum * np.exp(-np.maximum(h - scallop, 0) / 0.05)
    tints = (np.clip(part, 0, 1) for part in (neck, tip, deep))
    parts = (tooth * (1 - gum), gum * (h > 0), light, *tints)
    return _Row(*(np.ascontiguousarray(part, np.float32) for part in parts))


def _tooth(
    off: Float, high: Float | Double, half: float, crown: float, own: Double
) -> tuple[Float, Float, Float]:
    """One tooth (R, C), `off` (C,) cm from whose middle and `high` (R, 1) cm above whose edge
    pixels lie, of half width `half` and height `crown`; `own` (2,): how it differs in brightness
    and in how it is turned. How much of a pixel it is, its light, and how far up, 0..1."""
    up = np.clip(high / crown, 0, 1)
    aside = np.abs(off)
    corner = ROUNDED * np.clip((aside - half + ROUNDED) / ROUNDED, 0, 1) ** 2
    side = half * (1 - TAPER * up**1.3) + 0.25 * SOFT
    inside = np.asarray(_within(side - aside) * _within(high - corner), np.float32)
    bent = np.clip(np.abs(off / half + TURNED * own[1]), 0, 1.3)
    ridge = 0.06 * np.exp(-(((high - 0.3) / 0.16) ** 2)) * (1 - bent**2).clip(0)  # wet, and convex
    tone = (1 + SHADES * own[0]) * (1 - 0.2 * bent**2.2 - 0.08 * up**2 + ridge)
    whole = np.broadcast_to(up, inside.shape).astype(np.float32)
    return inside, np.asarray(tone, np.float32), whole


def _cleft(off: Float | Double, h: Float | Double) -> Float:
    """How much light (R, C) is left around the place where two teeth touch, `off` (C,) cm aside."""
    near = np.exp(-((off / TOUCH) ** 2)) * np.clip(h / 0.05 + 0.5, 0, 1)
    return np.asarray(1 - CLEFT * near * np.clip(1.2 - h / 0.9, 0, 1), np.float32)


def _grain(random: np.random.Generator, shape: tuple[int, int]) -> Float:
    """The fine unevenness of enamel (R, C), 1 in the mean."""
    noise = random.standard_normal(shape).astype(np.float32)
    out = np.ones(shape, np.float32)
    for along, high in ((1.2, 1.2), (4.0, 1.0)):
        soft = np.asarray(cv2.GaussianBlur(noise, (0, 0), along, sigmaY=high), np.float32)
        out += np.float32(0.012) * soft / soft.std()
        noise = noise[::-1].copy()
    return out


def _within(distance: Float | Double) -> Float:
    """0..1 across a soft outline, from `distance` cm inside it."""
    return np.asarray(np.clip(distance / SOFT + 0.5, 0, 1), np.float32)

"""A drawn mouth: teeth, gums, tongue and throat as one small picture per photograph.

The model's teeth carry no texture, and an average of real ones is a smooth strip. So the picture is
drawn: sixteen crowns of the usual proportions, a little unlike each other, with soft gaps, a gum
line, and darker necks. A vertex of the mouth knows its place in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from mien.face_model.arrays import Float
from mien.face_model.mesh import MOUTH_INSIDE, TEETH, FaceModel

DENSITY = 40
"""Pixels of the picture per centimetre."""
HALF = 3.4
"""Half width of the picture, cm; x as on the model."""
UPPER_TOP, LOWER_BOTTOM, BEYOND = 2.4, 2.4, 0.3
"""How far the upper part reaches above the teeth's edge and the lower one below it, and each past
the edge, cm."""
TONGUE_ROWS, THROAT_ROWS = 2.6, 0.6
"""Rows for tongue and throat, cm."""
UPPER_GAPS = (0.0, 0.87, 1.47, 1.95, 2.33, 2.6, 2.85, 3.05)
LOWER_GAPS = (0.0, 0.56, 1.12, 1.68, 2.12, 2.42, 2.65, 2.9)
"""Where one crown meets the next, seen from the front on the model's jaws, cm from the middle."""
UPPER_CROWNS = (1.22, 1.06, 1.2, 1.02, 0.92, 0.85, 0.8)
LOWER_CROWNS = (0.95, 0.97, 1.05, 0.92, 0.86, 0.8, 0.78)
"""Height of each crown up to the gum, cm."""
SOFT = 0.02
"""How soft a crown's sides are, cm."""
UNLIKE = 0.045
"""Standard deviation of a crown's brightness and relative height."""


@dataclass(frozen=True)
class Tints:
    """Colours (3,) of the mouth's parts under full light."""

    tooth: Float
    gum: Float
    tongue: Float
    throat: Float


def places(model: FaceModel, crown: dict[str, float]) -> Float:
    """Where in the picture each vertex of `MOUTH_INSIDE` (M, 2) px lies.

    `crown`: by how much the jaws' heights are stretched.
    """
    neutral = model.neutral
    upper, lower, tongue = model.jaw_parts
    top, bottom, licked, deep = _rows()
    at = np.zeros((len(neutral), 2), np.float32)
    at[:, 0] = np.clip(neutral[:, 0], -HALF, HALF - 1 / DENSITY) + HALF
    at[:, 1] = deep + THROAT_ROWS / 2
    for part, edge, rows, pick in (
        (upper, top + UPPER_TOP, crown["upper"], np.min),
        (lower, bottom + BEYOND, crown["lower"], np.max),
    ):
        teeth = part[(part >= TEETH.start) & (np.abs(neutral[part, 0]) < 0.7)]
        height = (neutral[part, 1] - pick(neutral[teeth, 1])) * rows
        low, high = (-BEYOND, UPPER_TOP) if pick is np.min else (-LOWER_BOTTOM, BEYOND)
        at[part, 1] = edge - np.clip(height, low + 0.05, high - 0.05)
    z = neutral[tongue, 2]
    at[tongue, 1] = licked + 0.1 + (z.max() - z) / np.ptp(z) * (TONGUE_ROWS - 0.2)
    out: Float = at[MOUTH_INSIDE] * DENSITY
    return out


def shape() -> tuple[int, int]:
    """Rows and columns of the picture."""
    jaws = len(_heights(UPPER_TOP)) + len(_heights(LOWER_BOTTOM))
    return jaws + round(TONGUE_ROWS * DENSITY) + round(THROAT_ROWS * DENSITY), round(
        2 * HALF * DENSITY
    )


def along_tongue(row: Float) -> Float:
    """Where along the tongue, 0 at its tip and 1 at its root, rows of the picture lie, px."""
    return np.asarray((row / DENSITY - _rows()[2] - 0.1) / (TONGUE_ROWS - 0.2), np.float32)


def draw(tints: Tints) -> Float:
    """The picture (H, W, 3), 0..255."""
    coats = _coats(bool(np.ptp(tints.tooth) > 1))  # a grey photograph has grey necks
    colours = (tints.tooth, tints.gum, tints.tongue, tints.throat)
    out = sum(
        (
            coat * np.asarray(colour, np.float32)
            for coat, colour in zip(coats, colours, strict=True)
        ),
        start=np.zeros_like(coats[0]),
    )
    return np.ascontiguousarray(np.clip(out, 0, 255))


@cache
def _coats(warm: bool) -> tuple[Float, ...]:
    """What each tint adds to the picture (H, W, 3): drawing is linear in them, and it is slow."""
    rng = np.random.default_rng(3)
    width = round(2 * HALF * DENSITY)
    x: Float = (np.arange(width) - (width - 1) / 2).astype(np.float32) / np.float32(DENSITY)
    upper = _jaw(x, _heights(UPPER_TOP), UPPER_GAPS, UPPER_CROWNS, warm, rng)
    lower = _jaw(x, _heights(LOWER_BOTTOM), LOWER_GAPS, LOWER_CROWNS, warm, rng)
    back = (np.arange(round(TONGUE_ROWS * DENSITY), dtype=np.float32) / DENSITY)[:, None]
    groove = 1 - 0.12 * np.exp(-((x / 0.3) ** 2)) * np.clip(back / 0.4, 0, 1)
    fade = groove * (1 - 0.22 * back / TONGUE_ROWS) * np.clip(1 - 0.2 * (x / 1.5) ** 2, 0.3, 1)
    noise = rng.standard_normal(fade.shape).astype(np.float32)
    tongue = np.repeat((fade * _papillae(noise))[..., None], 3, 2)
    throat = np.ones((round(THROAT_ROWS * DENSITY), width, 3))
    upper, rest = [jaw[::-1] for jaw in upper], (tongue, throat)
    none = [np.zeros_like(part) for part in (upper[0], lower[0], *rest)]
    coats = (
        (upper[0], lower[0], *none[2:]),
        (upper[1], lower[1], *none[2:]),
        (*none[:2], tongue, none[3]),
        (*none[:3], throat),
    )
    return tuple(np.concatenate(parts).astype(np.float32) for parts in coats)


def _papillae(noise: Float) -> Float:
    """The grain of a tongue (H, W), 1 in the mean: bumps, in patches of more and of less."""
    grains = [cv2.GaussianBlur(noise, (0, 0), s, sigmaY=s / 2) for s in (1.1, 2.4, 8.0)]
    fine, bumps, patches = (np.asarray(g / g.std(), np.float32) for g in grains)
    return np.asarray(1 + 0.06 * fine + 0.05 * bumps + 0.02 * patches, np.float32)


@cache
def wet() -> Float:
    """Wet highlights over the drawn picture (H, W), 0..1: small, beside the tongue's groove, and
    always at the same place."""
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(shape()).astype(np.float32)
    streaks = cv2.GaussianBlur(noise, (0, 0), 1.6, sigmaY=2.0)
    fine = cv2.GaussianBlur(noise[::-1].copy(), (0, 0), 0.7)
    bumps = streaks / streaks.std() + 0.8 * fine / fine.std()
    aside = np.abs(np.arange(noise.shape[1]) / DENSITY - HALF)
    ridge = np.exp(-(((aside - 0.55) / 0.3) ** 2))
    return np.asarray(np.clip((bumps - 1.9) / 1.5, 0, 1) * ridge, np.float32)


def _rows() -> tuple[float, float, float, float]:
    """First row of the upper jaw, the lower one, the tongue, the throat, cm."""
    lower = UPPER_TOP + BEYOND
    tongue = lower + BEYOND + LOWER_BOTTOM
    return 0.0, lower, tongue, tongue + TONGUE_ROWS


def _heights(reach: float) -> Float:
    """Height above a tooth's edge of each row, from beyond the edge up to the gum, cm."""
    n = round((reach + BEYOND) * DENSITY)
    return ((np.arange(n) + 0.5) / DENSITY - BEYOND).astype(np.float32)


def _jaw(
    x: Float,
    height: Float,
    gaps: tuple[float, ...],
    crowns: tuple[float, ...],
    warm: bool,
    rng: np.random.Generator,
) -> list[Float]:
    """One jaw, its edge first: what teeth and what gums add to it (H, W, 3), for colours of 1."""
    h = height[:, None]
    tooth = np.zeros((len(height), len(x), 3))
    gum = np.empty_like(tooth)
    gum[:] = (1 - 0.18 * np.clip((h - 0.8) / 1.2, 0, 1))[..., None]
    for sign in (-1, 1):
        for (a, b), crown in zip(pairwise(gaps), crowns, strict=True):
            like = 1 + UNLIKE * rng.standard_normal(4)
            crown = crown * like[0]
            covered = np.flatnonzero((sign * x > a - SOFT) & (sign * x < b + SOFT))
            at = slice(covered[0], covered[-1] + 1)
            across = (sign * x[at] - (a + b) / 2) / ((b - a) / 2)  # -1..1 from gap to gap
            neck = crown * (1 - 0.20 * np.abs(across + 0.1 * like[3]) ** 2.5)
            # Flat in the middle and turning away at the sides, yellow at the neck, glassy at the
            # edge.
            body = 1 - 0.13 * np.abs(across) ** 3
            up = np.clip(h / crown, 0, 1)
            light = like[1] * body * (0.93 + 0.10 * np.sin(np.pi * np.clip(up * 1.1, 0, 1)))
            light = light * (1 - 0.07 * np.exp(-((h / 0.10) ** 2)))
            neck_tint = up[..., None] * np.array([0, 0.035, 0.10 * like[2]], np.float32)
            enamel = (1 - warm * neck_tint) * light[..., None]
            inside = _step((1 - np.abs(across)) * (b - a) / 2, SOFT)
            k = (inside * _step(neck - h, 0.035))[..., None]
            tooth[:, at] = tooth[:, at] * (1 - k) + enamel * k
            gum[:, at] *= 1 - k
    shade = np.ones((len(height), len(x)))
    for gap in gaps[1:]:
        shade *= _gap(x, h, gap)
        shade *= _gap(x, h, -gap)
    shade *= _gap(x, h, 0.0)
    return [
        np.asarray(cv2.GaussianBlur((part * shade[..., None]).astype(np.float32), (0, 0), 0.8))
        for part in (tooth, gum)
    ]


def _gap(x: Float, h: Float, at: float) -> Float:
    """How much light (H, W) is left around the gap at `at`: a shade, widest at the edge."""
    width = 0.035 + 0.07 * np.clip(1 - h / 0.22, 0, 1) ** 1.5
    depth = 0.34 * np.clip(1.15 - h / 0.95, 0, 1) + 0.12 * np.clip(1 - h / 0.2, 0, 1)
    return np.asarray(1 - depth * np.exp(-(((x - at) / width) ** 2)), np.float32)


def _step(distance: Float, soft: float) -> Float:
    """0..1 across an edge `soft` cm wide."""
    return np.asarray(np.clip(distance / soft + 0.5, 0, 1), np.float32)

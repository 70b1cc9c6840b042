"""Single teeth of an upper row that was laid flat: where they touch, and what of them a lip hid.

A smile's lower lip follows the teeth and covers their ends, so the edge at which a row was cut out
of a photograph is the lip's. Under a lip that drops such a row would hang with a straight edge.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.cuts import EDGE, Flat
from mien.face_model.sampling import LUMA

WIDTHS = (0.85, 0.64, 0.6, 0.5, 0.45)
"""Widths of the upper teeth of one side as they are seen from the front, cm, from the middle on."""
SHORTER = (0.0, 0.07, 0.03, 0.1, 0.14)
"""By how much, cm, each of them ends above the middle ones."""
TOUCHING, MISSED = (0.6, 0.15), 0.14
"""Heights above their edge between which the dark is looked for where two touch, and how far aside,
cm."""
CROWN = (1.02, 0.08)
"""Height of the middle crowns, cm, and how much less it is 1 cm aside."""
HIDDEN, LONGEST = 0.4, 0.22
"""Which part of what a row lacks of its crowns lies behind the lower lip, where that meets it (the
rest lies behind the upper one), and the most of it, cm."""
BOW = 0.06
"""How much higher than the middle a row of teeth ends x cm aside, cm / x²; a lip rises more."""
MIRROR = 0.09
"""Height above the cut, cm, about which a row goes on as its own mirror image: nearer to it the
lip's red and its shade lie on the teeth."""
NOTCHES = (0.09, 0.045)
"""How far up the ends of two teeth part where they touch, cm, and of the two in the middle."""
THIN, THIN_REACH = 0.2, 0.08
"""How much darker enamel is at its end, where the dark shows through, and how far up, cm."""

BESIDE, SOLID = 0.06, 0.95
"""How far around, cm, what has no colour of its own takes it from, and from which part of its
column's cover on it has one."""


def bounds(pixels: UInt8, flat: Flat) -> tuple[list[float], ...]:
    """Where the teeth of a row (R, C, 4) touch, cm from the middle outwards: on the left in the
    picture, and on the right."""
    rows = slice(*(round((flat.above - h) * flat.density) for h in TOUCHING))
    seen, cover = pixels[rows, :, :3] @ LUMA, pixels[rows, :, 3] / np.float32(255)
    light = (seen * cover).sum(0) / np.maximum(cover.sum(0), 1e-3)
    x = _across(flat)
    touching = np.cumsum(WIDTHS)
    left, right = ([0.0, *(_darkest(s * x, light, at) for at in touching)] for s in (-1, 1))
    return left, right


def _across(flat: Flat) -> Double:
    return (np.arange(flat.shape[1]) + 0.5) / flat.density - flat.half


def _darkest(x: Double, light: Float, at: float) -> float:
    """The place, cm, nearest `at` where a row is darkest, columns at x (C,) cm of brightness
    `light` (C,); `at` itself where it shows nothing."""
    near = np.flatnonzero((np.abs(x - at) < MISSED) & (light > 0))
    return float(x[near[light[near].argmin()]]) if len(near) else at


def arches(pixels: UInt8, flat: Flat) -> Float:
    """How far (C,) gum comes down on a row (R, C, 4) where a lip bares it: 0 amid a tooth, 1 where
    two touch."""
    x, out = _across(flat), np.ones(flat.shape[1], np.float32)
    for sign, ends in zip((-1, 1), bounds(pixels, flat), strict=True):
        for one, other in pairwise(ends):
            aside = np.abs(2 * (sign * x - one) / (other - one) - 1)
            out[aside < 1] = aside[aside < 1] ** 2.5
    return out


def _ends(pixels: UInt8, flat: Flat) -> tuple[Float, Float]:
    """How much higher than the middle of the front teeth, cm, each column (C,) of a row ends:
    by where on its tooth it lies, and by which tooth that is."""
    x = _across(flat)
    round_, short = np.zeros(len(x), np.float32), np.full(len(x), SHORTER[-1], np.float32)
    for sign, ends in zip((-1, 1), bounds(pixels, flat), strict=True):
        for number, (one, other) in enumerate(pairwise(ends)):
            place = 2 * (sign * x - one) / (other - one) - 1  # -1 toward the middle
            on = np.abs(place) < 1
            inner = NOTCHES[1] if number == 0 else NOTCHES[0]
            deep = np.where(place < 0, inner, NOTCHES[0])
            round_[on], short[on] = (deep * place**4)[on], SHORTER[number]
    return round_, short


def whole(pixels: UInt8, top: Float, met: Float, higher: Float, flat: Flat) -> UInt8:
    """A row (R, C, 4) of which a lip hid the ends, as far as it `met` (C,) them, 0..1, with ends:
    its own enamel goes on as its mirror image, and each tooth is rounded. `top` (C,) cm: how high
    above the cut it is seen; `higher` (C,) cm: how much higher the cut lies than in the middle."""
    crown = CROWN[0] - CROWN[1] * np.abs(_across(flat))
    risen = np.clip(higher - BOW * _across(flat) ** 2, 0, LONGEST)
    lacks = met * (np.clip(HIDDEN * (crown - top), 0, LONGEST) + risen)
    lacks = cv2.GaussianBlur(lacks[None].astype(np.float32), (0, 0), 0.3 * flat.density)[0]
    rounded, short = _ends(pixels, flat)
    own = _filled(pixels, flat)
    side = own[..., 3].max(0)
    edge = flat.above - own[..., 3].sum(0) / np.maximum(side, 1) / flat.density
    foot = (1 - met) * edge + rounded + np.minimum(short, lacks) - lacks
    foot = cv2.GaussianBlur(foot[None].astype(np.float32), (0, 0), 0.02 * flat.density)[0]
    high = flat.heights[:, None]
    below = np.maximum(MIRROR - high, 0)
    room = np.maximum(top - MIRROR - 0.05, 0.02) / np.maximum(MIRROR + lacks, 1e-3)
    source = np.where(high < MIRROR, MIRROR + below * np.minimum(room, 1), high)
    line = np.asarray((flat.above - source) * flat.density - 0.5, np.float32)
    column = np.broadcast_to(np.arange(flat.shape[1], dtype=np.float32), line.shape)
    mirrored = cv2.remap(own, np.ascontiguousarray(column), line, cv2.INTER_LINEAR)
    end = high - foot
    shown = mirrored[..., :3]
    taken = np.maximum(met, high < (1 - met) * edge)[..., None]
    colour = own[..., :3] + taken * (shown - own[..., :3])
    colour *= 1 - (THIN * np.exp(-np.maximum(end, 0) / THIN_REACH) * met)[..., None]
    cover = np.clip(end / (2 * EDGE) + 0.5, 0, 1) * side
    return np.round(np.dstack([np.clip(colour, 0, 255), cover])).astype(np.uint8)


def _filled(pixels: UInt8, flat: Flat) -> Float:
    """A row (R, C, 4) that has the colour of what lies beside it where it has none: the notch
    between two teeth is covered once their ends go on."""
    own = pixels.astype(np.float32)
    enamel = (own[..., 3] >= SOLID * np.maximum(own[..., 3].max(0), 1)).astype(np.float32)
    reach = BESIDE * flat.density
    near = cv2.GaussianBlur(own[..., :3] * enamel[..., None], (0, 0), reach)
    much = cv2.GaussianBlur(enamel, (0, 0), reach)[..., None]
    beside = np.where(much > 1e-3, near / np.maximum(much, 1e-3), own[..., :3])
    own[..., :3] += (1 - enamel[..., None]) * (beside - own[..., :3])
    return own

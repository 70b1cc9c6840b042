"""A flat row of teeth in a mouth: where on it a pixel lies, how high a lip lets it be seen, and
what it shows there."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Real
from mien.face_model.crowns import CROWN
from mien.face_model.mouths import FLAT, Donor
from mien.face_model.sampling import merged

STRETCH = (0.85, 1.3)
"""Bounds of the height of a donor's teeth, in units of their own; one who shows less than a crown
may be stretched up to that."""
COVERED, LIFT = 0.08, 0.4
"""How far the lower lip may hide the upper teeth's edge, cm: smiles follow it. Beyond that the row
is lifted, by this much at most."""
EVEN, TOP_EVEN = 0.4, 0.12
"""Over what width, cm, the stretch is the same, and the height up to which a donor shows teeth."""
WIDER, SIDES_FROM, FILLED = 1.3, 0.8, 0.9
"""How much the sides of a row, from this far from the middle (cm) on, are widened at most to fill
this part of the mouth's width."""
GUM_EDGE = 0.06
"""Over what height, cm, the row fades into gum."""
ARCHED, BARED = 0.15, 0.1
"""How far gum comes down between teeth, cm, where at least so much of it, cm, is bared."""


def columns(across: Float) -> Float:
    """Columns (W,) of a flat row at places across it (W,), cm."""
    last = FLAT.shape[1] - 1
    column = np.clip((across + FLAT.half) * FLAT.density - 0.5, 0, last)
    return np.asarray(column, np.float32)


def along(column: Real, values: Float) -> Float:
    """`values` (C,) of a flat row at `column` (W,)."""
    return np.interp(column, np.arange(len(values)), values).astype(np.float32)


def widened(donor: Donor, across: Float, mask: Bool) -> Float:
    """Places across the row (W,), cm, with its sides drawn out towards the corners of a wide
    mouth."""
    at = np.flatnonzero(mask.any(0))
    ends = across[at[[0, -1]]] * np.float32(FILLED)  # a crooked mouth shows more of one side
    half = np.where(across < 0, -ends.min(), ends.max())
    left, right = donor.reach
    reach = np.where(across < 0, np.float32(left), np.float32(right))
    wider = np.clip((half - SIDES_FROM) / np.maximum(reach - SIDES_FROM, 0.1), 1.0, WIDER)
    beyond = np.maximum(np.abs(across) - SIDES_FROM, 0)
    drawn_in = np.sign(across) * beyond * (1 - 1 / wider)
    return np.asarray(across - drawn_in, np.float32)


def lifted(mask: Bool, above: Float) -> np.float32:
    """By how much, cm, the row is lifted so that the lower lip does not hide the edge of its front
    teeth; soft at both ends, so that a rising smile does not jump."""
    at = np.flatnonzero(mask.any(0))
    middle = at[len(at) // 4 : len(at) - len(at) // 4]
    if not len(middle):
        return np.float32(0)
    last = mask.shape[0] - 1 - mask[::-1].argmax(0)[middle]
    hidden = float(above[last, middle].mean()) - COVERED
    soft = 0.04
    grown = soft * np.logaddexp(0.0, hidden / soft)
    return np.float32(LIFT * np.tanh(grown / LIFT))


def lip_over(mask: Bool, above: Float, unit: float) -> Float:
    """How high (W,), cm above the teeth's edge, the upper lip lets them be seen; even over
    neighbours."""
    some = mask.any(0)
    high = np.asarray(above[mask.argmax(0), np.arange(mask.shape[1])] * some, np.float32)
    weight = _evened(np.asarray(some, np.float32), unit)
    return np.asarray(_evened(high, unit) / np.maximum(weight, 1e-3), np.float32)


def hung(
    levels: tuple[Float, ...], donor: Donor, column: Float, above: Float, cut: Float, unit: float
) -> tuple[Float, Float, Float]:
    """The row (H, W, 4), premultiplied, of a donor's `levels`, at columns (W,) and heights (H, W)
    cm under a lip that cuts it at `cut` (W,) cm; how much (H, W) each pixel is gum above it, which
    comes down between the teeth as far as it is bared; and how high (H, W), cm, above its margin
    it lies."""
    own = _evened(along(column, donor.top), unit, TOP_EVEN)
    shown = np.asarray(np.maximum(own, 0.2), np.float32)
    crown = CROWN[0] - CROWN[1] * np.abs((column + 0.5) / FLAT.density - FLAT.half)
    most = np.maximum(STRETCH[1], crown / shown)
    stretch = np.clip(cut / shown, STRETCH[0], most).astype(np.float32)
    high = np.where(above > 0, above / stretch, above)
    bared = np.clip((cut / stretch - own) / BARED, 0, 1)
    edge = own - np.float32(ARCHED) * bared * along(column, donor.arches)
    up = np.asarray(high - edge, np.float32) + np.float32(GUM_EDGE)
    over = np.clip(up / np.float32(GUM_EDGE), 0, 1)
    left = np.asarray(1 - over, np.float32)
    return sampled(levels, column, high, unit) * merged([left] * 4), over, up


def sampled(levels: tuple[Float, ...], column: Float, high: Float, unit: float) -> Float:
    """The flat row (H, W, 4), premultiplied, at columns (W,) and heights (H, W) cm, for a picture
    of `unit` px per cm."""
    deepest = len(levels) - 1
    level = int(np.clip(np.floor(np.log2(max(FLAT.density / unit, 1.0)) + 0.35), 0, deepest))
    picture = levels[level]
    scale = np.float32(picture.shape[1] / levels[0].shape[1])
    line = (np.float32(FLAT.above) - high) * np.float32(FLAT.density)
    u = np.ascontiguousarray(np.broadcast_to((column + 0.5) * scale - 0.5, line.shape), np.float32)
    v = np.asarray(line * scale - 0.5, np.float32)
    out = cv2.remap(picture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(out, np.float32)


def _evened(line: Float, unit: float, over: float = EVEN) -> Float:
    """`line` (W,) smoothed over so many cm."""
    blurred = cv2.GaussianBlur(line[None], (0, 0), max(over * unit, 1.0))
    return np.asarray(blurred[0], np.float32)

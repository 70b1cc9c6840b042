"""The grain of skin that is drawn out: pores and stubble keep their size.

A raised chin draws what lies between it and the bone to twice its height, and its grain into
streaks. So grain is moved less than the skin it lies on: what the photograph has of it in the very
place stands for what would be drawn out.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Real, UInt8
from mien.face_model.eyes import polygon
from mien.face_model.sampling import LUMA, around

SIZE = 0.09
"""Coarsest grain, cm: what is larger, as a mole, moves with the skin."""
OUTLIERS = 2.5
"""... and what stands out by more than so many standard deviations is cut to that."""
STRETCHED = (0.9, 0.7)
"""Size of the photograph's skin in units of the drawn one's, from which on its grain is exchanged,
and from which on wholly."""
EDGE = 0.12
"""Distance from lips and jaw, cm, over which that fades in."""
BELOW_LIP = 0.3
"""Distance from the photograph's own lips, cm, up to which the skin has their border and shade, and
over which its grain comes to be taken."""
LIPS = list(range(48, 60))
CHIN = [*range(4, 13), 54, 55, 56, 57, 58, 59, 48]
"""Landmarks around the skin between the lower lip and the jaw."""


def keep_grain(
    gain: Float, flow: Float, photo: UInt8, own: Real, landmarks: Real, unit: float
) -> None:
    """Change the light `gain` (S, S) of a drawing of a photograph (S, S, 3), in place, so that the
    chin keeps its grain.

    `flow` (2, S, S): where the drawing comes from, in units of S; `own` and `landmarks` (68, 2) px:
    of the photograph and of the drawing; `unit`: px per cm.
    """
    room = max(EDGE * unit, 1.0)
    both = np.concatenate([own[CHIN], landmarks[CHIN]]).astype(np.float64)
    part = around(photo.shape, both, 2 * room)
    moved = flow[:, *part] * np.float32(len(photo))
    if min(moved.shape[1:]) < 3:
        return
    much = _stretched(moved)
    if not much.any():
        return
    for points in (own, landmarks):
        much = much * _within(points[CHIN], part, room)
    much *= _without(own[LIPS], part, BELOW_LIP * unit)
    where = much > 0
    if not where.any():
        return
    grain = _grain(photo[part], max(SIZE * unit, 0.8), where)
    rows, columns = (np.arange(n, dtype=np.float32) for n in where.shape)
    carried = cv2.remap(
        grain,
        moved[0] + columns,
        moved[1] + rows[:, None],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    gain[part] *= np.exp(much * (grain - carried))


def _stretched(moved: Float) -> Float:
    """How far (h, w), 0..1, skin is drawn out whose places in the photograph lie `moved` (2, h, w)
    px beside those in the drawing."""
    (xy, xx), (yy, yx) = (np.gradient(part) for part in moved)
    xx, yy = xx + 1, yy + 1
    total, area = xx * xx + xy * xy + yx * yx + yy * yy, xx * yy - xy * yx
    least = total / 2 - np.sqrt(np.maximum(total * total / 4 - area * area, 0))
    begins, wholly = STRETCHED
    much = (begins - np.sqrt(np.maximum(least, 0))) / (begins - wholly)
    return np.asarray(np.clip(much, 0, 1), np.float32)


def _within(points: Real, part: tuple[slice, slice], room: float) -> Float:
    """How far (h, w), 0..1, the pixels of a part lie within a polygon, points (K, 2) px: not at all
    up to `room` px inside, wholly from twice that on."""
    away = cv2.distanceTransform(_polygon(points, part), cv2.DIST_L2, 3)
    return np.asarray(np.clip(away / np.float32(room) - 1, 0, 1), np.float32)


def _without(points: Real, part: tuple[slice, slice], room: float) -> Float:
    """The same of what lies beyond a polygon."""
    away = cv2.distanceTransform(1 - _polygon(points, part), cv2.DIST_L2, 5)
    return np.asarray(np.clip(away / np.float32(room) - 1, 0, 1), np.float32)


def _polygon(points: Real, part: tuple[slice, slice]) -> UInt8:
    """Mask (h, w) of the polygon through points (K, 2) px in a part."""
    shape = part[0].stop - part[0].start, part[1].stop - part[1].start
    return polygon(shape, points - np.array([part[1].start, part[0].start]))


def _grain(photo: UInt8, size: float, where: Bool) -> Float:
    """The log-brightness (h, w) of a photograph (h, w, 3) without what is coarser than `size` px,
    and as even as it is in `where` (h, w)."""
    light = np.log(photo.astype(np.float32) @ LUMA + 6)
    fine = light - cv2.GaussianBlur(light, (0, 0), size)
    most = OUTLIERS * float(fine[where].std())
    return np.asarray(np.clip(fine, -most, most), np.float32)

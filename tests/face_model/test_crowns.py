"""The ends of teeth that a lower lip hid in the photograph."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face_model.arrays import Float, UInt8
from mien.face_model.crowns import LONGEST, NOTCHES, WIDTHS, arches, whole
from mien.face_model.mouths import FLAT

N = FLAT.shape[1]
X = (np.arange(N) + 0.5) / FLAT.density - FLAT.half
TOP = np.full(N, 0.5, np.float32)
NOTHING = np.zeros(N, np.float32)
ALL = np.ones(N, np.float32)
LIP, TOOTH = (150, 90, 90), (230, 225, 210)


def level() -> UInt8:
    """A row that a straight lip cuts at height 0: teeth above, dark where they touch."""
    pixels = np.zeros((*FLAT.shape, 4), np.uint8)
    pixels[..., :3] = LIP
    high = FLAT.heights > 0
    pixels[high] = (*TOOTH, 255)
    for at in (0.0, *np.cumsum(WIDTHS), *-np.cumsum(WIDTHS)):
        pixels[np.outer(high, np.abs(X - at) < 0.03)] = (*(v // 2 for v in TOOTH), 255)
    return pixels


def foot(pixels: UInt8) -> Float:
    """The height (C,) at which a row ends, cm."""
    return np.asarray(FLAT.above - pixels[..., 3].sum(0) / 255 / FLAT.density, np.float32)


def test_what_a_lip_hid_goes_on_as_enamel() -> None:
    before = level()
    after = whole(before, TOP, ALL, NOTHING, FLAT)
    amid = np.abs(np.abs(X) - WIDTHS[0] / 2) < 0.1
    assert foot(after)[amid].max() < foot(before)[amid].min() - 0.15
    assert foot(after).min() > -LONGEST - 0.03
    on = after[..., 3] > 200
    front = on & amid[None] & (FLAT.heights[:, None] < 0.4)
    assert np.abs(after[..., :3][front].astype(float) - TOOTH).max() < 40


def test_a_whole_row_is_no_longer_it_is_rounded() -> None:
    after = whole(level(), TOP, NOTHING, NOTHING, FLAT)
    aside = np.abs(X) < 2
    assert foot(after)[aside].min() > -0.03
    for side in (-1, 1):
        touching = np.abs(X - side * WIDTHS[0]) < 0.06
        assert foot(after)[touching].max() == pytest.approx(NOTCHES[0], abs=0.04)
    assert np.array_equal(after[FLAT.heights > 0.3], level()[FLAT.heights > 0.3])


def test_a_side_that_the_lip_rose_over_goes_down_as_far_as_the_other() -> None:
    rise = np.where(X > 0, 0.15 * X**2, 0).astype(np.float32)
    after = foot(whole(level(), TOP, ALL, rise, FLAT))
    right, left = (np.abs(X - s * 1.8) < 0.1 for s in (1, -1))
    assert after[right].mean() < after[left].mean() - 0.1


def test_gum_comes_down_where_teeth_touch() -> None:
    found = arches(level(), FLAT)
    touching = [np.argmin(np.abs(X - s * WIDTHS[0])) for s in (-1, 1)]
    amid = [np.argmin(np.abs(X - s * WIDTHS[0] / 2)) for s in (-1, 1)]
    assert found[touching].min() > 0.75
    assert found[amid].max() < 0.05


def test_a_notch_that_shows_nothing_is_no_hole_in_what_goes_on() -> None:
    before = level()
    notch = np.outer((FLAT.heights > 0) & (FLAT.heights < 0.15), np.abs(X - 0.4) < 0.06)
    before[notch] = 0
    soft = np.outer((FLAT.heights > 0.15) & (FLAT.heights < 0.18), np.abs(X - 0.4) < 0.06)
    before[soft] = (60, 50, 50, 140)
    after = whole(before, TOP, ALL, NOTHING, FLAT)
    hole = np.outer((FLAT.heights > -0.1) & (FLAT.heights < 0.2), np.abs(X - 0.4) < 0.06)
    assert after[hole][:, 3].min() > 250
    assert after[hole][:, :3].min() > 160

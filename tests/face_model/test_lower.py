"""The lower row of teeth: a lower jaw's proportions, in the upper one's enamel."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face_model.lower import WIDTHS, _row, lower_row
from mien.face_model.mouths import FLAT, MouthLibrary

ENAMEL, GUM = np.array([210, 200, 180], np.float32), np.array([170, 100, 100], np.float32)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def clefts(row: np.ndarray, high: float) -> np.ndarray:
    """Where teeth meet (K,), cm from the middle, within 2 cm of it, told by what is dark at `high`
    cm."""
    line = (row[round((FLAT.above - high) * FLAT.density)] @ LUMA)[1:-1]
    around = np.convolve(line, np.ones(9) / 9, "same")
    low = [
        i
        for i in range(2, len(line) - 2)
        if line[i] == line[i - 2 : i + 3].min() and line[i] < 0.96 * around[i]
    ]
    at = (np.array(low) + 1.5) / FLAT.density - FLAT.half
    return np.asarray(at[np.abs(at) < 1.3])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lower_incisors_are_narrow_and_nearly_equal(seed: int) -> None:
    row = lower_row(ENAMEL, GUM, True, seed)[0][..., :3]
    found = clefts(row, 0.4)
    widths = np.diff(found)
    assert len(widths) == 4
    assert widths.min() > 0.45
    assert widths.max() < 0.68
    assert widths.max() < 1.3 * widths.min()


def test_they_are_duller_than_the_upper_ones() -> None:
    row = lower_row(ENAMEL, GUM, True, 5)[0]
    middle = row[round((FLAT.above - 0.4) * FLAT.density), 80:136]
    assert 0.75 * (ENAMEL @ LUMA) < np.median(middle[:, :3] @ LUMA) < 0.99 * (ENAMEL @ LUMA)
    assert middle[:, 3].min() > 0.9


def test_gum_rises_between_them() -> None:
    row = lower_row(ENAMEL, GUM, True, 5)[0]
    pink = row[..., 0] - row[..., 1] > 42  # warm teeth come to 30
    rise = FLAT.above - pink.argmin(0) / FLAT.density  # from above: the array's gum lies on top
    middle = rise[80:136]
    assert 0.1 < middle.max() - middle.min() < 0.5


def test_people_differ_and_one_person_does_not() -> None:
    one, again, other = (lower_row(ENAMEL, GUM, True, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.abs(one - other).max() > 10


def test_some_rows_are_crooked_and_some_are_not() -> None:
    """By how far the edges of four incisors are apart: it used to be alike in all."""
    off = []
    for seed in range(24):
        cover = lower_row(ENAMEL, GUM, True, seed)[0][..., 3]
        ends = (cover > 0.5).sum(0) / FLAT.density
        middles = [round((x + FLAT.half) * FLAT.density) for x in (-0.82, -0.27, 0.27, 0.82)]
        off.append(float(np.ptp([ends[m - 2 : m + 3].mean() for m in middles])))
    assert min(off) < 0.04
    assert max(off) > 0.09


def test_a_grey_photograph_has_grey_ones() -> None:
    grey = lower_row(np.full(3, 200, np.float32), np.full(3, 120, np.float32), False, 3)
    assert all(np.ptp(level[..., :3], axis=-1).max() < 1e-3 for level in grey)


def test_levels_are_those_of_a_donors_row() -> None:
    donor = MouthLibrary.load().donors[0]
    row = lower_row(ENAMEL, GUM, True, 0)
    assert [level.shape for level in row] == [level.shape for level in donor.levels]


def test_teeth_have_colours_of_their_own() -> None:
    """Canines are the yellowest, as dentine shows through them, and no two of a row are of one
    colour."""
    yellow = []
    for seed in range(8):
        row = lower_row(ENAMEL, GUM, True, seed)[0]
        line = row[round((FLAT.above - 0.45) * FLAT.density)]
        at = [round((x + FLAT.half) * FLAT.density) for x in (0.27, 0.82, 1.41)]  # their middles
        yellow.append(
            [float(np.log(line[x - 5 : x + 6, 1] / line[x - 5 : x + 6, 2]).mean()) for x in at]
        )
    first, second, canine = np.mean(yellow, 0)
    assert canine > 0.015 + max(first, second)
    assert np.std(yellow, 0).min() > 0.01


def test_canines_are_pointed_and_incisors_are_not() -> None:
    """Over many rows: how much higher a tooth's middle is than its sides."""

    def pointed(number: int) -> float:
        found = []
        for seed in range(24):
            row = _row(seed)
            high = FLAT.heights[:, None]
            first = np.where(row.tooth > 0.5, high, 9.0).min(0)
            middle = sum(WIDTHS[:number]) + WIDTHS[number] / 2
            for sign in (-1, 1):
                at = np.abs(sign * FLAT.across - middle)
                inner = first[at < 0.08].mean()
                outer = first[(at > 0.3 * WIDTHS[number]) & (at < 0.4 * WIDTHS[number])].mean()
                found.append(outer - inner)
        return float(np.mean(found))

    assert pointed(2) > pointed(0) + 0.03


def test_the_arch_bends_away_from_the_light() -> None:
    """The outer half of a lower canine is darker than the inner one, in the mean of many rows."""
    middle = sum(WIDTHS[:2]) + WIDTHS[2] / 2
    rows = slice(round((FLAT.above - 0.6) * FLAT.density), round((FLAT.above - 0.3) * FLAT.density))
    ratios = []
    for seed in range(24):
        light = _row(seed).light[rows].mean(0)
        for sign in (-1, 1):
            off = sign * FLAT.across - middle
            inner, outer = (light[(a < off) & (off < a + 0.15)].mean() for a in (-0.2, 0.05))
            ratios.append(outer / inner)
    assert np.mean(ratios) < 0.95


def test_the_row_is_warmer_than_the_upper_one() -> None:
    """It was grey in the mouth's shade: red by red light and yellower, and not greener."""
    row = lower_row(ENAMEL, GUM, True, 5)[0]
    teeth = row[..., :3][(row[..., 3] > 0.95) & (row[..., 0] > 0.6 * ENAMEL[0])].mean(0) / ENAMEL
    assert teeth[0] > 1.05 * teeth[1] > 1.05 * teeth[2]

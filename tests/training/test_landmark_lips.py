"""Inner lips go to the lips' edges where teeth show, and stay where they are where none do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.faces.align import template
from mien.training.landmark_lips import open_lips
from mien.types import Float, UInt8

UPPER, LOWER = [61, 62, 63], [67, 66, 65]
TOP, BOTTOM = 205, 222
"""Where the drawn mouth's inside begins and ends, px of a crop of 320."""


def _mouth(inside: tuple[int, int, int] | None) -> tuple[UInt8, Float]:
    """A crop with drawn lips around `inside`, and landmarks whose inner lips lie too near to one
    another.
    """
    crop = np.full((320, 320, 3), (205, 160, 140), np.uint8)
    cv2.rectangle(crop, (120, 194), (200, 236), (170, 80, 80), -1)
    if inside is not None:
        cv2.rectangle(crop, (126, TOP), (194, BOTTOM), inside, -1)
    points = template(320)
    points[48], points[54] = (120, 213), (200, 213)
    for index, x in zip((50, 51, 52), (145, 160, 175), strict=True):
        points[index] = (x, 194)
    for index, x in zip((58, 57, 56), (145, 160, 175), strict=True):
        points[index] = (x, 236)
    for up, low, x in zip(UPPER, LOWER, (145, 160, 175), strict=True):
        points[up], points[low] = (x, TOP + 4), (x, BOTTOM - 5)
    return crop, points


def test_teeth_push_the_points_to_the_lips() -> None:
    crop, points = _mouth((225, 215, 205))
    mended = open_lips(crop, points)
    assert mended[UPPER, 1] == pytest.approx(TOP, abs=2)
    assert mended[LOWER, 1] == pytest.approx(BOTTOM, abs=2)
    others = [i for i in range(68) if i not in UPPER + LOWER]
    assert np.array_equal(mended[others], points[others])


@pytest.mark.parametrize("inside", [None, (160, 74, 74), (40, 15, 15)])
def test_without_teeth_nothing_moves(inside: tuple[int, int, int] | None) -> None:
    """A closed mouth, a lip's own shading, and a dark open mouth are left to the network."""
    crop, points = _mouth(inside)
    assert np.array_equal(open_lips(crop, points), points)


def test_a_correction_is_bounded() -> None:
    crop, points = _mouth((225, 215, 205))
    points[UPPER, 1], points[LOWER, 1] = 213, 213
    moved = np.abs(open_lips(crop, points) - points)[:, 1].max()
    assert moved <= 0.08 * np.linalg.norm(points[36] - points[45]) + 1e-3

"""Directions of affect: mixtures of the prototypes beside them, by angle."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.metrics.circumplex import ANCHORS, ANGLES, affect


def test_twenty_eight_words_go_once_around() -> None:
    angles = list(ANGLES.values())
    assert len(angles) == 28
    assert angles == sorted(angles)
    assert 0 <= angles[0] < angles[-1] < 360


@pytest.mark.parametrize("word", ANCHORS)
def test_a_word_that_has_a_face_is_that_face(word: str) -> None:
    assert np.array_equal(affect(ANGLES[word]), facs.vector(ANCHORS[word]))


@pytest.mark.parametrize(("low", "high"), [("happy", "astonished"), ("afraid", "sad")])
def test_half_way_between_two_faces_is_half_of_each(low: str, high: str) -> None:
    middle = affect((ANGLES[low] + ANGLES[high]) / 2)
    both = facs.vector(ANCHORS[low]) + facs.vector(ANCHORS[high])
    assert middle == pytest.approx(both / 2, abs=1e-6)


def test_it_closes_over_zero_degrees() -> None:
    share = (360 - 271.9) / (360 + 7.8 - 271.9)
    mixed = share * facs.prototype("happy") + (1 - share) * facs.vector({"AU43": 0.5})
    assert affect(0) == pytest.approx(mixed, abs=1e-6)
    assert affect(360) == pytest.approx(mixed, abs=1e-6)


def test_every_direction_can_be_asked_for() -> None:
    for angle in ANGLES.values():
        units = affect(angle)
        assert units.dtype == np.float32
        assert units.max() > 0.3
        assert units.min() == 0
        assert units.max() <= 1
        assert np.array_equal(facs.mirror(units), units)

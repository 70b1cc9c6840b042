"""People who share a donor do not share a mouth."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from mien.face_model import mouths
from mien.face_model.arrays import Float
from mien.face_model.crowns import bounds
from mien.face_model.mouths import FLAT, Donor, MouthLibrary
from mien.face_model.teeth import Teeth, _bulging, _Form, _notches, _warped, _worn

PEOPLE = range(40)
X = FLAT.across
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@pytest.fixture(scope="module")
def donor() -> Donor:
    return next(d for d in MouthLibrary.load(mouths.SHIPPED).donors if d.name == "100_08")


def edge(one: Donor) -> Float:
    """The height (C,) at which a row ends, cm."""
    return np.asarray(FLAT.above - one.pixels[..., 3].sum(0) / 255 / FLAT.density, np.float32)


def test_a_person_keeps_one_row(donor: Donor) -> None:
    one = Teeth.of(7).worn(donor)
    assert Teeth.of(7).worn(replace(donor)) is one  # frames of a film share it
    other = replace(donor, pixels=donor.pixels[:, ::-1].copy())
    assert not np.array_equal(Teeth.of(7).worn(other).pixels, one.pixels)
    _worn.cache_clear()
    again = Teeth.of(7).worn(donor)
    assert one.pixels.tobytes() == again.pixels.tobytes()
    assert Teeth.of(7) == Teeth.of(7)
    assert donor.pixels is not one.pixels


def test_no_two_people_have_the_same_row(donor: Donor) -> None:
    """... not by their mirror images either, nor by how their teeth end."""
    rows = [Teeth.of(seed).worn(donor).pixels.astype(np.float32) for seed in range(8)]
    cover = np.minimum.reduce([row[..., 3:] for row in rows]) / 255
    for i, one in enumerate(rows):
        for other in rows[:i]:
            for seen in (other, other[:, ::-1]):
                differs = np.abs(one - seen)[..., :3] * cover
                assert differs.sum() / (3 * cover.sum()) > 3


def test_some_are_mirrored() -> None:
    assert 0.2 < np.mean([Teeth.of(seed).mirrored for seed in PEOPLE]) < 0.8


def test_teeth_end_at_heights_of_their_own(donor: Donor) -> None:
    """Middle incisors, laterals and canines: within two millimetres, and otherwise in everyone."""
    middles = (0.42, 1.15, 1.75)
    ends = np.array(
        [
            [edge(row)[np.abs(np.abs(X) - at) < 0.1].min() for at in middles]
            for row in (Teeth.of(seed).worn(donor) for seed in PEOPLE)
        ]
    )
    differs = ends[:, 1:] - ends[:, :1]
    assert (differs.std(0) > 0.015).all()
    assert (np.abs(differs) < 0.3).all()
    assert differs[:, 0].mean() > 0.02


def test_a_tooth_has_no_notch_where_a_lip_was_cut() -> None:
    """... amid its end; the rows that ship have some deeper than half a millimetre."""
    worst = []
    for one in MouthLibrary.load(mouths.SHIPPED).donors:
        left, right = bounds(one.pixels, FLAT)
        old = np.array([-x for x in left[:0:-1]] + right)
        none = np.zeros(len(X), np.float32)
        row = _warped(one, X.astype(np.float64), -_notches(one, old), none)
        filled = FLAT.above - row[..., 3].sum(0) / FLAT.density
        for first, last in pairwise(old[3:8]):  # the four in front
            amid = np.abs(X - (first + last) / 2) < 0.35 * (last - first)
            worst.append(
                [(e[amid] - _bulging(X[amid], e[amid])).max() for e in (edge(one), filled)]
            )
    before, after = np.array(worst).T
    assert before.max() > 0.05
    assert after.max() < 0.03


def test_no_tooth_is_so_short_that_it_looks_chipped() -> None:
    """Below the middle of a short lateral one a black gap stood, in who has an irregular row."""
    old = np.linspace(-3, 3, 11)
    forms = [_Form.of(old, 1.7, np.random.default_rng(seed)) for seed in range(60)]
    shorter = np.stack([form.foot(np.arange(10), np.zeros(10)) for form in forms])
    assert shorter.max() < 0.09
    assert shorter.min() < -0.05


def test_few_have_a_gap_and_it_is_narrow() -> None:
    old = np.linspace(-2.5, 2.5, 11)
    gaps = []
    for seed in range(200):
        ends = _Form.of(old, 1.0, np.random.default_rng(seed)).ends
        free = ends[1:, 0] - ends[:-1, 1]
        assert (free > 1e-6).sum() <= 1
        assert free.max() < 0.08
        assert free.min() > -1e-6
        assert ends[4, 1] + ends[5, 0] == pytest.approx(0, abs=1e-9)  # the middle stays
        gaps.append(free.max() > 1e-6)
    assert 0.08 < np.mean(gaps) < 0.25


def test_a_gap_shows_what_is_behind_and_closes_at_the_gum(donor: Donor) -> None:
    old = np.linspace(-2.5, 2.5, 11)
    with_gap = next(
        seed
        for seed in range(99)
        if np.ptp(_Form.of(old, 1.0, np.random.default_rng(seed)).free(X)) == 1
    )
    form = _Form.of(old, 1.0, np.random.default_rng(with_gap))
    places = X.astype(np.float64)
    tooth, place = form.at(places)
    source = np.interp(places, form.places, form.sources)
    row = _warped(donor, source, form.foot(tooth, place), form.free(X))
    column = int(form.free(X).argmax())
    high = FLAT.heights
    cover = row[:, column, 3]
    assert cover[(high > 0.1) & (high < 0.4)].max() < 0.5
    assert cover[np.abs(high - donor.top[column]).argmin()] > 0.9


def test_edges_are_clear(donor: Donor) -> None:
    """What lies behind shows through the last millimetre of the front teeth."""
    row = Teeth.of(3).worn(donor).pixels.astype(np.float32)
    amid = np.abs(np.abs(X) - 0.42) < 0.15
    seen, cover = row[:, amid, :3] @ LUMA, row[:, amid, 3] > 250
    high = FLAT.heights[:, None] - edge(Teeth.of(3).worn(donor))[amid]
    low, body = (seen[cover & (high > a) & (high < b)].mean() for a, b in ((0, 0.08), (0.25, 0.5)))
    plain = donor.pixels[..., :3] @ LUMA
    whole = donor.pixels[:, amid, 3] > 250
    high = FLAT.heights[:, None] - edge(donor)[amid]
    was, were = (
        plain[:, amid][whole & (high > a) & (high < b)].mean() for a, b in ((0, 0.08), (0.25, 0.5))
    )
    assert low / body < was / were - 0.02


def test_a_row_reaches_as_far_on_both_sides() -> None:
    """A donor who shows less of one side lends the other's mirror image."""
    donor = next(d for d in MouthLibrary.load(mouths.SHIPPED).donors if d.name == "025_08")
    assert abs(np.subtract(*donor.reach)) > 0.5
    for seed in range(6):
        assert abs(np.subtract(*Teeth.of(seed).worn(donor).reach)) < 0.4


def test_rows_stand_and_rise_otherwise_in_everyone() -> None:
    column = np.arange(FLAT.shape[1], dtype=np.float32)
    arc = (0.1 * X**2).astype(np.float32)
    edges = np.array(
        [
            -Teeth.of(seed).above(column, np.zeros((1, len(X)), np.float32), arc)[0]
            for seed in PEOPLE
        ]
    )
    assert np.ptp(edges[:, len(X) // 2]) > 0.12
    sides = (edges[:, 20] + edges[:, -21]) / 2 - edges[:, len(X) // 2]
    assert sides.min() > 0.05
    assert np.ptp(sides) > 0.12

"""The gum above the teeth, where a lip bares it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien.face_model.gums import GUM, HIGH, Gums, gum_colour
from mien.face_model.mouths import FLAT, SHIPPED, Donor, MouthLibrary
from mien.face_model.rows import columns, widened
from mien.face_model.sampling import LUMA
from mien.face_model.tones import Tones, tint
from mien.types import Float

FAIR = Tones(
    np.full(3, 190, np.float32),
    np.array([198, 162, 150], np.float32),
    np.array([195, 149, 150], np.float32),
    215.0,
)
WET = np.full(3, 60, np.float32)


@pytest.fixture(scope="module")
def donor() -> Donor:
    return MouthLibrary.load(SHIPPED).donors[0]


def drawn(donor: Donor, tones: Tones = FAIR, seed: int = 1) -> Float:
    """Gum over the whole row, from its margin up."""
    column = np.arange(FLAT.shape[1], dtype=np.float32)
    up = np.linspace(0, HIGH, 40, dtype=np.float32)[:, None] + np.zeros_like(column)
    colour = gum_colour(tones, np.float32(1))
    return Gums(donor, colour, WET, seed)(column, up)


def test_gum_is_hollow_where_two_teeth_touch(donor: Donor) -> None:
    """Lighter over the roots: before, all of it was of one colour."""
    near = drawn(donor)[4:16] @ LUMA
    touching, roots = donor.arches > 0.8, donor.arches < 0.2
    assert near[:, touching].mean() < 0.95 * near[:, roots].mean()


def test_gum_shines_and_turns_red_towards_the_lip(donor: Donor) -> None:
    made = drawn(donor)
    low, high = (np.median(tint_of(made[rows]), axis=0) for rows in (np.s_[4:10], np.s_[34:]))
    assert high[0] > 1.04 * low[0]
    plain = float(gum_colour(FAIR, np.float32(1)) @ LUMA)
    assert (made @ LUMA).max() > 1.2 * plain


def test_gum_of_dark_skin_is_browner(donor: Donor) -> None:
    """By the lips' tint, and not in a photograph of one hue."""
    dark = replace(
        FAIR, skin=np.array([76, 59, 50], np.float32), lip=np.array([93, 79, 78], np.float32)
    )
    red = tint(gum_colour(FAIR, np.float32(1)))[0]
    assert tint(gum_colour(dark, np.float32(1)))[0] < 0.95 * red
    grey = replace(FAIR, white=WET * 3, skin=WET, lip=WET)
    made = drawn(donor, grey)
    assert np.ptp(made, axis=-1).max() < 0.16 * made.mean()


def test_everybody_has_gum_of_their_own_and_keeps_it(donor: Donor) -> None:
    assert (drawn(donor) == drawn(donor)).all()
    assert np.abs(drawn(donor) - drawn(donor, seed=2)).mean() > 1


def test_either_side_of_a_row_reaches_into_its_corner(donor: Donor) -> None:
    """A row that ends early on one side is drawn out there alone."""
    pixels = donor.pixels.copy()
    pixels[:, -round((FLAT.half - 1.5) * FLAT.density) :] = 0
    short = replace(donor, pixels=pixels)
    across = np.linspace(-2.4, 2.4, 200, dtype=np.float32)
    mask = np.ones((4, 200), bool)
    places = widened(short, across, mask)
    left, right = donor.reach[0] * 1.3, 1.5
    assert short.reach[1] == pytest.approx(right, abs=0.05)
    assert places[across > 1.4 * right].min() > 0  # nothing is turned round
    drawn_out = across[np.searchsorted(places, 1.45)]
    assert drawn_out > 1.6
    assert columns(places)[0] < columns(across)[0] + 2 * left * FLAT.density


def tint_of(colours: Float) -> Float:
    flat = colours.reshape(-1, 3)
    return np.asarray(flat / (flat @ LUMA)[:, None], np.float32)


def test_its_colour_is_that_of_fair_skins_gum() -> None:
    """What was there before the relief stays the mean of it."""
    assert gum_colour(FAIR, np.float32(1)) == pytest.approx(FAIR.part(GUM), abs=1e-3)

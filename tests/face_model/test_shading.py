"""The hue of folded skin."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face_model.arrays import Float
from mien.face_model.layers import ALL, Layers
from mien.face_model.tones import Tones


def tones(skin: tuple[int, int, int], white: tuple[int, int, int] = (205, 195, 195)) -> Tones:
    lip = np.array(skin, np.float32) * np.array([1.0, 0.7, 0.75], np.float32)
    shown = np.array(white, np.float32), np.array(skin, np.float32)
    return Tones(*shown, lip.astype(np.float32), 215.0)


def shaded(of: Tones, skin: tuple[int, int, int]) -> Float:
    """What a fold that takes a third of the light leaves of each colour."""
    layers = Layers(
        np.ones((1, 1), np.float32), np.ones((1, 1), np.float32), np.zeros((1, 1, 3), np.float32)
    )
    where, photo = np.ones((1, 1), bool), np.array([[skin]], np.float32)
    layers.dim(where, 2 / 3)
    by = [np.full((1, 1), np.exp(np.log(2 / 3) * one), np.float32) for one in of.shading]
    layers.tint(ALL, by, photo)
    return np.asarray(layers.image(photo)[0, 0] / photo[0, 0], np.float32)


def test_fair_skin_shades_red() -> None:
    skin = (225, 190, 175)
    left = shaded(tones(skin), skin)
    assert left[0] > 0.69
    assert left[2] < left[1] < 2 / 3
    brightness = np.array([0.299, 0.587, 0.114]) * skin
    assert (left * brightness).sum() / brightness.sum() == pytest.approx(2 / 3, abs=0.01)


def test_dark_skin_shades_as_it_is() -> None:
    skin = (88, 66, 57)
    assert shaded(tones(skin), skin) == pytest.approx([2 / 3] * 3, abs=0.01)


def test_a_grey_photograph_shades_grey() -> None:
    grey = tones((190, 190, 190), (200, 200, 200))
    grey = Tones(grey.white, grey.skin, grey.skin * np.float32(0.8), 215.0)
    assert shaded(grey, (190, 190, 190)) == pytest.approx([2 / 3] * 3, abs=1e-5)

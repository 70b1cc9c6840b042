"""The light that lips leave inside a mouth, and the opening's rim."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien import facs
from mien.face_model import inside, shade
from mien.face_model.inside import _light
from mien.face_model.render import Rig


def test_the_lit_side_has_the_brighter_teeth() -> None:
    ellipse = np.zeros((60, 200), np.uint8)
    cv2.ellipse(ellipse, (100, 30), (90, 20), 0, 0, 360, 1, -1)
    shown = np.full(200, 0.7, np.float32)
    even, left = (_light(ellipse > 0, 26.0, slope, shown) for slope in (0.0, -0.8))
    inner = even[30, 20:181]
    assert np.allclose(inner, inner[::-1], atol=0.02)
    assert left[30, 50] > 1.15 * left[30, 150]


def test_a_lip_that_hangs_before_the_teeth_shades_them() -> None:
    """... the more, the less it lets be seen of them, without a jump."""
    mouth = np.zeros((60, 200), bool)
    mouth[10:50, 20:180] = True
    lights = [
        _light(mouth, 26.0, 0.0, np.full(200, shown, np.float32))[12:18, 80:120].mean()
        for shown in np.linspace(0.1, 0.8, 15)
    ]
    assert lights[-1] > 1.08 * lights[0]
    assert np.diff(lights).min() >= 0
    assert np.diff(lights).max() < 0.25 * np.ptp(lights)


@pytest.mark.parametrize(("units", "dims"), [({"AU25": 1.0, "AU27": 1.0}, 3.0), (None, 0.0)])
def test_the_sides_of_a_row_are_dimmer_in_a_dropped_jaw(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, units: dict[str, float] | None, dims: float
) -> None:
    """There cheeks and lips stand before them; a smile's rows are as the library has them."""
    asked = facs.prototype("happy") if units is None else facs.vector(units)
    shaded = rig.render(asked, 320, supersample=1)
    monkeypatch.setattr(inside, "UPPER_ASIDE", 1e6)
    even = rig.render(asked, 320, supersample=1)
    more = even.image.astype(int) - shaded.image
    assert more.min() >= -1
    assert dims <= more.max() < 80
    assert dims > 0 or more.max() <= 2


def test_lips_bend_into_an_opened_mouth(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are darker at its edge, the more it is opened, and nowhere else."""
    darker = []
    for strength in (0.3, 1.0):
        asked = facs.vector({"AU25": strength, "AU27": strength})
        monkeypatch.setattr(shade, "ROLL_SHADE", 0.22)
        bent = rig.render(asked, 320, supersample=1)
        monkeypatch.setattr(shade, "ROLL_SHADE", 0.0)
        flat = rig.render(asked, 320, supersample=1)
        change = (flat.image.astype(int) - bent.image).max(-1)
        near = cv2.dilate((flat.mouth > 0).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        assert np.abs(change[~near]).max() == 0
        assert change.min() >= -2
        darker.append(change[near & (flat.mouth == 0)].mean())
    assert darker[1] > 1
    assert darker[1] > darker[0] > 0

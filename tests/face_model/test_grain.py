"""Skin that is drawn out keeps the size of its pores."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien import facs
from mien.face_model.grain import CHIN, keep_grain
from mien.face_model.render import Rig

SIDE, UNIT = 200, 30.0
RNG = np.random.default_rng(3)


def photo() -> np.ndarray:
    """Even skin with a fine grain."""
    grain = cv2.GaussianBlur(RNG.normal(0, 40, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.0)
    light = (150 + grain).clip(0, 255).astype(np.uint8)
    return np.repeat(light[..., None], 3, 2)


def chin() -> np.ndarray:
    """Landmarks (68, 2) whose chin is most of the picture."""
    angle = np.linspace(0, 2 * np.pi, len(CHIN), endpoint=False)
    out = np.zeros((68, 2), np.float32)
    out[CHIN] = SIDE / 2 + 90 * np.stack([np.cos(angle), np.sin(angle)], 1)
    return out


def drawn_out(by: float) -> np.ndarray:
    """The flow (2, S, S) that draws the picture out `by` times its height about its middle."""
    flow = np.zeros((2, SIDE, SIDE), np.float32)
    y = np.arange(SIDE, dtype=np.float32) - SIDE / 2
    flow[1] = ((1 / by - 1) * y / SIDE)[:, None]
    return flow


def streaks(picture: np.ndarray) -> float:
    """How much more a picture changes along its rows than along its columns, in the middle."""
    middle = picture[90:140, 70:130]
    return float(np.diff(middle, axis=1).std() / np.diff(middle, axis=0).std())


def test_a_chin_that_is_drawn_out_has_no_streaks() -> None:
    skin, flow, points = photo(), drawn_out(2.0), chin()
    y, x = np.indices((SIDE, SIDE), np.float32)
    moved = cv2.remap(skin[..., 0].astype(np.float32), x, y + flow[1] * SIDE, cv2.INTER_LINEAR)
    gain = np.ones((SIDE, SIDE), np.float32)
    keep_grain(gain, flow, skin, points, points, UNIT)
    assert streaks(moved) > 1.7
    assert streaks(moved * gain) < 1.25
    assert abs(float((moved * gain)[90:140, 70:130].mean()) - 150) < 3
    assert (gain[:5] == 1).all()  # beyond the chin
    assert (gain[38:43, 95:105] == 1).all()  # beside the photograph's own lips


def test_skin_that_only_moves_keeps_its_light() -> None:
    gain = np.ones((SIDE, SIDE), np.float32)
    flow = drawn_out(1.1)
    flow[0] = 0.02
    keep_grain(gain, flow, photo(), chin(), chin(), UNIT)
    assert (gain == 1).all()


def test_a_drawn_chin_keeps_its_grain(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = rig.weights(facs.prototype("anger"))
    kept = rig.draw(weights, len(rig.crop)).gain
    monkeypatch.setattr("mien.face_model.render.keep_grain", lambda *_: None)
    plain = rig.draw(weights, len(rig.crop)).gain
    assert (np.abs(kept - plain) > 0.01).sum() > 100

"""The line between closed lips is the photograph's own, wherever the lips meet."""

from __future__ import annotations

import numpy as np

from mien import facs
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.lip_line import FARTHEST, REACH, LipLine, meeting, middle
from mien.face_model.render import Rig
from mien.face_model.sampling import LUMA

UNIT = 20.0
"""Pixels per cm of the made mouth."""


def made(line: float) -> tuple[np.ndarray, np.ndarray]:
    """Lips of brightness 150 that meet at row 30 in a line of brightness `line` between columns 10
    and 110, and landmarks that miss it by a pixel."""
    photo = np.full((60, 120, 3), 150, np.float32)
    photo[29:32, 10:110] = line
    landmarks = np.zeros((68, 2))
    x = np.linspace(10, 110, 5)
    landmarks[60:65] = np.stack([x, np.full(5, 29.0)], 1)
    landmarks[[60, 67, 66, 65, 64]] = landmarks[60:65]
    return photo, landmarks


def test_the_line_is_read_where_it_is_darkest() -> None:
    shade = LipLine.of(*made(60), UNIT).light(
        np.array([0.3, 0.5], np.float32), np.array([[-0.15] * 2, [0.0] * 2, [0.15] * 2], np.float32)
    )
    assert np.allclose(shade[1], np.log(66 / 156), atol=0.05)
    assert np.allclose(shade[[0, 2]], 0, atol=0.02)


def test_lips_without_a_line_get_none() -> None:
    assert not LipLine.of(*made(150), UNIT).shade.any()


def test_lips_meet_where_the_upper_one_ends() -> None:
    upper = np.zeros((40, 60), bool)
    upper[:25] = True
    assert np.allclose(meeting(upper, np.full(60, 23, np.float32), UNIT), 24.5, atol=0.1)
    far = np.float32(24.5 - 1.5 * FARTHEST * UNIT)
    assert np.allclose(meeting(upper, np.full(60, far, np.float32), UNIT), far)


def test_the_line_does_not_jump_where_lips_meet_far_from_the_meshs_edges() -> None:
    """It fell to the middle of these where it was farther than `REACH`: two bits of dark line lay
    on a raised lower lip (London 114, sad)."""
    upper = np.zeros((60, 120), bool)
    bow = 20 + 2 * np.sin(np.arange(120) / 9)
    upper[np.arange(60)[:, None] < bow] = True
    expected = np.full(120, 20 + 1.02 * REACH * UNIT, np.float32)
    found = meeting(upper, expected, UNIT)
    assert np.abs(np.diff(found)).max() < 0.6
    assert np.abs(found - bow).max() < 1.5
    blank = upper.copy()
    blank[:, 50:70] = False
    assert np.abs(meeting(blank, expected, UNIT)[50:70] - 20).max() < 3


def depth(image: np.ndarray, points: np.ndarray) -> float:
    """Log-brightness of the darkest place across the middle of a mouth, over what is beside it."""
    x, y = middle(points)[2]
    reach = round(0.035 * SOURCE_SIZE)
    rows = slice(round(y) - reach, round(y) + reach + 1)
    seen = image[rows, round(x) - 8 : round(x) + 9].astype(np.float32) @ LUMA
    column = np.sort(np.log(seen.mean(1) + 6))
    return float(column[0] - np.median(column))


def test_pressed_lips_show_the_line_between_them(rig: Rig) -> None:
    """It used to be hidden inside the lips, and one smear was left of both."""
    own = depth(rig.original(SOURCE_SIZE).image, rig.fit.landmarks)
    pressed = rig.render(facs.prototype("anger"), SOURCE_SIZE)
    assert own < -0.1
    assert depth(pressed.image, pressed.landmarks) < 0.8 * own

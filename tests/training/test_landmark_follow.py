"""Points are carried to another photograph where flow is sure of itself, and only there."""

from __future__ import annotations

import cv2
import numpy as np

from mien.faces.align import template
from mien.training.landmark_follow import followed
from mien.types import Float, UInt8

BROWS, LOWER_LIDS = slice(17, 27), [40, 41, 46, 47]


def _texture(seed: int) -> UInt8:
    noise = np.random.default_rng(seed).normal(0, 1, (320, 320, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3.0)
    levels: UInt8 = (128 + 45 * soft / soft.std()).clip(0, 255).astype(np.uint8)
    return levels


def _raised(pixels: UInt8) -> UInt8:
    """The same picture with what lies above the eyes lifted by 4 px, fading to nothing below."""
    y, x = np.mgrid[:320, :320].astype(np.float32)
    lift = 4 / (1 + np.exp((y - 108) / 3))
    return np.asarray(cv2.remap(pixels, x, y + lift, cv2.INTER_LINEAR), np.uint8)


def _off(points: Float, pixels: float) -> Float:
    """A guess whose aligning points are right and whose others lie too low."""
    out = points.copy()
    out[[*range(27), *LOWER_LIDS, *range(48, 68)], 1] += pixels
    return out


def test_points_follow_what_moved() -> None:
    rest, points = _texture(0), template(320)
    found = followed(rest, points, _raised(rest), _off(points, 6))
    assert np.abs(found[BROWS] - points[BROWS] + (0, 4)).mean() < 0.4
    assert np.abs(found[LOWER_LIDS] - points[LOWER_LIDS]).mean() < 0.4
    assert np.allclose(found[60:] - points[60:], (0, 6), atol=1e-2)
    assert np.abs(found[[48, 54]] - points[[48, 54]] - (0, 3)).mean() < 0.3


def test_another_picture_is_not_followed() -> None:
    points = template(320)
    guess = _off(points, 6)
    found = followed(_texture(0), points, _texture(1), guess)
    astray = np.linalg.norm(found - guess, axis=1)[17:]
    assert np.median(astray) < 0.5

"""What a camera adds to a picture: noise."""

from __future__ import annotations

import cv2
import numpy as np

from mien.types import UInt8

MOST_NOISE = 20.0
"""Strongest noise, levels (0..255) of standard deviation at middle grey."""
SHOT = 0.5
"""Share of the variance at middle grey that comes with the light, not with reading it out."""
DEMOSAIC = 0.5
"""Blur, px, by which a sensor's neighbours share their noise."""


def noisy(pixels: UInt8, noise: float, random: np.random.Generator) -> UInt8:
    """The picture (H, W, 3) with sensor noise of `noise` levels at middle grey: one part grows with
    the light (shot noise), one is everywhere the same."""
    drawn = random.standard_normal(pixels.shape, np.float32)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), DEMOSAIC), np.float32)
    drawn /= max(float(drawn.std()), 1e-6)
    light = pixels.astype(np.float32)
    spread = noise * np.sqrt(1 - SHOT + SHOT * light / 128)
    return np.clip(np.rint(light + spread * drawn), 0, 255).astype(np.uint8)

"""How true a picture is that is sampled between its pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.faces import moving
from mien.types import Float

SIDE = 96


def waves(x: Float, y: Float) -> Float:
    """A picture (h, w, 3) known at every place: waves of 5 px and longer."""
    rng = np.random.default_rng(3)
    out = np.full((*x.shape, 3), 128.0)
    for _ in range(24):
        along, down = rng.uniform(-1.2, 1.2, 2)
        out += rng.uniform(-6, 6, 3) * np.sin(along * x + down * y + rng.uniform(0, 6))[..., None]
    return np.asarray(out, np.float32)


def test_sampling_in_two_steps_is_truer_than_cubic() -> None:
    """As true as Lanczos half way between pixels, and on average less than half as far off as
    cubic."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    picture, inner = waves(x, y), np.s_[8:-8, 8:-8]
    off = []
    for across, down in ((0.5, 0.5), (0.25, 0.6), (0.1, 0.9), (0.75, 0.3)):
        right, low = x[inner] + np.float32(across), y[inner] + np.float32(down)
        truth = waves(right, low)
        made = (
            moving._sampled(moving._doubled(picture), 2 * right, 2 * low, cv2.INTER_CUBIC),
            moving._sampled(picture, right, low, cv2.INTER_LANCZOS4),
            moving._sampled(picture, right, low, cv2.INTER_CUBIC),
        )
        off.append([float(np.sqrt(((one - truth) ** 2).mean())) for one in made])
    assert off[0][0] == pytest.approx(off[0][1], rel=0.05)
    ours, _, cubic = np.mean(off, 0)
    assert ours < 0.5 * cubic


def test_whole_pixels_stay() -> None:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    picture = waves(x, y)
    assert np.array_equal(moving._doubled(picture)[::2, ::2], picture)

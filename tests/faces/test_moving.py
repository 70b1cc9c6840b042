"""How true a picture is that is sampled between its pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.faces import moving
from mien.faces.align import View
from mien.images import read
from mien.types import Float
from mien.zoo.samples import samples

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


def test_pieces_of_a_run_are_no_wider_than_a_window_and_leave_nothing_out() -> None:
    where = np.zeros((40, 1500), bool)
    where[5:30, 20:1200], where[7, 1300] = True, True
    seen = np.zeros(where.shape, int)
    for near, inner, window in moving.tiles(where):
        assert window[1].stop - window[1].start <= moving._WIDEST
        assert where[near][inner].shape == where[window].shape
        seen[window] += 1
    assert seen.max() == 1
    assert seen[where].all()


def test_detail_is_strengthened_where_it_is_stretched() -> None:
    """Nothing where nothing moves, or all moves alike; within bounds elsewhere."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    still = np.zeros((2, SIDE, SIDE), np.float32)
    assert not moving.stretching(still).any()
    assert not moving.stretching(still + 3).any()
    pressed = moving.stretching(np.stack([0.1 * x, 0.1 * y]))[4:-4, 4:-4]
    assert pressed == pytest.approx(1 / 1.21 - 1, abs=1e-4)
    stretched = moving.stretching(np.stack([-0.5 * x, -0.5 * y]))[4:-4, 4:-4]
    assert stretched == pytest.approx(0.25)


def variance(picture: Float) -> float:
    """Of the Laplacian, away from the border."""
    grey = cv2.cvtColor(np.clip(picture, 0, 255), cv2.COLOR_RGB2GRAY)
    return float(np.var(cv2.Laplacian(grey, cv2.CV_32F)[12:-12, 12:-12]))


@pytest.mark.parametrize("off", [(0.5, 0.5), (0.5, 0.0), (0.3, 0.4)])
def test_what_is_taken_from_between_pixels_is_as_crisp(
    off: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face moved by half a pixel, reduced so far that its pores are a pixel or two."""
    face = cv2.resize(
        read(samples()["anna"]).pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
    )
    photo = np.asarray(face, np.uint8)
    height, width = photo.shape[:2]
    view = View(0, 0, width, height, np.eye(2, 3, dtype=np.float32))
    motion = [np.full((height, width), part, np.float32) for part in off]
    none = np.zeros((height, width), np.float32)
    own = variance(photo.astype(np.float32))
    crisp = variance(moving.moved(photo, view, motion, none))
    monkeypatch.setattr(moving, "_BETWEEN", np.float32(0))
    dull = variance(moving.moved(photo, view, motion, none))
    assert dull < 0.93 * own
    assert crisp == pytest.approx(own, rel=0.1)
    assert crisp > 1.05 * dull

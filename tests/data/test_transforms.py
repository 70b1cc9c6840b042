"""Augmentation: pictures, points and fields move alike; one camera serves a pair."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.data.transforms import Geometry, Photometry

STORED, SIZE = 160, 128


def blob(x: float, y: float, side: int) -> np.ndarray:
    """A picture (side, side, 3) with a soft spot at (x, y)."""
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1)
    spot = 255 * np.exp(-((grid - [x, y]) ** 2).sum(-1) / 18)
    return np.repeat(spot[..., None], 3, 2).astype(np.uint8)


def centre(picture: np.ndarray) -> np.ndarray:
    weight = picture[..., 0].astype(float) ** 2
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return np.asarray([(x * weight).sum(), (y * weight).sum()] / weight.sum())


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_points_follow_the_picture(mirrored: bool, seed: int) -> None:
    geometry = Geometry.draw(np.random.default_rng(seed), STORED, SIZE, 1.0, mirrored)
    point = np.array([[92.0, 70.0]], np.float32)
    seen = centre(geometry.image(blob(92, 70, STORED)))
    assert seen == pytest.approx(geometry.points(point)[0], abs=0.2)


def test_without_strength_the_crop_is_only_resized() -> None:
    geometry = Geometry.draw(np.random.default_rng(0), STORED, SIZE, 0.0)
    noise = np.random.default_rng(1).integers(0, 255, (STORED, STORED, 3)).astype(np.uint8)
    picture = np.asarray(cv2.GaussianBlur(noise, (0, 0), 4), np.uint8)
    resized = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    assert np.abs(geometry.image(picture).astype(int) - resized).max() <= 2


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_flow_still_points_at_the_same_thing(mirrored: bool, seed: int) -> None:
    """A spot moved by a flow is found where the augmented flow says."""
    geometry = Geometry.draw(np.random.default_rng(seed), STORED, SIZE, 1.0, mirrored)
    step = np.array([0.05, -0.03], np.float32)  # crop units: the result's pixel looks there
    flow = np.tile(step, (80, 80, 1)).astype(np.float32)
    seen = geometry.flow(flow, 64)[32, 32] * SIZE
    at = np.array([[80.0, 80.0], [80.0, 80.0] + step * STORED], np.float32)
    moved = geometry.points(at)
    assert seen == pytest.approx(moved[1] - moved[0], abs=1e-3)


def test_field_lands_where_the_picture_lands() -> None:
    geometry = Geometry.draw(np.random.default_rng(3), STORED, SIZE, 1.0, True)
    field = cv2.resize(blob(92, 70, STORED), (80, 80), interpolation=cv2.INTER_AREA)
    seen = geometry.field(field.astype(np.float32), 64)
    expected = (geometry.points(np.array([[92.0, 70.0]], np.float32))[0] + 0.5) / 2 - 0.5
    assert centre(seen) == pytest.approx(expected, abs=0.2)


def test_camera_is_one_for_a_pair_and_differs_between_pairs() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    camera = Photometry.draw(np.random.default_rng(5))
    assert np.array_equal(camera.apply(picture), camera.apply(picture))
    other = Photometry.draw(np.random.default_rng(6))
    assert not np.array_equal(camera.apply(picture), other.apply(picture))


def test_some_cameras_are_grey() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    cameras = [Photometry.draw(np.random.default_rng(k)) for k in range(200)]
    share = np.mean([c.saturation == 0 for c in cameras])
    assert 0.03 < share < 0.16
    assert camera_keeps_shape(cameras, picture)


def camera_keeps_shape(cameras: list[Photometry], picture: np.ndarray) -> bool:
    seen = [c.apply(picture) for c in cameras[:20]]
    return all(s.shape == picture.shape and s.dtype == np.uint8 for s in seen)

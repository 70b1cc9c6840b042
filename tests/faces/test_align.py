"""Crop and inverse belong together, and a crop does not depend on who asks for which size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.faces.align import (
    MIRROR,
    STABLE,
    align,
    inverse,
    mirrored,
    resized,
    similarity,
    template,
    transform,
    warp,
)
from mien.types import Face, Float, UInt8


def _move(angle: float, scale: float, x: float, y: float) -> Float:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y]], np.float32)


def _face(points: Float) -> Face:
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    return Face((float(left), float(top), float(right), float(bottom)), 1.0, points)


@pytest.fixture(scope="module")
def scene() -> UInt8:
    """Smooth noise: detail at every scale that a crop may have."""
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3)).astype(np.float32)
    soft = np.sum([cv2.GaussianBlur(noise, (0, 0), s) * s for s in (2.0, 6.0, 20.0)], 0)
    span = np.ptp(soft)
    return np.asarray((soft - soft.min()) / span * 255, np.uint8)


def test_template_is_a_face_in_the_middle() -> None:
    points = template(128)
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    eyes = (left + right) / 2
    assert eyes == pytest.approx((63.5, 0.37 * 128 - 0.5), abs=0.1)
    assert 128 / (right - left)[0] == pytest.approx(3.75, abs=0.02)
    assert points.min() > 0
    assert points.max() < 127
    assert np.allclose(mirrored(points, 128), points, atol=0.02)


def test_template_sizes_agree() -> None:
    assert np.allclose((template(320) + 0.5) * 128 / 320 - 0.5, template(128), atol=1e-4)


def test_mirror_undoes_itself() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))


@given(st.floats(-3.1, 3.1), st.floats(0.02, 30.0), st.floats(-4000, 4000), st.floats(-4000, 4000))
def test_similarity_finds_the_move(angle: float, scale: float, x: float, y: float) -> None:
    move = _move(angle, scale, x, y)
    found = similarity(template(128), transform(move, template(128)))
    assert np.allclose(found, move, rtol=2e-3, atol=2e-3 * max(1.0, scale))


@given(st.floats(-3.1, 3.1), st.floats(0.05, 10.0), st.floats(-2000, 2000))
def test_inverse_brings_points_back(angle: float, scale: float, shift: float) -> None:
    matrix = _move(angle, scale, shift, -shift / 3)
    points = template(128)
    again = transform(inverse(matrix), transform(matrix, points))
    assert np.abs(again - points).max() < 0.05 * max(1, 1 / scale)


def test_align_brings_the_stable_points_home(scene: UInt8) -> None:
    move = _move(0.3, 1.7, 260, 90)
    face = _face(transform(move, template(128)))
    aligned = align(scene, face, 128)
    assert np.allclose(aligned.landmarks, template(128), atol=0.02)
    assert np.allclose(
        transform(inverse(aligned.matrix), aligned.landmarks), face.landmarks, atol=0.02
    )


def test_expression_does_not_move_the_crop(scene: UInt8) -> None:
    rest = transform(_move(0, 2.0, 200, 100), template(128))
    smile = rest.copy()
    moving = [i for i in range(68) if i not in STABLE]
    smile[moving] += np.random.default_rng(0).normal(0, 9, (len(moving), 2)).astype(np.float32)
    assert np.array_equal(align(scene, _face(rest)).matrix, align(scene, _face(smile)).matrix)


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.9, 2.6, 4.3])
def test_a_crop_of_320_seen_at_128_is_the_crop_of_128(scene: UInt8, scale: float) -> None:
    face = _face(transform(_move(0.2, scale, 200, 60), template(128)))
    large, small = align(scene, face, 320), align(scene, face, 128)
    seen = cv2.resize(large.pixels, (128, 128), interpolation=cv2.INTER_AREA)
    inside = np.abs(seen.astype(float) - small.pixels)[2:-2, 2:-2]
    assert inside.mean() < 1.0
    assert np.allclose(resized(large.matrix, 320, 128), small.matrix, atol=1e-3)


def test_shrinking_does_not_alias() -> None:
    """Stripes finer than a crop pixel must melt into grey instead of beating."""
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = warp(stripes, _move(0.1, 0.08, 0, 0), 128)[4:-4, 4:-4]
    assert crop.std() < 6
    assert crop.mean() == pytest.approx(127, abs=4)


def test_pixel_centres_stay_put() -> None:
    """A dot's centre of mass in the crop is where the matrix says, at any scale."""
    scene = np.zeros((400, 400, 3), np.uint8)
    cv2.circle(scene, (203, 187), 22, (255, 255, 255), -1)
    for scale in (0.23, 0.5, 0.9, 1.6):
        matrix = _move(0.4, scale, 64 - 120 * scale, 64 - 240 * scale)
        crop = warp(scene, matrix, 128)[..., 0].astype(float)
        y, x = np.mgrid[:128, :128]
        found = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum()
        assert found == pytest.approx(
            transform(matrix, np.array([[203, 187]], np.float32))[0], abs=0.05
        )


def test_beyond_the_border_the_photograph_is_mirrored(scene: UInt8) -> None:
    crop = warp(scene, _move(0, 1.0, 40, 0), 128)
    assert np.array_equal(crop[:, 40:], scene[:128, :88])
    assert np.array_equal(crop[:, :40], scene[:128, :40][:, ::-1])


def test_a_face_wholly_outside_still_gives_a_crop(scene: UInt8) -> None:
    points = template(128) + np.array([5000, -3000], np.float32)
    assert align(scene, _face(points)).pixels.shape == (128, 128, 3)


def test_a_matrix_is_inverted_as_linear_algebra_does() -> None:
    matrix = similarity(template(700), template(128) + np.float32(40))
    square = np.vstack([matrix.astype(np.float64), [0, 0, 1]])
    assert np.allclose(inverse(matrix), np.linalg.inv(square)[:2], rtol=1e-6)

"""Another wall behind a person: a made person whose outline is known, and the sample faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien import images
from mien.errors import FaceUndrawable, GuideError
from mien.faces.align import template
from mien.people.background import Background, behind, matte, read
from mien.types import Face, Float, UInt8
from mien.zoo.samples import samples

SIZE = 256
HAIR = np.array([40, 34, 30], np.float32)
SHIRT = np.array([246, 247, 250], np.float32)


def made() -> tuple[UInt8, Face, Float, Float]:
    """A dark head with single hairs before a lit wall, in white clothes 25 levels brighter; the
    face; how far each pixel is head or clothes; which of them are hairs."""
    points = template(160) + np.array([48, 60], np.float32)
    ys, xs = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    wall = 222 - 26 * (ys / SIZE) ** 2 - 14 * (xs / SIZE - 0.4) ** 2
    wall = np.stack([wall, wall + 2, wall + 1], -1)
    big = np.zeros((4 * SIZE, 4 * SIZE), np.uint8)
    x, y = (4 * points[27]).astype(int)
    cv2.ellipse(big, ((float(x), float(y) + 60), (430, 660), 0), 255, -1)
    hairs = np.zeros_like(big)
    for angle in np.linspace(0.1, 0.9, 12) * np.pi:
        end = (int(x - 300 * np.cos(angle)), int(y - 360 * np.sin(angle)))
        cv2.line(hairs, (x, y), end, 255, 2)
    cloth = np.zeros_like(big)
    cv2.ellipse(cloth, ((float(x), 4.0 * SIZE), (900, 360), 0), 255, -1)
    head, strand, dress = (
        cv2.resize(m, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for m in (big, hairs, cloth)
    )
    alone = np.maximum(head, strand)[..., None]
    picture = wall + dress[..., None] * (SHIRT - wall)
    picture += alone * (HAIR - picture)
    picture += np.random.default_rng(0).normal(0, 1, picture.shape)
    face = Face.at(points.astype(np.float32))
    outline = np.maximum(alone[..., 0], dress)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), face, outline, strand * (head == 0)


def test_a_matte_tells_head_hairs_and_white_clothes_from_the_wall() -> None:
    pixels, face, outline, strands = made()
    found = matte(pixels, face)
    assert float(np.abs(found.person - outline).mean()) < 0.012
    thin = strands > 0.6
    assert thin.sum() > 100
    assert float(found.person[thin].mean()) > 0.4  # a hair is no grain of the wall
    ys = np.mgrid[:SIZE, :SIZE][0]
    clothes = cv2.erode((outline == 1).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert float(found.person[clothes & (ys > 220) & (ys < SIZE - 4)].min()) == 1


def test_nothing_of_the_old_wall_is_left_and_nothing_of_the_person_is_lost() -> None:
    pixels, face, outline, strands = made()
    found = matte(pixels, face)
    new = np.full(pixels.shape, 150, np.float32)
    out = pixels + (1 - found.person[..., None]) * (new - found.wall)
    wanted = pixels + (1 - outline[..., None]) * (new - found.wall)
    far = cv2.erode((outline == 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert float(np.abs(out - 150)[far].max()) < 9  # the wall's own grain stays
    assert float(np.abs(out - wanted).mean()) < 0.8
    assert float(out[strands > 0.6].mean()) < 120  # hairs stay dark
    inside = cv2.erode((outline == 1).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    np.testing.assert_array_equal(out[inside], pixels[inside])


def test_a_wall_that_is_not_plain_is_refused() -> None:
    pixels, face, outline, _ = made()
    few = np.random.default_rng(1).integers(0, 256, (SIZE // 8, SIZE // 8, 3), dtype=np.uint8)
    busy = cv2.resize(few, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
    mixed = np.where(outline[..., None] > 0.5, pixels, busy).astype(np.uint8)
    with pytest.raises(FaceUndrawable, match="no plain wall"):
        matte(mixed, face)


@pytest.mark.parametrize("name", ["anna", "cora"])
def test_a_sample_stands_before_a_wall_that_changes_downwards(name: str) -> None:
    pixels = images.read(samples()[name]).pixels
    wall = Background((190, 200, 215), (160, 160, 170))
    out = behind(pixels, wall)
    new = wall.picture(*pixels.shape[:2])
    rows, columns = len(pixels) // 12, len(pixels[0]) // 12
    for corner in (np.s_[:rows, :columns], np.s_[:rows, -columns:]):
        assert float(np.abs(out[corner] - new[corner]).mean()) < 4
    middle = np.s_[2 * len(pixels) // 5 : len(pixels) // 2, 2 * columns * 12 // 5 : columns * 7]
    np.testing.assert_array_equal(out[middle], pixels[middle])


def test_walls_are_read_and_told() -> None:
    assert read("") is None
    assert read(" own ") is None
    assert read("#d8D0c8") == Background((216, 208, 200), (216, 208, 200))
    both = read("#e0e0e0 #a8b0b8")
    assert both is not None
    assert both.describe() == "#e0e0e0 #a8b0b8"
    assert read(both.describe()) == both
    for text in ("grey", "#fff", "#ffffff #ffffff #ffffff", "#gggggg", "own #ffffff"):
        with pytest.raises(GuideError, match="cannot read background"):
            read(text)

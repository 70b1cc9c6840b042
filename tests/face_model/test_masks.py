"""A mouth behind a mask or a scarf: recognised, and left as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import mien
from mien import images
from mien.editor import Editor
from mien.face_model.masks import mouth_covered
from mien.faces import align
from mien.faces.detect import detect
from mien.guides import Label
from mien.types import UInt8
from mien.zoo.samples import samples

BLACK, BLUE = (25, 25, 28), (150, 190, 215)


def masked(photo: UInt8, points: np.ndarray, cloth: tuple[int, int, int]) -> tuple[UInt8, UInt8]:
    """The photograph wearing a mask, and where (H, W) that is."""
    over = np.zeros(photo.shape[:2], np.uint8)
    outline = np.vstack([points[2:15], points[29:30]])
    cv2.fillPoly(over, [np.round(outline).astype(np.int32)], (1,))
    weave = 1 + 0.05 * np.sin(np.arange(len(photo)) / 3)[:, None, None]
    out = photo.copy()
    out[over > 0] = (np.array(cloth) * weave * np.ones(photo.shape))[over > 0]
    return out, over


def recognised(photo: UInt8) -> bool:
    crop = align.align(photo, detect(photo)[0], 320)
    return mouth_covered(crop.pixels.astype(np.float32), crop.landmarks.astype(np.float64))


@pytest.mark.parametrize("name", ["anna", "ben", "cora"])
def test_a_mask_is_recognised(name: str) -> None:
    photo = images.read(samples()[name]).pixels
    points = detect(photo)[0].landmarks
    assert not recognised(photo)
    assert not recognised((photo * 0.35).astype(np.uint8)), "in the dark"
    assert not recognised((photo * np.array([1, 0.8, 0.6])).astype(np.uint8)), "in warm light"
    for cloth in (BLACK, BLUE):
        assert recognised(masked(photo, points, cloth)[0])


def test_a_beard_is_no_mask() -> None:
    """Dark all around, and lips that are not."""
    photo = images.read(samples()["ben"]).pixels
    points = detect(photo)[0].landmarks
    beard = masked(photo, points, BLACK)[1].astype(np.float32)
    cv2.fillPoly(beard, [np.round(points[48:60]).astype(np.int32)], (0,))
    beard[: int(points[33, 1])] = 0
    hair = cv2.GaussianBlur(beard, (0, 0), 3)[..., None] * np.array([0.75, 0.78, 0.8])
    assert not recognised((photo * (1 - hair)).astype(np.uint8))


def test_a_covered_mouth_stays_and_it_is_told() -> None:
    photo = images.read(samples()["anna"]).pixels
    points = detect(photo)[0].landmarks
    worn, over = masked(photo, points, BLUE)
    result = Editor(mien.load("morphable")).edit(worn, Label("surprise"))
    moved = np.abs(result.pixels.astype(int) - worn).max(-1)
    assert "the mouth is covered" in result.metadata["held"]
    below = over.copy()
    below[: int(points[33, 1])] = 0
    assert moved[below > 0].max() <= 1
    brows = points[17:27]
    (left, top), (right, _) = brows.min(0).astype(int), brows.max(0).astype(int)
    assert moved[top - 20 : top + 10, left:right].max() > 40

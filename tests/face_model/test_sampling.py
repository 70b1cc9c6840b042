"""A photograph is read in bytes, and only where somebody looks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.face_model.sampling import looked_at
from mien.types import AlignedFace, Faces, Float, UInt8


def photograph() -> UInt8:
    return np.random.default_rng(3).integers(0, 256, (60, 90, 3), np.uint8)


@pytest.mark.parametrize("place", [(40, 30), (2, 57), (-30, -8), (120, 70), (88, 1)])
@pytest.mark.parametrize("way", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
def test_a_part_is_resampled_as_the_whole_is(place: tuple[int, int], way: int) -> None:
    photo = photograph()
    steps = np.random.default_rng(4).uniform(-6, 6, (2, 9, 14)).astype(np.float32)
    x, y = (steps[k] + np.float32(place[k]) for k in (0, 1))

    def seen(texture: Float, left: int = 0, top: int = 0) -> Float:
        at = x - np.float32(left), y - np.float32(top)
        return np.asarray(cv2.remap(texture, *at, way, borderMode=cv2.BORDER_REPLICATE))

    part, corner = looked_at(photo, x, y)
    assert part.dtype == np.float32
    assert part.size < photo.size / 4
    off = np.abs(seen(part, *corner) - seen(photo.astype(np.float32)))
    beyond = (x < 0).all() or (x > 89).all()  # there all weights are one pixel's, and rounded
    assert off.max() <= (1e-4 if beyond else 0)


def test_numbers_stay_as_they_are() -> None:
    texture = photograph().astype(np.float32)
    part, corner = looked_at(texture, np.zeros(1, np.float32), np.zeros(1, np.float32))
    assert part is texture
    assert corner == (0, 0)


def test_a_faces_hash_is_of_its_crop_until_something_else_is_made_of_it() -> None:
    photo, matrix, points = photograph()[:, :60], np.eye(2, 3), np.zeros((68, 2), np.float32)
    other = photo.copy()
    other[5, 5, 1] ^= 1
    one, same, changed = (
        Faces.stack([AlignedFace(crop, matrix.astype(np.float32), points)])
        for crop in (photo, photo.copy(), other)
    )
    assert one.digest == same.digest
    assert one.digest != changed.digest
    assert one.crops[0] is photo
    assert not one.mapped(lambda part: part * 0).crops
    bare = Faces(one.pixels, one.landmarks)
    assert one.mapped(lambda part: part).digest == bare.digest

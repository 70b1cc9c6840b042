"""Eyeballs behind lids: what shines on them stays whole, and the white is one."""

from __future__ import annotations

import cv2
import numpy as np

from mien import facs
from mien.face_model.eyeballs import completed, white_of
from mien.face_model.eyes import Iris, polygon
from mien.face_model.render import Rig

LUMA = [0.299, 0.587, 0.114]


def eye(light: tuple[float, float, float] = (1, 1, 1)) -> tuple[np.ndarray, np.ndarray, Iris]:
    """A photograph (120, 200, 3) of a dark eye in a `light`, its corners, its iris: the upper lid
    cuts a round reflection at row 46 of which the middle is at row 48."""
    photo = np.full((120, 200, 3), 150, np.float32)
    corners = np.array([[50, 60], [80, 46], [120, 46], [150, 60], [120, 72], [80, 72]], np.float64)
    opened = polygon(photo.shape[:2], corners) > 0
    y, x = np.mgrid[:120, :200].astype(np.float32)
    iris = Iris(np.array([100.0, 60.0]), 20.0)
    picture = np.where((np.hypot(x - 100, y - 60) < 20)[..., None], 30, 170)
    picture = np.where((np.hypot(x - 104, y - 48) < 5)[..., None], 250, picture)
    photo = np.where(opened[..., None], picture, photo).astype(np.float32)
    lash = (cv2.dilate(opened.astype(np.uint8), np.ones((7, 1))) > 0) & ~opened & (y < 60)
    photo[lash] = 25
    return np.asarray(photo * light, np.float32), corners, iris


def test_a_reflection_that_a_lid_cuts_is_round_behind_it() -> None:
    photo, corners, iris = eye()
    opening = polygon(photo.shape[:2], corners)
    own = cv2.erode(opening, np.ones((9, 9))).astype(np.float32)
    white = white_of(photo, opening, iris, corners)
    hidden, kept = completed(photo, opening, own, iris, white, 1.0)
    whole = (kept[..., None] * photo + (1 - kept[..., None]) * hidden) @ LUMA
    assert whole[45, 104] > 180  # behind the lid
    assert whole[50, 104] > 180  # where the photograph shows it, and its edge would be left out
    assert whole[45, 92] < 60
    assert whole[42, 104] < 60  # nor is it longer than it is wide


def test_what_is_behind_a_lid_goes_on_in_the_shade_beside_it() -> None:
    photo, corners, iris = eye()
    photo[:, :70] *= 0.9  # the outer corner lies in shade
    opening = polygon(photo.shape[:2], corners)
    own = cv2.erode(opening, np.ones((9, 9))).astype(np.float32)
    white = white_of(photo, opening, iris, corners)
    hidden, _ = completed(photo, opening, own, iris, white, 1.0)
    shaded, lit = (float(hidden[58, x] @ LUMA) for x in (60, 140))
    assert 0.85 < shaded / lit < 0.95


def test_a_white_is_no_darker_than_whites_are() -> None:
    """In an eye that a laugh nearly shuts lashes darken what shows: it opened on brown eyeballs."""
    photo, corners, iris = eye()
    opening = polygon(photo.shape[:2], corners)
    dark = np.where(opening[..., None] > 0, np.array([80, 55, 45], np.float32), photo)
    white = white_of(np.asarray(dark, np.float32), opening, iris, corners)
    assert white @ LUMA > 0.75 * 150
    assert white.min() > 0.75 * white.max()
    red = white_of(eye((1, 0.4, 0.3))[0], opening, iris, corners)
    assert red.min() < 0.4 * red.max()  # in a red light it is red


def test_a_white_that_lashes_hide_is_not_of_their_red() -> None:
    """Pink cheeks allowed pink eyeballs in a laugh that hides them."""
    photo, corners, iris = eye()
    opening = polygon(photo.shape[:2], corners)
    for red, skin, least in (((91, 68, 67), (201, 160, 156), 0.88), ((60, 60, 60), (160,) * 3, 1)):
        there = np.where(opening[..., None] > 0, red, skin).astype(np.float32)
        white = white_of(there, opening, iris, corners)
        assert white.min() >= least * white.max()  # 0.78 of pink ones; what is grey stays grey
        assert white @ LUMA > 0.9 * float(np.dot(skin, LUMA))


def test_opened_eyes_of_a_smile_shine(smiling: Rig) -> None:
    """Reflections near the lid were left behind it: the eyes were dark discs."""
    before = smiling.original(320)
    opened = smiling.render(facs.vector({"AU5": 0.6}), 320)
    y, x = np.mgrid[:320, :320]
    for iris in smiling.irises.values():
        near = np.hypot(x - iris.centre[0], y - iris.centre[1]) < 0.9 * iris.radius
        was, now = (np.percentile(r.image[near] @ LUMA, 98) for r in (before, opened))
        assert now > 0.85 * was

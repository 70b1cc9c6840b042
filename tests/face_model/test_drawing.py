"""A face drawn at its own size and laid into the photograph: what stays, and what is sharp."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import mien
from mien import images
from mien.editor import Editor, Result
from mien.faces.detect import detect
from mien.guides import ActionUnits, Guide, Label
from mien.types import UInt8
from mien.zoo.samples import samples

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def editor() -> Editor:
    return Editor(mien.load("morphable"))


@pytest.fixture(scope="module")
def anna() -> UInt8:
    return images.read(samples()["anna"]).pixels


def changed(a: UInt8, b: UInt8) -> NDArray[np.int_]:
    most: NDArray[np.int_] = np.abs(a.astype(int) - b).max(-1)
    return most


def edit(editor: Editor, photo: UInt8, guide: Guide, amount: float = 1.0) -> Result:
    return editor.edit(photo, guide, amount)


def test_it_says_that_the_model_drew_it(editor: Editor, anna: UInt8) -> None:
    result = edit(editor, anna, Label("happy"))
    assert result.heads == ("model",)
    assert result.metadata["heads"] == "model"


def test_what_is_not_reached_is_the_photographs_own(editor: Editor, anna: UInt8) -> None:
    result = edit(editor, anna, Label("happy"))
    assert (changed(result.pixels, anna) == 0).mean() > 0.5
    assert (changed(result.pixels, anna) > 40).sum() > 500


@pytest.mark.parametrize("name", ["anna", "ben", "cora"])
def test_a_wink_changes_its_own_eye_alone(editor: Editor, name: str) -> None:
    """To the bit: the line between lips that stay is the photograph's, too."""
    photo = images.read(samples()[name]).pixels
    eye = detect(photo)[0].landmarks[42:48]
    middle, width = eye.mean(0), float(np.ptp(eye[:, 0]))
    wink = edit(editor, photo, ActionUnits.parse("AU43L=1")).pixels
    ys, xs = np.nonzero(changed(wink, photo))
    assert len(xs) > 500
    assert np.abs(np.stack([xs, ys], 1) - middle).max() < 2.2 * width


def test_pores_stay_under_new_light(editor: Editor) -> None:
    """Grain laid over the photograph is found again on cheeks that a smile moves and shades."""
    photo = images.read(samples()["cora"]).pixels
    grain = np.random.default_rng(0).normal(0, 6, photo.shape[:2])[..., None]
    rough = np.clip(photo + grain, 0, 255).astype(np.uint8)
    result = edit(editor, rough, Label("happy")).pixels
    points = detect(photo)[0].landmarks

    def texture(picture: UInt8) -> float:
        light = picture @ LUMA
        fine = light - cv2.GaussianBlur(light, (0, 0), 1.5)
        cheeks = [(points[31] + points[2]) / 2, (points[35] + points[14]) / 2]
        patches = [fine[int(y) - 9 : int(y) + 9, int(x) - 9 : int(x) + 9] for x, y in cheeks]
        return float(np.std(patches))

    assert 0.8 < texture(result) / texture(rough) < 1.3


@pytest.mark.parametrize("label", ["happy", "surprise", "anger"])
def test_sharpness_of_the_face_stays(editor: Editor, anna: UInt8, label: str) -> None:
    box = [int(v) for v in detect(anna)[0].box]
    result = edit(editor, anna, Label(label)).pixels

    def sharpness(picture: UInt8) -> float:
        face = picture[box[1] : box[3], box[0] : box[2]] @ LUMA
        return float(cv2.Laplacian(face.astype(np.float32), cv2.CV_32F).var())

    assert 0.75 < sharpness(result) / sharpness(anna) < 1.6


def test_more_asked_is_more_shown(editor: Editor, anna: UInt8) -> None:
    steps = [edit(editor, anna, Label("surprise"), a).pixels for a in (0.25, 0.5, 0.75, 1.0)]
    far = [float(changed(step, anna).astype(float).mean()) for step in steps]
    assert all(b > 1.1 * a for a, b in pairwise(far))


def test_nothing_asked_is_nothing_changed(editor: Editor, anna: UInt8) -> None:
    for guide, amount in ((Label("fear"), 0.0), (ActionUnits(()), 1.0)):
        assert (edit(editor, anna, guide, amount).pixels == anna).all()


def test_one_edit_does_not_depend_on_the_one_before(editor: Editor, anna: UInt8) -> None:
    first = edit(editor, anna, Label("disgust")).pixels
    edit(editor, anna, Label("happy"))
    fresh = Editor(mien.load("morphable"))
    assert (edit(editor, anna, Label("disgust")).pixels == first).all()
    assert (edit(fresh, anna, Label("disgust")).pixels == first).all()


def test_the_same_bytes_for_any_number_of_threads(anna: UInt8) -> None:
    before, made = cv2.getNumThreads(), []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            editor = Editor(mien.load("morphable"))
            made.append(edit(editor, anna, Label("fear")).pixels)
    finally:
        cv2.setNumThreads(before)
    assert (made[0] == made[1]).all()


def test_a_grey_photograph_stays_grey(editor: Editor, anna: UInt8) -> None:
    grey = np.repeat((anna @ LUMA).astype(np.uint8)[..., None], 3, axis=2)
    assert np.ptp(edit(editor, grey, Label("surprise")).pixels.astype(int), axis=-1).max() == 0


def test_a_large_photograph_keeps_its_sharpness(editor: Editor, anna: UInt8) -> None:
    """Three times as large, skin shows no picture of 320 px: what was sharp stays so."""
    large = cv2.resize(anna, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    rough = large + np.random.default_rng(1).normal(0, 5, large.shape[:2])[..., None]
    photo = np.clip(rough, 0, 255).astype(np.uint8)
    points = detect(photo)[0].landmarks
    result = edit(editor, photo, Label("happy")).pixels
    kept = []
    for nose, jaw in ((31, 2), (35, 14)):
        x, y = (int(v) for v in (points[nose] + points[jaw]) / 2)
        part = np.s_[y - 30 : y + 30, x - 30 : x + 30]
        before, after = (
            float(np.std(p - cv2.GaussianBlur(p, (0, 0), 1.5)))
            for p in (photo[part] @ LUMA, result[part] @ LUMA)
        )
        kept.append(after / before)
    assert 0.8 < np.mean(kept) < 1.3

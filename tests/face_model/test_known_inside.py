"""What lies between the lips, known from another photograph of the person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

import mien
from mien import images
from mien.editor import Result
from mien.face_model.known_inside import INNER, KnownInside, Opening, sharp_beside, toned
from mien.face_model.render import Rig
from mien.face_model.tones import Tones
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import Composed, Guide, Held
from mien.methods.drawing import INSIDE_TAKEN, shipped_head
from mien.methods.morphable import retargeting
from mien.types import Face, Float, UInt8
from mien.zoo.samples import samples

GREEN = np.array([70, 200, 90], np.float32)
"""What no library of mouths has."""


@pytest.fixture(scope="module")
def editor() -> Iterator[mien.Editor]:
    """One that does not compare pictures, which takes seconds (tests/methods/test_reader.py)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retargeting, "matched", lambda head, rig, goal, *_: goal)
        yield mien.Editor(mien.load("morphable"))


@pytest.fixture(scope="module")
def opened(editor: mien.Editor) -> UInt8:
    """Anna's photograph, her mouth open, with a green inside."""
    asked = mien.ActionUnits.parse("AU12=0.4", "AU25=0.6", "AU26=0.5")
    out = editor.edit(samples()["anna"], asked).pixels.copy()
    inside = mouth_of(out) > 0
    out[inside] = (0.3 * out[inside] + 0.7 * GREEN).astype(np.uint8)
    return out


@pytest.fixture(scope="module")
def edited(editor: mien.Editor, opened: UInt8) -> Result:
    return editor.edit(samples()["anna"], editor.reference(images.photograph(opened)))


def mouth_of(pixels: UInt8, inset: int = 1) -> UInt8:
    """The inside of the mouth (H, W) of the largest face, 0 or 1."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    inner = face_of(pixels).landmarks[60:68].round().astype(np.int32)
    cv2.fillPoly(mask, [inner], (1,))
    return np.asarray(cv2.erode(mask, np.ones((2 * inset + 1,) * 2, np.uint8)), np.uint8)


def face_of(pixels: UInt8) -> Face:
    return detect(pixels)[0]


def green(pixels: UInt8) -> float:
    """How much more green than red there is about the mouth, at its greenest percent."""
    points = face_of(pixels).landmarks[48:68].astype(int)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    part = pixels[top:bottom, left:right].astype(float)
    return float(np.percentile(part[..., 1] - part[..., 0], 99))


def test_ones_own_reference_says_what_lies_between_the_lips(edited: Result, opened: UInt8) -> None:
    assert green(edited.pixels) > 0.6 * green(opened) > 40
    assert edited.taken == (INSIDE_TAKEN,)
    assert edited.metadata["taken"] == INSIDE_TAKEN


def test_nobody_gets_anothers_teeth(editor: mien.Editor, opened: UInt8) -> None:
    other = editor.edit(samples()["cora"], editor.reference(images.photograph(opened)))
    assert green(other.pixels) < 10
    assert other.taken == ()
    assert "taken" not in other.metadata


def test_a_poor_photograph_says_nothing(opened: UInt8) -> None:
    """One that is blurred beside one's own, or grey beside one in colour."""
    face = face_of(opened)
    crop = align(opened, face, 320)
    rig = Rig(shipped_head().model, crop.pixels, crop.landmarks, neutral=False)
    soft = np.asarray(cv2.GaussianBlur(crop.pixels, (0, 0), 3), np.uint8)
    grey = np.repeat(crop.pixels.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    known = [
        rig.mouth_knowing(picture, crop.landmarks, rig.fit.weights)
        for picture in (crop.pixels, soft, grey)
    ]
    assert [mouth is not None for mouth in known] == [True, False, False]


def test_a_shut_reference_changes_nothing_inside(editor: mien.Editor) -> None:
    smile = editor.edit(samples()["anna"], mien.Label("happy:closed")).pixels
    assert editor.edit(samples()["anna"], editor.reference(images.photograph(smile))).taken == ()


def test_a_grey_photograph_stays_grey(opened: UInt8) -> None:
    white, skin, lip = (np.full(3, v, np.float32) for v in (200, 150, 120))
    own = Tones(white, skin, lip, 200.0)
    some = Opening.of(opened, face_of(opened).landmarks)
    colours, coloured = (one.levels[0][..., :3] for one in (toned(some, own), some))
    assert np.ptp(colours, axis=-1).max() < 0.02 * colours.max()
    assert np.ptp(coloured, axis=-1).max() > 0.3 * coloured.max()


def test_it_comes_and_goes_without_a_jump(editor: mien.Editor, opened: UInt8) -> None:
    """From the photograph to the reference, and beyond, no step is much more than its share."""
    photo = images.read(samples()["anna"])
    reference, shown = editor.reference(images.photograph(opened)), []
    for intensity in np.linspace(0, 1.2, 5):
        result = editor.edit(photo, reference, float(intensity))
        assert (INSIDE_TAKEN in result.taken) == (intensity > 0)
        shown.append(result.pixels.astype(float))
    steps = [np.abs(b - a).mean() for a, b in pairwise(shown)]
    assert max(steps) < 2 * float(np.mean(steps))


def test_parts_that_are_kept_keep_their_mouth(editor: mien.Editor, opened: UInt8) -> None:
    """With speech kept the mouth is the photograph's; a gaze on top leaves the reference's."""
    reference = editor.reference(images.photograph(opened))

    def taken(guide: Guide) -> tuple[str, ...]:
        return editor.edit(samples()["anna"], guide).taken

    assert taken(Held(reference, "speech")) == ()
    assert taken(Held(reference, "upper")) == (INSIDE_TAKEN,)
    assert taken(Composed((reference, mien.Gaze(0.5, 0.0)))) == (INSIDE_TAKEN,)


def test_the_light_of_the_photograph_falls_on_it(editor: mien.Editor, opened: UInt8) -> None:
    """A darker, warmer reference gives the same mouth."""
    dark = (0.7 * opened * np.array([1.0, 0.95, 0.8])).astype(np.uint8)
    mine, theirs = (
        toned(Opening.of(shown, face_of(opened).landmarks), _tones(opened)).levels[0]
        for shown in (opened, dark)
    )
    sure = mine[..., 3] > 0.99
    assert np.abs(mine - theirs)[sure].mean() < 4
    untoned = Opening.of(dark, face_of(opened).landmarks).levels[0]
    assert np.abs(mine - untoned)[sure].mean() > 15


def _tones(pixels: UInt8) -> Tones:
    own = Opening.of(pixels, face_of(pixels).landmarks)
    white = np.full(3, 200, np.float32)
    return Tones(white, own.skin, own.skin * np.array([1, 0.7, 0.7], np.float32), 200.0)


def test_sharpness_is_compared_at_the_size_that_is_drawn(opened: UInt8) -> None:
    points = face_of(opened).landmarks
    half = cv2.resize(opened, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    at_half = ((points + 0.5) * 0.5 - 0.5).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(opened, (0, 0), 2.5), np.uint8)
    assert sharp_beside(opened, points, opened, points)
    assert sharp_beside(np.asarray(half, np.uint8), at_half, np.asarray(half, np.uint8), at_half)
    assert sharp_beside(opened, points, np.asarray(half, np.uint8), at_half)
    assert not sharp_beside(soft, points, opened, points)


def column(known: KnownInside, above: Float, low: Float) -> Float:
    """The colour (H,) that a column of the mouth shows, of a made opening."""
    behind = np.zeros((len(above), 1, 3), np.float32)
    return known.over(behind, np.zeros(1, np.float32), above[:, None], low[:, None], 10.0)[:, 0, 0]


@pytest.fixture(scope="module")
def made() -> KnownInside:
    """An opening 2 cm high, its upper row's edge in the middle, 0.4 cm above the lower one's, whose
    colour says the height."""
    rows = np.linspace(200, 40, 41, dtype=np.float32)
    picture = np.dstack([np.repeat(rows[:, None], 41, 1)] * 3 + [np.ones((41, 41), np.float32)])
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    across, above = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    lips = np.stack([20 + 20 * across, 20 - 20 * above], 1).astype(np.float64)
    opening = Opening((picture,), lips, np.full(3, 150, np.float32), 0.0, 20.0)
    return KnownInside.carried(opening, across, above, above + np.float32(0.4))


def test_the_upper_row_stays_on_the_skull_and_the_lower_one_moves_with_the_jaw(
    made: KnownInside,
) -> None:
    above = np.linspace(0.6, -0.6, 13, dtype=np.float32)
    as_it_was = column(made, above, above + np.float32(0.4))
    assert as_it_was == pytest.approx(120 + 80 * above, abs=1)
    raised = column(made, above, above + np.float32(0.1))  # by 0.3 cm
    assert raised[above >= 0] == pytest.approx(as_it_was[above >= 0], abs=0.5)
    below = above < -0.1
    assert raised[below] == pytest.approx(120 + 80 * (above[below] - 0.3), abs=1)
    assert (np.diff(raised) < 0).all()  # what lay between is drawn together, and nothing is torn


def test_what_the_photograph_does_not_show_is_drawn(made: KnownInside) -> None:
    above = np.linspace(0.2, -3.0, 33, dtype=np.float32)
    dropped = column(made, above, above + np.float32(2.4))
    between = (above < -0.2) & (above > -2.2)
    assert (dropped[between] == 0).all()
    assert dropped[0] > 100
    assert dropped[np.abs(above + 2.6) < 0.05] > 50
    shut = replace(made, lower=made.lower + np.eye(7)[0] * 0.8)  # the lower row stood 0.4 cm higher
    seen = column(shut, above, above + np.float32(0.4))
    hidden = (above < 0) & (above > -0.35) & (above + 0.4 <= 0)
    assert (seen[hidden] == 0).all()  # behind the upper row: nobody saw it


def test_lip_that_landmarks_take_for_inside_does_not_come_along(opened: UInt8) -> None:
    """They miss its edge by a pixel or two."""
    points = face_of(opened).landmarks.copy()
    middle = points[INNER].mean(0)
    points[INNER] = middle + (points[INNER] - middle) * 1.12
    level = Opening.of(opened, points).levels[0]
    red = (level[..., 0] - level[..., 1])[level[..., 3] > 0.99]
    assert (red > 20).mean() < 0.25


def test_a_crop_of_any_size_says_the_same(opened: UInt8) -> None:
    face = face_of(opened)
    small, large = (align(opened, face, side) for side in (256, 512))
    a, b = (Opening.of(crop.pixels, crop.landmarks) for crop in (small, large))
    assert b.unit == pytest.approx(2 * a.unit, rel=0.02)
    assert a.skin == pytest.approx(b.skin, abs=4)

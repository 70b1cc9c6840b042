"""The mark stays where the edit was, is found again, and is not found where it is not."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import mien
from mien import images
from mien.editor import Editor, Result
from mien.faces import align
from mien.faces.detect import detect
from mien.faces.paste import face_shape
from mien.guides import ActionUnits, Guide, Label
from mien.methods.base import Method
from mien.provenance import mark
from mien.provenance.evidence import DOUBTFUL, FOUND, Evidence, sightings
from mien.provenance.mark import Sighting, embed, look
from mien.types import UInt8
from mien.zoo.samples import samples


def jpeg(pixels: UInt8, quality: int) -> UInt8:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def half(pixels: UInt8) -> UInt8:
    return np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def three_quarters(pixels: UInt8) -> UInt8:
    return np.ascontiguousarray(pixels[90:540, 60:510])


def screenshot(pixels: UInt8) -> UInt8:
    """Enlarged to 113 %, shifted by parts of a pixel, as JPEG."""
    matrix, size = np.array([[1.13, 0, 0.37], [0, 1.13, 0.61]], np.float32), (678, 678)
    return jpeg(np.asarray(cv2.warpAffine(pixels, matrix, size, borderMode=4)), 80)


@pytest.fixture(scope="module")
def whole() -> Result:
    """An edit that reaches the whole face, as those of trained methods do."""
    photo = images.read(samples()["ben"])
    moved = np.clip(photo.pixels.astype(int) + 1, 0, 255).astype(np.uint8)
    return Result(replace(photo, pixels=moved), tuple(detect(photo.pixels)), 1, {}, photo)


def test_outside_the_edit_nothing_changes(whole: Result) -> None:
    """Nor, where too little of the face was edited to carry a mark, outside the face."""
    before, after, marked = whole.source.pixels, whole.pixels, whole.marked.pixels
    touched, changed = (marked != after).any(-1), (after != before).any(-1)
    assert touched.sum() > 1000
    near = cv2.dilate(changed.astype(np.uint8), np.ones((31, 31), np.uint8)).astype(bool)
    points = whole.faces[0].landmarks
    hull = np.zeros(touched.shape, np.uint8)
    brows = points[17:27] + 0.9 * (points[17:27] - points[30])
    outline = np.concatenate([points[:17], brows]).astype(np.int32)
    cv2.fillConvexPoly(hull, cv2.convexHull(outline), (1,))
    face = cv2.dilate(hull, np.ones((41, 41), np.uint8)).astype(bool)
    assert not (touched & ~near & ~face).any()


def test_an_edit_of_nothing_is_not_marked(wide_mouth: Method[Any]) -> None:
    result = Editor(wide_mouth).edit(samples()["anna"], Label("happy"), intensity=0)
    assert np.array_equal(result.marked.pixels, result.source.pixels)
    assert np.array_equal(embed(result.pixels, result.pixels, result.faces), result.pixels), (
        "no change, no mark"
    )
    stream = io.BytesIO(result.encode(".png"))
    assert images.statement(stream) == {}


@pytest.mark.parametrize(
    "attack",
    [
        lambda p: p,
        lambda p: jpeg(p, 75),
        lambda p: jpeg(p, 50),
        half,
        lambda p: np.ascontiguousarray(p[70:550, 40:520]),
        lambda p: np.ascontiguousarray(p[:, ::-1]),
    ],
    ids=["none", "jpeg75", "jpeg50", "half", "crop", "mirrored"],
)
def test_it_is_found_again(whole: Result, attack: object) -> None:
    seen = sightings([attack(whole.marked.pixels)])  # type: ignore[operator]
    assert len(seen) == 1
    assert seen[0].score > 9
    assert Evidence(1, seen).mark == "found"


def test_it_is_faint(whole: Result) -> None:
    difference = whole.marked.pixels.astype(float) - whole.pixels
    assert 10 * np.log10(255**2 / np.square(difference).mean()) >= 42.5 - 0.01
    # a close crop, where the face is nearly the whole picture, keeps to it too
    left, top, right, bottom = (int(v) for v in whole.faces[0].box)
    part = np.s_[top - 40 : bottom + 20, left - 20 : right + 20]
    faces = [replace(f, landmarks=f.landmarks - (left - 20, top - 40)) for f in whole.faces]
    marked = embed(whole.pixels[part], whole.source.pixels[part], faces)
    close = marked.astype(float) - whole.pixels[part]
    assert 10 * np.log10(255**2 / np.square(close).mean()) >= 42.4


SMALL = [Label("happy"), *map(ActionUnits.parse, ("AU43L=1", "AU43R=1", "AU1=0.5", "AU12=0.3"))]


@pytest.fixture(scope="module")
def editor() -> Editor:
    """The method that ships, whose small edits reach few pixels."""
    return Editor(mien.load())


@pytest.mark.parametrize("name", ["anna", "ben", "cora"])
@pytest.mark.parametrize("guide", SMALL, ids=lambda guide: guide.describe())
def test_nobody_sees_it_and_it_is_found(editor: Editor, name: str, guide: Guide) -> None:
    """At most 3 levels where the picture is smooth and 8 anywhere, however little was edited; and
    yet it is there after what happens to pictures.
    """
    result = editor.edit(samples()[name], guide)
    marked = result.marked.pixels
    change = np.abs(marked.astype(int) - result.pixels).max(-1)
    light = cv2.cvtColor(result.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    spread = cv2.GaussianBlur(light**2, (0, 0), 3) - cv2.GaussianBlur(light, (0, 0), 3) ** 2
    assert change.max() <= 8
    assert change[spread < 4.0**2].max() <= 3
    for attacked in (jpeg(marked, 60), half(marked), three_quarters(marked), screenshot(marked)):
        seen = sightings([attacked])
        assert Evidence(len(seen), seen).mark == "found"


def test_grey_stays_grey(whole: Result) -> None:
    levels = np.asarray(cv2.cvtColor(whole.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    grey = np.repeat(levels[..., None], 3, -1)
    marked = embed(grey, grey - 1, whole.faces)
    assert (marked == marked[..., :1]).all()
    assert (marked != grey).any()


@pytest.mark.parametrize("name", ["anna", "ben", "cora"])
def test_untouched_faces_do_not_show_it(name: str) -> None:
    pixels = images.read(samples()[name]).pixels
    assert all(s.chance > 1e-3 for s in sightings([pixels, jpeg(pixels, 60)]))


def test_scores_of_other_keys_are_standard_normal() -> None:
    """The chance of a false alarm rests on this: scores of a face under keys that were not laid."""
    pixels = images.read(samples()["anna"]).pixels
    face = detect(pixels)[0]
    matrix = mark.matrix_of(face)
    light = mark._luminance(pixels, matrix)
    shape = face_shape(align.transform(matrix, face.landmarks), mark.SIDE)
    spectrum = mark._spectrum(light, shape)
    scores = []
    for i in range(200):
        product = spectrum * np.conj(np.fft.fft2(mark._pattern.__wrapped__(b"key %d" % i)))
        scores.append(product.real.sum() / np.linalg.norm(product))
    assert abs(np.mean(scores)) < 4 / 200**0.5
    assert 0.85 < np.std(scores) < 1.15
    assert np.max(np.abs(scores)) < 4.5


def test_another_key_does_not_find_it(whole: Result) -> None:
    face = whole.faces[0]
    assert look(whole.marked.pixels, face, b"someone else's").chance > 1e-2


def test_confidence_counts_the_looks() -> None:
    sure, unsure = Sighting(9.0, 30_000), Sighting(4.0, 30_000)
    assert Evidence(1, (sure,)).mark == "found"
    assert Evidence(1, (unsure,)).chance > 0.5
    two = Evidence(2, (sure, unsure))
    assert two.chance == pytest.approx(2 * sure.chance)
    assert Evidence(0, ()).confidence == 0
    doubtful = Evidence(1, (Sighting(5.7, 30_000),))
    assert doubtful.mark == "doubtful"
    assert FOUND < doubtful.chance < DOUBTFUL
    assert not doubtful.altered


def test_gaps_of_an_edit_are_found_in_cells() -> None:
    """As pixel by pixel, to within a cell at the rim; and what changed is all there."""
    rng, side = np.random.default_rng(0), 700
    before = rng.integers(0, 250, (side, side, 3), dtype=np.uint8)
    after = before.copy()
    y, x = np.ogrid[:side, :side]
    disc = np.hypot(x - 350, y - 330) <= 240
    spots = (disc & (rng.random((side, side)) < 0.01)).astype(np.uint8)  # some 10 px apart
    after[spots > 0] += 1
    matrix = np.array([[0.25, 0, 0], [0, 0.25, 0]], np.float32)  # gaps of 31 px, cells of 3
    region = mark._edited(before, after, matrix)
    assert region is not None
    kernel = np.ones((63, 63), np.uint8)
    exact = cv2.morphologyEx(spots, cv2.MORPH_CLOSE, kernel)
    assert (region >= spots).all()
    assert (region <= cv2.dilate(exact, np.ones((7, 7), np.uint8))).all()
    assert (region != exact).sum() < 0.03 * exact.sum()
    assert mark._edited(before, before, matrix) is None


def test_a_crops_brightness_is_that_of_its_colours() -> None:
    pixels = images.read(samples()["anna"]).pixels
    matrix = mark.matrix_of(detect(pixels)[0])
    colours = align.warp(pixels, matrix, mark.SIDE)
    off = mark._luminance(pixels, matrix) - cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    assert np.abs(off).max() <= 1

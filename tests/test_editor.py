"""The straight line, with a method that needs no weights (`wide_mouth`) on the sample faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from mien import images
from mien.editor import Editor, paste_back, pick
from mien.errors import FaceNotFound, FaceUndrawable, GuideError
from mien.faces.detect import detect
from mien.guides import ActionUnits, Label
from mien.images import Photo
from mien.methods.base import Method
from mien.types import Face, Float, UInt8
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def editor(wide_mouth: Method[Any]) -> Editor:
    return Editor(wide_mouth)


@pytest.fixture(scope="module")
def anna() -> Photo:
    return images.read(samples()["anna"])


@pytest.fixture(scope="module")
def two(anna: Photo) -> UInt8:
    """Two faces: the left one larger, but not clearly."""
    small = cv2.resize(
        images.read(samples()["cora"]).pixels, (500, 500), interpolation=cv2.INTER_AREA
    )
    page = np.full((600, 1100, 3), 200, np.uint8)
    page[:, :600], page[100:, 600:] = anna.pixels, small
    return page


def mouth(landmarks: Float) -> float:
    """Width in distances of the outer eye corners."""
    a, b = landmarks[[48, 54]], landmarks[[36, 45]]
    return float(np.linalg.norm(a[1] - a[0]) / np.linalg.norm(b[1] - b[0]))


def test_an_edit_changes_the_mouth_and_nothing_else(editor: Editor, anna: Photo) -> None:
    result = editor.edit(anna, Label("happy"))
    assert result.pixels.shape == anna.pixels.shape
    before, after = result.faces[0].landmarks, detect(result.pixels)[0].landmarks
    assert mouth(after) > mouth(before) + 0.05
    ys, xs = np.nonzero((result.pixels != anna.pixels).any(-1))
    left, _, right, _ = result.faces[0].box
    assert len(ys) > 1000
    assert left - 20 < xs.min() < xs.max() < right + 20
    assert ys.min() > before[27, 1], "the eyes are not its business"


@pytest.mark.parametrize("guide", [Label("happy"), ActionUnits.parse("AU12=0.7", "AU26=C")])
def test_intensity_0_is_the_photograph(editor: Editor, anna: Photo, guide: Label) -> None:
    assert np.array_equal(editor.edit(anna, guide, intensity=0).pixels, anna.pixels)


def test_its_own_expression_is_the_photograph(editor: Editor, anna: Photo) -> None:
    own = editor.reference(anna)
    assert np.array_equal(editor.edit(anna, own).pixels, anna.pixels)
    still = ActionUnits.parse("AU12=+0", "AU26=-0.5")
    assert np.array_equal(editor.edit(anna, still).pixels, anna.pixels)


def test_intensity_grows(editor: Editor, anna: Photo) -> None:
    results = [editor.edit(anna, Label("happy"), i) for i in (0.5, 1.0, 1.5)]
    changes = [np.abs(r.pixels.astype(int) - anna.pixels).sum() for r in results]
    assert 0 < changes[0] < changes[1] < changes[2]


def test_a_file_pixels_and_a_photo_are_the_same(editor: Editor, anna: Photo) -> None:
    results = [editor.edit(p, Label("happy")) for p in (samples()["anna"], anna.pixels, anna)]
    assert all(np.array_equal(r.pixels, results[0].pixels) for r in results)


def test_choosing_a_face(editor: Editor, two: UInt8) -> None:
    halves = np.s_[:, :600], np.s_[:, 600:]

    def changed(face: str) -> tuple[bool, ...]:
        pixels = editor.edit(two, Label("surprise"), face=face).pixels
        return tuple(bool((pixels[half] != two[half]).any()) for half in halves)

    assert changed("largest") == (True, False)
    assert changed("index 1") == (False, True)
    assert changed("near 850,350") == (False, True)
    assert changed("all") == (True, True)
    with pytest.raises(FaceNotFound, match="2 faces of like size"):
        editor.edit(two, Label("surprise"), face="auto")
    with pytest.raises(FaceNotFound, match="no face 2"):
        editor.edit(two, Label("surprise"), face="index 2")


def test_auto_takes_one_face_or_a_clearly_larger_one() -> None:
    def face(side: float) -> Face:
        corners = np.linspace(0, side, 68, dtype=np.float32)
        return Face((0, 0, side, side), 1.0, np.stack([corners, corners], 1))

    assert pick([face(100)], "auto")[0].area == 1e4
    assert pick([face(100), face(60)], "auto")[0].area == 1e4
    with pytest.raises(FaceNotFound, match="--face"):
        pick([face(100), face(80)], "auto")
    with pytest.raises(FaceNotFound, match="no face found"):
        pick([], "auto")
    with pytest.raises(GuideError):
        pick([face(100)], "the left one")


def test_alpha_grey_and_profile_stay(editor: Editor, anna: Photo, tmp_path: Path) -> None:
    levels = np.asarray(cv2.cvtColor(anna.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    grey = np.repeat(levels[..., None], 3, -1)
    alpha = np.tile(np.arange(600, dtype=np.uint8)[None], (600, 1))
    photo = replace(anna, pixels=grey, alpha=alpha, mode="LA", format="PNG")
    result = editor.edit(photo, Label("surprise"))
    assert (result.pixels == result.pixels[..., :1]).all(), (
        "paint has colour, a grey photograph has none"
    )
    assert (result.pixels != grey).any()
    result.save(tmp_path / "grey.png")
    with Image.open(tmp_path / "grey.png") as image:
        assert image.mode == "LA"
        assert np.array_equal(np.asarray(image)[..., 1], alpha)


def test_a_full_size_photograph_stays_full_size(editor: Editor, anna: Photo) -> None:
    large = np.asarray(
        cv2.resize(anna.pixels, (1350, 1350), interpolation=cv2.INTER_CUBIC), np.uint8
    )
    result = editor.edit(large, Label("happy"))
    assert result.pixels.shape == large.shape
    assert list(result.seconds) == ["read", "detect", "align", "edit", "paste"]


def test_the_file_says_what_was_done(editor: Editor, anna: Photo, tmp_path: Path) -> None:
    named = replace(editor, weights="abc123")
    result = named.edit(anna, ActionUnits.parse("AU12=0.8", "AU4=+0.3"), 0.5)
    result.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        image.load()
        text = dict(image.text)  # type: ignore[attr-defined]
    assert text["method"] == "wide-mouth"
    assert text["guide"] == "AU12=0.8,AU4=+0.3"
    assert (text["intensity"], text["weights"]) == ("0.5", "abc123")
    assert Label(["happy", "sad"]).describe() == "happy,sad"


def test_swap_lends_both_ways(editor: Editor, anna: Photo) -> None:
    wide = editor.edit(samples()["ben"], Label("happy"), 1.3).pixels
    first, second = editor.swap(anna, wide)
    widths = [
        mouth(detect(p)[0].landmarks) for p in (anna.pixels, first.pixels, wide, second.pixels)
    ]
    assert widths[1] > widths[0] + 0.04
    assert widths[3] < widths[2] - 0.04


def test_a_sheet_has_a_row_per_person_and_a_column_per_label(editor: Editor) -> None:
    people = {name: path for name, path in samples().items() if name != "ben"}
    page = editor.sheet(people, ["neutral", "happy"], size=96)
    bare = editor.sheet(list(people.values()), ["happy"], size=96)
    assert page.shape[0] == bare.shape[0] > 2 * 96
    assert page.shape[1] - bare.shape[1] > 96
    with pytest.raises(GuideError):
        editor.sheet(people, ["grin"])


def test_a_face_whose_landmarks_are_not_believed_is_left_alone(
    editor: Editor, two: UInt8, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = detect(two)
    doubted = replace(first, doubt="its landmarks are astray")
    monkeypatch.setattr("mien.editor.detect", lambda pixels: [doubted, second])
    result = editor.edit(two, Label("happy"), face="all")
    assert result.faces == (second,)
    assert np.array_equal(result.pixels[:, :600], two[:, :600])
    for work in (lambda: editor.edit(two, Label("happy")), lambda: editor.reference(two)):
        with pytest.raises(FaceUndrawable, match="left alone: its landmarks are astray"):
            work()


def test_no_face(editor: Editor) -> None:
    with pytest.raises(FaceNotFound, match="no face found"):
        editor.edit(np.full((300, 300, 3), 90, np.uint8), Label("happy"))


def test_drafts_are_the_edit_before_it_is_pasted(editor: Editor, anna: Photo) -> None:
    (face,) = detect(anna.pixels)
    drafts = editor.draft(anna, [face, face], Label(["happy", "surprise"]))
    for draft, name in zip(drafts, ("happy", "surprise"), strict=True):
        edited = editor.edit(anna, Label(name)).pixels
        np.testing.assert_allclose(paste_back(anna, [draft]).pixels, edited, atol=1)


def test_a_draft_fits_a_smaller_photograph(editor: Editor, anna: Photo) -> None:
    """To half a pixel: the edit of the half is the half of the edit."""
    drafts = editor.draft(anna, detect(anna.pixels), Label("surprise"))

    def half(pixels: UInt8) -> UInt8:
        return np.asarray(cv2.resize(pixels, (300, 300), interpolation=cv2.INTER_AREA), np.uint8)

    small = paste_back(Photo(half(anna.pixels)), [d.shrunk(0.5) for d in drafts]).pixels
    wanted = half(paste_back(anna, drafts).pixels)
    assert np.abs(small.astype(float) - wanted).mean() < 0.5
    assert np.abs(wanted.astype(float) - half(anna.pixels)).max() > 60


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_photograph_on_its_side_is_edited_as_it_lies(
    wide_mouth: Method[Any], quarters: int
) -> None:
    """The face is found in one of four turns, and edited there: turned back, it is the upright
    photograph's edit."""
    pixels = images.read(samples()["anna"]).pixels
    lying = np.ascontiguousarray(np.rot90(pixels, quarters))
    upright = Editor(wide_mouth).edit(pixels, Label("happy")).pixels
    edited = np.rot90(Editor(wide_mouth).edit(lying, Label("happy")).pixels, -quarters)
    changed = np.abs(upright.astype(int) - pixels).max(-1) > 20
    missed = np.abs(edited.astype(int) - upright).mean(-1)[changed].mean()
    nothing = np.abs(upright.astype(int) - pixels).mean(-1)[changed].mean()
    assert missed < 0.4 * nothing

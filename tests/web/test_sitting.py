"""One photograph in the studio, without a browser: looks, history, and what leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import facs, images
from mien.editor import Editor
from mien.errors import FaceNotFound, MienError
from mien.faces.detect import detect
from mien.guides import Label
from mien.images import Photo
from mien.methods.learnt import Learnt
from mien.server.cropping import reading_order
from mien.server.sitting import PREVIEW, Sitting, Sittings
from mien.server.wish import Wish
from mien.studio import references
from mien.types import Face
from mien.zoo.samples import samples

HAPPY, SURPRISE = (Wish.label(name, 1.0) for name in ("happy", "surprise"))


@pytest.fixture(scope="module")
def editor(wide_mouth: Learnt) -> Editor:
    return Editor(wide_mouth, "0" * 64)


@pytest.fixture
def sitting(editor: Editor) -> Sitting:
    return Sitting(images.read(samples()["anna"]), editor)


@pytest.fixture
def two(editor: Editor, couple: Path) -> Sitting:
    return Sitting(images.read(couple), editor)


def changed(sitting: Sitting) -> np.ndarray:
    return np.asarray((sitting.result().pixels != sitting.photo.pixels).any(-1))


def test_the_result_is_the_editors(sitting: Sitting, editor: Editor) -> None:
    assert not changed(sitting).any()
    sitting.wear(HAPPY)
    direct = editor.edit(sitting.photo, Label("happy"))
    assert np.array_equal(sitting.result().pixels, direct.pixels)
    small = "a small photograph is its own preview, marked as what leaves"
    assert np.array_equal(sitting.preview(), direct.marked.pixels), small
    assert sitting.result().metadata == direct.metadata


def test_each_face_wears_its_own(two: Sitting) -> None:
    two.wear(HAPPY)
    assert not changed(two)[:, 600:].any()
    two.chosen = 1
    two.wear(SURPRISE)
    both = changed(two)
    assert both[:, :600].any()
    assert both[:, 600:].any()
    assert two.result().metadata["guide"] == "happy; surprise"
    two.chosen = None
    two.wear(HAPPY)
    assert two.look == (HAPPY, HAPPY)


def test_faces_are_counted_as_one_reads() -> None:
    def face(x: float, y: float, size: float = 10) -> Face:
        return Face((x, y, x + size, y + size), 1.0, np.zeros((68, 2), np.float32))

    rows = [[face(0, 3), face(30, 0), face(60, 2, 14)], [face(5, 40), face(50, 38, 8)]]
    shuffled = [rows[1][1], rows[0][2], rows[0][0], rows[1][0], rows[0][1]]
    found = reading_order(shuffled)
    assert [id(one) for one in found] == [id(one) for row in rows for one in row]


def test_lying_photographs_are_turned(couple: Path) -> None:
    photo = images.read(couple)
    for turns in range(4):
        lies = references.turned(photo, turns)
        needed = references.lying(detect(lies.pixels))
        assert (turns + needed) % 4 == 0
        assert np.array_equal(references.turned(lies, needed).pixels, photo.pixels)
    invited = references.guest(photo, "couple")
    assert [invited.face(i) for i in range(2)] == ["index 0", "index 1"]
    for wrong in (-1, 2):
        with pytest.raises(MienError, match="no such face"):
            invited.face(wrong)


def test_history(sitting: Sitting) -> None:
    sitting.wear(HAPPY)
    sitting.wear(HAPPY)
    sitting.wear(SURPRISE)
    assert [look[0] for look in sitting.looks] == [None, HAPPY, SURPRISE]
    sitting.go(sitting.at - 1)
    assert list(sitting.look) == [HAPPY]
    sitting.go(-5)
    assert list(sitting.look) == [None]
    sitting.go(1)
    sitting.wear(None)
    assert [look[0] for look in sitting.looks] == [None, HAPPY, None], "what lay ahead is gone"


def test_blendshapes_begin_where_the_face_is_and_go_back(sitting: Sitting) -> None:
    sitting.wear(HAPPY)
    shown = sitting.shapes_now()
    assert len(shown) == 51
    assert shown["mouthSmileLeft"] > 0.3
    sitting.wear(sitting.shaped("jawOpen", 0.6, 1.0))
    wish = sitting.worn
    assert wish is not None
    assert (wish.spec.to, str(wish)) == (None, "blendshapes jawOpen=0.6 on happy")
    assert sitting.shapes_now() == pytest.approx(shown | {"jawOpen": 0.6})
    sitting.wear(sitting.shaped("jawOpen", 0.0, 1.0))
    sitting.wear(sitting.shaped("jawOpen", 0.3, 0.5))
    assert len(sitting.steps) == 3, "a slider that moves on is one step"
    sitting.wear(sitting.moved("AU26", 0.9, 0.5))
    assert str(sitting.worn) == "blendshapes jawOpen=0.3, units AU26=0.9 on happy, 50%"
    now = sitting.shapes_now()
    sitting.wear(sitting.shaped("cheekPuff", 0.2, 0.5))
    wish = sitting.worn
    assert wish is not None
    assert wish.spec.au == ()
    assert wish.spec.blendshapes is not None
    assert wish.spec.blendshapes["jawOpen"] == now["jawOpen"] != 0.3, "units are in it"
    assert wish.moved == ("jawOpen", "cheekPuff")
    sitting.wear(sitting.unshaped())
    assert sitting.worn == HAPPY


def test_a_slider_that_moves_on_is_one_step(sitting: Sitting) -> None:
    for value in (0.2, 0.5, 0.8):
        sitting.wear(sitting.moved("AU12", value, 1.0))
    assert len(sitting.looks) == 2
    for intensity in (0.4, 0.7):
        sitting.turn(intensity)
    assert [str(look[0]) for look in sitting.looks] == ["None", "units AU12=0.8, 70%"]
    sitting.go(0)
    sitting.turn(0.5)
    assert len(sitting.looks) == 2, "there is nothing to turn, so what lies ahead stays"


def test_units_join_and_replace(sitting: Sitting) -> None:
    for unit, value in (("AU26", 0.5), ("AU12", 0.9), ("AU12L", 0.1)):
        sitting.wear(sitting.moved(unit, value, 1.0))
    now = sitting.units_now()
    assert (now["AU26"], now["AU12L"], now["AU12R"]) == pytest.approx((0.5, 0.1, 0.9))
    sitting.wear(sitting.moved("AU12", 0.3, 1.0))
    assert str(sitting.look[0]) == "units AU26=0.5 AU12=0.3", "both sides take the place of one"


def test_units_go_on_top_of_what_the_face_wears(sitting: Sitting) -> None:
    sitting.wear(HAPPY)
    happy = sitting.units_now()
    assert happy["AU12L"] == pytest.approx(1.0), "the sliders show what the face shows"
    sitting.turn(0.5)
    assert 0.2 < sitting.units_now()["AU12L"] < 0.95
    sitting.turn(1.0)
    for value in (0.3, 0.7):
        sitting.wear(sitting.moved("AU26", value, 1.0))
    assert [str(look[0]) for look in sitting.looks] == ["None", "happy", "units AU26=0.7 on happy"]
    now = sitting.units_now()
    assert (now["AU26"], now["AU12L"]) == pytest.approx((0.7, 1.0))
    assert sitting.result().metadata["guide"] == "happy AU26=0.7"
    sitting.wear(sitting.without_units())
    assert sitting.look == (HAPPY,)
    assert changed(sitting).any()


def test_a_field_is_moved_by_itself(sitting: Sitting) -> None:
    """What the page shows of the others may be old: it is not asked."""
    sitting.wear(HAPPY)
    sitting.wear(sitting.posed(0, 0.5, 1.0))
    assert str(sitting.look[0]) == "gaze 0.5,0 on happy"
    sitting.wear(sitting.posed(3, 9.0, 1.0))
    assert str(sitting.look[0]) == "gaze 0.5,0, turn 0,9,0 on happy"
    sitting.wear(sitting.posed(3, 0.0, 1.0))
    sitting.wear(sitting.posed(7, "upper", 1.0))
    assert str(sitting.look[0]) == "gaze 0.5,0 on happy, upper face"
    sitting.go(0)
    at = len(sitting.looks)
    sitting.wear(sitting.posed(0, 0.0, 1.0))
    assert len(sitting.looks) == at, "nothing is asked for"


def test_the_sheet_has_all_expressions(sitting: Sitting) -> None:
    tiles = sitting.sheet(1.0)
    assert list(tiles) == list(facs.EMOTIONS)
    sides = {tile.shape for tile in tiles.values()}
    assert len(sides) == 1
    height, width, _ = sides.pop()
    assert height == width
    assert not np.array_equal(tiles["happy"], tiles["surprise"])


def test_a_preview_of_a_large_photograph_shows_the_same(editor: Editor) -> None:
    """The edit is drafted once, on the photograph, and laid into a smaller one for the eye."""
    import cv2

    pixels = images.read(samples()["ben"]).pixels
    large = np.asarray(cv2.resize(pixels, (2000, 2000), interpolation=cv2.INTER_CUBIC), np.uint8)
    sitting = Sitting(Photo(large), editor)
    sitting.wear(SURPRISE)
    seen = sitting.preview()
    assert seen.shape == (PREVIEW, PREVIEW, 3)
    full = cv2.resize(sitting.result().pixels, (PREVIEW, PREVIEW), interpolation=cv2.INTER_AREA)
    assert np.abs(seen.astype(float) - full).mean() < 1.5
    assert np.abs(seen.astype(float) - sitting.small.pixels).max() > 60


def test_no_face(editor: Editor) -> None:
    with pytest.raises(FaceNotFound):
        Sitting(Photo(np.full((200, 200, 3), 90, np.uint8)), editor)


def test_the_oldest_give_way(editor: Editor) -> None:
    sittings = Sittings(most=2)
    a, b, c = (Sitting(images.read(samples()["anna"]), editor) for _ in range(3))
    sittings.add(a)
    sittings.add(b)
    sittings.get(a.key)
    sittings.add(c)
    assert sittings.get(a.key) is a
    for key in (b.key, "", "x"):
        with pytest.raises(MienError):
            sittings.get(key)
    crowded = Sittings(pixels=700_000)
    crowded.add(a)
    crowded.add(b, instead=a.key)
    crowded.add(c)
    with pytest.raises(MienError):
        crowded.get(b.key)

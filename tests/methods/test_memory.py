"""What is kept of faces for the next ask: so many, and of so much."""

from __future__ import annotations

from pickle import dumps, loads
from weakref import ref

import numpy as np
import pytest

from mien.editor import LARGEST
from mien.face_model.mesh import FaceModel
from mien.memory import Memory
from mien.methods.drawing import FITTED, PIXELS, ModelHead
from mien.types import Faces, Float, UInt8


def test_the_oldest_goes_when_there_are_too_many() -> None:
    memory = Memory[int](2)
    for key in (b"a", b"b", b"a", b"c"):
        memory.kept(key, lambda: 1)
    asked = list[bytes]()
    for key in (b"a", b"c", b"b"):

        def made(key: bytes = key) -> int:
            asked.append(key)
            return 1

        memory.kept(key, made)
    assert asked == [b"b"]


def test_the_oldest_go_when_they_are_too_large_but_never_the_last() -> None:
    memory = Memory[int](4, int, 10)
    memory.kept(b"a", lambda: 4)
    memory.kept(b"b", lambda: 5)
    assert memory.kept(b"a", lambda: 0) == 4
    assert memory.kept(b"c", lambda: 6) == 6  # b goes, the oldest
    assert memory.kept(b"a", lambda: 0) == 4
    assert memory.kept(b"large", lambda: 11) == 11
    assert memory.kept(b"large", lambda: 0) == 11
    assert memory.kept(b"a", lambda: 0) == 0


def test_room_is_made_before_what_needs_it_is_found() -> None:
    class Large:
        pass

    memory = Memory[Large](4, lambda _: 6, 10)
    old = ref(memory.kept(b"a", Large, 6))

    def found() -> Large:
        assert old() is None, "old and new are not there at once"
        return Large()

    kept = memory.kept(b"b", found, 6)
    assert memory.kept(b"b", Large, 6) is kept


def test_a_copy_remembers_nothing_and_keeps_its_bounds() -> None:
    memory = Memory[int](4, int, 10)
    memory.kept(b"a", lambda: 4)
    copy = loads(dumps(memory))
    assert copy.kept(b"a", lambda: 7) == 7
    assert copy.kept(b"b", lambda: 7) == 7
    assert copy.kept(b"a", lambda: 1) == 1


class Fitted:
    """Stands for a rig, which takes long to fit."""

    made = 0

    def __init__(self, model: FaceModel, crop: UInt8, points: Float, neutral: bool) -> None:
        self.crop, self.donor = crop, None
        Fitted.made += 1


def face(value: float, side: int = 8) -> Faces[Float]:
    pixels = np.full((1, 3, side, side), value, np.float32)
    return Faces(pixels, np.zeros((1, 68, 2), np.float32))


@pytest.fixture
def head(model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> ModelHead:
    monkeypatch.setattr("mien.methods.drawing.Rig", Fitted)
    monkeypatch.setattr(Fitted, "made", 0)
    return ModelHead(model)


def test_a_fit_that_is_held_is_found_again_however_many_others_were_asked_for(
    head: ModelHead,
) -> None:
    held = head.rigs(face(0))
    for k in range(1, FITTED + 2):
        head.rigs(face(k / 10))
    assert head.rigs(face(0))[0] is held[0]
    assert Fitted.made == FITTED + 2
    del held
    head.rigs(face(0))
    assert Fitted.made == FITTED + 3, "nobody held it"


def test_the_two_largest_faces_are_kept(head: ModelHead) -> None:
    for value in (0.1, 0.2, 0.1, 0.3, 0.1):
        head.rigs(face(value, LARGEST))
    assert Fitted.made == 3, "one face is edited again and again while others come and go"


def test_fits_of_large_faces_are_not_kept_together(head: ModelHead) -> None:
    side = int(PIXELS**0.5) - 100
    for value in (0.1, 0.2, 0.2, 0.1):
        head.rigs(face(value, side))
    assert Fitted.made == 3

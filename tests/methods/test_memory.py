"""What is kept of faces for the next ask: so many, and of so much."""

from __future__ import annotations

from pickle import dumps, loads

from mien.methods.drawing import Memory


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


def test_a_copy_remembers_nothing_and_keeps_its_bounds() -> None:
    memory = Memory[int](4, int, 10)
    memory.kept(b"a", lambda: 4)
    copy = loads(dumps(memory))
    assert copy.kept(b"a", lambda: 7) == 7
    assert copy.kept(b"b", lambda: 7) == 7
    assert copy.kept(b"a", lambda: 1) == 1

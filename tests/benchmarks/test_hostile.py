"""Inputs that mean no good: a bounded part of what `mien bench hostile` tries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.errors import ImageError

CASES = 400


def test_no_input_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind, from the benchmark's own seed: taken, or refused in one line; of commands of
    their own, which take seconds each, one.
    """
    from mien.bench.hostile import cases as hostile

    kinds = {kind: row for kind, row in hostile.KINDS.items() if kind != "process"}
    monkeypatch.setattr(hostile, "KINDS", kinds)
    found = [hostile.outcome(18, index) for index in range(CASES)]
    monkeypatch.setattr(hostile, "KINDS", {"process": row_of("process")})
    found.append(hostile.outcome(18, 0))
    assert [f for f in found if f.what not in ("taken", "refused")] == []
    assert {f.kind for f in found} == {*kinds, "process"}
    assert {surface for surface, *_ in kinds.values()} == {"library", "command line", "API"}
    for kind in kinds:
        few = kind in ("recipe", "weights", "film", "command", "wire")  # mostly refused
        assert few or {f.what for f in found if f.kind == kind} >= {"taken"}, kind


def row_of(kind: str) -> Any:
    from mien.bench.hostile import commands as hostile_commands

    return ("command line", getattr(hostile_commands, kind), 1)


def test_a_case_is_made_from_its_seed() -> None:
    from random import Random

    from mien.bench.hostile import files as hostile_files
    from mien.bench.hostile import pictures as hostile_pictures

    for make in (hostile_pictures.picture, hostile_files.manifest, hostile_files.recipe):
        assert make(Random("18 3")) == make(Random("18 3"))
        assert make(Random("18 3")) != make(Random("18 4"))


def test_which_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that fails, and one that changes pixels, are told as what they are."""
    from mien import images
    from mien.bench.hostile import cases as hostile
    from mien.images import Photo

    monkeypatch.setattr(hostile, "KINDS", {"block": hostile.KINDS["block"]})

    def fails(*_: object) -> Photo:
        raise KeyError("tag")

    monkeypatch.setattr(images, "read", fails)
    assert hostile.outcome(18, 0).what == "traceback"
    monkeypatch.setattr(images, "read", lambda *_: Photo(np.zeros((24, 32, 3), np.uint8)))
    assert hostile.outcome(18, 0).what == "wrong"


@pytest.mark.parametrize(("status", "body", "fine"), [
    (200, b"\x89PNG\r\n", False),
    (500, b'{"error": {"code": "internal", "message": "see the log"}}', False),
    (422, b'{"error": {"code": "bad", "message": "two\\nlines"}}', False),
    (422, b'{"error": {"code": "bad", "message": ""}}', False),
    (422, b'{"error": {"code": "bad", "message": "send a picture"}}', True),
])  # fmt: skip
def test_answers_of_the_server_are_judged(status: int, body: bytes, fine: bool) -> None:
    from mien.bench.hostile import server as hostile_server
    from mien.bench.hostile.pictures import Wrong

    if fine:
        assert hostile_server.judged(status, {}, body) == "refused"
        return
    with pytest.raises((Wrong, ImageError)):
        hostile_server.judged(status, {"Content-Type": "image/png"}, body)


@pytest.mark.parametrize("made", [
    {"image": b"a", "to": "happy", "x": 1}, {"image": b"a", "to": "happy", "intensity": "nan"},
    {"to": "happy"}, {"image": b"a"}, {"image": b"a", "to": "happy", "like": b"b"},
])  # fmt: skip
def test_what_is_taken_must_fit(made: dict[str, Any]) -> None:
    from mien.bench.hostile import server as hostile_server
    from mien.bench.hostile.pictures import Wrong

    fine = {"image": b"a", "to": "happy", "intensity": 0.5}
    assert hostile_server.fits("taken", "edit", fine, None) == "taken"
    with pytest.raises(Wrong):
        hostile_server.fits("taken", "edit", made, None)


@pytest.mark.parametrize(("code", "told", "fine"), [
    (2, "mien: unknown label\n", True), (2, "mien: two\nlines\n", False), (3, "", False),
    (1, "Traceback (most recent call last)", False), (0, "", True),
])  # fmt: skip
def test_ends_of_commands_are_judged(code: int, told: str, fine: bool, tmp_path: Path) -> None:
    from mien.bench.hostile import commands as hostile_commands
    from mien.bench.hostile.pictures import Wrong

    if fine:
        hostile_commands.clean(code, told, tmp_path)
        (tmp_path / ".0.part").touch()
    with pytest.raises(Wrong):
        hostile_commands.clean(code, told, tmp_path)

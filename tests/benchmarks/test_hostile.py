"""Inputs that mean no good: a bounded part of what `benchmarks/hostile.py` tries."""

from __future__ import annotations

import numpy as np
import pytest

CASES = 500


def test_no_input_is_too_much() -> None:
    """Every kind, from the benchmark's own seed: taken, or refused in one line."""
    import hostile

    found = [hostile.outcome(18, index) for index in range(CASES)]
    assert [f for f in found if f.what not in ("taken", "refused")] == []
    assert {f.kind for f in found} == hostile.KINDS.keys()
    assert {f.what for f in found} == {"taken", "refused"}


def test_a_case_is_made_from_its_seed() -> None:
    from random import Random

    import hostile_files
    import hostile_pictures

    for make in (hostile_pictures.picture, hostile_files.manifest, hostile_files.recipe):
        assert make(Random("18 3")) == make(Random("18 3"))
        assert make(Random("18 3")) != make(Random("18 4"))


def test_which_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that fails, and one that changes pixels, are told as what they are."""
    import hostile

    from mien import images
    from mien.images import Photo

    monkeypatch.setattr(hostile, "KINDS", {"block": hostile.KINDS["block"]})

    def fails(*_: object) -> Photo:
        raise KeyError("tag")

    monkeypatch.setattr(images, "read", fails)
    assert hostile.outcome(18, 0).what == "traceback"
    monkeypatch.setattr(images, "read", lambda *_: Photo(np.zeros((24, 32, 3), np.uint8)))
    assert hostile.outcome(18, 0).what == "wrong"

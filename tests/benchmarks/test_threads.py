"""The benchmark of the thread policy: what it runs, and what it would tell."""

from __future__ import annotations

from pathlib import Path

import pytest


def rows(default: float) -> list[dict[str, dict[str, float]]]:
    one = {"frame_ms": 100.0, "edit_ms": 50.0}
    return [{"default": {k: default * v for k, v in one.items()}, "one": one, "all": one}] * 3


@pytest.mark.parametrize(("default", "fine"), [(1.0, True), (1.05, True), (3.8, False)])
def test_a_default_that_is_slower_than_one_thread_is_told(default: float, fine: bool) -> None:
    from mien.bench.cost import threads

    alone = threads.table(rows(1.0))
    assert alone["one"]["frame_to_one_thread"] == 1
    lines = threads.faults({"alone": alone, "beside_a_neighbour": threads.table(rows(default))})
    assert (lines == []) == fine
    assert all("beside" in line for line in lines)


@pytest.mark.same_without_data
def test_the_ways_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mien doctor` says how many threads torch has: one by default, whatever ran this test."""
    from mien.bench.cost import threads

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert "1 of" in threads.said(["doctor"], "default")


def test_the_film_shows_a_face(tmp_path: Path) -> None:
    from mien.bench.cost import threads
    from mien.faces.detect import detect
    from mien.video.reading import look

    source = look(threads.film(tmp_path, 3, 256))
    frames = [frame.pixels for frame in source.frames()]
    assert len(frames) == 3
    assert all(len(detect(pixels)) == 1 for pixels in frames)

"""One editor in many threads, and processes by fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
import pytest

import mien
from mien import forked, images
from mien.editor import Editor
from mien.errors import ConfigError
from mien.face_model import threads
from mien.faces.detect import detect
from mien.guides import Guide, Label
from mien.types import UInt8
from mien.zoo.samples import samples

THREADS, PHOTOGRAPHS = 8, 8


def photographs() -> list[tuple[UInt8, Guide]]:
    """The samples, smaller, mirrored, darker, each with another wish."""
    faces = [images.read(path).pixels for path in samples().values()]
    names = ("happy", "sad", "surprise", "anger:open", "neutral")
    out: list[tuple[UInt8, Guide]] = []
    for i in range(PHOTOGRAPHS):
        photo = faces[i % len(faces)]
        side = 160 + 6 * i
        small = np.asarray(cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        seen = small[:, ::-1] if i % 2 else small
        out.append((np.ascontiguousarray(seen), Label(names[i % len(names)])))
    return out


@pytest.mark.slow
def test_one_editor_in_eight_threads_gives_the_bytes_of_one() -> None:
    """Sixteen edits, each photograph twice."""
    work = photographs()
    editor = Editor(mien.load("morphable"))
    alone = [editor.edit(photo, guide).pixels for photo, guide in work]
    shared = Editor(mien.load("morphable"))
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda w: shared.edit(*w).pixels, work * 2))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 2, together, strict=True))


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two threads whatever the machine has."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    pool = ThreadPoolExecutor(1)
    monkeypatch.setattr(threads, "_helpers", lambda: pool)
    yield
    pool.shutdown()
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("two_threads")
def test_calls_are_shared_evenly() -> None:
    """While one takes long, the other thread makes all the rest, whichever of the two it is."""
    rest = threading.Barrier(2)

    def long() -> int:
        rest.wait(10)
        return threading.get_ident()

    makers = threads.together([long, *[threading.get_ident] * 5, long])
    assert makers[0] != makers[-1]
    assert set(makers[1:-1]) == {makers[-1]}
    assert threading.get_ident() in makers


@pytest.mark.usefixtures("two_threads")
def test_calls_within_calls_and_faults_do_not_hang() -> None:
    def inner(k: int) -> int:
        return sum(threads.together([lambda k=k, j=j: 10 * k + j for j in range(4)]))  # type: ignore[misc]

    assert threads.together([partial(inner, k) for k in range(4)]) == [6, 46, 86, 126]

    def wrong() -> int:
        raise ValueError("wrong")

    for calls in ([wrong, lambda: 1, lambda: 2], [lambda: 1, lambda: 2, wrong]):
        with pytest.raises(ValueError, match="wrong"):
            threads.together(calls)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_an_edit_is_told_and_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(forked._state, "worked", True)
    child = os.fork()
    if child == 0:
        try:
            forked.working()
        except ConfigError as error:
            os._exit(7 if "spawn" in str(error) else 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_every_way_into_an_editor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = images.photograph(samples()["anna"])
    editor, faces = Editor(mien.load("morphable")), detect(photo.pixels)
    monkeypatch.setitem(forked._state, "broken", True)
    ways = (
        lambda: editor.edit(photo, Label("happy")),
        lambda: editor.draft(photo, faces, Label("happy")),
        lambda: editor.reference(photo),
        lambda: editor.portrait(photo),
    )
    for way in ways:
        with pytest.raises(ConfigError, match="spawn"):
            way()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_before_the_first_edit_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(forked._state, "worked", False)
    child = os.fork()
    if child == 0:
        forked.working()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(("command", "threads"), [("edit", "1"), ("train", None)])
def test_one_policy_of_threads(
    command: str, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.cli import main

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    main._one_policy([command])
    assert os.environ.get("OMP_NUM_THREADS") == threads
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    main._one_policy([command])
    assert os.environ["OMP_NUM_THREADS"] == "3"

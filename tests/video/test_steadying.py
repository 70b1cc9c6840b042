"""Jitter goes, motion stays, short gaps are bridged, long ones fade."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from mien import images
from mien.faces import landmarks as module
from mien.faces.align import template, transform
from mien.faces.detect import detect
from mien.faces.landmarks import DOUBT, FIRST, GLANCES, STILL, Follower, follow, predict
from mien.types import Face, Float, UInt8
from mien.video import following
from mien.video.following import Seen, Track, followed
from mien.video.reading import Frame
from mien.video.steadying import AHEAD, BRIDGE, EASE, Steady, _cut, _shot, steadied
from mien.zoo.samples import samples

EMPTY = np.zeros((4, 4, 3), np.uint8)
FACE = template(100)


def seen(places: Iterable[Float | None], rate: float = 25.0) -> list[Seen]:
    return [Seen(Frame(EMPTY, i, i / rate), (p,)) for i, p in enumerate(places)]


def positions(steady: Iterable[Steady]) -> Float:
    return np.stack([s.points[0] for s in steady if s.points[0] is not None])


def test_jitter_goes_and_drift_stays() -> None:
    random = np.random.default_rng(0)
    drift = [FACE + np.array((0.4 * i, 0.2 * i), np.float32) for i in range(60)]
    noisy = [p + random.normal(0, 0.2, p.shape).astype(np.float32) for p in drift]
    steady = positions(steadied(seen(noisy)))
    rough, calm = (np.abs(np.asarray(p) - np.stack(drift))[5:-5].std() for p in (noisy, steady))
    assert calm < 0.5 * rough
    assert np.abs(steady - np.stack(drift))[5:-5].mean() < 0.15


def test_quick_motion_does_not_lag() -> None:
    """A mouth that opens within a frame is open in that frame."""
    opened = FACE.copy()
    opened[57] += (0, 12)
    steady = positions(steadied(seen([FACE] * 15 + [opened] * 15)))
    assert np.abs(steady[14] - FACE).max() < 1
    assert np.abs(steady[15] - opened).max() < 1


@pytest.mark.parametrize("rate", [25.0, 60.0])
def test_short_gaps_are_bridged(rate: float) -> None:
    row: list[Float | None] = [FACE + np.array((i, 0), np.float32) for i in range(40)]
    row[20 : 20 + BRIDGE] = [None] * BRIDGE
    steady = list(steadied(seen(row, rate)))
    assert len(steady) == 40
    assert all(s.shares == (1.0,) for s in steady)
    assert np.abs(positions(steady)[22] - (FACE + np.array((22, 0), np.float32))).max() < 0.7


def test_long_gaps_fade_on_either_side() -> None:
    row: list[Float | None] = [FACE] * 50
    row[20:30] = [None] * 10
    shares = [s.shares[0] for s in steadied(seen(row))]
    assert shares[20:30] == [0.0] * 10
    fading = shares[20 - EASE : 20]
    assert fading == sorted(fading, reverse=True)
    assert shares[30 : 30 + EASE] == fading[::-1]
    assert set(shares[: 20 - EASE] + shares[30 + EASE :]) == {1.0}


def test_a_cut_is_no_motion() -> None:
    there = FACE + np.array((300, 40), np.float32)
    steady = list(steadied(seen([FACE] * 12 + [there] * 12)))
    assert np.abs(positions(steady)[11] - FACE).max() < 1e-3
    assert np.abs(positions(steady)[12] - there).max() < 1e-3
    assert all(s.shares == (1.0,) for s in steady)


def test_memory_does_not_grow() -> None:
    """No more frames are taken than are needed to give the next one."""
    taken = 0

    def endless() -> Iterable[Seen]:
        nonlocal taken
        while True:
            taken += 1
            yield Seen(Frame(EMPTY, taken, taken / 25), (FACE,))

    steady = steadied(endless())
    for count in range(1, 200):
        next(steady)
        assert taken == count + AHEAD


@pytest.fixture(scope="module")
def face() -> tuple[UInt8, Float]:
    pixels = images.read(samples()["anna"]).pixels[::2, ::2]
    pixels = np.ascontiguousarray(pixels)
    return pixels, detect(pixels)[0].landmarks


def test_the_network_knows_a_face_from_none(face: tuple[UInt8, Float]) -> None:
    pixels, landmarks = face
    size = np.ptp(landmarks[:, 0])
    near, doubt = follow(pixels, landmarks + np.array((0.1 * size, -0.05 * size), np.float32))
    assert doubt < DOUBT / 2
    assert np.abs(near - landmarks).mean() < 0.02 * size
    noise = np.random.default_rng(0).integers(0, 255, pixels.shape).astype(np.uint8)
    assert follow(noise, landmarks)[1] > DOUBT


def test_a_face_that_looks_as_it_did_is_registered(face: tuple[UInt8, Float]) -> None:
    """Where it is goes on to be right to a twentieth of a pixel, and the network sees it again
    where it looks otherwise, and after a while."""
    pixels, landmarks = face
    middle = landmarks.mean(0)
    seen: list[int] = []

    def counted(crops: UInt8) -> Float:
        seen.append(len(crops))
        return (predict(crops) + np.float32(0.5)) / np.float32(128)

    follower = Follower(counted)
    first = landmarks
    for _ in range(FIRST):
        first, _ = follower(pixels, first)
    points, counts, looks = first, list[int](), sum(seen)
    for k in range(1, STILL + 2):
        turn = cv2.getRotationMatrix2D(middle.tolist(), 0.7 * k, 1 + 0.004 * k)
        turn[:, 2] += np.array([1.3 * k, -0.8 * k])
        shown = cv2.warpAffine(pixels, turn, pixels.shape[1::-1], flags=cv2.INTER_CUBIC)
        points, _ = follower(np.asarray(shown, np.uint8), points)
        counts.append(sum(seen))
        if k <= STILL:
            assert np.abs(points - transform(turn.astype(np.float32), first)).max() < 0.15
    assert counts[:-1] == STILL * [looks]
    assert counts[-1] > looks
    dark = np.asarray(shown, np.uint8).copy()
    x, y = points[48:].mean(0).astype(int)
    dark[y - 8 : y + 8, x - 20 : x + 20] = 20
    follower(dark, points)
    assert sum(seen) > counts[-1]


def test_the_mirror_image_is_seen_now_and_then_and_after_a_cut(
    face: tuple[UInt8, Float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, landmarks = face
    seen: list[int] = []

    def counted(crops: UInt8) -> Float:
        seen.append(len(crops))
        return (predict(crops) + np.float32(0.5)) / np.float32(128)

    follower, points = Follower(counted), landmarks
    monkeypatch.setattr(module, "STILL", 0)
    both, _ = follow(pixels, landmarks)
    for _ in range(GLANCES + 2):
        points, doubt = follower(pixels, points)
        assert doubt < DOUBT / 2
        assert np.abs(points - both).mean() < 0.01 * np.ptp(landmarks[:, 0])
    assert seen == [2, *GLANCES * [1], 2]
    noise = np.random.default_rng(0).integers(0, 255, pixels.shape).astype(np.uint8)
    assert follower(noise, points)[1] > DOUBT  # at once, not four frames later


def test_a_face_that_is_covered_is_lost_and_found(
    face: tuple[UInt8, Float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, landmarks = face
    blank = np.full_like(pixels, 120)
    looks = 0
    found = detect

    def counted(picture: UInt8) -> list[Face]:
        nonlocal looks
        looks += 1
        return found(picture)

    monkeypatch.setattr(following, "detect", counted)
    track = Track(landmarks, landmarks)
    row = [track.step(p) for p in [pixels] * 3 + [blank] * 3 + [pixels] * 2]
    assert [p is None for p in row] == [False] * 3 + [True] * 3 + [False] * 2
    assert looks == 1, "the detector is asked when a face is lost, not for every frame"
    assert row[-1] is not None
    assert np.abs(row[-1] - landmarks).mean() < 1


def test_the_detector_looks_once_where_the_face_stays(
    face: tuple[UInt8, Float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, _ = face
    looks = 0
    found = detect

    def counted(picture: UInt8) -> list[object]:
        nonlocal looks
        looks += 1
        return list(found(picture))

    monkeypatch.setattr(following, "detect", counted)
    rows = list(followed((Frame(pixels, i, i / 25) for i in range(6)), "largest"))
    assert looks == 1
    assert all(row.points[0] is not None for row in rows)


@pytest.mark.parametrize(("anyone", "found"), [(True, True), (False, False)])
def test_after_a_cut_only_some_choices_take_another_face(
    face: tuple[UInt8, Float], anyone: bool, found: bool
) -> None:
    pixels, landmarks = face
    elsewhere = np.full((400, 900, 3), 120, np.uint8)
    elsewhere[50:350, 600:900] = pixels
    track = Track(landmarks, landmarks, anyone)
    assert track.step(np.full_like(elsewhere, 120)) is None
    row = [track.step(elsewhere) for _ in range(following.SEARCH)]
    assert (row[-1] is not None) == found
    if row[-1] is not None:
        assert np.abs(row[-1] - landmarks - (600, 50)).mean() < 2


def test_a_shot_ends_at_gaps_and_cuts() -> None:
    """As it does step by step from each frame outwards."""
    random = np.random.default_rng(1)

    def end(row: list[Float | None], here: int, step: int) -> int:
        at = here
        while 0 <= at + step < len(row):
            own, other = row[at], row[at + step]
            if own is None or other is None or _cut(own, other):
                return at
            at += step
        return at

    found = set[tuple[int, int]]()
    for _ in range(40):
        row: list[Float | None] = []
        place, size = np.zeros(2, np.float32), np.float32(1)
        for kind in random.integers(0, 8, 21):
            place = place + (np.float32(60) if kind == 0 else np.float32(1))
            size = np.float32(1.7) if kind == 2 else size  # which jump is one depends on the size
            row.append(None if kind == 1 else size * FACE + place)
        for here, points in enumerate(row):
            if points is not None:
                assert _shot(row, here) == (end(row, here, -1), end(row, here, 1))
                found.add(_shot(row, here))
    assert len(found) > 20

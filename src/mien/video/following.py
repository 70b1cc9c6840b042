"""Faces through a film: detected once, then followed from frame to frame by their landmarks.

The landmark network is sure of itself or not (`landmarks.follow`); where it is not, and now and
then to be certain, the detector looks again. A face that is lost is `None` until
it is found: what to do in between is `steadying`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from mien.editor import pick
from mien.errors import FaceNotFound
from mien.faces.detect import detect, is_face
from mien.faces.landmarks import DOUBT, Follower, follow
from mien.types import Face, Float, UInt8
from mien.video.reading import Frame

RECHECK = 25
"""Frames after which the detector confirms a face that is being followed."""
SEARCH = 5
"""Frames between two looks of the detector at the whole picture while a face is lost."""
_ANYONE = ("largest", "auto")  # choices that name no one
_LEAP = 0.5  # of a face's size: a face that moves further between two frames is another one
_GROWTH = 1.4  # likewise for its size
_NEAR = 1.5  # of its size: a face further from where one was lost is not that one


@dataclass(frozen=True)
class Seen:
    """A frame, and the landmarks (68, 2) px of each face followed, None where it is lost."""

    frame: Frame
    points: tuple[Float | None, ...]


@dataclass
class Track:
    """One face: its landmarks in the last frame, and where it was last seen."""

    points: Float | None
    last: Float
    anyone: bool = False
    """Whether another face will do where this one is not found again, as after a cut."""
    age: int = field(default=0)
    """Frames since the detector saw it, or since it was lost."""
    follower: Follower = field(default_factory=Follower, repr=False)

    def step(self, pixels: UInt8) -> Float | None:
        """Its landmarks in the next frame uint8 (H, W, 3)."""
        self.age += 1
        found = None if self.points is None else self._followed(pixels, self.points)
        if found is None:
            if self.points is not None:
                self.age, self.follower = 0, Follower()
            found = self._searched(pixels)
        elif self.age >= RECHECK:
            found = self._confirmed(pixels, found)
        self.points = found
        if found is not None:
            self.last = found
        return found

    def _followed(self, pixels: UInt8, before: Float) -> Float | None:
        points, doubt = self.follower(pixels, before)
        ratio = _size(points) / _size(before)
        sane = _distance(points, before) < _LEAP and 1 / _GROWTH < ratio < _GROWTH
        return points if doubt < DOUBT and sane and _inside(points, pixels) else None

    def _confirmed(self, pixels: UInt8, points: Float) -> Float | None:
        """`points` if the detector sees a face there, or if the network is sure all the same."""
        self.age = 0
        if is_face(pixels, points):
            return points
        _, doubt = follow(pixels, points)
        return points if doubt < DOUBT / 2 else None

    def _searched(self, pixels: UInt8) -> Float | None:
        """The face where it was lost, if the network is very sure, or one that the detector finds;
        that takes its time, so it does not look at every frame.
        """
        if self.age % SEARCH:
            points, doubt = follow(pixels, self.last)
            near = doubt < DOUBT / 2 and _distance(points, self.last) < _LEAP
            return points if near and _inside(points, pixels) else None
        found = [face.landmarks for face in detect(pixels)]
        nearby = [points for points in found if _distance(points, self.last) < _NEAR]
        if nearby:
            return min(nearby, key=lambda points: _distance(points, self.last))
        return max(found, key=_size) if found and self.anyone else None


def followed(frames: Iterable[Frame], spec: str) -> Iterator[Seen]:
    """The faces that `spec` asks for (as `editor.pick` reads it) through the frames.

    They are chosen in the first frame that shows any; frames before it have none. A face that is
    lost is found again near its place; `largest` and `auto` then take the largest there is, the
    other choices no other. FaceNotFound when the first frame does not have the face asked for.
    """
    tracks: list[Track] = []
    for index, frame in enumerate(frames):
        if tracks:
            yield Seen(frame, tuple(track.step(frame.pixels) for track in tracks))
            continue
        if index % SEARCH == 0:
            found = [face.landmarks for face in _chosen(frame.pixels, spec)]
            tracks = [Track(p, p, anyone=spec in _ANYONE) for p in found]
        yield Seen(frame, tuple(track.points for track in tracks))


def _chosen(pixels: UInt8, spec: str) -> list[Face]:
    found = detect(pixels)
    try:
        return pick(found, spec)
    except FaceNotFound:
        if found:
            raise
        return []


def _size(points: Float) -> float:
    """Side of the landmarks' extent, px."""
    return float(np.ptp(points, axis=0).max()) + 1e-6


def _distance(a: Float, b: Float) -> float:
    """Distance of two faces' middles in sizes of the second."""
    return float(np.linalg.norm(a.mean(0) - b.mean(0))) / _size(b)


def _inside(points: Float, pixels: UInt8) -> bool:
    x, y = points.mean(0)
    return bool(0 <= x < pixels.shape[1] and 0 <= y < pixels.shape[0])

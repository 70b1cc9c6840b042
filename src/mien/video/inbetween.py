"""Which frames of a film are drawn, and what those between them show.

A face is cropped alike in every frame, so that while it keeps its expression, or moves evenly, its
crops differ by little. Then not every frame is drawn: one some frames on is, and what those between
are to show follows from it and from the one that was drawn before them, as in-betweens follow from
key frames in animation (Burtnyk and Wein, J. SMPTE 80, 1971). What is between are the fields of an
edit, not pictures: each frame's own pixels go where the fields say, at the face's own place. A
face that does anything else in between, that speaks or blinks or looks aside, is drawn frame by
frame.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.faces import align
from mien.faces.registration import SIDE, alike, parts
from mien.guides import Guide
from mien.types import AlignedFace, Composition, Expression, Face, Float
from mien.video.driving import Curve, Drive
from mien.video.steadying import Steady

MOST = 6
"""Frames from one that is drawn to the next, at most."""
STRAY, OUTLINE = 0.3, 0.6
"""How far a landmark may lie from where it is expected between two drawn frames, px of such a crop;
and one of the jaw's outline, which tells less."""
LEAST = np.float32(1e-4)
"""Shares of the photograph, or of paint, under which the one or the other has no colour."""
ROOM = 0.03
"""How much larger than it is a face is drawn, so that it may come nearer, or go away; and how much
smaller it may then be drawn."""
UNEVEN = 0.01
"""How far an intensity may lie from the straight line."""


@dataclass(frozen=True)
class Wanted:
    """A face of a frame, its crop of `SIDE` px, the side, px, at which it is drawn, and what it is
    to show: the guide, and how much of it."""

    face: Face
    crop: AlignedFace
    side: int
    guide: Guide | Expression[Any]
    intensity: float

    def expected(self, first: Wanted, last: Wanted, share: float) -> bool:
        """Whether it is what lies between two others, `share` of the way from one to the other."""
        if not (self.guide is first.guide is last.guide and self.side == first.side == last.side):
            return False
        line = (1 - share) * first.intensity + share * last.intensity
        if abs(self.intensity - line) > UNEVEN:
            return False
        place = _mixed(first.crop.landmarks, last.crop.landmarks, share)
        off = np.linalg.norm(self.crop.landmarks - place, axis=1)
        if off[17:].max() > STRAY or off[:17].max() > OUTLINE:
            return False
        looks = zip(*(parts(one.crop.pixels) for one in (self, first, last)), strict=True)
        return all(alike(own, _mixed(a, b, share)) for own, a, b in looks)


@dataclass(frozen=True)
class Planned:
    """A frame, and what its faces are to show; None for one that is left as it is."""

    steady: Steady
    faces: tuple[Wanted | None, ...]

    def expected(self, first: Planned, last: Planned) -> bool:
        """Whether it is what lies between two others."""
        if not len(self.faces) == len(first.faces) == len(last.faces):
            return False
        share = self.share(first, last)
        for own, a, b in zip(self.faces, first.faces, last.faces, strict=True):
            if own is None and a is None and b is None:
                continue
            if own is None or a is None or b is None or not own.expected(a, b, share):
                return False
        return True

    def share(self, first: Planned, last: Planned) -> float:
        """How far it lies on the way from one frame to another, 0..1 in time."""
        begin, now, end = (one.steady.frame.time for one in (first, self, last))
        return (now - begin) / max(end - begin, 1e-9)


def planned(frames: Iterable[Steady], drive: Drive, curve: Curve) -> Iterator[Planned]:
    """Frames with what their faces are to show."""
    sides = dict[int, int]()
    for steady in frames:
        guide, wanted = drive.at(steady.frame.time), curve.at(steady.frame.time)
        faces = list[Wanted | None]()
        for index, (points, share) in enumerate(zip(steady.points, steady.shares, strict=True)):
            if points is None:
                sides.pop(index, None)
            if points is None or guide is None or share * wanted == 0:
                faces.append(None)
                continue
            face = Face.at(points)
            sides[index] = _held(align.side_of(face), sides.get(index))
            crop = align.align(steady.frame.pixels, face, SIDE)
            faces.append(Wanted(face, crop, sides[index], guide, share * wanted))
        yield Planned(steady, tuple(faces))


def _held(own: float, before: int | None) -> int:
    """The side, px, at which a face is drawn whose own is so long: that of the frame `before` as
    long as it does, so that one frame's drawing fits the next."""
    if before is not None and own * (1 - ROOM) <= before <= own * (1 + 3 * ROOM):
        return before
    return math.ceil(own * (1 + ROOM))


def strides(frames: Iterable[Planned], most: int = MOST) -> Iterator[tuple[Planned, ...]]:
    """The frames in groups of `most` at most: the last of each is to be drawn, the others lie
    between that one and the last of the group before."""
    coming, waiting = iter(frames), deque[Planned]()
    before: Planned | None = None
    while True:
        while len(waiting) < most and (step := next(coming, None)) is not None:
            waiting.append(step)
        if not waiting:
            return
        count = 1 if before is None else _length(before, tuple(waiting))
        group = tuple(waiting.popleft() for _ in range(count))
        yield group
        before = group[-1]


def _length(before: Planned, waiting: Sequence[Planned]) -> int:
    """How many of the frames that wait may go with the last one of them that is drawn."""
    for count in range(len(waiting), 1, -1):
        *between, last = waiting[:count]
        if all(one.expected(before, last) for one in between):
            return count
    return 1


def between(
    first: Composition[Float], last: Composition[Float], share: float
) -> Composition[Float]:
    """What lies `share` of the way from one edit of a face to another, of one size; `last` where
    they are not of one kind.

    What shows of the photograph, and what is painted, are mixed as far as they cover.
    """
    if first.nothing and last.nothing:
        return last
    lights = [np.ones_like(one.mask) if one.nothing else one.gain for one in (first, last)]
    if first.mask.shape != last.mask.shape or lights[0] is None or lights[1] is None:
        return last
    mask, shown, paint = (np.zeros_like(field) for field in (last.mask, last.mask, last.paint))
    for part, one, light in ((1 - share, first, lights[0]), (share, last, lights[1])):
        seen = np.float32(part) * one.mask
        mask += seen
        shown += seen * light
        paint += (np.float32(part) - seen) * one.paint
    paint /= np.maximum(1 - mask, LEAST)
    gain = np.where(mask > LEAST, shown / np.maximum(mask, LEAST), np.float32(1))
    flow = _mixed(first.flow, last.flow, share)
    return Composition(flow, mask, paint, gain, last.held, last.taken)


def _mixed(first: Float, last: Float, share: float) -> Float:
    """`share` of the way from one field to another."""
    return np.asarray(first + np.float32(share) * (last - first), np.float32)

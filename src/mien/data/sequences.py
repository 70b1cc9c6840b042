"""Which frames of a film, or of a series of pictures, become photographs, and what they show.

A posed expression runs from rest to its peak, some sets' on to rest again; speech with an emotion
has no single peak; and where every frame is coded, the codes say which frames are at rest and which
the strongest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from mien.data.manifest import Moment


class TemporalProfile(Enum):
    """How an expression goes through a sequence."""

    POSED = "from rest (first frame) to its peak (last frame)"
    ARC = "from rest (first frame) to its peak and back"
    SPOKEN = "there throughout, with speech"
    CODED = "given by the action units of every frame"


@dataclass(frozen=True)
class Taken:
    """A frame that becomes a photograph."""

    index: int
    """Its place in the sequence, from 0."""
    moment: Moment | None = None


def taken(
    profile: TemporalProfile, count: int, wanted: int, *, peak: int | None = None,
    strengths: Sequence[float | None] = (),
) -> list[Taken]:  # fmt: skip
    """The frames to take of a sequence of `count`, `wanted` or fewer, in the order of time.

    peak: where an `ARC` is strongest (see `films.farthest`); strengths: how much a `CODED` sequence
    shows in each frame, None where nobody has coded it: such a frame is not taken. An expression
    that runs has its onset and its peak among them, whatever is wanted; what lies between is evenly
    spread. Of speech the middle half is taken, where the face is warmed up and not yet done.

    >>> [(t.index, t.moment) for t in taken(TemporalProfile.POSED, 9, 3)]
    [(0, 'onset'), (4, None), (8, 'peak')]
    """
    if profile is TemporalProfile.SPOKEN:
        return [Taken(i) for i in _spread(count / 4, 3 * (count - 1) / 4, wanted)]
    if profile is TemporalProfile.CODED:
        return _coded(strengths, wanted)
    last = count - 1 if profile is TemporalProfile.POSED else peak
    if last is None:
        raise ValueError("the peak of an arc must be found first")
    if last < 1:
        return []
    marks: dict[int, Moment] = {0: "onset", last: "peak"}
    return [Taken(i, marks.get(i)) for i in _spread(0, last, max(wanted, 2))]


def _coded(strengths: Sequence[float | None], wanted: int) -> list[Taken]:
    coded = [i for i, strength in enumerate(strengths) if strength is not None]
    if not coded:
        return []
    order = sorted(coded, key=lambda i: (strengths[i], i))
    onset, peak = order[0], order[-1]
    marks: dict[int, Moment] = {}
    if not strengths[onset]:
        marks[onset] = "onset"  # nothing shows there
    if strengths[peak]:
        marks[peak] = "peak"
    spread = {coded[k] for k in _spread(0, len(coded) - 1, max(wanted - len(marks), 0))}
    return [Taken(i, marks.get(i)) for i in sorted(spread | marks.keys())]


def _spread(first: float, last: float, wanted: int) -> list[int]:
    """Whole numbers evenly from first to last, each once; the middle one if one is wanted."""
    if wanted < 2:
        return [round((first + last) / 2)] * wanted
    return sorted({round(x) for x in np.linspace(first, last, wanted).tolist()})

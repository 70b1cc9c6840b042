"""Landmarks over time: gaps bridged, jitter taken out, edits eased in and out. A window slides over
the film, a few frames ahead and a few behind, so that nothing lags and memory does not grow.

Two estimates of where a landmark is meet. The calm one is a straight line through its places in
the window, weighted by a Gaussian: jitter goes down to a third, and a drifting face is not held
back. The quick one is the landmark's own place. How far they lie apart, against what the network's
jitter explains, decides between them: the idea of the One-Euro filter (Casiez, Roussel and Vogel,
CHI 2012), which smooths less the faster something moves, without its delay.

A gap of up to `BRIDGE` frames between two sightings of one face is filled by a straight line. Over
a longer one nothing is known and the edit must stop: it fades over `EASE` frames on either side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mien.types import Float
from mien.video.following import Seen
from mien.video.reading import Frame

BRIDGE = 5
"""Longest gap that is bridged, frames."""
EASE = 4
"""Frames over which an edit fades where its face is lost or found."""
AHEAD = BEHIND = BRIDGE + EASE + 1
"""Frames that are held on either side: enough to tell, while an edit could fade, whether a gap is
short.
"""

_WIDTH = 2.5  # frames: the Gaussian of the calm estimate
_JITTER, _MOTION = 0.006, 0.02  # of the face's size: what is noise, and what surely is not
_CUT = 0.5  # of the face's size: a jump between two frames that no head makes


@dataclass(frozen=True)
class Steady:
    """A frame, the steadied landmarks of each face, and each one's share of the edit, 0..1."""

    frame: Frame
    points: tuple[Float | None, ...]
    shares: tuple[float, ...]


def steadied(frames: Iterable[Seen]) -> Iterator[Steady]:
    """The frames `AHEAD` later, with their landmarks steadied. Times may be uneven."""
    ahead: deque[Seen] = deque()
    past: deque[tuple[float, tuple[Float | None, ...]]] = deque(maxlen=BEHIND)
    for seen in frames:
        ahead.append(seen)
        if len(ahead) > AHEAD:
            yield _next(past, ahead)
    while ahead:
        yield _next(past, ahead)


def _next(
    past: deque[tuple[float, tuple[Float | None, ...]]],
    ahead: deque[Seen],
) -> Steady:
    """The first frame ahead, decided upon and moved behind."""
    known = [points for _, points in past] + [seen.points for seen in ahead]
    times = np.array([t for t, _ in past] + [seen.frame.time for seen in ahead])
    here, count = len(past), max(map(len, known))
    places, shares = [], []
    for face in range(count):
        raw = [points[face] if face < len(points) else None for points in known]
        row = _bridged(raw, times)
        places.append(_smoothed(row, times, here))
        shares.append(_share(row, here))
    seen = ahead.popleft()
    past.append((seen.frame.time, seen.points))
    return Steady(seen.frame, tuple(places), tuple(shares))


def _bridged(row: Sequence[Float | None], times: np.ndarray) -> list[Float | None]:
    """Short gaps filled by straight lines between the places before and after them."""
    filled = list(row)
    known = [i for i, points in enumerate(row) if points is not None]
    for a, b in pairwise(known):
        before, after = row[a], row[b]
        if before is None or after is None or not 1 < b - a <= BRIDGE + 1 or _cut(before, after):
            continue
        for i in range(a + 1, b):
            part = np.float32((times[i] - times[a]) / max(times[b] - times[a], 1e-9))
            filled[i] = before + part * (after - before)
    return filled


def _smoothed(row: Sequence[Float | None], times: np.ndarray, here: int) -> Float | None:
    """The landmarks (68, 2) at `here`, from those around it in the same shot."""
    own = row[here]
    if own is None:
        return None
    first, last = _shot(row, here)
    near = [points for points in row[first : last + 1] if points is not None]
    if len(near) < 3:
        return own
    index = np.arange(first, last + 1) - here
    # as far back as forth: a lopsided window would lean on what is to come
    reach = max(1, min(here - first, last - here))
    weight = np.exp(-0.5 * (index / _WIDTH) ** 2) * (np.abs(index) <= max(reach, 2))
    calm = _line(np.stack(near), times[first : last + 1] - times[here], weight)
    distance = np.linalg.norm(own - calm, axis=1, keepdims=True) / _size(own)
    moving = np.clip((distance - _JITTER) / (_MOTION - _JITTER), 0, 1)
    return np.asarray(calm + moving * (own - calm), dtype=np.float32)


def _line(places: Float, times: np.ndarray, weight: np.ndarray) -> Float:
    """Places (n, 68, 2) at times (n,) as a weighted straight line's value (68, 2) at time 0."""
    w = weight / weight.sum()
    mean_t, mean = float((w * times).sum()), np.tensordot(w, places, 1)
    spread = float((w * (times - mean_t) ** 2).sum())
    slope = np.tensordot(w * (times - mean_t), places - mean, 1) / max(spread, 1e-12)
    return np.asarray(mean - slope * mean_t, dtype=np.float32)


def _shot(row: Sequence[Float | None], here: int) -> tuple[int, int]:
    """First and last index around `here` without a gap or a cut."""
    first, last = _seen(row, here)
    near = np.stack([points for points in row[first : last + 1] if points is not None])
    steps = np.linalg.norm(np.diff(near.mean(1), axis=0), axis=1)
    sizes = np.ptp(near, axis=1).max(1) + 1e-6
    back, on = steps > _CUT * sizes[1:], steps > _CUT * sizes[:-1]  # a jump from `here` outwards
    before, after = np.flatnonzero(back[: here - first]), np.flatnonzero(on[here - first :])
    start = first + int(before[-1]) + 1 if before.size else first
    return start, here + int(after[0]) if after.size else last


def _seen(row: Sequence[Float | None], here: int) -> tuple[int, int]:
    """First and last index around `here` without a gap."""
    lost = [i for i, points in enumerate(row) if points is None]
    first = max((i + 1 for i in lost if i < here), default=0)
    return first, min((i - 1 for i in lost if i > here), default=len(row) - 1)


def _share(row: Sequence[Float | None], here: int) -> float:
    """1 in the midst of a sighting, falling to 0 over `EASE` frames towards where it is lost.

    The film's own beginning and end are no loss.
    """
    if row[here] is None:
        return 0.0
    lost = [abs(i - here) for i, points in enumerate(row) if points is None]
    return min(1.0, min(lost, default=EASE + 1) / (EASE + 1))


def _cut(a: Float, b: Float) -> bool:
    return float(np.linalg.norm(a.mean(0) - b.mean(0))) > _CUT * _size(a)


def _size(points: Float) -> float:
    return float(np.ptp(points, axis=0).max()) + 1e-6

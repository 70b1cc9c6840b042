"""A film before and after: does it flicker, does it lag, do lips go on opening as they did?

Two films with the same frames. Of pictures only two in a row are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError, FaceNotFound
from mien.judges.landmarker import Landmarker, Mesh
from mien.types import Float, UInt8

STILL = 0.3
"""Px that optical flow may move a pixel by from frame to frame for it to count as still."""
FAITHFUL = 0.5
"""Px by which the flow there and back may miss: beyond it a pixel is covered or comes into view."""
FURTHEST = 10
"""Frames by which a result is looked for to lag or to lead."""
FEWEST = 8
"""Frames with a face in both films that lips and trembling need."""
RIGID = (33, 133, 362, 263, 168, 6, 197, 195)
"""Points of MediaPipe's mesh that only the head moves: eye corners and the nose's bridge."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """What changes from frame to frame, in levels of grey, mean over pixels and frames: where
    nothing moves, and along the source's optical flow everywhere it is sure."""

    still: float
    moving: float


@dataclass(frozen=True)
class Temporal:
    """A film's columns; pairs are before and after.

    flicker: differences from frame to frame (Lai et al., ECCV 2018, sec. 4.2: the source's flow
    serves both). lag: frames by which the lips' opening follows the source's, below 0 if it leads.
    lips_correlation, lips_slope: of the opening with the source's at that lag; 1 and 1 are lips
    that say the same as widely. lips_range: from the 5th to the 95th percentile of the opening, of
    the source's. jitter: mean second difference of rigid points, in thousandths of
    the outer eye corners' distance. None where too few frames show a face, or lips do not move.
    """

    frames: int
    faces: int
    flicker: tuple[Difference, Difference]
    lag: int | None
    lips_correlation: float | None
    lips_slope: float | None
    jitter: tuple[float, float] | None
    lips_range: float | None = None

    def text(self) -> str:
        """A line for each column."""
        (still, moving), (still_after, moving_after) = (
            (one.still, one.moving) for one in self.flicker
        )
        lines = [
            f"{self.frames} frames, a face in {self.faces} of both",
            f"change from frame to frame, levels: {still:.2f} to {still_after:.2f} where nothing "
            f"moves, {moving:.2f} to {moving_after:.2f} along the source's motion",
        ]
        if self.lips_correlation is None:
            lines.append("lips: not measured")
        else:
            behind = "no lag" if self.lag is None else f"{self.lag:+d} frames behind"
            lines.append(
                f"lips: {behind}, correlation {self.lips_correlation:.2f}, "
                f"opening kept {self.lips_slope:.2f}"
            )
        if self.lips_range is not None:
            lines[-1] += f", its range {self.lips_range:.2f}"
        if self.jitter is not None:
            before, after = self.jitter
            lines.append(f"jitter, thousandths of the eyes' distance: {before:.2f} to {after:.2f}")
        return "\n".join(lines)


def temporal(before: Iterable[UInt8], after: Iterable[UInt8], judge: Landmarker) -> Temporal:
    """The columns of two films, frames (H, W, 3) RGB. DataError where they do not match."""
    seen: list[tuple[Mesh | None, Mesh | None]] = []
    flicker = Flicker()
    try:
        for one, other in zip(before, after, strict=True):
            if one.shape != other.shape:
                raise DataError("the films differ in size: name a film and what was made of it")
            flicker.add(one, other)
            seen.append((_mesh(judge, one), _mesh(judge, other)))
    except ValueError:
        raise DataError("the films differ in length: name a film and what was made of it") from None
    if len(seen) < 2:
        raise DataError("a film of one frame has no course")
    both = [a is not None and b is not None for a, b in seen]
    found = Temporal(len(seen), sum(both), flicker.differences(), None, None, None, None)
    if sum(both) < FEWEST:
        return found
    first, second = ([pair[k] for pair in seen] for k in (0, 1))
    lag, correlation, slope = lips(_gaps(first), _gaps(second))
    return replace(
        found, lag=lag, lips_correlation=correlation, lips_slope=slope,
        jitter=(jitter(first), jitter(second)), lips_range=_kept(_gaps(first), _gaps(second)),
    )  # fmt: skip


class Flicker:
    """Sums up what changes from frame to frame of two films."""

    def __init__(self) -> None:
        self._last: tuple[Float, Float] | None = None
        self._sums = np.zeros((2, 2))  # film, kind
        self._weights = np.zeros(2)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def add(self, before: UInt8, after: UInt8) -> None:
        """The next frame of both."""
        now = _grey(before), _grey(after)
        if self._last is not None:
            still, sure, where = self._moved(self._last[0], now[0])
            for kind, mask in enumerate((still, sure)):
                self._weights[kind] += float(mask.sum())
            for film, (old, new) in enumerate(zip(self._last, now, strict=True)):
                self._sums[film, 0] += float((np.abs(new - old) * still).sum())
                warped = _from(old, where, cv2.INTER_CUBIC)
                self._sums[film, 1] += float((np.abs(new - warped) * sure).sum())
        self._last = now

    def differences(self) -> tuple[Difference, Difference]:
        """Of the film before, and after."""
        means = self._sums / np.maximum(self._weights, 1)
        one, other = (Difference(*(round(float(v), 4) for v in row)) for row in means)
        return one, other

    def _moved(self, old: Float, new: Float) -> tuple[Any, Any, Float]:
        """Where nothing moves, where the flow is sure, and where each pixel was before."""
        levels = [np.clip(p, 0, 255).astype(np.uint8) for p in (old, new)]
        nothing: Any = None  # no flow to begin with, which OpenCV's types do not know
        back = np.asarray(self._flow.calc(levels[1], levels[0], nothing), np.float32)
        forth = np.asarray(self._flow.calc(levels[0], levels[1], nothing), np.float32)
        height, width = old.shape
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
        where = grid + back
        there = _from(forth, where, cv2.INTER_LINEAR)
        sure = np.linalg.norm(back + there, axis=-1) < FAITHFUL
        return (np.linalg.norm(back, axis=-1) < STILL) & sure, sure, where


def lips(before: Numbers, after: Numbers) -> tuple[int | None, float | None, float | None]:
    """Lag in frames, correlation and slope at that lag of two courses (N,) of the lips' gap."""
    if before.std() < 1e-4:
        return None, None, None
    found: list[tuple[float, int]] = []
    for lag in range(-FURTHEST, FURTHEST + 1):
        x, y = _shifted(before, after, lag)
        if len(x) >= FEWEST and x.std() > 1e-6 and y.std() > 1e-6:
            found.append((float(np.corrcoef(x, y)[0, 1]), lag))
    if not found:  # lips that never move follow nothing
        return None, 0.0, 0.0
    best, lag = max(found, key=lambda one: (round(one[0], 6), -abs(one[1])))
    x, y = _shifted(before, after, lag)
    return lag, round(best, 4), round(float(np.polyfit(x, y, 1)[0]), 4)


def _kept(before: Numbers, after: Numbers) -> float | None:
    """The range of a course, as a share of another's: what one odd frame shows does not count."""
    spans = [float(np.subtract(*np.percentile(one, (95, 5)))) for one in (before, after)]
    return round(spans[1] / spans[0], 4) if spans[0] > 1e-4 else None


def _shifted(before: Numbers, after: Numbers, lag: int) -> tuple[Numbers, Numbers]:
    count = len(before) - abs(lag)
    first, second = max(0, -lag), max(0, lag)
    return before[first : first + count], after[second : second + count]


def jitter(meshes: Sequence[Mesh | None]) -> float:
    """How much rigid points tremble: mean length of their second differences over frames in a row
    that show a face, thousandths of the outer eye corners' distance."""
    points = [None if m is None else m.points[list(RIGID), :2].astype(np.float64) for m in meshes]
    lengths = []
    for (a, b), (_, c) in pairwise(pairwise(points)):
        if a is not None and b is not None and c is not None:
            across = np.linalg.norm(b[0] - b[3])
            lengths.append(np.linalg.norm(a - 2 * b + c, axis=1).mean() / across)
    return round(1000 * float(np.mean(lengths)), 3) if lengths else 0.0


def _gaps(meshes: Sequence[Mesh | None]) -> Numbers:
    """The lips' gap of every frame (N,), by straight lines where nobody is seen."""
    known = {i: mesh.gap for i, mesh in enumerate(meshes) if mesh is not None}
    return np.interp(np.arange(len(meshes)), list(known), list(known.values()))


def _from(values: Float, where: Float, how: int) -> Float:
    """Values (H, W) or (H, W, C) at places (H, W, 2)."""
    none: Any = None  # OpenCV's types know of no second map that is left out
    return np.asarray(cv2.remap(values, where, none, how, borderMode=cv2.BORDER_REFLECT))


def _mesh(judge: Landmarker, pixels: UInt8) -> Mesh | None:
    try:
        return judge.see(np.ascontiguousarray(pixels))
    except FaceNotFound:
        return None


def _grey(pixels: UInt8) -> Float:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.float32)

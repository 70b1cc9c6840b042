"""What a film's faces are to show at each moment: one guide throughout, by a curve, or as another
film does.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mien.errors import FaceNotFound, VideoError
from mien.faces import align
from mien.guides import Guide
from mien.methods.base import Method
from mien.types import Expression, Face, Faces, Float, UInt8
from mien.video.following import followed
from mien.video.reading import Film
from mien.video.steadying import steadied

_MEMORY = 0.12  # s in which a reference film's old expression fades to 1 / e: longer looks sluggish


@dataclass(frozen=True)
class Curve:
    """Intensity over time: straight lines between points (s, intensity), level before and after."""

    times: tuple[float, ...] = (0.0,)
    values: tuple[float, ...] = (1.0,)

    @classmethod
    def read(cls, path: Path) -> Curve:
        """A CSV file with a row `time,intensity` for each point, times rising; a first row of words
        is a heading. VideoError with the line that is wrong.
        """
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            rows = list(csv.reader(lines))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            what = getattr(error, "strerror", None) or "not text"
            raise VideoError(f"{path} cannot be read: {what}") from None
        points: list[tuple[float, float]] = []
        for number, row in enumerate(rows, 1):
            if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
                continue
            point = _numbers(row)
            if point is None and (other := _other_mark(lines[number - 1])):
                raise VideoError(
                    f"{path}, line {number}: {other} parts the columns: write `time,intensity` "
                    "with a comma, and decimals with a point"
                )
            if point is None and not points and number == 1:
                continue
            if point is None or abs(point[1]) > 10:
                raise VideoError(f"{path}, line {number}: say `time,intensity`, such as 1.5,0.8")
            if points and point[0] <= points[-1][0]:
                raise VideoError(f"{path}, line {number}: times must rise")
            points.append(point)
        if not points:
            raise VideoError(f"{path} has no points: give rows `time,intensity`")
        return cls(tuple(t for t, _ in points), tuple(v for _, v in points))

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Times and intensities."""
        return tuple(zip(self.times, self.values, strict=True))

    def scaled(self, factor: float) -> Curve:
        """The same curve, `factor` times as high."""
        return Curve(self.times, tuple(factor * value for value in self.values))

    def at(self, time: float) -> float:
        """The intensity at a time, s."""
        return float(np.interp(time, self.times, self.values))


def _other_mark(line: str) -> str | None:
    """The name of what parts two numbers in place of the comma: how other programs write tables."""
    for mark, name in ((";", "a semicolon"), ("\t", "a tab"), (None, "a blank")):
        cells = [cell.strip().replace(",", ".") for cell in line.split(mark)]
        if len(cells) == 2 and _numbers(cells) is not None:
            return name
    return None


def _numbers(row: list[str]) -> tuple[float, float] | None:
    try:
        time, value = (float(cell) for cell in row)
    except ValueError:
        return None
    return (time, value) if math.isfinite(time) and math.isfinite(value) else None


class Drive(Protocol):
    """The guide for the faces of a frame."""

    def at(self, time: float) -> Guide | Expression[Any] | None:
        """At a time of the film, s; times rise from call to call. None: leave the face as it is."""
        ...


@dataclass(frozen=True)
class Constant:
    """One guide throughout."""

    guide: Guide

    def at(self, time: float) -> Guide:
        return self.guide


class DrivingFilm:
    """The expression of the face in another film at the same time; the last one when that ends.

    Where that film's face is lost, its last expression stays; before its first, nothing is asked.
    """

    def __init__(self, film: Film, method: Method[Any], face: str = "largest") -> None:
        self._frames = self._expressions(film, method, face)
        self._times: list[float] = []
        self._codes: list[Expression[Any]] = []
        self._done = False

    def at(self, time: float) -> Expression[Any] | None:
        while not self._done and (not self._times or self._times[-1] < time):
            step = next(self._frames, None)
            self._done = step is None
            if step is not None:
                # two are enough: the one before `time` and the one after
                self._times = [*self._times[-1:], step[0]]
                self._codes = [*self._codes[-1:], step[1]]
        if not self._times:
            raise FaceNotFound("no face found in the reference film: take another one")
        index = bisect_right(self._times, time) - 1
        return self._codes[index] if index >= 0 else None

    def _expressions(
        self, film: Film, method: Method[Any], face: str
    ) -> Iterator[tuple[float, Expression[Any]]]:
        """Times and expressions, each eased from the one before it: an expression has no jitter."""
        before: tuple[float, Expression[Any]] | None = None
        for steady in steadied(followed(film.frames(), face)):
            points = steady.points[0] if steady.points else None
            if points is None:
                continue
            time, own = (
                steady.frame.time,
                method.shown(seen(steady.frame.pixels, [points], method)),
            )
            if before is not None:
                own = before[1].toward(own, 1 - math.exp(-(time - before[0]) / _MEMORY))
            before = time, own
            yield before


def seen(pixels: UInt8, places: list[Float], method: Method[Any]) -> Faces[Any]:
    """The faces of a frame as a method sees them."""
    crops = [align.align(pixels, Face.at(points), method.size) for points in places]
    return method.seen(Faces.stack(crops))

"""Blendshapes over time: the CSV files that Live Link Face and programs like it record."""

from __future__ import annotations

import csv
import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mien.errors import GuideError, VideoError
from mien.guides import Blendshapes

RATE = 60.0
"""Frames a second of a recording whose timecode counts frames; Live Link Face's own."""
_TIMECODE = re.compile(r"(\d+):(\d+):(\d+):(\d+(?:\.\d+)?)")
_NO_SHAPES = {"timecode", "blendshapecount", "time"}


@dataclass(frozen=True)
class Shapes:
    """A drive by blendshapes: at each moment the row that is shown then; the last one when they
    end. Times in s, from the first row on."""

    times: tuple[float, ...]
    rows: tuple[Blendshapes, ...]

    @classmethod
    def read(cls, path: Path, rate: float = RATE) -> Self:
        """A CSV file with a heading of ARKit's names and a column `Timecode` (HH:MM:SS:FF) or
        `time` (s); VideoError with the line that is wrong. `rate`: frames a second of a
        timecode."""
        try:
            lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            what = getattr(error, "strerror", None) or "not text"
            raise VideoError(f"{path} cannot be read: {what}") from None
        if len(lines) < 2:
            raise VideoError(f"{path} has no rows: give a heading of blendshapes, and rows of them")
        names = [name.strip() for name in lines[0]]
        clock = next((i for i, n in enumerate(names) if n.lower() in ("timecode", "time")), None)
        if clock is None:
            raise VideoError(f"{path} has no column Timecode or time")
        times: list[float] = []
        rows: list[Blendshapes] = []
        for number, line in enumerate(lines[1:], 2):
            if not any(cell.strip() for cell in line):
                continue
            time = _seconds(line[clock] if clock < len(line) else "", rate)
            if time is None or (times and time < times[-1]):
                raise VideoError(f"{path}, line {number}: times must be there, and rise")
            times.append(time)
            rows.append(_row(path, number, names, line))
        if not rows:
            raise VideoError(f"{path} has no rows: give a heading of blendshapes, and rows of them")
        return cls(tuple(time - times[0] for time in times), tuple(rows))

    def at(self, time: float) -> Blendshapes:
        return self.rows[max(0, bisect_right(self.times, time + 1e-6) - 1)]


def _seconds(text: str, rate: float) -> float | None:
    """A time of day with frames, or plain seconds; None if it is neither."""
    found = _TIMECODE.fullmatch(text.strip())
    if found is None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    hours, minutes, seconds, frames = (float(part) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds + frames / rate


def _row(path: Path, number: int, names: Sequence[str], line: Sequence[str]) -> Blendshapes:
    if len(line) != len(names):
        raise VideoError(f"{path}, line {number}: {len(line)} values under {len(names)} names")
    try:
        values = {
            name: float(cell)
            for name, cell in zip(names, line, strict=True)
            if name.lower() not in _NO_SHAPES
        }
        return Blendshapes.of_values(values)
    except (ValueError, GuideError) as error:
        raise VideoError(f"{path}, line {number}: {error}") from None

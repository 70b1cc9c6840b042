"""The plan of a series: a table whose rows are factor levels, and the pictures that they ask for.

A row may list several intensities and sides, and how many frames of a rising expression. A
repetition of a face model's picture is the same picture; repetitions are rows of the series' table,
for the order of presentation, not files.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.errors import DataError, GuideError, MienError
from mien.people.asks import COLUMNS, Ask, of_row, table

PLAN = (*COLUMNS, "person", "frames", "repetitions")
"""Columns of a plan: those of asks, where `intensity` and `side` may list several with spaces
between; which people (file names without ending; empty: all); frames of a rise; repetitions."""
LIMIT = 500
"""Most frames and most repetitions of a row."""


@dataclass(frozen=True)
class Cell:
    """One picture to be made: a row's ask for its people, and frame `frame` of `frames`."""

    ask: Ask
    people: tuple[str, ...]
    side: str
    frame: int = 1
    frames: int = 1
    repetitions: int = 1

    @property
    def strength(self) -> float:
        """The intensity of the frame: a straight rise to the row's."""
        return self.ask.intensity * self.frame / self.frames

    @property
    def stem(self) -> str:
        """The picture's name, without ending."""
        return self.ask.name + (f"-{self.frame:03d}" if self.frames > 1 else "")


def read_plan(path: Path) -> tuple[list[Cell], list[str]]:
    """The cells of a plan, and a line for each row that cannot be read.

    Raises:
        DataError: it cannot be read, has unknown columns, or no row that can.
    """
    cells: list[Cell] = []
    faults: list[str] = []
    for number, row in table(path, PLAN):
        try:
            found = list(_cells(row))
            double = _double(found, cells)
            if double:
                raise GuideError(f"{double} is asked for by a row above: give it a name")
        except MienError as error:
            faults.append(f"{path}, line {number}: {error}")
            continue
        cells += found
    if not cells:
        raise DataError(faults[0] if faults else f"{path} has no rows")
    return cells, faults


def _cells(row: Mapping[str, str]) -> Iterator[Cell]:
    people = tuple((row.get("person") or "").replace(",", " ").split())
    frames, repetitions = (_count(row.get(key), key) for key in ("frames", "repetitions"))
    strengths = (row.get("intensity") or "1").replace(",", " ").split()
    sides = (row.get("side") or "both").replace(",", " ").split()
    for strength, side in itertools.product(strengths, sides):
        name = row.get("name") or ""
        if name and len(sides) > 1:
            name += f"-{side}"
        if name and len(strengths) > 1:
            name += f"-{strength}"
        ask = of_row({**row, "name": name, "intensity": strength, "side": side})
        for frame in range(1, frames + 1):
            yield Cell(ask, people, side, frame, frames, repetitions)


def _count(text: str | None, what: str) -> int:
    if not (text or "").strip():
        return 1
    if not text or not text.strip().isdecimal() or not 1 <= int(text) <= LIMIT:
        raise GuideError(f"{what} is {text!r}: give a whole number from 1 to {LIMIT}")
    return int(text)


def _double(cells: Sequence[Cell], others: Sequence[Cell]) -> str | None:
    """The name of a picture that both would make of one person; None if there is none."""
    taken: dict[str, list[tuple[str, ...]]] = {}
    for cell in others:
        taken.setdefault(cell.stem, []).append(cell.people)
    for cell in cells:
        for people in taken.get(cell.stem, ()):
            if not people or not cell.people or {*people} & {*cell.people}:
                return cell.stem
    return None

"""Photographs of test people, edited as a user's are and looked at by outsiders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mien
from mien import images
from mien.data.adapters import DATASETS
from mien.editor import Editor, Result
from mien.errors import DataError, FaceNotFound, FaceUndrawable
from mien.faces.align import align, warp
from mien.faces.detect import choose, detect
from mien.guides import Guide
from mien.images import Photo
from mien.judges.outside import Seen, outside
from mien.nn import tensors
from mien.types import Face, Faces, UInt8
from mien.zoo import data_home

SEEN, SMALL = 640, 128
"""Sides of the crops, px, that outsiders and mien's judges see."""
OWN_HEAD = "aipgan head=own"


@dataclass(frozen=True)
class Shot:
    """A photograph, its largest face, and what outsiders see of it, looked at once."""

    name: str
    photo: Photo

    @cached_property
    def face(self) -> Face:
        (found,) = choose(detect(self.photo.pixels), "largest")
        return found

    @cached_property
    def small(self) -> Faces[torch.Tensor]:
        return tensors.faces(Faces.stack([align(self.photo.pixels, self.face, SMALL)]))

    @cached_property
    def seen(self) -> Seen:
        return outside().see(self.crop())

    def crop(self, pixels: UInt8 | None = None, side: int = SEEN) -> UInt8:
        """Where the face is, in the photograph or in what became of it."""
        matrix = align(self.photo.pixels, self.face, side).matrix
        return warp(self.photo.pixels if pixels is None else pixels, matrix, side)


@dataclass
class Column:
    """One way of editing: figures of each result by name, and what could not be had."""

    rows: list[dict[str, float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def values(self, key: str) -> np.ndarray:
        return np.array([row[key] for row in self.rows if key in row])

    def worst(self, key: str, count: int = 3, largest: bool = False) -> list[str]:
        known = [(row[key], n) for row, n in zip(self.rows, self.names, strict=True) if key in row]
        return [name for _, name in sorted(known, reverse=largest)[:count]]


@cache
def editor(name: str) -> Editor:
    """An editor by a method's name, or `NAME head=own`."""
    method, _, head = name.partition(" head=")
    return Editor(mien.load(method, **({"head": head} if head else {})))


@dataclass
class Bench:
    """How much is measured, and where pictures of it go."""

    people: int | None
    keep: Path | None

    def some(self, found: Sequence[Any]) -> Sequence[Any]:
        return found[: self.people]

    def edit(self, by: str, shot: Shot, guide: Guide, column: Column, name: str) -> Result | None:
        """The edited photograph; None, and said in the column, where it is refused."""
        try:
            return editor(by).edit(shot.photo, guide)
        except (FaceUndrawable, FaceNotFound) as error:
            column.refused[name] = str(error)
            return None

    def look(self, shot: Shot, result: Result, column: Column, name: str) -> Seen | None:
        try:
            return outside().see(shot.crop(result.pixels))
        except FaceNotFound as error:
            column.refused[name] = str(error)
            return None

    def show(self, name: str, *crops: UInt8) -> None:
        """Keep crops beside each other, for whoever looks."""
        if self.keep:
            self.keep.mkdir(parents=True, exist_ok=True)
            images.write(self.keep / f"{name.replace(' ', '_')}.png", np.hstack(crops), metadata={})


def shots(dataset: str, emotion: str, folder: str | None = None) -> dict[str, Shot]:
    """Test people of a data set in one emotion, by person."""
    root = data_home() / (folder or dataset)
    return {
        r.person: Shot(Path(r.file_name).stem, images.read(root / r.file_name))
        for r in DATASETS[dataset].records(root)
        if r.split == "test" and r.emotion == emotion
    }


def smiling(folder: str = "london") -> list[tuple[Shot, Shot]]:
    """London's test people, neutral and smiling."""
    neutral, smile = shots("london", "neutral", folder), shots("london", "happy", folder)
    pairs = [(neutral[person], smile[person]) for person in neutral if person in smile]
    if not pairs:
        raise DataError("nobody of the test split is photographed neutral and smiling")
    return pairs


def spread(values: Iterable[float]) -> list[float]:
    """Least, quartiles and most; nothing of nothing."""
    found = list(values)
    return [rounded(v) for v in np.percentile(found, (0, 25, 50, 75, 100))] if found else []


def means(column: Column) -> dict[str, float]:
    """The mean of each figure over the results that have it; true and false as a share."""
    keys = dict.fromkeys(key for row in column.rows for key in row)
    return {key: rounded(column.values(key).mean()) for key in keys}


def median(values: np.ndarray) -> float | None:
    """None of nothing."""
    return rounded(np.median(values)) if len(values) else None


def share(true: np.ndarray) -> float | None:
    """How many of them are true; None of nothing."""
    return rounded(true.mean()) if len(true) else None


def rounded(value: Any) -> float:
    """To four places."""
    return round(float(value), 4)

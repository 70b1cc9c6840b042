"""The one reader of data sets: from a description and a folder to records, and to the sequences
whose frames must be looked at before they can be chosen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.data.adapters.labels import Labels, PictureLabel
from mien.data.manifest import Record
from mien.data.sequences import Taken, TemporalProfile, taken
from mien.data.split import Split, split_of, splits_of
from mien.errors import DataError

if TYPE_CHECKING:
    from mien.data.adapters.base import DataSet

_FILMS = (".mpg", ".mpeg", ".mp4", ".avi", ".flv", ".mov", ".wmv", ".m4v", ".mkv", ".webm")


@dataclass(frozen=True)
class Found:
    """A file that a pattern of a set names, and what its name says."""

    path: str
    root: str
    """The folder that the layout begins in, `` or ending in a slash."""
    name: Mapping[str, str]
    """The groups of the pattern."""

    @property
    def film(self) -> bool:
        return is_film(self.path)


@dataclass(frozen=True)
class Clip:
    """A film, or a series of pictures, of one expression."""

    name: str
    """Unique over all data sets."""
    person: str
    files: tuple[str, ...]
    """One film, or the pictures in the order of time."""
    numbers: tuple[int, ...]
    """The pictures' numbers; none of a film."""
    label: Callable[[int], PictureLabel | None]
    """What is known of the frame of a number."""

    @property
    def film(self) -> bool:
        return not self.numbers

    def strengths(self, count: int) -> list[float | None]:
        """How much each of the first `count` frames shows, by its units; None if not coded."""
        found = [self.label(i) for i in (range(count) if self.film else self.numbers)]
        known = [None if t is None else t.units for t in found]
        return [None if u is None else float(np.nansum(u)) for u in known]


def records(data_set: DataSet, folder: Path) -> list[Record]:
    """What `DataSet.records` says."""
    found, clips = read(data_set, folder)
    if clips:
        raise DataError(
            f"{data_set.title} is films or series: `mien data import {data_set.name} {folder}` "
            "chooses their frames"
        )
    return found


def read(
    data_set: DataSet, folder: Path, frames: int | None = None
) -> tuple[list[Record], list[Clip]]:
    """Records of pictures, `frames` of each series, and the clips that must be looked at. DataError
    if there is neither."""
    pictures: list[Record] = []
    series: dict[str, list[Found]] = {}
    labels = lru_cache(lambda root: _labels(data_set, folder / root))
    for one in _files(data_set, folder):
        if data_set.profile is not None and (one.film or one.name.get("frame") is not None):
            series.setdefault(_sequence(data_set, one), []).append(one)
        elif (label := labels(one.root)(one.name, 0)) is not None:
            pictures.append(_record(data_set, folder, one, label))
    clips = [_clip(data_set, name, found, labels) for name, found in series.items()]
    looked_at = [c for c in clips if c.film or data_set.profile is TemporalProfile.ARC]
    for clip in clips:
        if not clip.film and data_set.profile is not TemporalProfile.ARC:
            pictures += (record for record, _ in of_clip(data_set, clip, len(clip.files), frames))
    if not pictures and not looked_at:
        raise DataError(f"no {data_set.example} or the like in {folder}: {data_set.obtain}")
    return with_splits(data_set, pictures), looked_at


def of_clip(
    data_set: DataSet, clip: Clip, count: int, frames: int | None, peak: int | None = None
) -> Iterator[tuple[Record, int]]:
    """The frames to take of a clip of `count` frames: record and place, the split still open.

    peak: where an arc is strongest.
    """
    assert data_set.profile is not None
    strengths = clip.strengths(count) if data_set.profile is TemporalProfile.CODED else ()
    wanted = data_set.frames if frames is None else frames
    for one in taken(data_set.profile, count, wanted, peak=peak, strengths=strengths):
        number = one.index if clip.film else clip.numbers[one.index]
        label = clip.label(number)
        if label is None:
            continue
        shown = _shown(data_set.profile, one, label)
        file = clip.files[0] if clip.film else clip.files[one.index]
        name = f"{file.rpartition('.')[0]}/{number:06d}.jpg" if clip.film else file
        yield (
            Record(
                name, clip.person, shown.emotion, shown.units, None, data_set.licence,
                data_set.source, "train", clip.name, number, one.moment,
            ),
            one.index,
        )  # fmt: skip


def with_splits(data_set: DataSet, found: list[Record]) -> list[Record]:
    """The same records by the splits of their people, as the set's description has them."""
    people = {r.person for r in found}
    if data_set.held_out:
        return found  # each picture's own part, see _record
    known = {p: split_of(p) for p in people} if data_set.shipped else splits_of(people)
    return [replace(r, split=known[r.person]) for r in found]


def is_film(path: str) -> bool:
    """Whether a file is a film, by its name."""
    return path.lower().endswith(_FILMS)


def fits(data_set: DataSet, path: str) -> bool:
    """Whether a path, with forward slashes, is one of the set's."""
    return _match(data_set, path) is not None


def walk(folder: Path) -> Iterator[str]:
    """The paths of all files below a folder, sorted folder by folder, with forward slashes."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        below = Path(place).relative_to(folder)
        for name in sorted(files):
            yield (below / name).as_posix()


def _files(data_set: DataSet, folder: Path) -> Iterator[Found]:
    for path in walk(folder):
        if (match := _match(data_set, path)) is not None:
            name = {k: v for k, v in match.groupdict().items() if v is not None}
            yield Found(path, name.pop("root", ""), name)


def _match(data_set: DataSet, path: str) -> re.Match[str] | None:
    root = "(?P<root>(?:.*?/)??)" if data_set.anywhere else ""
    for pattern in data_set.files:
        if match := re.fullmatch(root + pattern, path, re.IGNORECASE):
            return match
    return None


def _labels(data_set: DataSet, root: Path) -> Labels:
    if data_set.beside is not None:
        return data_set.beside(root)
    named = data_set.emotions

    def label(name: Mapping[str, str], frame: int) -> PictureLabel:
        return PictureLabel(named.get(name.get("emotion", "").lower(), data_set.shows))

    return label


def _person(data_set: DataSet, one: Found) -> str:
    """Who it shows; where nobody has said, somebody else on every picture."""
    alone = "/".join(one.name[k] for k in ("part", "picture", "listed") if k in one.name)
    return f"{data_set.name}/{one.name.get('person', alone)}"


def _sequence(data_set: DataSet, one: Found) -> str:
    said = [one.name[k] for k in ("emotion", "take") if k in one.name]
    return "/".join([_person(data_set, one), *said])


def _record(data_set: DataSet, folder: Path, one: Found, label: PictureLabel) -> Record:
    from mien.data.adapters.base import landmarks_beside

    person = _person(data_set, one)
    split: Split = split_of(person)
    if data_set.held_out:
        held = one.name.get("part", "").lower() in data_set.held_out
        split = "test" if held else "validation" if split == "validation" else "train"
    return Record(
        file_name=one.path,
        person=person,
        emotion=label.emotion,
        units=label.units,
        landmarks=landmarks_beside(folder / one.path) if data_set.points else None,
        licence=data_set.licence,
        source=data_set.source,
        split=split,
    )


def _clip(
    data_set: DataSet, name: str, found: list[Found], labels: Callable[[str], Labels]
) -> Clip:
    """The first film of a name (others are the same in another format), or its pictures."""
    first = found[0]
    pictures = [] if first.film else sorted((int(f.name["frame"]), f.path) for f in found)

    def label(number: int) -> PictureLabel | None:
        return labels(first.root)(first.name, number)

    files = tuple(path for _, path in pictures) or (first.path,)
    return Clip(name, _person(data_set, first), files, tuple(n for n, _ in pictures), label)


def _shown(profile: TemporalProfile, one: Taken, label: PictureLabel) -> PictureLabel:
    """What is known of a frame: labels of an expression that runs are those of its peak."""
    if profile in (TemporalProfile.SPOKEN, TemporalProfile.CODED) or one.moment == "peak":
        return label
    return PictureLabel("neutral") if one.moment == "onset" else PictureLabel()

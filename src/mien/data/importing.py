"""From a data set's original download to a folder with one manifest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mien.data import films
from mien.data.adapters import KNOWN
from mien.data.adapters.base import POINTS, DataSet
from mien.data.adapters.reading import Clip, of_clip, read, walk, with_splits
from mien.data.films import Film
from mien.data.manifest import FILE_NAME, Record, read_manifest, write_manifest
from mien.data.sequences import TemporalProfile
from mien.errors import DataError, ImageError, VideoError
from mien.types import UInt8
from mien.zoo.paths import dataset_home


def _no_film(path: Path) -> Iterator[UInt8]:
    raise VideoError(f"{path} is a film, and nothing was given that reads films")


def import_photographs(
    name: str,
    folder: Path,
    out: Path | None = None,
    *,
    copy: bool = False,
    frames: int | None = None,
    film: Film = _no_film,
    progress: Callable[[int, int], None] = lambda done, total: None,
    left_out: Callable[[str], None] = lambda reason: None,
) -> tuple[Path, list[Record]]:
    """Bring the data set `name` from its original layout in `folder` to an imagefolder in `out`.

    Pictures are hard-linked where the file system can and `copy` is False, copied otherwise; the
    manifest is written last, so that an import cut short leaves no manifest. `out` (by default
    `dataset_home(name)`) may hold an earlier import, which is replaced, but nothing else.

    frames: how many of each film or series, the set's own number by default; film: what reads
    films, needed where there are some; left_out: called with a line for each film or series that
    gives none. Returns the folder and its records; DataError if either folder is not what it
    should be.
    """
    target = out if out is not None else dataset_home(name)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the one with the original download")
    if frames is not None and frames < 1:
        raise DataError(f"{frames} frames of each film are none: ask for 1 or more")
    records, clips = read(KNOWN[name], folder, frames)
    clear(target, lambda r: r.person.startswith(f"{name}/"))
    total = len(records) + len(clips)
    with whole(target):
        for done, record in enumerate(records, 1):
            put(folder / record.file_name, target / record.file_name, copy)
            points = (folder / record.file_name).with_suffix(POINTS)
            if points.is_file():
                put(points, (target / record.file_name).with_suffix(POINTS), copy)
            progress(done, total)
        bringing = _Clips(KNOWN[name], folder, target, copy, frames, film)
        for done, clip in enumerate(clips, len(records) + 1):
            try:
                records += bringing.bring(clip)
            except (DataError, ImageError, VideoError) as e:
                left_out(f"{clip.files[0]}: {e}")
            progress(done, total)
        if not records:
            raise DataError(
                f"no frame of the {len(clips)} films or series in {folder} can be taken"
            )
        records = with_splits(KNOWN[name], records)
        write_manifest(target, records)
    return target, records


@contextmanager
def whole(target: Path) -> Iterator[None]:
    """An import that ends early, by Ctrl-C or on a full disk, takes away what it has brought to
    `target`; DataError where that cannot be written."""
    before = {*walk(target)}
    try:
        yield
    except BaseException as error:
        for name in {*walk(target)} - before:
            (target / name).unlink(missing_ok=True)
        for place_, _, _ in os.walk(target, topdown=False):
            with suppress(OSError):  # what was there before is in it
                Path(place_).rmdir()
        if isinstance(error, OSError):
            raise DataError(f"cannot import into {target}: {error.strerror}") from None
        raise


@dataclass(frozen=True)
class _Clips:
    """How the clips of a set are brought from one folder to another."""

    data_set: DataSet
    folder: Path
    target: Path
    copy: bool
    frames: int | None
    film: Film

    def bring(self, clip: Clip) -> list[Record]:
        """Bring the frames to take of a clip. DataError, ImageError or VideoError where there are
        none."""
        places = self.places(clip)
        if not places:
            raise DataError("nothing in it is labelled, or no face in it changes")
        if clip.film:
            for place, pixels in films.at(clip, self.folder, self.film, places):
                films.write_frame(self.target / places[place].file_name, pixels)
        else:
            for record in places.values():
                name = record.file_name
                put(self.folder / name, self.target / name, self.copy)
        return list(places.values())

    def places(self, clip: Clip) -> dict[int, Record]:
        """The frames to take of a clip: place -> record."""
        peak, arc = None, self.data_set.profile is TemporalProfile.ARC
        if arc and clip.label(0 if clip.film else clip.numbers[0]) is None:
            return {}
        count = films.count(clip, self.folder, self.film)
        if arc and (peak := films.peak(clip, self.folder, self.film, count)) is None:
            return {}
        taken = of_clip(self.data_set, clip, count, self.frames, peak)
        return {place: record for record, place in taken}


def clear(target: Path, ours: Callable[[Record], bool]) -> None:
    """Take away what an earlier call made, and only that: the pictures of a manifest all of whose
    lines are `ours`. DataError where something else is in the way."""
    if not target.exists():
        return
    if not target.is_dir():
        raise DataError(f"{target} is a file: choose another --out")
    if not (target / FILE_NAME).is_file():
        if any(target.iterdir()):
            raise DataError(
                f"{target} holds something else than a finished import: choose another --out, or "
                "empty it"
            )
        return
    records = read_manifest(target)
    if not all(map(ours, records)):
        raise DataError(f"{target} holds other photographs: choose another --out")
    for record in records:
        (target / record.file_name).unlink(missing_ok=True)
        (target / record.file_name).with_suffix(POINTS).unlink(missing_ok=True)
    (target / FILE_NAME).unlink()


def put(original: Path, copy_at: Path, copy: bool) -> None:
    """Bring a file to another place: hard-linked where the file system can, or as a copy."""
    copy_at.parent.mkdir(parents=True, exist_ok=True)
    copy_at.unlink(missing_ok=True)
    if not copy:
        try:
            os.link(original, copy_at)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copyfile(original, copy_at)

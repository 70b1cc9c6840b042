"""A library of mouths from a folder of smiles."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien import images
from mien.data.adapters import DATASETS, records_in
from mien.data.manifest import FILE_NAME, Record, read_manifest
from mien.errors import DataError, FaceNotFound
from mien.face_model.mouth import cheek_colour
from mien.face_model.mouths import Donor, MouthLibrary, donor
from mien.faces.detect import choose, detect

AGES = "*_info.csv"
"""Table beside the photographs with columns `face_id` and `face_age`, as the London Set has it."""


@dataclass(frozen=True)
class DonorPhotograph:
    """A photograph whose teeth may be used: its name, file, terms, source and age (NaN: not
    known)."""

    name: str
    photo: Path
    licence: str
    source: str
    age: float


def donor_photographs(folder: Path, without: Collection[str] = ()) -> list[DonorPhotograph]:
    """The photographs in `folder` that may be used, in order of their names, but for `without`.

    Of a data set that mien knows, by a manifest or by its makers' layout, these are expressive
    photographs of training people only: who is measured on must not have been drawn with. Of any
    other folder, all pictures. DataError if there are none, or `without` names one that is not
    there.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: name one with photographs of smiles")
    found = _of_a_set(folder)
    if found is None:
        photos = sorted(p for p in folder.iterdir() if images.of_name(p))
        found = [
            DonorPhotograph(p.stem, p, "as its owner says", "the user's own", np.nan)
            for p in photos
        ]
    names = {photograph.name for photograph in found}
    if unknown := sorted(set(without) - names):
        raise DataError(
            f"no photograph {unknown[0]!r} to leave out: it is not among those that may be used"
        )
    kept = [photograph for photograph in found if photograph.name not in without]
    if not kept:
        raise DataError(f"no photographs of smiles in {folder}")
    return kept


def build(
    chosen: Collection[DonorPhotograph], progress: Callable[[int], None] = lambda done: None
) -> MouthLibrary:
    """The library of what `chosen` photographs show; those without a face or without enough teeth
    are left out. DataError if none is left."""
    donors: list[Donor] = []
    for number, photograph in enumerate(chosen, 1):
        made = _donor(photograph)
        if made is not None:
            donors.append(made)
        progress(number)
    if not donors:
        raise DataError("none of the photographs is a smile that shows its upper teeth")
    kept = {d.name for d in donors}
    used = [photograph for photograph in chosen if photograph.name in kept]
    about = {
        "licence": "; ".join(dict.fromkeys(photograph.licence for photograph in used)),
        "source": "; ".join(dict.fromkeys(photograph.source for photograph in used)),
    }
    return MouthLibrary(donors, about)


def _donor(photograph: DonorPhotograph) -> Donor | None:
    pixels = images.read(photograph.photo).pixels
    try:
        (face,) = choose(detect(pixels), "largest")
    except FaceNotFound:
        return None
    points = face.landmarks.astype(np.float64)
    skin = cheek_colour(pixels.astype(np.float32), points)
    return donor(photograph.name, pixels, points, skin, photograph.age)


def _of_a_set(folder: Path) -> list[DonorPhotograph] | None:
    """Photographs of a known data set; None if `folder` is not one or part of one."""
    for root, find in ((folder, records_in), (folder.parent, _whole)):
        records = find(root)
        if records is None:
            continue
        ages = dict(_ages(root))
        found = [
            DonorPhotograph(
                Path(r.file_name).stem, root / r.file_name, r.licence, r.source,
                ages.get(r.person.rpartition("/")[2], np.nan),
            )
            for r in records
            if r.split == "train" and r.emotion != "neutral"
        ]  # fmt: skip
        return [one for one in found if folder in one.photo.parents]
    return None


def _whole(folder: Path) -> list[Record] | None:
    """The photographs of a set that ships or has a manifest, of which a folder is a part; other
    sets are not looked for around it."""
    if (folder / FILE_NAME).is_file():
        return read_manifest(folder)
    for known in DATASETS.values():
        with contextlib.suppress(DataError):
            return known.records(folder)
    return None


def _ages(root: Path) -> Iterator[tuple[str, float]]:
    for table in sorted(root.glob(AGES)):
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                try:
                    yield row["face_id"], float(row["face_age"])
                except (KeyError, TypeError, ValueError):
                    continue

"""Official portraits of members of the US Congress, from the repository `unitedstates/images`.

Original layout: `congress/225x275/<Bioguide id>.jpg`; the id is the person. Most smile, nobody has
said who does, so the emotion is unknown.
"""

from __future__ import annotations

import re
from pathlib import Path

from mien.data.adapters.base import DataSet
from mien.data.manifest import Record
from mien.data.split import split_of
from mien.errors import DataError

_BIOGUIDE = re.compile(r"[A-Z]\d{6}")


def records(folder: Path) -> list[Record]:
    """Records of the portraits below `folder`: the repository, or any folder on the way down."""
    for below in ("congress/225x275", "225x275", "."):
        photos = [p for p in sorted((folder / below).glob("*.jpg")) if _BIOGUIDE.fullmatch(p.stem)]
        if photos:
            return [_record(photo, folder) for photo in photos]
    raise DataError(f"no portraits such as A000022.jpg in {folder}: {DATASET.obtain}")


def _record(photo: Path, folder: Path) -> Record:
    person = f"congress/{photo.stem}"
    return Record(
        file_name=photo.relative_to(folder).as_posix(),
        person=person,
        emotion=None,
        units=None,
        landmarks=None,
        licence=DATASET.licence,
        source=DATASET.source,
        split=split_of(person),
    )


DATASET = DataSet(
    name="congress",
    title="Official portraits, US Congress",
    contents="named persons, mostly smiling, varied light, 225 x 275 px",
    licence="public domain (US government work)",
    terms="training and measuring only; never publish edited pictures",
    source="https://github.com/unitedstates/images",
    obtain="take the folder congress/225x275 of the GitHub repository unitedstates/images",
    records=records,
)

"""Face Research Lab London Set: DeBruine & Jones (2017), doi 10.6084/m9.figshare.5047666.

Original layout: `neutral_front/NNN_03.jpg` and `smiling_front/NNN_08.jpg`, each with a `.tem` of
189 hand-checked points beside it; NNN is the person.
"""

from __future__ import annotations

from pathlib import Path

from mien.data.adapters.base import DataSet, landmarks_beside
from mien.data.manifest import Record
from mien.data.split import split_of
from mien.errors import DataError

_FOLDERS = (("neutral_front", "_03", "neutral"), ("smiling_front", "_08", "happy"))


def records(folder: Path) -> list[Record]:
    """Records of the frontal photographs below `folder`; one of the two folders may be absent."""
    found = [
        Record(
            file_name=photo.relative_to(folder).as_posix(),
            person=(person := f"london/{photo.stem.removesuffix(ending)}"),
            emotion=emotion,
            units=None,
            landmarks=landmarks_beside(photo),
            licence=DATASET.licence,
            source=DATASET.source,
            split=split_of(person),
        )
        for name, ending, emotion in _FOLDERS
        for photo in sorted((folder / name).glob(f"*{ending}.jpg"))
    ]
    if not found:
        raise DataError(
            f"no neutral_front/*_03.jpg or smiling_front/*_08.jpg in {folder}: {DATASET.obtain}"
        )
    return found


DATASET = DataSet(
    name="london",
    title="Face Research Lab London Set",
    contents="102 adults, neutral and smiling, frontal, 1350 px",
    licence="CC-BY-4.0",
    terms="training, evaluation, pictures in documentation (name the source)",
    source="https://doi.org/10.6084/m9.figshare.5047666",
    obtain="unpack neutral_front.zip and smiling_front.zip of the figshare download side by side",
    records=records,
    alterable=True,
)

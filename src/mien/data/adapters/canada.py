"""Young Adult White Faces: DeBruine & Jones (2017), doi 10.6084/m9.figshare.4220517.

Original layout: `NNNf.jpg` or `NNNm.jpg`, neutral and frontal, each with a `.tem` of 189
hand-checked points beside it; the stem is the person.
"""

from __future__ import annotations

import re
from pathlib import Path

from mien.data.adapters.base import DataSet, landmarks_beside
from mien.data.manifest import Record
from mien.data.split import split_of
from mien.errors import DataError

_STEM = re.compile(r"\d{3}[fm]")


def records(folder: Path) -> list[Record]:
    """Records of the neutral photographs in `folder`."""
    found = [
        Record(
            file_name=photo.name,
            person=(person := f"canada/{photo.stem}"),
            emotion="neutral",
            units=None,
            landmarks=landmarks_beside(photo),
            licence=DATASET.licence,
            source=DATASET.source,
            split=split_of(person),
        )
        for photo in sorted(folder.glob("*.jpg"))
        if _STEM.fullmatch(photo.stem)
    ]
    if not found:
        raise DataError(f"no photographs such as 008f.jpg in {folder}: {DATASET.obtain}")
    return found


DATASET = DataSet(
    name="canada",
    title="Young Adult White Faces",
    contents="young adults, neutral, frontal, 1350 x 1800 px",
    licence="CC-BY-4.0",
    terms="training, evaluation, pictures in documentation (name the source)",
    source="https://doi.org/10.6084/m9.figshare.4220517",
    obtain="unpack the original photographs and .tem files of the figshare download",
    records=records,
    alterable=True,
)

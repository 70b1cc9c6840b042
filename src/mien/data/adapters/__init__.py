"""The data sets that mien knows, and how each lies on disk as its makers publish it."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from mien.data.adapters import (
    canada,
    coded,
    congress,
    free,
    gnm_head,
    ict_facekit,
    london,
    moving,
    posed,
    reading,
)
from mien.data.adapters.base import DataSet
from mien.data.manifest import FILE_NAME, Record, read_manifest
from mien.errors import DataError

DATASETS: dict[str, DataSet] = {d.DATASET.name: d.DATASET for d in (london, canada, congress)}
"""Name -> the photographs that weights which ship were made of."""

KNOWN: dict[str, DataSet] = DATASETS | {
    d.name: d for sets in (free.SETS, posed.SETS, moving.SETS, coded.SETS) for d in sets
}
"""Name -> every set that can be read: those, and what users bring under terms of their own."""

FACE_MODELS = {model.NAME: model for model in (ict_facekit, gnm_head)}
"""Name -> the module that reads the original of a face model."""

_ENOUGH = 200
"""Pictures and films that fit a layout, by which it is known."""


def records_in(folder: Path) -> list[Record] | None:
    """The photographs of a folder with a manifest, or in the layout of a set that mien knows; None
    for any other. DataError for a manifest or labels that cannot be read, and for a set of films,
    which must be imported.
    """
    if (folder / FILE_NAME).is_file():
        return read_manifest(folder)
    known = recognised(folder)
    return None if known is None else known.records(folder)


def recognised(folder: Path) -> DataSet | None:
    """The set whose layout a folder has: the one that most of its pictures and films fit, by the
    first `_ENOUGH` that fit any. DataError where two sets fit alike."""
    known = [d for d in KNOWN.values() if d.marker is None or (folder / d.marker).is_file()]
    counts: Counter[str] = Counter()
    for path in _seen(folder):
        counts.update(d.name for d in known if reading.fits(d, path))
        if counts.total() >= _ENOUGH:
            break
    if not counts:
        return None
    most = max(counts.values())
    found = [name for name, count in counts.items() if count == most]
    if len(found) > 1:
        raise DataError(
            f"{folder} could be {' or '.join(found)}: say which, `mien data import {found[0]} "
            f"{folder}`"
        )
    return KNOWN[found[0]]


def _seen(folder: Path) -> Iterable[str]:
    from mien import images  # torch comes with it: not for a listing

    for path in reading.walk(folder):
        if images.of_name(Path(path)) is not None or reading.is_film(path):
            yield path


__all__ = ["DATASETS", "FACE_MODELS", "KNOWN", "DataSet", "recognised", "records_in"]

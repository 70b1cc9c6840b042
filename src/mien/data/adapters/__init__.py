"""The data sets that mien knows, and how each lies on disk as its makers publish it."""

from pathlib import Path

from mien.data.adapters import canada, congress, london
from mien.data.adapters.base import DataSet
from mien.data.manifest import FILE_NAME, Record, read_manifest
from mien.errors import DataError

DATASETS: dict[str, DataSet] = {d.DATASET.name: d.DATASET for d in (london, canada, congress)}
"""Name -> photographs; the face model, which holds no photographs, is in `ict_facekit`."""


def records_in(folder: Path) -> list[Record] | None:
    """The photographs of a folder with a manifest, or in the layout of a set that mien knows; None
    for any other. DataError for a manifest that cannot be read."""
    if (folder / FILE_NAME).is_file():
        return read_manifest(folder)
    for known in DATASETS.values():
        try:
            return known.records(folder)
        except DataError:
            continue
    return None


__all__ = ["DATASETS", "DataSet", "records_in"]

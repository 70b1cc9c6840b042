"""From a data set's original download to a folder with one manifest; and where to find either."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from mien.data.adapters import DATASETS
from mien.data.adapters.base import POINTS
from mien.data.manifest import FILE_NAME, Record, read_manifest, write_manifest
from mien.errors import DataError
from mien.zoo.paths import data_home, dataset_home


def import_photographs(
    name: str,
    folder: Path,
    out: Path | None = None,
    *,
    copy: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Path, list[Record]]:
    """Bring the data set `name` from its original layout in `folder` to an imagefolder in `out`.

    Pictures are hard-linked where the file system can and `copy` is False, copied otherwise; the
    manifest is written last, so that an import cut short leaves no manifest. `out` (by default
    `dataset_home(name)`) may hold an earlier import, which is replaced, but nothing else.
    Returns the folder and its records; DataError if either folder is not what it should be.
    """
    target = out if out is not None else dataset_home(name)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the one with the original download")
    records = DATASETS[name].records(folder)
    _clear(target)
    try:
        for done, record in enumerate(records, 1):
            _place(folder / record.file_name, target / record.file_name, copy)
            points = (folder / record.file_name).with_suffix(POINTS)
            if points.is_file():
                _place(points, (target / record.file_name).with_suffix(POINTS), copy)
            progress(done, len(records))
    except OSError as e:
        raise DataError(f"cannot import into {target}: {e.strerror}: {e.filename}") from None
    write_manifest(target, records)
    return target, records


def collection(name: str) -> tuple[Path, list[Record]]:
    """Folder and records of a known data set: the import if there is one, else the original.

    File names are relative to the folder. DataError says how to obtain a set that is not there.
    """
    if name not in DATASETS:
        raise DataError(f"unknown data set {name!r}: choose from {', '.join(DATASETS)}")
    if (dataset_home(name) / FILE_NAME).is_file():
        return dataset_home(name), read_manifest(dataset_home(name))
    original = data_home() / name
    if original.is_dir():
        return original, DATASETS[name].records(original)
    raise DataError(
        f"data set {name!r} is not in {data_home()}: {DATASETS[name].obtain}, "
        f"then run `mien data import {name} DIR`"
    )


def _clear(target: Path) -> None:
    """Take away an earlier import, and only that."""
    if not target.exists():
        return
    if not target.is_dir():
        raise DataError(f"{target} is a file: choose another --out")
    if not (target / FILE_NAME).is_file():
        if any(target.iterdir()):
            raise DataError(f"{target} holds something else than an import: choose another --out")
        return
    for record in read_manifest(target):
        (target / record.file_name).unlink(missing_ok=True)
        (target / record.file_name).with_suffix(POINTS).unlink(missing_ok=True)
    (target / FILE_NAME).unlink()


def _place(original: Path, copy_at: Path, copy: bool) -> None:
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

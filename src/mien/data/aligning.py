"""From a manifest of photographs to one of aligned faces, which training reads: a face is found
once, not in every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path

from mien import images
from mien.data.adapters import records_in
from mien.data.importing import clear
from mien.data.manifest import FILE_NAME, Record, write_manifest
from mien.errors import DataError, FaceNotFound, ImageError
from mien.faces.align import align
from mien.faces.detect import face_of

SIZE = 160
"""Side of a crop, px: a quarter more than the 128 that networks see, so that one may zoom."""


@dataclass(frozen=True)
class Aligned:
    """A photograph's crop on disk, or why there is none."""

    record: Record
    reason: str | None = None


def align_photographs(
    folder: Path,
    out: Path,
    *,
    size: int = SIZE,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
    left_out: Callable[[str], None] = lambda reason: None,
) -> list[Record]:
    """Write the largest face of every photograph in `folder`, which has a manifest or the layout of
    a known set, as a crop of side `size` into `out`, with a manifest that says the same of it.

    Crops are PNG files of the photograph's path with `.png` behind it; the manifest's landmarks are
    in px of the crop, the hand-checked ones where there were some, else those that mien finds. It
    is written last. `out` may hold earlier crops, which are replaced, but nothing else.

    Raises:
        DataError: no photographs there, none of them shows a face, or `out` is in the way.
    """
    records = records_in(folder)
    if not records:
        raise DataError(f"no {FILE_NAME} in {folder}: run `mien data import` first")
    if out.resolve() == folder.resolve():
        raise DataError(f"{out} holds the photographs themselves: choose another --out")
    clear(out, lambda r: Path(r.file_name).suffix == ".png" and Path(r.file_name[:-4]).suffix != "")
    found: list[Record] = []
    for done, one in enumerate(_each(partial(_crop, folder, out, size), records, workers), 1):
        if one.reason is None:
            found.append(one.record)
        else:
            left_out(f"{one.record.file_name}: {one.reason}")
        progress(done, len(records))
    if not found:
        raise DataError(f"none of the {len(records)} photographs in {folder} shows a face")
    write_manifest(out, found)
    return found


def _crop(folder: Path, out: Path, size: int, record: Record) -> Aligned:
    """The crop of a photograph, written."""
    try:
        pixels = images.read(folder / record.file_name).pixels
        face = face_of(pixels, record.landmarks)
    except (ImageError, FaceNotFound) as e:
        return Aligned(record, str(e))
    crop = align(pixels, face, size)
    name = f"{record.file_name}.png"
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    images.store(out / name, images.encode(crop.pixels, ".png", altered=False))
    return Aligned(replace(record, file_name=name, landmarks=crop.landmarks))


def _each(
    work: Callable[[Record], Aligned], records: Sequence[Record], workers: int
) -> Iterator[Aligned]:
    """The work on each record, in their order, in `workers` threads."""
    with ThreadPool(workers) as pool:
        yield from pool.imap(work, records)

"""Renders as if they were photographs, beside aligned photographs: for unpaired training.

Of a render nothing is kept but the picture, who it shows, its emotion where it shows one, its
action units and landmarks: no flow, no visibility, and nobody says which two show one person under
one light. Renders that are turned or relit are left out. The manifest names for each the set that
its photograph is of, so that the record of what is trained says whose terms hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mien import facs
from mien.data.adapters import KNOWN
from mien.data.loading import label_of, open_renders
from mien.data.manifest import Record, read_manifest, write_manifest
from mien.data.split import SPLITS
from mien.errors import DataError
from mien.files import replacing


def of_renders(renders: Path, out: Path) -> Iterator[Record]:
    """The renders' pictures, written, and their records."""
    for split in SPLITS:
        if not any((renders / split).glob("*.tar")):
            continue
        for number, photo in enumerate(open_renders(renders, split)):
            terms = KNOWN.get(photo.person.partition("/")[0])
            for k in photo.still:
                known = k > 0 or photo.neutral
                name = f"renders/{split}/{number:05d}-{k:03d}.png"
                with replacing(out / name) as part:
                    coded = cv2.imencode(".png", photo.stored[k].image()[..., ::-1])[1]
                    part.write_bytes(coded.tobytes())
                label = label_of(photo.units[k]) if known else -1
                yield Record(
                    file_name=name,
                    person=photo.person,
                    emotion=facs.EMOTIONS[label] if label >= 0 else None,
                    units=photo.units[k] if known else None,
                    landmarks=np.asarray(photo.landmarks[k], np.float32),
                    licence=terms.licence if terms else "unknown",
                    source=terms.source if terms else "unknown",
                    split=split,
                )


def of_faces(folder: Path, out: Path) -> Iterator[Record]:
    """Aligned photographs of all but test people, copied, and their records."""
    for record in read_manifest(folder):
        if record.landmarks is None:
            raise DataError(f"{folder} is not aligned: run `mien data align {folder}`")
        if record.split == "test":
            continue
        name = f"{folder.name}/{record.file_name}"
        with replacing(out / name) as part:
            part.write_bytes((folder / record.file_name).read_bytes())
        yield replace(record, file_name=name)


def mixed(renders: Path | None, faces: Sequence[Path], out: Path) -> list[Record]:
    """Write all of them with their manifest into `out`; DataError for faces that are not aligned,
    or nothing to mix."""
    records = list(of_renders(renders, out)) if renders else []
    for folder in faces:
        records += of_faces(folder, out)
    if not records:
        raise DataError("nothing to mix: name --renders, or --faces, or both")
    write_manifest(out, records)
    return records

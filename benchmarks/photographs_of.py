"""Renders as if they were photographs, beside aligned photographs: for unpaired training.

    python benchmarks/photographs_of.py --renders RENDERS --faces faces/london faces/canada -o mixed

Of a render nothing is kept but the picture, who it shows, its emotion where it shows one, its
action units and landmarks: no flow, no visibility, and nobody says which two show one person under
one light. Renders that are turned or relit are left out. The manifest names for each the set that
its photograph is of, so that the record of what is trained says whose terms hold.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from mistakes import or_one_line

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--renders", type=Path, help="folder of `mien rig render`")
    parser.add_argument("--faces", type=Path, nargs="*", default=[], help="aligned photographs")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    records = list(of_renders(options.renders, options.out)) if options.renders else []
    for folder in options.faces:
        records += of_faces(folder, options.out)
    write_manifest(options.out, records)
    print(f"{len(records)} photographs of {len({r.person for r in records})} people")


if __name__ == "__main__":
    or_one_line(main)

"""Learn how a smiling face looks at rest: `python -m mien.tables.neutral [--out FILE]`.

From pairs of photographs of the training people of the London Set: hand-checked points of the one
at rest, mien's own landmarks of the smiling one. `mien.face_model.neutral` reads the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.adapters import DATASETS
from mien.errors import DataError, FaceNotFound
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.neutral import TABLE, learn
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.types import Face
from mien.zoo import data_home

Points = NDArray[np.float64]


def pairs(folder: Path) -> Iterator[tuple[Points, Points]]:
    """(at rest, smiling) landmarks (68, 2) of each training person, in px of aligned crops."""
    people: dict[str, dict[str, Points]] = {}
    for record in DATASETS["london"].records(folder):
        if record.split != "train":
            continue
        pixels = images.read(folder / record.file_name).pixels
        try:
            face = Face((0, 0, 0, 0), 1.0, record.landmarks) if record.landmarks is not None else (
                choose(detect(pixels), "largest")[0]
            )  # fmt: skip
        except FaceNotFound:
            continue
        points = align(pixels, face, SOURCE_SIZE).landmarks.astype(np.float64)
        people.setdefault(record.person, {})[str(record.emotion)] = points
    for shown in people.values():
        if {"neutral", "happy"} <= shown.keys():
            yield shown["neutral"], shown["happy"]


def main() -> None:
    """Learn the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--london", type=Path, default=data_home() / "london")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    found = list(pairs(options.london))
    if len(found) < 20:
        raise DataError(f"{len(found)} pairs in {options.london}: 20 or more are needed")
    learn(found).save(options.out)
    print(f"{options.out}: learnt from {len(found)} people")


if __name__ == "__main__":
    main()

"""Collect what real smiles look like in action units: `python -m mien.tables.smiles`.

The rig is fitted to the expressive photographs of training people (London and Congress); the units
of a random part of those that smile, without names or order, become the table that
`mien.rig.expressions` draws from. Gaze is left out: it is not part of the smile.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from mien import facs
from mien.data.adapters import DATASETS
from mien.data.rigging import Listed
from mien.errors import DataError, MienError
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.facs import Vector
from mien.rig.expressions import SMILES
from mien.zoo import data_home

SETS = ("london", "congress")
LEAST = 0.2
"""Mean AU12 from which a face counts as smiling."""
TRACE = 0.05
"""Values below are noise of the fit, and become 0."""
GAZE = [facs.INDEX[f"AU{n}"] for n in (61, 62, 63, 64)]


def expressive(root: Path) -> list[Listed]:
    """The training people's photographs that are not said to be neutral."""
    return [
        Listed(root / name, record)
        for name in SETS
        for record in DATASETS[name].records(root / name)
        if record.split == "train" and record.emotion != "neutral"
    ]


def smiles(model: FaceModel, photographs: list[Listed]) -> Iterator[Vector]:
    """Units (47,) of the photographs whose fit is accepted and that smile."""
    for photograph in photographs:
        try:
            source = photograph.load()
        except MienError:
            continue
        rig = Rig(model, source.crop, source.landmarks, source.neutral, source.template)
        units = np.where(rig.units < TRACE, 0, rig.units).astype(np.float32)
        units[GAZE] = 0
        if rig.fit.accepted and units[list(facs.columns("AU12"))].mean() >= LEAST:
            yield np.round(units, 3)


def main() -> None:
    """Collect the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=data_home())
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=SMILES)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    photographs = expressive(options.data)
    rng.shuffle(photographs)
    found: list[Vector] = []
    for units in smiles(FaceModel.load(), photographs):
        found.append(units)
        if len(found) == options.rows:
            break
    if len(found) < options.rows:
        raise DataError(f"{len(found)} smiles in {options.data}, not {options.rows}")
    about = {
        "license": "CC-BY-4.0 (Face Research Lab London Set), public domain (US Congress)",
        "source": "doi 10.6084/m9.figshare.5047666 and unitedstates/images, training people",
    }
    save_file({"units": np.unique(np.stack(found), axis=0)}, options.out, about)
    print(f"{options.out}: {len(found)} smiles")


if __name__ == "__main__":
    main()

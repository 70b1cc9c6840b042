"""Learn how a smiling or open face looks at rest: `python -m mien.tables.neutral [--out FILE]`.

From pairs of photographs of the training people of the London Set: hand-checked points of the one
at rest, mien's own landmarks of the smiling one. Jaws drop in none of them, so the face model,
fitted to the ones at rest, shows the same people with theirs dropped. `mien.face_model.neutral`
reads the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from mien.data.rigging import neutral_and_smile
from mien.errors import DataError
from mien.face_model.animate import person, pose, stand
from mien.face_model.arrays import Double, Float
from mien.face_model.fit import fit
from mien.face_model.mesh import FaceModel
from mien.face_model.neutral import TABLE, learn, normalised
from mien.face_model.units import to_weights
from mien.facs import vector
from mien.zoo import data_home

Pair = tuple[Double, Double]
"""Landmarks (68, 2) of a face at rest, and of the same showing something."""
FOLDS = 6
OPENED: tuple[dict[str, float], ...] = (
    {"AU25": 0.6, "AU26": 1},
    {"AU25": 0.8, "AU26": 1, "AU27": 0.6},
    {"AU25": 1, "AU27": 1},
    {"AU12": 0.6, "AU25": 1, "AU26": 0.8},
    {"AU10": 0.6, "AU12": 0.8, "AU25": 1, "AU26": 1, "AU27": 0.4},
    {"AU22": 0.7, "AU25": 0.6, "AU26": 0.6},
    {"AU16": 0.4, "AU20": 1, "AU25": 1, "AU26": 0.65},
    {"AU10": 0.8, "AU16": 0.8, "AU20": 0.4, "AU25": 1, "AU26": 0.3},
    {"AU18": 0.6, "AU25": 0.4, "AU26": 0.4},
)
"""Expressions with open mouths: jaws dropped by little, more and all, alone, in laughs, rounded,
stretched aside, with bared teeth, and pursed."""


def opened(model: FaceModel, rest: Double) -> list[Pair]:
    """Landmarks (68, 2) px of a face at rest, and the same with its mouth opened."""
    found = fit(model, rest.astype(np.float32), neutral=True)
    who, lids = person(model, found), found.neutral_weights

    def seen(weights: Float) -> Double:
        points = stand(model, pose(model, who, weights), found.camera).points[model.landmarks]
        return points.astype(np.float64)

    shut = seen(lids)
    each = (np.maximum(to_weights(model, vector(units)), lids) for units in OPENED)
    return [(found.landmarks, found.landmarks + seen(weights) - shut) for weights in each]


def kept_out(
    found: Sequence[Pair], posed: Sequence[Sequence[Pair]], taught: Sequence[Sequence[Pair]]
) -> tuple[float, float]:
    """How far the predicted points of the mouth are off, percent of the eyes' distance, for smiles
    and for open mouths of people kept out of what is learnt: cross-validation over `FOLDS` parts of
    the people, each with a pair of photographs and pairs that are `posed`; of the others the
    `taught` ones are learnt."""
    parts = np.random.default_rng(0).permutation(len(found)) % FOLDS
    off: tuple[list[float], list[float]] = [], []
    for part in range(FOLDS):
        rest = np.flatnonzero(parts != part).tolist()
        table = learn([found[i] for i in rest], chain(*(taught[i] for i in rest)))
        for i in np.flatnonzero(parts == part).tolist():
            for to, pairs in zip(off, ([found[i]], posed[i]), strict=True):
                to += [_off(table(shown), neutral) for neutral, shown in pairs]
    return 100 * float(np.mean(off[0])), 100 * float(np.mean(off[1]))


def _off(found: Double, rest: Double) -> float:
    """Mean distance of the mouth's points, both faces brought together by their eyes."""
    a, b = normalised(found), normalised(rest)
    return float(np.linalg.norm((a - b)[48:], axis=1).mean())


def main() -> None:
    """Learn the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--london", type=Path, default=data_home() / "london")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    found = [
        (neutral.landmarks.astype(np.float64), smile.landmarks.astype(np.float64))
        for _, neutral, smile in neutral_and_smile(options.london)
    ]
    if len(found) < 20:
        raise DataError(f"{len(found)} pairs in {options.london}: 20 or more are needed")
    model = FaceModel.load()
    posed = [opened(model, rest) for rest, _ in found]
    learn(found, chain(*posed)).save(options.out)
    print(f"{options.out}: learnt from {len(found)} people")
    for what, taught in (("photographs alone", [[] for _ in posed]), ("both", posed)):
        smiles, mouths = kept_out(found, posed, taught)
        print(f"{what}: the mouth of people kept out is {smiles:.2f} % of the eyes' distance off")
        print(f"  after smiles, {mouths:.2f} % after open mouths")


if __name__ == "__main__":
    main()

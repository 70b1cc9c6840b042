"""What a smiling or an open-mouthed face looks like at rest: 68 points from 68 points, by
regression.

A fit cannot tell a wide mouth from a smile, and left alone it believes in wide mouths. This table
was learnt from pairs of photographs of the same people (Face Research Lab London Set, CC BY 4.0,
hand-checked points, training people only) and says how far each point moves when the smile goes.
In those only smiles part the lips, so that of a dropped jaw it would say that it comes of a wide
smile, and of a mouth that is narrow at rest. What the photographs do not show the face model does:
the same people with their jaws dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from mien.face_model.arrays import Double

TABLE = Path(__file__).with_name("neutral.safetensors")
RIDGE = 0.03
"""Pull of the coefficients to 0, in units of the features' variance."""
HALFWAY = (0.0, 0.5, 1.0)
"""Every pair also teaches its own mean, and that a face at rest stays as it is."""
POSED = 0.2
"""How much a pair that the face model made counts beside one of photographs, of opened mouths."""
OPENED = (0.2, 0.3)
"""The lips' gap over the mouth's width from which on, and from which on wholly, a mouth is opened
and no smile: none of the training people's smiles has more than 0.21, half of them 0.09."""
CURVED = (0, 1, 2, 6)
"""Features of which all products are features too, for an opened mouth narrows that a smile has
widened: width, corners, opening, and how far below the nose the lower lip ends."""


@dataclass(frozen=True)
class Regression:
    """Displacement (68, 2) = terms @ coefficients (T, 136) of z = (features - mean) / spread (K,):
    1 and z, and, where there are coefficients for them, products of z."""

    mean: Double
    spread: Double
    coefficients: Double

    def __call__(self, features: Double) -> Double:
        """Displacement (68, 2), eye distances, of a face with these features (K,)."""
        z = (features - self.mean) / self.spread
        terms = _terms(z[None], len(self.coefficients) > 1 + len(z))[0]
        out: Double = (terms @ self.coefficients).reshape(68, 2)
        return out


@dataclass(frozen=True)
class NeutralTable:
    """What photographs say of smiles, and what the face model says of `opened` mouths beside
    them."""

    smiles: Regression
    opened: Regression

    def __call__(self, landmarks: Double) -> Double:
        """Points (68, 2) px of the same face at rest."""
        origin, unit, turn = _frame(landmarks)
        features = _features((landmarks - origin) @ turn.T / unit)
        moved = self.smiles(features)
        narrow, wide = OPENED
        share = np.clip((features[2] / features[0] - narrow) / (wide - narrow), 0, 1)
        moved += share**2 * (3 - 2 * share) * (self.opened(features) - moved)
        out: Double = landmarks + moved @ turn * unit
        return out

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        arrays = {
            f"{of}.{name}": values.astype(np.float32)
            for of, part in vars(self).items()
            for name, values in vars(part).items()
        }
        about = {
            "license": "CC-BY-4.0",
            "source": "Face Research Lab London Set, doi 10.6084/m9.figshare.5047666, train people",
        }
        save_file(arrays, path, about)


@cache
def shipped() -> NeutralTable:
    """The table that comes with mien."""
    arrays = {name: values.astype(np.float64) for name, values in load_file(TABLE).items()}
    smiles, opened = (
        Regression(*(arrays[f"{of}.{name}"] for name in ("mean", "spread", "coefficients")))
        for of in ("smiles", "opened")
    )
    return NeutralTable(smiles, opened)


def learn(
    pairs: Iterable[tuple[Double, Double]], posed: Iterable[tuple[Double, Double]] = ()
) -> NeutralTable:
    """The table of pairs (at rest, expressive) of landmarks (68, 2), each pair one person; `posed`
    pairs, of expressions that the face model made, count `POSED` each, for opened mouths alone."""
    smiles = list(pairs)
    return NeutralTable(_learnt(smiles, [], False), _learnt(smiles, list(posed), True))


def _learnt(
    pairs: Sequence[tuple[Double, Double]], posed: Sequence[tuple[Double, Double]], curved: bool
) -> Regression:
    inputs, outputs, counts = [], [], []
    for found, count in ((pairs, 1.0), (posed, POSED)):
        for neutral, shown in found:
            a, b = normalised(neutral), normalised(shown)
            for t in HALFWAY:
                between = a + t * (b - a)
                inputs.append(_features(between))
                outputs.append((a - between).ravel())
                counts.append(count)
    raw, y = np.array(inputs), np.array(outputs)
    weight = np.array(counts)[:, None] / np.mean(counts)
    mean, spread = raw.mean(0), raw.std(0)
    x = _terms((raw - mean) / spread, curved)
    pull = RIDGE * len(x) * np.diag([0.0] + [1.0] * (x.shape[1] - 1))
    coefficients: Double = np.linalg.solve((x * weight).T @ x + pull, (x * weight).T @ y)
    return Regression(mean, spread, coefficients)


def _terms(z: Double, curved: bool) -> Double:
    """1, features (N, K), and if `curved` products (N, P) of some of them: (N, 1 + K + P)."""
    pairs = combinations_with_replacement(CURVED, 2) if curved else ()
    products = [z[:, i] * z[:, j] for i, j in pairs]
    return np.column_stack([np.ones(len(z)), z, *products])


def _frame(points: Double) -> tuple[Double, float, Double]:
    """Middle of the eyes, their distance, and the rotation (2, 2) that levels them."""
    right, left = points[[36, 39]].mean(0), points[[42, 45]].mean(0)
    across = left - right
    unit = float(np.linalg.norm(across))
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]]) / unit
    return (right + left) / 2, unit, turn


def normalised(points: Double) -> Double:
    """Points (68, 2), the middle of the eyes at 0, these level and 1 apart."""
    origin, unit, turn = _frame(points)
    out: Double = (points - origin) @ turn.T / unit
    return out


def _features(p: Double) -> Double:
    """What tells a smile, in eye distances: widths, heights and openings of mouth, nose, lids."""
    x, y = p[:, 0], p[:, 1]
    nose = y[33]
    return np.array(
        [
            x[54] - x[48],
            y[[51, 57]].mean() - y[[48, 54]].mean(),
            (y[[67, 66, 65]] - y[[61, 62, 63]]).mean(),
            y[51] - nose,
            (y[[41, 40, 47, 46]] - y[[37, 38, 43, 44]]).mean(),
            x[35] - x[31],
            y[57] - nose,
            y[62] - y[51],
            y[57] - y[66],
        ]
    )

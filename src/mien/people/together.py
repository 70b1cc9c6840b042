"""Which action units go together in photographs of people: what asks as in real faces are drawn by.

A Gaussian copula: of every unit the quantiles of how strong it is, of every two how their ranks go
together. A draw has each unit as often and as strong as the photographs, and any two together as
often; what three do together that their pairs do not say is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.special import ndtr
from scipy.stats import rankdata

from mien import facs
from mien.types import Float

FILE = Path(__file__).with_name("together.safetensors")
"""Learnt by `mien bench together`."""
STEPS = 65
"""Quantiles of a unit."""
LEAST = 0.1
"""What a reader of units says of a face at rest goes up to this: it counts as 0."""


@dataclass(frozen=True)
class Together:
    """quantiles (47, Q) of each unit at even steps; factor (47, 47): the square root of the
    correlation of their normal scores."""

    quantiles: Float
    factor: Float

    @classmethod
    def shipped(cls) -> Together:
        """The table that comes with mien."""
        found = load_file(FILE)
        return cls(found["quantiles"].astype(np.float32), found["factor"].astype(np.float32))

    @classmethod
    def learn(cls, units: Float) -> Together:
        """From units (P, 47) of P photographs."""
        units = np.where(units < LEAST, 0, units)
        quantiles = np.quantile(units, np.linspace(0, 1, STEPS), axis=0).T
        ranks = np.stack([rankdata(column) for column in units.T], 1)  # equal ones share a rank
        alike = np.ptp(ranks, axis=0) == 0
        with np.errstate(invalid="ignore"):
            spearman = np.nan_to_num(np.corrcoef(ranks.T))
        correlation = 2 * np.sin(np.pi / 6 * spearman)
        correlation[alike] = correlation[:, alike] = 0
        np.fill_diagonal(correlation, 1)
        values, vectors = np.linalg.eigh(correlation)
        factor = vectors * np.sqrt(np.clip(values, 0, None))
        factor /= np.linalg.norm(factor, axis=1, keepdims=True)
        return cls(*(np.ascontiguousarray(a, np.float32) for a in (quantiles, factor)))

    def save(self, path: Path, about: dict[str, str]) -> None:
        """Write the table, with what is to be said of it."""
        save_file({"quantiles": self.quantiles, "factor": self.factor}, path, about)

    def draw(self, random: np.random.Generator) -> facs.Vector:
        """Action units (47,) in [0, 1] of one face. Of two that no face shows at once, such as eyes
        left and right, the stronger one stays."""
        place = ndtr(self.factor @ random.standard_normal(len(self.factor)))
        steps = np.linspace(0, 1, self.quantiles.shape[1])
        units = np.array(
            [np.interp(p, steps, q) for p, q in zip(place, self.quantiles, strict=True)]
        )
        for pair in facs.OPPOSED:
            one, two = (facs.INDEX[name] for name in pair)
            units[min(one, two, key=lambda i: units[i])] = 0
        return np.asarray(np.clip(units, 0, 1), np.float32)

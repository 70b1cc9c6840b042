"""The lashes of an upper lid that is closed or nearly so: curves that hang from its edge."""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Double, Float

COUNT = 40
LASH_THICK = 0.035
"""Width of a lash, cm."""
LONG = (0.2, 0.48)
"""Length as seen from the front, cm: near the nose, and at two thirds of the way out."""
FAN = (-0.35, 0.75)
"""Slope aside, towards the temple, of the first and of the last lash, per length."""
CURL = 0.35
"""How much the tips turn up and out, per length."""
POINTS = 6


def lashes(edge: Float, unit: float, side: str, hang: float) -> list[Float]:
    """Lashes, each (6, 2) px from root to tip, along a lid's `edge` (N, 2) px from the inner corner
    to the outer one, at `unit` px per cm; `hang` 0..1: how far they hang down.

    Their irregularity is the same in every picture.
    """
    random = np.random.default_rng(7 if side == "L" else 8)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))])
    out = np.sign(edge[-1, 0] - edge[0, 0]) or 1.0
    places = np.linspace(0.12, 0.94, COUNT) + random.normal(0, 0.012, COUNT)
    made = []
    for place in places:
        root = [np.interp(place * length[-1], length, edge[:, i]) for i in (0, 1)]
        long = LONG[0] + (LONG[1] - LONG[0]) * float(np.sin(np.pi * min(place / 1.3, 1.0)))
        long *= (0.5 + 0.5 * hang) * unit * float(random.uniform(0.6, 1.15))
        aside = FAN[0] + (FAN[1] - FAN[0]) * place + float(random.normal(0, 0.12))
        made.append(_curve(np.array(root), long, float(out) * aside, float(out)))
    return made


def _curve(root: Double, long: float, aside: float, out: float) -> Float:
    t = np.linspace(0, 1, POINTS)
    x = aside * t + out * CURL * 0.5 * t**2
    y = t - CURL * t**2
    return (root + long * np.stack([x, y], 1)).astype(np.float32)

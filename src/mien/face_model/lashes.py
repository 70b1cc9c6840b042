"""The lashes of an upper lid that is closed or nearly so: curves that hang from its edge."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.eyes import fixed_point

COUNT = 40
LASH_THICK = 0.035
"""Width of a lash, cm."""
LASH_COVER = 0.8
"""How much of what is behind it a lash hides."""
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


def inked(
    strokes: list[Float], unit: float, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], Float] | None:
    """The part of a raster of `shape` (H, W) that lashes, tapering curves through points (K, 2) px,
    lie in, and how much (h, w) of what is behind they hide; None outside."""
    every = np.concatenate(strokes)
    low = np.maximum(np.floor(every.min(0) - 2).astype(int), 0)
    high = np.minimum(np.ceil(every.max(0) + 2).astype(int) + 1, shape[1::-1])
    if (high <= low).any():
        return None
    ink = np.zeros((high - low)[::-1], np.float32)
    for stroke in strokes:
        one = np.zeros(ink.shape, np.uint8)
        shares = np.linspace(1, 0.25, len(stroke) - 1)
        for (a, b), share in zip(pairwise(fixed_point(stroke - low).tolist()), shares, strict=True):
            cv2.line(one, a, b, (round(255 * share),), 1, cv2.LINE_AA, 4)
        np.maximum(ink, one.astype(np.float32) / 255, out=ink)
    thick = LASH_THICK * unit
    if thick > 1:
        ink = cv2.GaussianBlur(ink, (0, 0), thick / 2) * min(thick, 2.0)
    cover = np.asarray(np.clip(ink * min(1.0, thick), 0, 1) * LASH_COVER, np.float32)
    return (slice(low[1], high[1]), slice(low[0], high[0])), cover


def smoothed(line: Float) -> Float:
    """Points (N, 2) of a curve, each the mean of seven."""
    padded = np.pad(line, ((3, 3), (0, 0)), mode="edge")
    out = [np.convolve(padded[:, j], np.full(7, 1 / 7), "valid") for j in (0, 1)]
    return np.stack(out, 1).astype(np.float32)

"""Cubic splines through points, their third derivative continuous at the first and the last inner
knot ("not-a-knot")."""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Double


def through(knots: Double, values: Double, at: Double) -> Double:
    """Values (K, ...) at places `at` (K,) of the spline through `values` (P, ...) at ascending
    `knots` (P,): a cubic one, or for three points the parabola, for two the line."""
    flat = values.reshape(len(knots), -1)
    bend = _bends(knots, flat)
    i = np.clip(np.searchsorted(knots, at, "right") - 1, 0, len(knots) - 2)
    width = (knots[i + 1] - knots[i])[:, None]
    b = (at - knots[i])[:, None] / width
    a = 1 - b
    out = a * flat[i] + b * flat[i + 1]
    out += ((a**3 - a) * bend[i] + (b**3 - b) * bend[i + 1]) * width**2 / 6
    return out.reshape(len(at), *values.shape[1:])


def _bends(knots: Double, values: Double) -> Double:
    """Second derivatives (P, C) at the knots."""
    count, width = len(knots), np.diff(knots)
    if count < 3:
        return np.zeros_like(values)
    matrix, right = np.zeros((count, count)), np.zeros_like(values)
    for i in range(1, count - 1):
        matrix[i, i - 1 : i + 2] = width[i - 1], 2 * (width[i - 1] + width[i]), width[i]
    slopes = np.diff(values, axis=0) / width[:, None]
    right[1:-1] = 6 * np.diff(slopes, axis=0)
    if count == 3:
        matrix[0, :2] = matrix[2, 1:] = 1, -1
    else:
        for row, (p, q) in ((0, width[:2]), (-1, width[-2:])):
            part = slice(0, 3) if row == 0 else slice(count - 3, count)
            matrix[row, part] = q, -(p + q), p
    return np.asarray(np.linalg.solve(matrix, right), np.float64)

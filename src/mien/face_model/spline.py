"""Cubic splines through points, their third derivative continuous at the first and the last inner
knot ("not-a-knot")."""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Double


def through(knots: Double, values: Double, at: Double) -> Double:
    """Values (K, ...) at places `at` (K,) of the spline through `values` (P, ...) at ascending
    `knots` (P,): a cubic one, or for three points the parabola, for two the line."""
    return Spline(knots, at)(values)


class Spline:
    """What splines through values at `knots` (P,) have at places `at` (K,), whatever the values."""

    def __init__(self, knots: Double, at: Double) -> None:
        """As `through` has them."""
        i = np.clip(np.searchsorted(knots, at, "right") - 1, 0, len(knots) - 2)
        width = (knots[i + 1] - knots[i])[:, None]
        b = (at - knots[i])[:, None] / width
        a = 1 - b
        self._i, self._a, self._b = i, a, b
        self._bent = a**3 - a, b**3 - b, width**2
        self._width = np.diff(knots)
        self._matrix = _matrix(self._width)

    def __call__(self, values: Double) -> Double:
        """Values (K, ...) of the spline through `values` (P, ...)."""
        flat, i = values.reshape(len(values), -1), self._i
        bend = self._bends(flat)
        first, last, square = self._bent
        out = self._a * flat[i] + self._b * flat[i + 1]
        out += (first * bend[i] + last * bend[i + 1]) * square / 6
        return out.reshape(len(i), *values.shape[1:])

    def _bends(self, values: Double) -> Double:
        """Second derivatives (P, C) at the knots."""
        right = np.zeros_like(values)
        if len(values) < 3:
            return right
        slopes = np.diff(values, axis=0) / self._width[:, None]
        right[1:-1] = 6 * np.diff(slopes, axis=0)
        return np.asarray(np.linalg.solve(self._matrix, right), np.float64)


def _matrix(width: Double) -> Double:
    """Of the equations (P, P) for second derivatives at knots that lie `width` (P - 1,) apart."""
    count = len(width) + 1
    matrix = np.zeros((count, count))
    for i in range(1, count - 1):
        matrix[i, i - 1 : i + 2] = width[i - 1], 2 * (width[i - 1] + width[i]), width[i]
    if count == 3:
        matrix[0, :2] = matrix[2, 1:] = 1, -1
    elif count > 3:
        for row, (p, q) in ((0, width[:2]), (-1, width[-2:])):
            part = slice(0, 3) if row == 0 else slice(count - 3, count)
            matrix[row, part] = q, -(p + q), p
    return matrix

"""Bounded nonlinear least squares: the trust-region reflective algorithm (Branch, Coleman and Li,
"A Subspace, Interior, and Conjugate Gradient Method for Large-Scale Bound-Constrained Minimization
Problems", SIAM J. Sci. Comput. 21, 1999).

It takes the steps of `scipy.optimize.least_squares(method="trf")`, after which it is written, with
SciPy's tolerances (Copyright (c) 2001-2002 Enthought, Inc. 2003, SciPy Developers; BSD 3-Clause,
see `bounded.LICENSE`): SciPy is 143 MB, and this was what every edit needed of it. The equations of
a step are solved by the normal matrix, which has a quarter of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import copysign, sqrt

import numpy as np

from mien.face_model.arrays import Double

TOLERANCE = 1e-8
"""Relative change of the cost, or of the unknowns, and scaled gradient, from which on it ends."""
ROOT_STEPS, ROOT_TOLERANCE = 10, 0.01
"""How long, and how exactly, the damping is sought whose step just reaches the region's edge."""


@dataclass(frozen=True)
class Bounds:
    """Limits (N,) of the unknowns; infinite ones are none."""

    low: Double
    high: Double

    def hold(self, x: Double) -> bool:
        """Whether x (N,) lies within."""
        return bool(((x >= self.low) & (x <= self.high)).all())

    def inside(self, x: Double) -> Double:
        """x (N,) with what touches a bound, or is beyond, a hair within it."""
        out = np.where(x <= self.low, np.nextafter(self.low, self.high), x)
        return np.where(x >= self.high, np.nextafter(self.high, self.low), out)

    def reach(self, x: Double, along: Double) -> tuple[float, Double]:
        """How many times `along` (N,) leads from x to the nearest bound, and which (N,) it hits."""
        moves = along != 0
        steps = np.full_like(x, np.inf)
        with np.errstate(over="ignore"):
            steps[moves] = np.maximum(
                (self.low - x)[moves] / along[moves], (self.high - x)[moves] / along[moves]
            )
        least = steps.min()
        return float(least), (steps == least) & moves

    def distance(self, x: Double, gradient: Double) -> tuple[Double, Double]:
        """How far (N,) the bound is to which the steepest descent leads, 1 where there is none, and
        its derivative (N,)."""
        v, slope = np.ones_like(x), np.zeros_like(x)
        up = (gradient < 0) & np.isfinite(self.high)
        down = (gradient > 0) & np.isfinite(self.low)
        v[up], slope[up] = (self.high - x)[up], -1
        v[down], slope[down] = (x - self.low)[down], 1
        return v, slope


def least_squares(
    residuals: Callable[[Double], Double],
    jacobian: Callable[[Double], Double],
    start: Double,
    bounds: Bounds,
    scale: Double,
    most: int,
    tolerance: float = TOLERANCE,
) -> Double:
    """The x (N,) in `bounds` that makes the sum of squares of residuals (M,) least, or the best of
    `most` evaluations.

    jacobian: (M, N) at x; start (N,): strictly within the bounds; scale (N,): how large a change of
    each unknown is; `tolerance`: the change from which on it ends, see `TOLERANCE`.
    """
    x, f = start.copy(), residuals(start)
    cost, j = 0.5 * float(f @ f), jacobian(start)
    gradient = j.T @ f
    v, slope = bounds.distance(x, gradient)
    v[slope != 0] /= scale[slope != 0]
    radius = float(np.linalg.norm(x / scale / np.sqrt(v))) or 1.0
    damping, asked, ended = 0.0, 1, False
    while not ended and asked < most:
        v, slope = bounds.distance(x, gradient)
        flatness = float(np.abs(gradient * v).max())
        if flatness < tolerance:
            break
        v[slope != 0] /= scale[slope != 0]
        local = _Local(j, gradient, np.sqrt(v) * scale, slope * scale)
        theta, gained = max(0.995, 1 - flatness), -1.0
        while gained <= 0 and asked < most:
            step, damping = local.trust_region(radius, damping)
            way, predicted, length = local.chosen(x, step, bounds, radius, theta)
            there = bounds.inside(x + way)
            f_there = residuals(there)
            asked += 1
            if not np.isfinite(f_there).all():
                radius = 0.25 * length
                continue
            gained = cost - 0.5 * float(f_there @ f_there)
            wider, ratio = _radius(radius, gained, predicted, length)
            still = tolerance * (tolerance + float(np.linalg.norm(x)))
            small = float(np.linalg.norm(way)) < still
            if ended := small or (gained < tolerance * cost and ratio > 0.25):
                break
            damping *= radius / wider
            radius = wider
        if gained > 0:
            x, f = there, f_there
            cost = 0.5 * float(f @ f)
            if not ended and asked < most:
                j = jacobian(x)
                gradient = j.T @ f
    return x


def _radius(radius: float, gained: float, predicted: float, length: float) -> tuple[float, float]:
    """The next trust region's radius, and how much of what was predicted came true."""
    ratio = gained / predicted if predicted > 0 else float(predicted == gained == 0)
    if ratio < 0.25:
        return 0.25 * length, ratio
    if ratio > 0.75 and length > 0.95 * radius:
        return 2 * radius, ratio
    return radius, ratio


class _Local:
    """The quadratic model of the cost around a point, in unknowns that are scaled by the distance
    of their bounds."""

    def __init__(self, j: Double, gradient: Double, scale: Double, slope: Double) -> None:
        """j (M, N) and gradient (N,); scale (N,) of the unknowns; slope (N,): its square's
        derivative."""
        self._scale = scale
        self._gradient = scale * gradient
        scaled = j * scale
        self._matrix = scaled.T @ scaled  # (N, N)
        self._matrix[np.diag_indices_from(self._matrix)] += gradient * slope
        try:
            np.linalg.cholesky(self._matrix)
            self._full = True
        except np.linalg.LinAlgError:
            self._full = False

    def trust_region(self, radius: float, damping: float) -> tuple[Double, float]:
        """The best step (N,) no longer than `radius`, and its damping; by Moré's iteration, which
        starts from the damping of the step before."""
        high, low = float(np.linalg.norm(self._gradient)) / radius, 0.0
        if self._full:
            whole, matrix = self._damped(0.0)
            off = float(np.linalg.norm(whole)) - radius
            if off <= 0:
                return whole, 0.0
            low = -off / _shortened(whole, matrix)
        elif damping == 0:
            damping = max(0.001 * high, sqrt(low * high))
        for _ in range(ROOT_STEPS):
            if not low <= damping <= high:
                damping = max(0.001 * high, sqrt(low * high))
            step, matrix = self._damped(damping)
            off, slope = float(np.linalg.norm(step)) - radius, _shortened(step, matrix)
            if off < 0:
                high = damping
            low = max(low, damping - off / slope)
            damping -= (off + radius) * off / slope / radius
            if abs(off) < ROOT_TOLERANCE * radius:
                break
        step, _ = self._damped(damping)
        return step * (radius / np.linalg.norm(step)), damping

    def _damped(self, damping: float) -> tuple[Double, Double]:
        """The step (N,) of a damping, and the matrix (N, N) of its equations."""
        matrix = self._matrix.copy()
        matrix[np.diag_indices_from(matrix)] += damping
        return np.asarray(np.linalg.solve(matrix, -self._gradient), np.float64), matrix

    def chosen(
        self, x: Double, step: Double, bounds: Bounds, radius: float, theta: float
    ) -> tuple[Double, float, float]:
        """Of the trust region's step, its reflection from the bounds and steepest descent the one
        that promises most: in the unknowns (N,), what it promises, and its scaled length."""
        if bounds.hold(x + self._scale * step):
            return self._evaluated(step)
        stride, hits = bounds.reach(x, self._scale * step)
        edge = stride * step
        reflected = self._reflected(x, step, edge, hits, bounds, radius, theta, stride)
        descent = -self._gradient
        to_edge = radius / float(np.linalg.norm(descent))
        to_bound, _ = bounds.reach(x, self._scale * descent)
        most = theta * to_bound if to_bound < to_edge else to_edge
        square, linear = self._curve(descent)
        ways = [theta * edge, descent * _lowest(square, linear, 0.0, most)]
        if reflected is not None:
            ways.insert(1, reflected)
        return min(map(self._evaluated, ways), key=lambda tried: -tried[1])

    def _reflected(
        self, x: Double, step: Double, edge: Double, hits: Double, bounds: Bounds,
        radius: float, theta: float, stride: float,
    ) -> Double | None:  # fmt: skip
        """From where the step meets its bound, on as a mirror there would send it."""
        turned = np.where(hits, -step, step)
        a, b = float(turned @ turned), float(edge @ turned)
        c = float(edge @ edge) - radius**2
        q = -(b + copysign(sqrt(max(b * b - a * c, 0)), b))
        to_edge = max(q / a, c / q)
        to_bound, _ = bounds.reach(x + self._scale * edge, self._scale * turned)
        room = min(to_bound, to_edge)
        if room <= 0:
            return None
        least = (1 - theta) * stride / room
        most = theta * to_bound if room == to_bound else to_edge
        if least > most:
            return None
        square, linear = self._curve(turned)
        linear += float(turned @ self._matrix @ edge)
        return edge + turned * _lowest(square, linear, least, most)

    def _curve(self, way: Double) -> tuple[float, float]:
        """The cost along a way (N,): factors of the square and of the line."""
        return 0.5 * float(way @ self._matrix @ way), float(self._gradient @ way)

    def _evaluated(self, step: Double) -> tuple[Double, float, float]:
        return self._scale * step, -sum(self._curve(step)), float(np.linalg.norm(step))


def _shortened(step: Double, matrix: Double) -> float:
    """The derivative of the length of a step (N,) by the damping of its matrix (N, N)."""
    return -float(step @ np.linalg.solve(matrix, step)) / float(np.linalg.norm(step))


def _lowest(square: float, linear: float, low: float, high: float) -> float:
    """Where in an interval a parabola through 0 is lowest."""
    at = [low, high]
    if square != 0 and low < -0.5 * linear / square < high:
        at.append(-0.5 * linear / square)
    return min(at, key=lambda t: t * (square * t + linear))


def in_box(matrix: Double, goal: Double) -> Double:
    """The x (N,) in [0, 1] that minimises |matrix x - goal|, for a matrix (M, N) of full rank: an
    active set (Stark and Parker, "Bounded-Variable Least-Squares", Comput. Stat. 10, 1995)."""
    square, right = matrix.T @ matrix, matrix.T @ goal
    x = np.zeros(len(right))
    free = np.zeros(len(right), bool)
    for _ in range(10 * len(right)):  # an active set is met once: this is never reached
        pull = right - square @ x
        gain = np.where(free, 0, np.where(x > 0, -pull, pull))
        if gain.max() <= 1e-12 * np.abs(right).max():
            break
        free[int(gain.argmax())] = True
        while free.any():
            wanted = np.linalg.solve(
                square[np.ix_(free, free)], right[free] - square[np.ix_(free, ~free)] @ x[~free]
            )
            now = x[free]
            out = (wanted < 0) | (wanted > 1)
            if not out.any():
                x[free] = wanted
                break
            bound = (wanted[out] > 1).astype(float)
            shares = (bound - now[out]) / (wanted[out] - now[out])
            share = shares.min()
            x[free] = now + share * (wanted - now)
            stopped = np.flatnonzero(free)[out][shares == share]
            x[stopped] = bound[shares == share]
            free[stopped] = False
    return x

"""Who lies next to whom: nearest points, and sums over the neighbours on a mesh."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Index, Real

_EXACT: dict[str, bool | int | float | str] = {"algorithm": 4, "leaf_max_size": 10}
"""FLANN's exact k-d tree (`FLANN_INDEX_KDTREE_SINGLE`)."""


class Nearest:
    """Points (P, D), D 2 or 3, to look for the nearest ones among."""

    def __init__(self, points: Real) -> None:
        self._points = points.astype(np.float64)
        self._seen = np.ascontiguousarray(points, np.float32)  # FLANN keeps no copy
        self._tree = cv2.flann.Index(self._seen, _EXACT)

    def __call__(self, at: Real, count: int = 1) -> tuple[Double, Index]:
        """Distances and indices (K, count) of the points nearest to each of `at` (K, D)."""
        asked = np.ascontiguousarray(at, np.float32)
        found = self._tree.knnSearch(asked, count, params={"checks": -1})[0].astype(np.intp)
        off = self._points[found] - at.astype(np.float64)[:, None]
        return np.sqrt((off**2).sum(2)), found


def depth_within(outline: Float, points: Float) -> Double:
    """How far (P,) inside a polygon (N, 2) points (P, 2) lie, negative outside: what
    `cv2.pointPolygonTest` says, of all of them at once."""
    x, y = points.astype(np.float64).T
    nearest = np.full(len(points), np.inf)
    inside = np.zeros(len(points), bool)
    corners = outline.astype(np.float64)
    for (ax, ay), (bx, by) in zip(np.roll(corners, 1, 0), corners, strict=True):
        dx, dy = bx - ax, by - ay
        from_a, from_b = (x - ax, y - ay), (x - bx, y - by)
        off = from_a[1] * dx - from_a[0] * dy
        squared = off**2 / max(dx * dx + dy * dy, 1e-300)
        before = from_a[0] * dx + from_a[1] * dy <= 0
        behind = from_b[0] * dx + from_b[1] * dy >= 0
        squared = np.where(behind, from_b[0] ** 2 + from_b[1] ** 2, squared)
        squared = np.where(before, from_a[0] ** 2 + from_a[1] ** 2, squared)
        nearest = np.minimum(nearest, squared)
        crossing = ((ay <= y) != (by <= y)) & ((ax >= x) | (bx >= x))
        inside ^= crossing & (np.where(dy < 0, -off, off) > 0)
    return np.asarray(np.where(inside, 1.0, -1.0) * np.sqrt(nearest), np.float64)


class Sums:
    """A sparse matrix (N, M) of few entries a row: what each of N adds up of M."""

    def __init__(self, rows: Index, columns: Index, shares: Float, count: int) -> None:
        """`shares` (E,) of entries in `rows` and `columns` (E,), those of a row added in the order
        that is given; N = `count`."""
        order = np.argsort(rows, kind="stable")
        rows, columns, shares = rows[order], columns[order], shares[order]
        many = np.bincount(rows, minlength=count)
        self._most = np.argsort(-many, kind="stable")  # rows with most entries first
        first = np.cumsum(many) - many
        longest = int(many.max(initial=0))
        # Entry k of every row that has so many: they lead in `_most`.
        self._entries = []
        for k in range(longest):
            at = first[self._most[: int((many > k).sum())]] + k
            self._entries.append((columns[at], shares[at][:, None]))
        self._count = count

    def __matmul__(self, values: Float) -> Float:
        """The sums of `values` (M,) or (M, C): (N,) or (N, C)."""
        wide = values.reshape(len(values), -1)
        sums = np.zeros((self._count, wide.shape[1]), np.float32)
        for columns, shares in self._entries:
            sums[: len(columns)] += np.take(wide, columns, 0) * shares
        out = np.empty_like(sums)
        out[self._most] = sums
        return out.reshape(self._count, *values.shape[1:])

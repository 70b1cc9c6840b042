"""Lips that are pressed: they meet, do not pass one another, and keep some of their red.

Shapes that roll lips in, press them and raise the chin are made one by one. Together they carry the
lower lip through the upper one, and take as much of thin lips as of full ones, until no more than a
line is seen. So what would lie inside the other lip is pushed back, each lip as a whole, and the
border of a lip that gets too thin is pushed out.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Index
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.smoothstep import smoothstep
from mien.face_model.spline import through

INNER = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)
OUTER = (48, 49, 50, 51, 52, 53, 54), (48, 59, 58, 57, 56, 55, 54)
"""Landmarks of the edges, upper and lower, that meet, and of the red's borders, from corner to
corner."""
BETWEEN = (0.45, 0.85), (0.5,)
"""Places between the first landmark beside a corner and the corner itself, as parts of the way,
where an edge and a border are looked at too: rolled in, lips pass one another there first, and lose
their red."""
SOFT = 0.03
"""Overlap, cm, up to which lips give way: flesh is pressed flat before it is pushed."""
YIELDS = 0.25
"""The lower lip's share of what is pushed back: a raised chin lifts the upper lip too."""
KEPT, ASIDE, SUCKED, ROLLED = 0.7, 0.4, 0.2, (0.75, 1.0)
"""Part of its height that the red of a lip keeps at least, pressed, beside the corners, and sucked
in; weights of the shapes that roll it in, up to which it is the one, and from which on the last."""
WHOLE, GONE = 0.75, 2.0
"""Distances from the inner edge, cm, up to which a lip is pushed as a whole, and from which on the
skin around it stays."""
FADE = 1.3
"""Over what distance from the red's border, cm, the skin follows where that is pushed out."""
WIDEST = 3.2
"""Half width, cm, of what moves."""
PRESSING = "mouthPress", "mouthRoll", "mouthShrugLower"
"""Shapes that the muscle around the mouth makes, which closes like a ring, or the chin's: neither
draws the corners apart, as the mesh's do, so that a dark line grew out of each."""
BESIDE = 1.6
"""Distance from a corner, cm, over which the skin follows what it is held back."""
RIDES = -1.2
"""Height, cm, that an opened jaw moves what belongs to the lower lip by at least."""


class LipContact:
    """Keeps the lips of one mesh apart, and red."""

    def __init__(self, model: FaceModel) -> None:
        points, marks = model.neutral[FACE], model.landmarks
        x, y, z = points.T
        falls = model.expressions[model.index["jawOpen"], FACE, 1] < RIDES
        self._inner, self._outer = (
            np.stack([_places(points, marks[np.array(row)], lip, between)
                      for row, lip in zip(rows, (~falls, falls), strict=True)])
            for rows, between in zip((INNER, OUTER), BETWEEN, strict=True)
        )  # fmt: skip
        self._corners, ends = (marks[[row[0][0], row[0][-1]]] for row in (INNER, OUTER))
        aside = len(BETWEEN[1])
        self._kept = np.full(self._outer.shape[1], KEPT)
        self._kept[:aside] = self._kept[-aside:] = ASIDE
        self._rolls = [model.index[f"mouthRoll{side}"] for side in ("Upper", "Lower")]
        edge = float(points[self._inner, 1].mean())
        away = np.where(falls, edge - y, y - edge)
        near = (1 - smoothstep((away - WHOLE) / (GONE - WHOLE))) * np.clip(WIDEST - np.abs(x), 0, 1)
        near[(z < points[self._corners, 2].min() - 1.5) | (away < -1)] = 0
        self._at = at = np.flatnonzero(near)
        share = _share(points, at, self._inner[1], ends)
        self._push = (share * (np.where(falls, -YIELDS, 1 - YIELDS) * near)[at, None]).astype("f4")
        sides = np.clip(WIDEST - np.abs(x[at]), 0, 1)
        self._widen = np.stack(
            [
                self._follows(points, lip, sign, ends) * np.where(of, sign * sides, 0)[:, None]
                for lip, sign, of in ((0, 1, ~falls[at]), (1, -1, falls[at]))
            ]
        ).astype("f4")

    def _above(self, points: Float, lip: int, at: Index) -> Double:
        """How far, cm, vertices `at` (K,) lie above the edge of a lip, 0 or 1, in height."""
        first, last = self._corners
        line = points[np.r_[first, self._inner[lip], last]]
        return np.asarray(points[at, 1] - np.interp(points[at, 0], *line[:, :2].T), np.float64)

    def _follows(self, points: Float, lip: int, sign: int, ends: Index) -> Double:
        """How far (K, P) the vertices follow each place of a lip's border where that is pushed out:
        from none at the edge to all at the border, less on the skin beyond, and none at its
        `ends` (2,)."""
        border = self._outer[lip]
        share = _share(points, self._at, border, ends)
        high = share @ (sign * self._above(points, lip, border))
        away = sign * self._above(points, lip, self._at)
        part = np.clip(away / np.maximum(high, 0.1), 0, 1)
        return share * (part * (1 - smoothstep((away - high) / FADE)))[:, None]

    def overlap(self, vertices: Float) -> Double:
        """By how much, cm, the lower lip of `vertices` (N, 3) lies above the upper one's edge, at
        places (P,) of that."""
        upper, lower = vertices[self._inner]
        return np.asarray(np.interp(upper[:, 0], *lower[:, :2].T) - upper[:, 1], np.float64)

    def red(self, vertices: Float) -> Double:
        """Height, cm, of the red of the upper and the lower lip of `vertices` (N, 3), at places (2,
        Q)."""
        heights = (sign * self._above(vertices, lip, self._outer[lip])
                   for lip, sign in enumerate((1, -1)))  # fmt: skip
        return np.stack(list(heights))

    def __call__(self, vertices: Float, weights: Float, own: Double, red: Double) -> None:
        """Push the lips of `vertices` (N, 3), which show `weights` (53,), in place; an overlap of
        `own` (P,) cm may stay, of `red` (2, Q) cm a part must."""
        over = np.maximum(self.overlap(vertices) - own, 0)
        if over.any():
            vertices[self._at, 1] += self._push @ _soft(over)
        low, high = ROLLED
        rolled = np.clip((weights[self._rolls] - low) / (high - low), 0, 1)
        part = self._kept + (SUCKED - self._kept) * rolled[:, None]
        least = np.minimum(red, np.maximum(red, 0) * part)  # edges that cross stay as they are
        lacks = np.maximum(least - self.red(vertices), 0)
        if lacks.any():
            for widen, lack in zip(self._widen, _soft(lacks), strict=True):
                vertices[self._at, 1] += widen @ lack


class CornerWidth:
    """Holds the corners of one mesh's mouth where pressed lips would draw them apart."""

    def __init__(self, model: FaceModel) -> None:
        points = model.neutral[FACE]
        names = [name for name in model.names if name.startswith(PRESSING)]
        self._shapes = np.array([model.index[name] for name in names])
        corners = model.landmarks[[OUTER[0][0], OUTER[0][-1]]]
        aside = np.sign(points[corners, 0])
        out = np.maximum(model.expressions[self._shapes][:, corners, 0] * aside, 0) * aside
        away = np.linalg.norm(points[:, None] - points[corners], axis=-1)
        near = 1 - smoothstep(away / BESIDE)
        self._at = np.flatnonzero(near.any(1))
        self._moves = (out @ near[self._at].T).astype(np.float32)

    def hold(self, vertices: Float, weights: Float, own: Float) -> None:
        """Take from `vertices` (N, 3), in place, by how much the change from the weights `own`
        (53,) to `weights` (53,) draws the corners apart."""
        change = (weights - own)[self._shapes]
        if change.any():
            vertices[self._at, 0] -= change.astype(np.float32) @ self._moves


def _share(points: Float, at: Index, knots: Index, ends: Index) -> Double:
    """How far vertices `at` (K,) of `points` (F, 3) follow each of the vertices `knots` (P,) along
    the lip between its `ends` (2,): (K, P), these follow none."""
    (left, right), x = (points[which, 0].astype(np.float64) for which in (ends, knots))
    own, none = np.eye(len(x)), np.zeros((1, len(x)))
    # mirrored at the ends, so that it comes to nothing there without a bend
    places = np.r_[2 * left - x[1::-1], left, x, right, 2 * right - x[:-3:-1]]
    values = np.concatenate([own[1::-1], none, own, none, own[:-3:-1]])
    return through(places, values, np.clip(points[at, 0].astype(np.float64), left, right))


def _soft(by: Double) -> Float:
    """A push of `by` cm that begins softly."""
    return np.asarray(by * by / (by + SOFT), np.float32)


def _places(points: Float, marks: Index, lip: Bool, between: tuple[float, ...]) -> Index:
    """Vertices of `points` (F, 3) along a line of landmarks `marks`, from corner to corner without
    these, and `between` their last two on either side, of those that belong to the lip (F,)."""
    own = np.flatnonzero(lip)
    first, last = (
        [
            own[np.linalg.norm(points[own] - (near + part * (corner - near)), axis=1).argmin()]
            for part in parts
        ]
        for corner, near, parts in (
            (*points[marks[[0, 1]]], between[::-1]),
            (*points[marks[[-1, -2]]], between),
        )
    )
    return np.asarray(np.r_[first, marks[1:-1], last], np.int64)

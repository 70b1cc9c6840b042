"""Lips that are pressed: they meet, do not pass one another, and keep some of their red.

Shapes that roll lips in, press them and raise the chin are made one by one. Together they carry the
lower lip through the upper one, and take as much of thin lips as of full ones, until no more than a
line is seen. So what would lie inside the other lip is pushed back, each lip as a whole, and the
border of a lip that gets too thin is pushed out.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Double, Float, Index
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.smoothstep import smoothstep

INNER = (61, 62, 63), (67, 66, 65)
OUTER = (49, 50, 51, 52, 53), (59, 58, 57, 56, 55)
"""Landmarks of the edges, upper and lower, that meet, and of the red's borders."""
CORNERS = [60, 64]
SOFT = 0.03
"""Overlap, cm, up to which lips give way: flesh is pressed flat before it is pushed."""
YIELDS = 0.25
"""The lower lip's share of what is pushed back: a raised chin lifts the upper lip too."""
ACROSS = 0.75
"""Reach along the lip of what one landmark says, cm."""
KEPT, SUCKED, ROLLED = 0.7, 0.2, (0.75, 1.0)
"""Part of its height that the red of a lip keeps at least, pressed and sucked in; weights of the
shapes that roll it in, up to which it is the one, and from which on the other."""
WHOLE, GONE = 0.75, 2.0
"""Distances from the inner edge, cm, up to which a lip is pushed as a whole, and from which on the
skin around it stays."""
FADE = 1.3
"""Over what distance from the red's border, cm, the skin follows where that is pushed out."""
WIDEST = 3.2
"""Half width, cm, of what moves."""
RIDES = -1.2
"""Height, cm, that an opened jaw moves what belongs to the lower lip by at least."""


class LipContact:
    """Keeps the lips of one mesh apart, and red."""

    def __init__(self, model: FaceModel) -> None:
        points, marks = model.neutral[FACE], model.landmarks
        self._inner, self._outer = (marks[np.array(rows)] for rows in (INNER, OUTER))
        self._rolls = [model.index[f"mouthRoll{side}"] for side in ("Upper", "Lower")]
        x, y, z = points.T
        falls = model.expressions[model.index["jawOpen"], FACE, 1] < RIDES
        edge = float(points[self._inner, 1].mean())
        away = np.where(falls, edge - y, y - edge)
        near = (1 - smoothstep((away - WHOLE) / (GONE - WHOLE))) * np.clip(WIDEST - np.abs(x), 0, 1)
        near[(z < points[marks[CORNERS], 2].min() - 1.5) | (away < -1)] = 0
        at = np.flatnonzero(near)
        self._corners = marks[CORNERS]
        share = self._share(points, at, self._inner[1])
        self._push = (share * (np.where(falls, -YIELDS, 1 - YIELDS) * near)[at, None]).astype("f4")
        red = np.abs(self.red(points)).astype("f4")
        self._widen = np.stack(
            [
                _border(self._share(points, at, edge), away[at], high, np.searchsorted(at, edge))
                for edge, high in zip(self._outer, red, strict=True)
            ]
        )
        self._widen[0, falls[at]] = self._widen[1, ~falls[at]] = 0
        self._widen[1] *= -1
        self._widen *= np.clip(WIDEST - np.abs(x[at]), 0, 1)[:, None]
        self._at = at

    def _share(self, points: Float, at: Index, knots: Index) -> Float:
        """How far vertices `at` (K,) of `points` (F, 3) follow each of the landmarks `knots` (P,)
        along the lip: (K, P), less towards the corners, which follow none."""
        x = points[np.r_[self._corners, knots], 0]
        share = np.exp(-(((points[at, :1] - x) / ACROSS) ** 2))
        share /= np.maximum(share.sum(1, keepdims=True), 1e-6)
        return np.asarray(share[:, len(CORNERS) :], np.float32)

    def overlap(self, vertices: Float) -> Double:
        """By how much, cm, the lower lip of `vertices` (N, 3) lies above the upper one's edge, at
        three places (3,)."""
        upper, lower = vertices[self._inner, 1]
        return np.asarray(lower - upper, np.float64)

    def red(self, vertices: Float) -> Double:
        """Height, cm, of the red of the upper and the lower lip of `vertices` (N, 3), at five
        places (2, 5)."""
        first, last = self._corners
        heights = []
        for edge, border, sign in zip(self._inner, self._outer, (1, -1), strict=True):
            line = vertices[np.r_[first, edge, last]]
            x, y = vertices[border, :2].T
            heights.append(sign * (y - np.interp(x, line[:, 0], line[:, 1])))
        return np.asarray(np.stack(heights), np.float64)

    def __call__(self, vertices: Float, weights: Float, own: Double, red: Double) -> None:
        """Push the lips of `vertices` (N, 3), which show `weights` (53,), in place; an overlap of
        `own` (3,) cm may stay, of `red` (2, 5) cm a part must."""
        over = np.maximum(self.overlap(vertices) - own, 0)
        if over.any():
            vertices[self._at, 1] += self._push @ _soft(over)
        low, high = ROLLED
        rolled = np.clip((weights[self._rolls] - low) / (high - low), 0, 1)
        part = KEPT + (SUCKED - KEPT) * rolled[:, None]
        least = np.minimum(red, np.maximum(red, 0) * part)  # edges that cross stay as they are
        lacks = np.maximum(least - self.red(vertices), 0)
        if lacks.any():
            for widen, lack in zip(self._widen, _soft(lacks), strict=True):
                vertices[self._at, 1] += widen @ lack


def _soft(by: Double) -> Float:
    """A push of `by` cm that begins softly."""
    return np.asarray(by * by / (by + SOFT), np.float32)


def _border(share: Float, away: Float, red: Float, places: Index) -> Float:
    """How much each of K vertices, `away` (K,) cm from the inner edge, follows the border of a lip
    `red` (P,) cm high, at P `places` among them whose `share` (K, P) it has: each of these follows
    its own alone."""
    high = share @ red / np.maximum(share.sum(1), 1e-6)
    part = np.clip(away / np.maximum(high, 0.1), 0, 1) * (1 - smoothstep((away - high) / FADE))
    follows = share * part[:, None]
    return np.asarray(follows @ np.linalg.inv(follows[places]), np.float32)

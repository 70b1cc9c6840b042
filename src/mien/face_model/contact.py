"""Lips that are pressed: they meet, do not pass one another, and keep some of their red.

Shapes that roll lips in, press them and raise the chin are made one by one. Together they carry the
lower lip through the upper one, and take as much of thin lips as of full ones, until no more than a
line is seen. So what would lie inside the other lip is pushed back, each lip as a whole, and the
border of a lip that gets too thin is pushed out.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.smoothstep import smoothstep

INNER = (61, 62, 63), (67, 66, 65)
OUTER = (50, 51, 52), (58, 57, 56)
"""Landmarks of the edges, upper and lower, that meet, and of the red's borders beside them."""
CORNERS = [60, 64]
SOFT = 0.03
"""Overlap, cm, up to which lips give way: flesh is pressed flat before it is pushed."""
YIELDS = 0.25
"""The lower lip's share of what is pushed back: a raised chin lifts the upper lip too."""
ACROSS = 0.75
"""Reach along the lip of what one landmark says, cm."""
KEPT, SUCKED, ROLLED = 0.55, 0.2, (0.75, 1.0)
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
        knots = points[np.r_[marks[CORNERS], self._inner[1]], 0]
        share = np.exp(-(((x[at, None] - knots) / ACROSS) ** 2))
        share /= np.maximum(share.sum(1, keepdims=True), 1e-6)
        share = share[:, len(CORNERS) :]
        red = np.abs(points[self._outer, 1] - points[self._inner, 1])  # (2, 3)
        self._push = (share * (np.where(falls, -YIELDS, 1 - YIELDS) * near)[at, None]).astype("f4")
        self._widen = np.stack([_border(share, away[at], red[i]) for i in range(2)])
        self._widen[0, falls[at]] = self._widen[1, ~falls[at]] = 0
        self._widen[1] *= -1
        self._widen *= np.clip(WIDEST - np.abs(x[at]), 0, 1)[:, None]
        self._at = at

    def overlap(self, vertices: Float) -> Double:
        """By how much, cm, the lower lip of `vertices` (N, 3) lies above the upper one's edge, at
        three places (3,)."""
        upper, lower = vertices[self._inner, 1]
        return np.asarray(lower - upper, np.float64)

    def red(self, vertices: Float) -> Double:
        """Height, cm, of the red of the upper and the lower lip of `vertices` (N, 3), at three
        places (2, 3)."""
        (upper, lower), (above, below) = vertices[self._inner, 1], vertices[self._outer, 1]
        return np.asarray(np.stack([above - upper, lower - below]), np.float64)

    def __call__(self, vertices: Float, weights: Float, own: Double, red: Double) -> None:
        """Push the lips of `vertices` (N, 3), which show `weights` (53,), in place; an overlap of
        `own` (3,) cm may stay, of `red` (2, 3) cm a part must."""
        over = np.maximum(self.overlap(vertices) - own, 0)
        if over.any():
            vertices[self._at, 1] += self._push @ _soft(over)
        low, high = ROLLED
        rolled = np.clip((weights[self._rolls] - low) / (high - low), 0, 1)
        least = red * (KEPT + (SUCKED - KEPT) * rolled[:, None])
        lacks = np.maximum(least - self.red(vertices), 0)
        if lacks.any():
            for widen, lack in zip(self._widen, _soft(lacks), strict=True):
                vertices[self._at, 1] += widen @ lack


def _soft(by: Double) -> Float:
    """A push of `by` cm that begins softly."""
    return np.asarray(by * by / (by + SOFT), np.float32)


def _border(share: Float, away: Float, red: Float) -> Float:
    """How much each of K vertices, `away` (K,) cm from the inner edge, follows the border of a lip
    `red` (3,) cm high, at three places whose `share` (K, 3) it has."""
    high = share @ red / np.maximum(share.sum(1), 1e-6)
    part = np.clip(away / np.maximum(high, 0.1), 0, 1) * (1 - smoothstep((away - high) / FADE))
    return np.asarray(share * part[:, None], np.float32)

"""Shapes of people who do not exist: how far people of a crowd differ from people like them, mixed.

A group of four people does not tell how people of the group differ: what differs is taken from
everybody, each measured from the mean of people like them, and added to the group's own mean. A
mean of n deviations is smaller than one person's; it is brought back by 1 / sqrt(sum of squared
shares), as a mean of independent draws loses it, but for what differs between the sides of a face.
Where a shape is too near to somebody it is pushed away within the identities of the face model, up
to what 19 of 20 people differ by: those are shapes of faces, and no raised brow is among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.neighbours import Nearest
from mien.types import Float

MOST = 1.6
"""Bound of the gain that brings a mixed deviation back to one person's."""
STEP = 0.15
"""Length of one push, cm (root mean square over the face)."""
WITHIN = 0.95
"""Share of people whose deviation bounds that of a pushed shape."""
RIDGE = 1e-2
"""Of the projection onto the face model's identities, relative to their mean square."""


class Shapes:
    """How each of a crowd differs from people like them.

    Attributes:
        bound: how far a shape may be from its group's mean, cm.
    """

    def __init__(
        self, model: FaceModel, neutrals: Mapping[str, Float], alike: Mapping[str, Sequence[str]]
    ) -> None:
        """neutrals: the shape (N, 3) cm of everybody at rest; alike: of everybody, who is like
        them, three at least, themselves included."""
        self._neutrals, self._alike = neutrals, alike
        flipped = model.neutral * np.array([-1, 1, 1], np.float32)
        self._mirror = Nearest(model.neutral)(flipped)[1][:, 0]
        self._identities = model.identities.reshape(len(model.identities), -1).astype(np.float64)
        gram = self._identities @ self._identities.T
        self._gram = gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        self.bound = float(np.quantile([length(self.deviation(p)) for p in neutrals], WITHIN))

    def deviation(self, person: str) -> Float:
        """How a person (N, 3) cm differs from the mean of those like them, who are few and have the
        person among them: that takes 1 / n of the variance away, which is given back."""
        like = self._alike[person]
        mean = np.mean([self._neutrals[p] for p in like], axis=0)
        back = np.float32(np.sqrt(len(like) / (len(like) - 1)))
        return np.asarray((self._neutrals[person] - mean) * back, np.float32)

    def mixed(self, mean: Float, shares: Mapping[str, float]) -> Float:
        """The mean (N, 3) cm of a group, and deviations of people by shares (sum 1)."""
        parts = (np.float32(share) * self.deviation(person) for person, share in shares.items())
        total = np.asarray(sum(parts, np.zeros_like(mean)), np.float32)
        even = self._even(total)
        deviation = np.float32(gain([*shares.values()])) * even + (total - even)
        return self._within(deviation, mean)

    def pushed(self, shape: Float, mean: Float, near: str) -> Float | None:
        """The shape (N, 3) cm one step further from a person of the crowd; None where that would
        lead out of how people differ from the `mean` of their group."""
        if length(shape - mean) > self.bound - 0.01:
            return None
        away = (shape - self._neutrals[near]).ravel().astype(np.float64)
        found = np.linalg.solve(self._gram, self._identities @ away) @ self._identities
        step = found.reshape(shape.shape).astype(np.float32)
        return self._within(shape + step * np.float32(STEP / max(length(step), 1e-6)) - mean, mean)

    def _within(self, deviation: Float, mean: Float) -> Float:
        """What differs from the mean by `deviation`, or by as much of it as the bound has."""
        return np.asarray(
            mean + deviation * np.float32(min(1.0, self.bound / max(length(deviation), 1e-6)))
        )

    def _even(self, deviation: Float) -> Float:
        """The part of a deviation (N, 3) that both sides of the face share."""
        other = deviation[self._mirror] * np.array([-1, 1, 1], np.float32)
        return np.asarray(0.5 * (deviation + other), np.float32)


def gain(shares: Sequence[float]) -> float:
    """What brings a mean by `shares` back to one person's deviation, at most `MOST`."""
    return min(MOST, float(np.sum(np.square(shares)) ** -0.5))


def length(deviation: Float) -> float:
    """Size of a deviation (N, 3) cm: root mean square over the face."""
    return float(np.sqrt(np.square(deviation[FACE]).sum(1).mean()))

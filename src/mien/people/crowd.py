"""The people who may be mixed, read once: their shapes, who they are to the identity judge; and who
of them a new person is mixed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from mien.errors import DataError, FaceNotFound, ImageError
from mien.face_model.mesh import FaceModel
from mien.faces.align import align
from mien.judges.identity import SIZE
from mien.people.mixing import PARTS, Recipe
from mien.people.sources import Lender, Lent, load
from mien.types import Face, Float, UInt8

LEAST = 3
"""Fewest people that one is mixed from."""
LARGEST_SHARE = 0.5
AGES = 6.0
"""Years from the wanted age within which most of those who are mixed lie."""
ATTRIBUTES = ("gender", "ethnicity")
KEPT = 10
"""Fitted photographs that are kept in memory."""


@dataclass(frozen=True)
class Mix:
    """Who a new person is mixed from, how, and of which group: `{"gender": "female"}`."""

    people: tuple[str, ...]
    recipe: Recipe
    group: dict[str, str]
    age: float | None


class Judge(Protocol):
    """Who a face is: `judges.identity.Descriptor`."""

    def one(self, pixels: UInt8, landmarks: Float) -> Float:
        """Descriptor (D,) of the face at `landmarks` (68, 2) px of `pixels` uint8 (H, W, 3)."""
        ...


class Crowd:
    """A pool of sources, every one of them read.

    Attributes:
        people: those who can be mixed, in order of name; refused: the others, with the reason.
    """

    def __init__(
        self, model: FaceModel, lenders: Sequence[Lender], judge: Judge,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.model, self._judge = model, judge
        self.refused: dict[str, str] = {}
        self._rest: dict[str, Float] = {}
        self._who: dict[str, Float] = {}
        found = {}
        for number, lender in enumerate(lenders, 1):
            try:
                lent = load(model, lender)
            except (DataError, FaceNotFound, ImageError) as error:
                self.refused[lender.person] = str(error)
            else:
                found[lender.person] = lender
                self._rest[lender.person] = lent.rig.person.rest
                self._who[lender.person] = self._describe(lent.pixels, lent.face)
            progress(number)
        self.people: Mapping[str, Lender] = found
        if len(found) < LEAST:
            reason = next(iter(self.refused.values()), "")
            raise DataError(f"{len(found)} people can be mixed, {LEAST} are needed: {reason}")
        self.lent: Callable[[str], Lent] = lru_cache(KEPT)(lambda p: load(model, found[p]))

    def distances(self, pixels: UInt8, face: Face) -> dict[str, float]:
        """Identity distance of a face to everybody in the pool, by person."""
        who = self._describe(pixels, face)
        return {p: float(np.linalg.norm(who - other)) for p, other in self._who.items()}

    def mean(self, group: Mapping[str, str]) -> Float:
        """Mean shape (N, 3) cm of the people of a group at rest."""
        rests = [self._rest[p] for p in self.of(group)]
        return np.asarray(np.mean(rests, axis=0), np.float32)

    def of(self, group: Mapping[str, str]) -> list[str]:
        """The people of a group."""
        return [p for p, lender in self.people.items() if _belongs(lender, group)]

    def groups(
        self, balance: Sequence[str], only: Mapping[str, Sequence[str]]
    ) -> list[dict[str, str]]:
        """Every combination of the attributes `balance` that at least three people have, within
        what is asked for by `only`. DataError if there is none."""
        found: set[tuple[tuple[str, str], ...]] = {()}
        for key in dict.fromkeys((*balance, *only)):
            values = {v for lender in self.people.values() for v in _values(lender, key)}
            wanted = sorted(values & set(only[key]) if key in only else values)
            found = {(*group, (key, value)) for group in found for value in wanted}
        groups = [dict(group) for group in sorted(found) if len(self.of(dict(group))) >= LEAST]
        if not groups:
            raise DataError(
                "no group has three people to mix: ask for fewer with --balance and --only"
            )
        return groups

    def draw(self, groups: Sequence[Mapping[str, str]], count: int, seed: Sequence[int]) -> Mix:
        """One person's sources: number `seed[1]` of seed `seed[0]`, attempt `seed[2]`. Groups take
        turns, in an order that the seed shuffles anew each round."""
        start, number, _ = seed
        turn, at = divmod(number, len(groups))
        order = np.random.default_rng([start, turn, 1]).permutation(len(groups))
        group = dict(groups[order[at]])
        random = np.random.default_rng(list(seed))
        people = self.of(group)
        ages = np.array([self.people[p].age or np.nan for p in people])
        odds = np.ones(len(people))
        if np.isfinite(ages).all():
            # the wanted age is the person's own, not the attempt's
            wanted = np.random.default_rng([start, number, 2]).uniform(ages.min(), ages.max())
            odds = np.exp(-0.5 * np.square((ages - wanted) / AGES)) + 1e-4
        chosen = random.choice(
            len(people), min(count, len(people)), replace=False, p=odds / odds.sum()
        )
        shares = _shares(random, len(chosen))
        frame = int(random.integers(len(chosen)))
        others = [int(i) for i in random.permutation(len(chosen)) if i != frame]
        first, second = others[:2]
        third = others[2] if len(others) > 2 else (first, second, frame)[int(random.integers(3))]
        recipe = Recipe(shares, frame, (first, second, third))
        assert len(recipe.parts) == len(PARTS)
        age = None if not np.isfinite(ages).all() else float(ages[chosen] @ np.array(shares))
        return Mix(tuple(people[i] for i in chosen), recipe, group, age)

    def _describe(self, pixels: UInt8, face: Face) -> Float:
        crop = align(pixels, face, SIZE)
        return self._judge.one(crop.pixels, crop.landmarks)


def _shares(random: np.random.Generator, count: int) -> tuple[float, ...]:
    while True:
        drawn = random.dirichlet([8.0] * count)
        if drawn.max() <= LARGEST_SHARE:
            return tuple(float(s) for s in drawn)


def _belongs(lender: Lender, group: Mapping[str, str]) -> bool:
    return all(value in _values(lender, key) for key, value in group.items())


def _values(lender: Lender, key: str) -> tuple[str, ...]:
    if key not in ATTRIBUTES:
        raise DataError(f"no attribute {key!r}: choose from {', '.join(ATTRIBUTES)}")
    if key == "ethnicity":
        return lender.ethnicity
    return (lender.gender,) if lender.gender else ()

"""The people who may be mixed, read once: their shapes, who they are to the identity judge; and who
of them a new person is mixed from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mien.errors import DataError, FaceNotFound, ImageError
from mien.face_model.mesh import FaceModel
from mien.faces.align import align
from mien.judges.identity import SIZE
from mien.people.mixing import PARTS, Recipe, mix
from mien.people.shapes import Shapes
from mien.people.sources import SourceFace, SourcePhotograph, load
from mien.types import Face, Float, UInt8

LEAST = 3
"""Fewest people that one is mixed from."""
LARGEST_SHARE = 0.5
EVEN = 8.0
"""Concentration of the shares (Dirichlet's): 1 is any, more is more even."""
SHAPED = 6
"""People whose deviations make one shape."""
KIN = 2
"""Parts of a face, at most, that people of other groups give."""
AGES = 6.0
"""Years from the wanted age within which most of those who are mixed lie."""
TONES = 15.0
"""Brightness of skin, 0..255, within which most of those who give a part from another group lie."""
ATTRIBUTES = ("gender", "ethnicity")


@dataclass(frozen=True)
class Mix:
    """Who a new person is mixed from: `people` give skin, those of the group first; `shape`, whose
    deviations by which shares; and of which group they are: `{"gender": "female"}`."""

    people: tuple[str, ...]
    recipe: Recipe
    shape: Mapping[str, float]
    group: dict[str, str]
    age: float | None

    @property
    def sources(self) -> list[str]:
        """Everybody of whom anything is in the picture, once."""
        recipe = self.recipe
        skin = [p for i, p in enumerate(self.people) if recipe.shares[i] or i in recipe.parts]
        return list(dict.fromkeys([*skin, *self.shape]))


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
        self, model: FaceModel, photographs: Sequence[SourcePhotograph], judge: Judge,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.model, self._judge = model, judge
        self.refused: dict[str, str] = {}
        self._sources: dict[str, SourceFace] = {}
        self._who: dict[str, Float] = {}
        for number, photograph in enumerate(photographs, 1):
            try:
                source = load(model, photograph)
            except (DataError, FaceNotFound, ImageError) as error:
                self.refused[photograph.person] = str(error)
            else:
                self._sources[photograph.person] = source
                self._who[photograph.person] = self._describe(source.pixels, source.face)
            progress(number)
        self.people: Mapping[str, SourcePhotograph] = {
            p: source.photograph for p, source in self._sources.items()
        }
        if len(self.people) < LEAST:
            reason = next(iter(self.refused.values()), "")
            raise DataError(f"{len(self.people)} people can be mixed, {LEAST} are needed: {reason}")
        neutrals = {p: source.neutral for p, source in self._sources.items()}
        self.shapes = Shapes(model, neutrals, {p: self._like(p) for p in neutrals})

    def distances(self, pixels: UInt8, face: Face) -> dict[str, float]:
        """Identity distance of a face to everybody in the pool, by person."""
        who = self._describe(pixels, face)
        return {p: float(np.linalg.norm(who - other)) for p, other in self._who.items()}

    def source(self, person: str) -> SourceFace:
        """What is mixed in of a person of the pool."""
        return self._sources[person]

    def shape(self, mixed: Mix) -> Float:
        """The shape (N, 3) cm of a mixed person at rest, pushed away from nobody yet."""
        return self.shapes.mixed(self.mean(mixed.group), mixed.shape)

    def drawn(self, mixed: Mix, shape: Float, size: int) -> UInt8:
        """The picture of a mixed person in a shape (N, 3), uint8 (size, size, 3)."""
        return mix(self.model, [self._sources[p] for p in mixed.people], mixed.recipe, shape, size)

    def mean(self, group: Mapping[str, str]) -> Float:
        """Mean shape (N, 3) cm of the people of a group at rest."""
        return np.asarray(
            np.mean([self._sources[p].neutral for p in self.of(group)], axis=0), np.float32
        )

    def of(self, group: Mapping[str, str]) -> list[str]:
        """The people of a group."""
        return [p for p, photograph in self.people.items() if _belongs(photograph, group)]

    def groups(
        self, balance: Sequence[str], only: Mapping[str, Sequence[str]]
    ) -> list[dict[str, str]]:
        """Every combination of the attributes `balance` that at least three people have, within
        what is asked for by `only`. DataError if there is none."""
        found: set[tuple[tuple[str, str], ...]] = {()}
        for key in dict.fromkeys((*balance, *only)):
            values = {v for photograph in self.people.values() for v in _values(photograph, key)}
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
        turns, in an order that the seed shuffles anew each round; of `count` people of the group
        comes the skin. From the second attempt on one part of the face, from the third on two come
        from people of other groups whose skin is about as dark."""
        start, number, attempt = seed
        turn, at = divmod(number, len(groups))
        order = np.random.default_rng([start, turn, 1]).permutation(len(groups))
        group = dict(groups[order[at]])
        random = np.random.default_rng(list(seed))
        members = self.of(group)
        # the wanted age is the person's own, not the attempt's
        ages = [age for p in members if (age := self.people[p].age) is not None]
        wanted = None
        if len(ages) == len(members):
            wanted = float(np.random.default_rng([start, number, 2]).uniform(min(ages), max(ages)))
        skin = _chosen(random, members, self._near_age(members, wanted), count)
        like = {"gender": group["gender"]} if "gender" in group else {}
        wide = self.of(like)
        shaped = _chosen(random, wide, self._near_age(wide, wanted), SHAPED)
        tone = float(np.mean([self._sources[p].tone for p in skin]))
        others = [p for p in wide if p not in members]
        kin = _chosen(random, others, self._near_tone(others, tone), min(KIN, attempt))
        shares = _shares(random, len(skin))
        recipe = Recipe((*shares, *(0.0 for _ in kin)), *_parts(random, len(skin), len(kin)))
        age = None
        if wanted is not None:
            age = sum(s * (self.people[p].age or 0) for s, p in zip(shares, skin, strict=True))
        shape = dict(zip(shaped, _shares(random, len(shaped)), strict=True))
        return Mix((*skin, *kin), recipe, shape, group, age)

    def _near_age(self, people: Sequence[str], wanted: float | None) -> Float:
        """Odds of each person by age; the same for all where nothing is wanted or known."""
        ages = np.array([self.people[p].age or np.nan for p in people], np.float32)
        if wanted is None or not np.isfinite(ages).all():
            return np.ones(len(people), np.float32)
        return np.asarray(np.exp(-0.5 * np.square((ages - wanted) / AGES)) + 1e-4, np.float32)

    def _near_tone(self, people: Sequence[str], tone: float) -> Float:
        """Odds of each person by how bright the skin is."""
        own = np.array([self._sources[p].tone for p in people], np.float32)
        return np.asarray(np.exp(-0.5 * np.square((own - tone) / TONES)) + 1e-6, np.float32)

    def _like(self, person: str) -> list[str]:
        """The people of the same gender and ethnicity, of the same gender, or all: the narrowest
        group that has three."""
        one = self.people[person]
        gender = {} if one.gender is None else {"gender": one.gender}
        narrow = gender | ({"ethnicity": one.ethnicity[0]} if one.ethnicity else {})
        found = (self.of(group) for group in (narrow, gender, {}))
        return next(people for people in found if len(people) >= LEAST)

    def _describe(self, pixels: UInt8, face: Face) -> Float:
        crop = align(pixels, face, SIZE)
        return self._judge.one(crop.pixels, crop.landmarks)


def _chosen(
    random: np.random.Generator, people: Sequence[str], odds: Float, count: int
) -> list[str]:
    """`count` of the people, or all, by odds, none twice."""
    if not people:
        return []
    share = odds.astype(np.float64) / odds.sum(dtype=np.float64)
    count = min(count, len(people))
    return [people[i] for i in random.choice(len(people), count, replace=False, p=share)]


def _shares(random: np.random.Generator, count: int) -> tuple[float, ...]:
    while True:
        drawn = random.dirichlet([EVEN] * count)
        if drawn.max() <= LARGEST_SHARE:
            return tuple(float(s) for s in drawn)


def _parts(random: np.random.Generator, own: int, kin: int) -> tuple[int, tuple[int, int, int]]:
    """Which of the first `own` people is the frame, and who gives each part: one of the others, or
    of the `kin` people behind them."""
    frame = int(random.integers(own))
    donors = [int(i) for i in random.permutation(own) if i != frame][: len(PARTS)]
    while len(donors) < len(PARTS):
        donors.append(int(random.integers(own)))
    for place, part in enumerate(random.permutation(len(PARTS))[:kin]):
        donors[part] = own + place
    eyes, nose, mouth = donors
    return frame, (eyes, nose, mouth)


def _belongs(photograph: SourcePhotograph, group: Mapping[str, str]) -> bool:
    return all(value in _values(photograph, key) for key, value in group.items())


def _values(photograph: SourcePhotograph, key: str) -> tuple[str, ...]:
    if key not in ATTRIBUTES:
        raise DataError(f"no attribute {key!r}: choose from {', '.join(ATTRIBUTES)}")
    if key == "ethnicity":
        return photograph.ethnicity
    return (photograph.gender,) if photograph.gender else ()

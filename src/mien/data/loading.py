"""Training samples from the rig's shards: pairs with truth, and labelled faces without.

Item i of a data set is a function of (seed, i) alone, so that a run resumes exactly where it was
and two runs with one seed see the same pictures, whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from mien import facs
from mien.data.batch import Batch, Named, Pairs, Person, Shown, Truth
from mien.data.transforms import Geometry, Photometry
from mien.errors import DataError
from mien.faces.align import MIRROR
from mien.nn.tensors import from_levels
from mien.rig import expressions
from mien.rig.shards import Stored, read_shard
from mien.types import Float, UInt8

TRUTH = 64
"""Side of the flow and visibility maps of a training sample."""

_PROTOTYPES = np.stack([facs.prototype(name) for name in facs.EMOTIONS])


def label_of(units: Float) -> int:
    """Index of the emotion whose full prototype `units` (47,) is, or -1."""
    same = np.abs(_PROTOTYPES - units).max(1) < 1e-4
    return int(same.argmax()) if same.any() else -1


@dataclass(frozen=True)
class Renders:
    """One photograph's renders, of which only the small facts are in memory."""

    person: str
    neutral: bool  # the photograph itself shows no expression
    size: int  # side of the pictures, px: the training crop's field of view
    units: Float  # (K, 47)
    landmarks: Float  # (K, 68, 2) px
    expression: list[int]  # K rows of the shared list, -1 for the photograph itself
    still: list[int]  # the states that stand and are lit as the photograph
    turned: list[float]  # K, degrees of yaw that the render turned the head by
    stored: list[Stored]  # K

    def neutral_state(self) -> int:
        """The first state that stands as the photograph and shows nothing; DataError when none
        does.
        """
        for k in self.still:
            if not self.units[k].any() and (k > 0 or self.neutral):
                return k
        raise DataError(f"no neutral picture of {self.person}: run `mien rig render` again")

    @classmethod
    def of(cls, samples: Iterable[tuple[dict[str, Any], Stored]]) -> Renders:
        facts, stored = zip(*samples, strict=True)
        return cls(
            facts[0]["person"],
            facts[0]["neutral"],
            facts[0]["size"],
            np.array([f["units"] for f in facts], np.float32),
            np.array([f["landmarks"] for f in facts], np.float32),
            [f["expression"] for f in facts],
            [k for k, f in enumerate(facts) if not any(f["turn"] + f["light"])],
            [f["turn"][1] for f in facts],
            list(stored),
        )


def open_renders(folder: Path, split: str) -> list[Renders]:
    """All photographs of a split in the order of its shards; DataError when there are none."""
    paths = sorted((folder / split).glob("*.tar"))
    if not paths and any((folder / split).glob("*.safetensors")):
        raise DataError(f"{folder} holds renders of an older mien: run `mien rig render` again")
    if not folder.is_dir():
        raise DataError(f"no folder {folder}: `mien rig render` makes one, or `mien data align`")
    if not paths:
        raise DataError(
            f"no rig renders for split {split!r} in {folder}: run `mien rig render` first"
        )
    samples = (sample for path in paths for sample in read_shard(path))
    return [Renders.of(group) for _, group in groupby(samples, lambda s: s[0]["photo"])]


def to_tensor(pixels: UInt8) -> Tensor:
    """uint8 (S, S, 3) -> float32 (3, S, S) in [-1, 1]."""
    return from_levels(torch.from_numpy(pixels).permute(2, 0, 1))


def shrunk(picture: Tensor, side: int) -> Tensor:
    """A picture (3, S, S) at `side`, averaged down."""
    return F.interpolate(picture[None], size=(side, side), mode="area")[0]


class RigPairs(Dataset[Pairs]):
    """Same person under two expressions, with the rig's truth, and a donor who shows the second.

    With `portraits` also who source and donor are, positions in `people`, and at rest, under the
    geometry and camera of their own picture. The random draws are the same with them and without.

    `named`: share of the targets that show a single unit, or what eyes alone do; `weak`: share of
    the others that show an emotion below its full strength; where the photograph is rendered in
    some.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        *,
        size: int = 128,
        seed: int = 0,
        augment: bool = True,
        portraits: bool = False,
        named: float = 0.0,
        weak: float = 0.0,
    ) -> None:
        self.photos = [p for p in open_renders(folder, split) if len(p.still) > 1]
        if not self.photos:
            raise DataError(f"no photograph in {folder / split} has two states: render more")
        self.size, self.seed, self.strength = size, seed, 1.0 if augment else 0.0
        self.people = sorted({p.person for p in self.photos})
        kinds = ((tuple(expressions.NAMED), named), (("weak emotion",), weak))
        self.sought = [(self._showing(kind), share) for kind, share in kinds if share]
        self.neutral_states = [p.neutral_state() for p in self.photos] if portraits else []
        self.wearers: dict[int, list[tuple[int, int]]] = {}
        for s, photo in enumerate(self.photos):
            for state in photo.still:
                if photo.expression[state] >= 0:
                    self.wearers.setdefault(photo.expression[state], []).append((s, state))
        self.emotional = [
            [k for k in photo.still if k > 0 and label_of(photo.units[k]) >= 0]
            for photo in self.photos
        ]

    def _showing(self, kinds: tuple[str, ...]) -> list[list[int]]:
        """Of every photograph, its states of some kinds of expression."""
        rows = expressions.rows(kinds)
        return [[k for k in p.still if p.expression[k] in rows] for p in self.photos]

    def __len__(self) -> int:
        return 2**31  # a stream: the budget in images ends it

    def states(self, s: int, rng: Generator) -> tuple[int, int]:
        """Source and target state: often the photograph, often a prototype, sometimes the same."""
        still = self.photos[s].still
        source = 0 if rng.random() < 0.55 else int(rng.choice(still))
        if rng.random() < 0.08:
            return source, source
        for shown, share in self.sought:
            if shown[s] and rng.random() < share:
                return source, int(rng.choice(shown[s]))
        emotional = self.emotional[s]
        if emotional and rng.random() < 0.45:
            return source, int(rng.choice(emotional))
        return source, int(rng.choice(still[1:]))

    def donor(self, s: int, state: int, rng: Generator) -> tuple[int, int]:
        """Another photograph whose person shows the same expression; the target itself if none
        does.
        """
        person = self.photos[s].person
        others = [
            w
            for w in self.wearers.get(self.photos[s].expression[state], [])
            if self.photos[w[0]].person != person
        ]
        return others[int(rng.integers(len(others)))] if others else (s, state)

    def __getitem__(self, i: int) -> Pairs:
        rng = np.random.default_rng((self.seed, i))
        s = int(rng.integers(len(self.photos)))
        photo = self.photos[s]
        source, target = self.states(s, rng)
        whose, state = self.donor(s, target, rng)
        mirror = self.strength > 0 and bool(rng.random() < 0.5)
        geometry, camera = self.geometry(photo, rng, mirror), Photometry.draw(rng, self.strength)
        donor = self.photos[whose]
        theirs = self.geometry(donor, rng, mirror), Photometry.draw(rng, self.strength)
        first = self.shown(photo, source, geometry, camera)
        second = replace(
            self.shown(photo, target, geometry, camera),
            exact=torch.tensor(1.0),  # it is asked for by these units, estimate or not
        )
        third = replace(
            second,  # what a donor shows is what the target shows
            pixels=self.picture(donor.stored[state].image(), *theirs),
            landmarks=self.landmarks(donor, state, theirs[0]),
        )
        truth = self.truth(photo, source, target, geometry)
        if not self.neutral_states:
            return Pairs(first, third, None, None, second, truth)
        people = self.person(s, geometry, camera), self.person(whose, *theirs)
        return Pairs(first, third, *people, second, truth)

    def geometry(self, photo: Renders, rng: Generator, mirrored: bool) -> Geometry:
        return Geometry.draw(rng, photo.size, self.size, self.strength, mirrored)

    def picture(self, pixels: UInt8, geometry: Geometry, camera: Photometry) -> Tensor:
        seen = geometry.image(pixels)
        return to_tensor(camera.apply(seen) if self.strength else seen)

    def shown(self, photo: Renders, state: int, geometry: Geometry, camera: Photometry) -> Shown:
        """A state of a photograph, and what is known of it."""
        units = facs.mirror(photo.units[state]) if geometry.mirrored else photo.units[state]
        # the photograph's own units are the fit's estimate, not a label
        known = state > 0 or photo.neutral
        return Shown(
            pixels=self.picture(photo.stored[state].image(), geometry, camera),
            units=torch.from_numpy(units),
            label=torch.tensor(label_of(units) if known else -1),
            exact=torch.tensor(float(known)),
            landmarks=self.landmarks(photo, state, geometry),
        )

    def person(self, s: int, geometry: Geometry, camera: Photometry) -> Person:
        """Who a photograph shows, and what they look like at rest."""
        photo = self.photos[s]
        neutral = self.picture(photo.stored[self.neutral_states[s]].image(), geometry, camera)
        who = torch.tensor(self.people.index(photo.person))
        return Person(who, shrunk(neutral, TRUTH), torch.tensor(1.0))

    def landmarks(self, photo: Renders, state: int, geometry: Geometry) -> Tensor:
        points = geometry.points(photo.landmarks[state])
        if geometry.mirrored:
            points = points[MIRROR]
        return torch.from_numpy(points.astype(np.float32))

    def truth(self, photo: Renders, source: int, target: int, geometry: Geometry) -> Truth:
        """What lies between source and target under one geometry."""
        second = photo.stored[target]
        flow = geometry.flow(second.flow(), TRUTH)
        visible = geometry.field(second.visibility(), TRUTH)
        mouth = geometry.field(second.mouth(), TRUTH)
        if source == target:
            flow, visible = np.zeros_like(flow), np.ones_like(visible)
        return Truth(
            flow=torch.from_numpy(flow).permute(2, 0, 1).contiguous(),
            visible=torch.from_numpy(visible)[None],
            mouth=torch.from_numpy(mouth)[None],
            known=torch.tensor(float(source in (0, target))),
        )


def two_of(count: int, turn: int, seed: int) -> tuple[int, int]:
    """One of so many and another, for a turn: of `count` turns each is the first one once.

    >>> sorted(two_of(3, turn, 0)[0] for turn in range(3))
    [0, 1, 2]
    """
    order = np.random.default_rng((seed, turn // count, 5)).permutation(count)
    first = int(order[turn % count])
    other = int(np.random.default_rng((seed, turn, 1)).integers(count - 1))
    return first, other + (other >= first)


class RigLabelled(Dataset[Named]):
    """Unpaired labelled faces, as the papers have them: an emotion, and another to give it; `alike`
    in a row share both, and as many turns as there are emotions show each once.
    """

    def __init__(
        self, folder: Path, split: str, alike: int = 1, *, size: int = 128, seed: int = 0
    ) -> None:
        self.photos = open_renders(folder, split)
        self.size, self.seed, self.alike = size, seed, alike
        self.of: dict[int, list[tuple[int, int]]] = {k: [] for k in range(len(facs.EMOTIONS))}
        for s, photo in enumerate(self.photos):
            for state, units in enumerate(photo.units):
                label = label_of(units)
                if label >= 0 and (state > 0 or photo.neutral):
                    self.of[label].append((s, state))
        empty = [facs.EMOTIONS[k] for k, v in self.of.items() if not v]
        if empty:
            raise DataError(f"no faces labelled {', '.join(empty)} in {folder / split}")

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, i: int) -> Named:
        source, target = two_of(len(facs.EMOTIONS), i // self.alike, self.seed)
        rng = np.random.default_rng((self.seed, i, 2))
        s, state = self.of[source][int(rng.integers(len(self.of[source])))]
        photo = self.photos[s]
        geometry = Geometry.draw(rng, photo.size, self.size, 0.5)
        camera = Photometry.draw(rng, 0.5)
        picture = camera.apply(geometry.image(photo.stored[state].image()))
        shown = Shown(
            pixels=to_tensor(picture),
            units=torch.from_numpy(photo.units[state]),
            label=torch.tensor(source),
            exact=torch.tensor(1.0),
            landmarks=torch.from_numpy(geometry.points(photo.landmarks[state]).astype(np.float32)),
        )
        return Named(shown, torch.tensor(target))


def everyone(person: str) -> bool:
    """The filter that keeps all people."""
    return True


class RigFaces(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Single faces with what they show, for the nets that read faces.

    Item: pixels (3, S, S) in [-1, 1]; units (47,) in [0, 1]; label, an emotion's index or -1
    (contempt on either side is contempt); landmarks (68, 2) px of the item. Only faces whose units
    are known: the renders, and photographs of people at rest. With `augment` a stream in which item
    i is drawn by (seed, i), turned, lit and mirrored at random; without, every face once, as it is.
    `people`: which persons take part.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        *,
        size: int = 128,
        seed: int = 0,
        augment: bool = True,
        people: Callable[[str], bool] = everyone,
    ) -> None:
        self.photos = [s for s in open_renders(folder, split) if people(s.person)]
        self.size, self.seed, self.augment = size, seed, augment
        self.faces = [
            (s, state)
            for s, photo in enumerate(self.photos)
            for state in range(0 if photo.neutral else 1, len(photo.units))
        ]
        if not self.faces:
            raise DataError(f"no face of the people asked for in {folder / split}")

    def __len__(self) -> int:
        return 2**31 if self.augment else len(self.faces)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if i >= len(self):
            raise IndexError(i)
        rng = np.random.default_rng((self.seed, i, 3))
        strength = 0.5 if self.augment else 0.0
        flipped = self.augment and bool(rng.random() < 0.5)
        s, state = self.faces[int(rng.integers(len(self.faces))) if self.augment else i]
        photo = self.photos[s]
        geometry = Geometry.draw(rng, photo.size, self.size, strength, flipped)
        pixels = geometry.image(photo.stored[state].image())
        if self.augment:
            pixels = Photometry.draw(rng, strength).apply(pixels)
        points = geometry.points(photo.landmarks[state])
        units = photo.units[state]
        if flipped:
            units, points = facs.mirror(units), points[MIRROR]
        return (
            to_tensor(pixels),
            torch.from_numpy(units),
            torch.tensor(max(label_of(units), label_of(facs.mirror(units)))),
            torch.from_numpy(points.astype(np.float32)),
        )


class LabelledFaces(Dataset[Batch]):
    """Single faces and what is known of them."""

    def __init__(self, faces: RigFaces) -> None:
        self.faces = faces

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, i: int) -> Batch:
        pixels, units, label, landmarks = self.faces[i]
        return Batch(Shown(pixels, units, label, torch.tensor(1.0), landmarks))


class Changing(Dataset[Any]):
    """A stream that is one data set up to the index `change` and another from there on. Where both
    are functions of (seed, index) alone, so is this.
    """

    def __init__(self, before: Dataset[Any], after: Dataset[Any], change: int) -> None:
        self.before, self.after, self.change = before, after, change

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, i: int) -> Any:
        return self.before[i] if i < self.change else self.after[i]

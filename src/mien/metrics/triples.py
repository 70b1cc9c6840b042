"""Giving A the expression of B where the answer is known: triples of the rig's renders.

Source: a photograph of A. Reference: B, a render who shows an expression of the shared list. Truth:
A rendered with the same action units, in the same pose and light as the photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mien.data.loading import Renders, everyone, open_renders, to_tensor
from mien.data.transforms import Geometry
from mien.errors import DataError
from mien.guides import Reference
from mien.metrics.trials import Section, Trial, Units
from mien.types import Faces

State = tuple[Renders, int]
"""A photograph's renders, and which of them."""


@dataclass(frozen=True)
class Triples:
    """A batch of triples; `people` are the sources', `references` the references'."""

    source: Faces[Tensor]
    reference: Faces[Tensor]
    truth: Faces[Tensor]
    source_units: Tensor
    """(B, 47) of the source where it is known, else the fit's estimate."""
    units: Tensor
    """(B, 47) that reference and truth show."""
    people: tuple[str, ...]
    references: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.people)

    def split(self, size: int) -> list[Triples]:
        """The same in batches of at most `size`."""
        return [self.at(slice(i, i + size)) for i in range(0, len(self), size)]

    def at(self, part: slice) -> Triples:
        """Some of them."""
        one, other, truth = (
            Faces(f.pixels[part], f.landmarks[part])
            for f in (self.source, self.reference, self.truth)
        )
        return Triples(
            one, other, truth, self.source_units[part], self.units[part],
            self.people[part], self.references[part],
        )  # fmt: skip


def faces_of(chosen: Sequence[State], size: int) -> Faces[Tensor]:
    """States of photographs as a batch at `size` px, as they are."""
    pixels, points = [], []
    for photo, state in chosen:
        geometry = Geometry.draw(np.random.default_rng(0), photo.size, size, 0.0)
        pixels.append(to_tensor(geometry.image(photo.stored[state].image())))
        points.append(geometry.points(photo.landmarks[state]))
    return Faces(torch.stack(pixels), torch.from_numpy(np.stack(points).astype(np.float32)))


def draw_triples(
    folder: Path, split: str, count: int, *, size: int = 128, seed: int = 0,
    people: Callable[[str], bool] = everyone,
) -> Triples:  # fmt: skip
    """`count` triples of the people in `split`, spread evenly over them, from renders in `folder`.

    people: whom to take, as source and as reference.
    Every expression of the renders may come, weak ones too, but what the photograph shows already
    (neutral, of somebody at rest). DataError when there are no renders.
    """
    photos = [photo for photo in open_renders(folder, split) if people(photo.person)]
    rng = np.random.default_rng([seed, 11])
    showing: dict[int, list[State]] = {}
    own: dict[str, list[Renders]] = {}
    for photo in photos:
        own.setdefault(photo.person, []).append(photo)
        for state in photo.still:
            showing.setdefault(photo.expression[state], []).append((photo, state))
    chosen: list[tuple[State, State, State]] = []
    if len(own) < 2:
        raise DataError(
            f"no two people in {folder / split}: one would be the reference of the other"
        )
    while len(chosen) < count:
        for person in rng.permutation(sorted(own)):
            photo = own[person][int(rng.integers(len(own[person])))]
            states = [
                s
                for s in photo.still
                if photo.expression[s] > 0 or (photo.expression[s] == 0 and not photo.neutral)
            ]
            state = int(rng.choice(states))
            references = [w for w in showing[photo.expression[state]] if w[0].person != person]
            if references and len(chosen) < count:
                other = references[int(rng.integers(len(references)))]
                chosen.append(((photo, 0), other, (photo, state)))
    return triples_of(chosen, size)


def triples_of(chosen: Sequence[tuple[State, State, State]], size: int) -> Triples:
    """Triples of source, reference and truth at `size` px."""
    source, reference, truth = (faces_of(column, size) for column in zip(*chosen, strict=True))
    return Triples(
        source, reference, truth,
        torch.from_numpy(np.stack([p.units[0] for (p, _), _, _ in chosen])),
        torch.from_numpy(np.stack([p.units[s] for _, _, (p, s) in chosen])),
        tuple(p.person for (p, _), _, _ in chosen),
        tuple(p.person for _, (p, _), _ in chosen),
    )  # fmt: skip


def transferred(parts: Sequence[Triples], by: Literal["reference", "units"]) -> Section:
    """The section of the scorecard that asks for the expression of B on A: of each triple by being
    shown the reference, or by the units that it shows."""
    trials = [
        Trial(
            t.source, t.people, ("transfer",) * len(t),
            Reference(t.reference) if by == "reference" else Units(t.units),
            truth=t.truth, units=t.units, reference=t.reference,
        )
        for t in parts
    ]  # fmt: skip
    return Section(f"transfer, by {by}", trials, answer="the rig")

"""Leakage measured by attack: can a fresh network tell from results whose expression it was?

Identity distances say that a result still looks like its source. They miss what comes with the
expression and is too little to be seen: the attack finds it, since it learns from thousands of
results what each reference leaves behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mien import facs
from mien.data.loading import Renders, label_of, open_renders
from mien.errors import DataError
from mien.metrics.probes import Attack, read_people
from mien.metrics.triples import faces_of
from mien.types import Faces

SEEN = 48
"""Side at which the attacker sees results, px."""
SHOWN = tuple(range(1, len(facs.EMOTIONS)))
"""The emotions that every reference shows: all but neutral, at full strength."""


@dataclass(frozen=True)
class LeakageTrial:
    """One reference's emotion on a batch of sources; the rig's answer with it."""

    source: Faces[Tensor]
    reference: Faces[Tensor]
    truth: Faces[Tensor]


@dataclass(frozen=True)
class LeakageSplit:
    """References, and sources in two groups, one of which teaches the attacker."""

    references: Sequence[Renders]
    learn: Sequence[Renders]
    test: Sequence[Renders]


def leakage_split(
    folder: Path, split: str, references: int, sources: int, seed: int = 0
) -> LeakageSplit:
    """A split of different people who all show every emotion; DataError when there are too few."""
    rng = np.random.default_rng([seed, 17])
    one_each = {p.person: p for p in open_renders(folder, split) if len(states(p)) == len(SHOWN)}
    if len(one_each) < references + sources:
        raise DataError(
            f"{folder / split} has {len(one_each)} people in all emotions, "
            f"{references + sources} are needed: render more or ask for fewer"
        )
    chosen = [one_each[who] for who in rng.permutation(sorted(one_each))[: references + sources]]
    half = references + sources // 2
    return LeakageSplit(chosen[:references], chosen[references:half], chosen[half:])


def states(photo: Renders) -> dict[int, int]:
    """Emotion -> the state of a photograph that shows it."""
    found = {label_of(photo.units[k]): k for k in photo.still if k > 0}
    return {emotion: found[emotion] for emotion in SHOWN if emotion in found}


def attack(
    edit: Callable[[LeakageTrial], Tensor], people: LeakageSplit, size: int, seed: int = 0
) -> Attack:
    """Share of results whose reference is named; chance is 1 over the number of references.

    The attacker sees result and result minus source, learns on some sources and is judged on
    others.
    """
    learn, test = (
        _results(edit, people.references, some, size) for some in (people.learn, people.test)
    )
    return read_people(learn, test, seed=seed, passes=25)


def _results(
    edit: Callable[[LeakageTrial], Tensor],
    references: Sequence[Renders],
    sources: Sequence[Renders],
    size: int,
) -> tuple[Tensor, Tensor]:
    """What the attacker sees (N, 6, 48, 48) and the reference (N,), shuffled."""
    seen, who = [], []
    source = faces_of([(p, 0) for p in sources], size)
    for emotion in SHOWN:
        truth = faces_of([(p, states(p)[emotion]) for p in sources], size)
        for number, photo in enumerate(references):
            one = faces_of([(photo, states(photo)[emotion])], size)
            reference = Faces(
                one.pixels.expand_as(source.pixels), one.landmarks.expand_as(source.landmarks)
            )
            made = edit(LeakageTrial(source, reference, truth))
            both = torch.cat([made, made - source.pixels], 1)
            seen.append(F.interpolate(both, size=(SEEN, SEEN), mode="area").half())
            who.append(torch.full((len(sources),), number))
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(who) * len(sources)))
    return torch.cat(seen)[order], torch.cat(who)[order]

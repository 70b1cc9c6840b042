"""A batch of noise for tests of losses: every tensor a task may ask for, of the right shape."""

from __future__ import annotations

from dataclasses import replace

import torch

from mien import facs
from mien.data.batch import Batch, Pairs, Person, Shown, Strangers, Truth


def made_pairs(size: int, count: int = 4) -> Pairs:
    """`count` pairs of side `size`; the units of the second source are a guess."""
    torch.manual_seed(1)

    def shown(labels: list[int], exact: list[float]) -> Shown:
        return Shown(
            pixels=torch.rand(count, 3, size, size) * 2 - 1,
            units=torch.rand(count, len(facs.UNITS)),
            label=torch.tensor(labels)[:count],
            exact=torch.tensor(exact)[:count],
            landmarks=size * torch.rand(count, 68, 2),
        )

    def person() -> Person:
        pictures = torch.rand(count, 3, 64, 64) * 2 - 1
        return Person(torch.randint(5, (count,)), pictures, torch.ones(count))

    sure, maps = [1.0] * 4, torch.ones(count, 1, 64, 64)
    source, target = shown([0, -1, 2, 3], [1.0, 0.0, 1.0, 1.0]), shown([1, 2, -1, 3], sure)
    other = shown([1, 2, -1, 3], sure)
    donor = replace(target, pixels=other.pixels, landmarks=other.landmarks)
    return Pairs(
        source, donor, person(), person(), target,
        Truth(torch.zeros(count, 2, 64, 64), maps, 0 * maps, torch.ones(count)),
    )  # fmt: skip


def made_strangers(size: int, count: int = 4) -> Strangers:
    """Photographs of `count` people and as many others: of the second source nothing is known, of
    the third AU12 alone; the first donor is at rest elsewhere too, the others nowhere.
    """
    pairs = made_pairs(size, count)
    assert pairs.source_person is not None
    assert pairs.donor_person is not None
    coded = torch.zeros(count, len(facs.UNITS))
    coded[0], coded[2:3, facs.INDEX["AU12L"]] = 1, 1
    source = replace(pairs.source, coded=coded, exact=coded.amin(1))
    donor = replace(pairs.donor, coded=torch.ones_like(coded))
    there = torch.zeros(count)
    there[0] = 1
    reference = replace(
        pairs.donor_person, has_neutral=there, index=torch.tensor([0, -1, -1, -1])[:count]
    )
    return Strangers(source, donor, pairs.source_person, reference)


def sources(pairs: Pairs) -> Batch:
    """The sources alone, all of whose units are known, as the first stages see them."""
    return Batch(replace(pairs.source, exact=torch.ones(len(pairs))))

"""A batch of noise for tests of losses: every tensor a task may ask for, of the right shape."""

from __future__ import annotations

from dataclasses import replace

import torch

from mien import facs
from mien.data.batch import Batch, Pairs, Person, Shown, Truth


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
        return Person(torch.randint(5, (count,)), torch.rand(count, 3, 64, 64) * 2 - 1)

    sure, maps = [1.0] * 4, torch.ones(count, 1, 64, 64)
    source, target = shown([0, -1, 2, 3], [1.0, 0.0, 1.0, 1.0]), shown([1, 2, -1, 3], sure)
    return Pairs(
        source, target, shown([1, 2, -1, 3], sure),
        Truth(torch.zeros(count, 2, 64, 64), maps, 0 * maps, torch.ones(count)),
        person(), person(),
    )  # fmt: skip


def sources(pairs: Pairs) -> Batch:
    """The sources alone, all of whose units are known, as the first stages see them."""
    return Batch(replace(pairs.source, exact=torch.ones(len(pairs))))

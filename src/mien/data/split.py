"""Train, validation and test, decided by person and by nothing else."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_TRAIN, _VALIDATION = 0.74, 0.06


def split_of(person: str) -> Split:
    """The split of a person id such as `london/003`: 74 % train, 6 % validation, 20 % test.

    The id's own hash decides, so that a person keeps the split when people are added or taken away,
    on every machine and in every version.

    >>> split_of("london/003")
    'test'
    """
    digest = hashlib.sha256(person.encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64  # uniform in [0, 1)
    if position < _TRAIN:
        return "train"
    return "validation" if position < _TRAIN + _VALIDATION else "test"

"""Train, validation and test, decided by person and by nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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
    position = _position(person)
    if position < _TRAIN:
        return "train"
    return "validation" if position < _TRAIN + _VALIDATION else "test"


def splits_of(people: Iterable[str]) -> dict[str, Split]:
    """A split for everybody of a set that has none: `split_of`, but that of three people or more
    each split gets one at least.

    Where a split stays empty, it takes from the largest one who stands nearest to its share; so
    only small sets, of which nothing else is trained, ever depart from `split_of`.
    """
    found = {person: split_of(person) for person in sorted(set(people))}
    if len(found) < len(SPLITS):
        return found
    for split in SPLITS:
        if split in found.values():
            continue
        largest = max(SPLITS, key=lambda s: list(found.values()).count(s))
        others = [person for person, s in found.items() if s == largest]
        found[min(others, key=lambda person: abs(_position(person) - _MIDDLE[split]))] = split
    return found


_MIDDLE = {"train": _TRAIN / 2, "validation": _TRAIN + _VALIDATION / 2, "test": 0.9}


def _position(person: str) -> float:
    """Where a person stands, uniform in [0, 1)."""
    digest = hashlib.sha256(person.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

"""The attack catches what a reference leaves behind, and nothing where nothing is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from mien import facs
from mien.data.loading import Renders
from mien.errors import DataError
from mien.metrics import leakage
from mien.metrics.leakage import SHOWN, LeakageSplit, LeakageTrial, attack, leakage_split, states


class Patches:
    """A stored picture that is like no other."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def image(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        return rng.integers(0, 255, (8, 8, 3)).repeat(20, 0).repeat(20, 1).astype(np.uint8)


def photo(person: int) -> Renders:
    units = np.stack([facs.prototype(name) for name in facs.EMOTIONS])
    points = np.full((len(units), 68, 2), 80, np.float32)
    stored = [Patches(person) for k in range(len(units))]
    shared = list(range(-1, len(units) - 1))
    return Renders(
        str(person),
        True,
        160,
        units,
        points,
        shared,
        list(range(len(units))),
        [0.0] * len(units),
        stored,  # type: ignore[arg-type]
    )


PEOPLE = LeakageSplit(
    [photo(k) for k in range(4)],
    [photo(k) for k in range(4, 12)],
    [photo(k) for k in range(12, 16)],
)


def leaving(share: float) -> float:

    def edit(trial: LeakageTrial) -> Tensor:
        return trial.truth.pixels + share * trial.reference.pixels

    return attack(edit, PEOPLE, 64).best


def test_nothing_left_is_chance_and_a_trace_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    # small pictures are told apart as well, and sooner
    monkeypatch.setattr(leakage, "SEEN", 16)
    monkeypatch.setattr(leakage, "SHOWN", SHOWN[:4])
    assert leaving(0.0) == pytest.approx(0.25, abs=0.01)
    assert leaving(0.2) > 0.9


def test_everybody_shows_every_emotion() -> None:
    assert states(PEOPLE.references[0]) == {k: k for k in SHOWN}


def test_the_groups_of_a_split_share_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leakage, "open_renders", lambda *_: [photo(k) for k in range(10)])
    people = leakage_split(Path("renders"), "test", 4, 6)
    groups = [{p.person for p in some} for some in (people.references, people.learn, people.test)]
    assert [len(g) for g in groups] == [4, 3, 3]
    assert len(set.union(*groups)) == 10
    with pytest.raises(DataError, match="has 10 people in all emotions, 12 are needed"):
        leakage_split(Path("renders"), "test", 4, 8)

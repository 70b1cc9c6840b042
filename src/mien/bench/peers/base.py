"""The contract of a peer: its facts, its own networks trained by its own loop, and its row.

A row is a `mien.methods.learnt.Learnt` that serves the guides its authors gave it and no other: a
protocol that asks for more is skipped with the reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mien.bench.peers.feed import Clock
from mien.errors import GuideError
from mien.guides import ActionUnits, Label, Reference
from mien.methods.learnt import Learnt
from mien.methods.registry import OWN
from mien.metrics.trials import Editing, Own, Section, Trial, Units, asked_of
from mien.types import Expression, Faces, Identity

ASKS = {
    Label: "labels",
    Reference: "references",
    ActionUnits: "action units",
    Units: "action units",
}
"""What a trial can ask by, in a word."""
STYLES = 1024
"""Random codes whose mean style stands for a label, where a peer draws styles at random."""


@dataclass(frozen=True)
class Facts:
    """What is known of a peer before its code is opened."""

    name: str
    folder: str
    """Of the checkout, as the repository is called."""
    repository: str
    commit: str
    """That the adapter was written and tried against."""
    licence: str
    batch: int
    """Its authors' own batch size."""


@dataclass(frozen=True)
class Plan:
    """A training: side of the pictures, images to be seen, images a batch."""

    size: int
    images: int
    batch: int

    @property
    def steps(self) -> int:
        """Batches that show at least `images`."""
        return -(-self.images // self.batch)


class PeerMethod(Learnt):
    """A trained peer as a method; `serves` says what it may be asked by."""

    serves: ClassVar[tuple[type, ...]]

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.drawn_by = OWN  # a peer is measured by its own pictures
        self._typical: dict[int, Tensor] = {}

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        return Identity(source, ())

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        raise GuideError(f"{self.name} takes no action units: ask it by {self._served()}")

    def units(self, expression: Expression[Tensor]) -> Tensor:
        raise GuideError(f"{self.name} reads no action units: ask it by {self._served()}")

    def typical(self, index: Tensor, style: Callable[[int], Tensor]) -> Expression[Tensor]:
        """The code (B, D) of labels (B,) by `style`, asked once a label: a row's nets are done
        learning.
        """
        for label in set(index.tolist()) - self._typical.keys():
            self._typical[label] = style(label)
        return Expression(torch.stack([self._typical[label] for label in index.tolist()]))

    def _served(self) -> str:
        return " or ".join(dict.fromkeys(ASKS[kind] for kind in self.serves if kind in ASKS))

    def cannot(self, section: Section) -> str | None:
        """Why this peer takes no part in a section; None where it does."""
        for kind in {type(trial.ask) for trial in section.trials} - {Own}:
            if kind not in self.serves:
                return f"{self.name} takes no {ASKS[kind]}"
        return None

    def asked(self, trial: Trial) -> Expression[Tensor]:
        """The expression that a trial asks for at full intensity, in the peer's own code."""
        return asked_of(self, trial)

    def editing(self) -> Editing:
        """Its results on trials, for the scorecard."""

        @torch.no_grad()
        def edit(trial: Trial) -> Tensor:
            wanted = self.asked(trial)
            if trial.intensity != 1:
                wanted = self.encode(trial.source).toward(wanted, trial.intensity)
            return self.decode(self.identity(trial.source), wanted)

        return edit


class Peer(ABC):
    """A public system in training: built from its checkout at once, trained by `train`."""

    facts: ClassVar[Facts]
    nets: Mapping[str, nn.Module]
    """Everything that training changes, by name."""
    optimisers: Sequence[torch.optim.Optimizer]
    shown: ClassVar[tuple[str, ...]]
    """Names of the nets that its row needs; what is published of a training."""

    def __init__(self, root: Path, plan: Plan) -> None:
        self.plan = plan
        self.build(root)

    @abstractmethod
    def build(self, root: Path) -> None:
        """Make the peer's own networks and optimisers at the plan's size."""

    @abstractmethod
    def train(self, clock: Clock, folder: Path, split: str, seed: int, workers: int) -> None:
        """Run the peer's own steps `clock.first` to `clock.last` on mien's data."""

    @abstractmethod
    def row(self) -> PeerMethod:
        """What the networks are now, as a method that shares them."""

    def scalars(self) -> Mapping[str, float]:
        """What else changes while it trains: rates and weights on a schedule."""
        return {}

    def restore(self, scalars: Mapping[str, float], steps: int) -> None:
        """Bring such schedules to where they were after `steps`."""
        assert not scalars, f"{self.facts.name} has no schedules to bring back"


def device() -> torch.device:
    """Where peers put themselves: a GPU wherever torch sees one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def whole(tensor: Any) -> Tensor:
    """What a checkout's untyped code gave, as the tensor that it is."""
    assert isinstance(tensor, Tensor)
    return tensor

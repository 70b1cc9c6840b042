"""What is asked of an editor: faces, a guide, and what is known of the right answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from mien.guides import ActionUnits, Label, Reference
from mien.methods.base import Method
from mien.types import Expression, Faces, Identity

BATCH = 16


@dataclass(frozen=True)
class Units:
    """Every unit, told in numbers (B, 47) in [0, 1]."""

    values: Tensor


@dataclass(frozen=True)
class Own:
    """The expression that the source wears already: nothing should change."""


Ask: TypeAlias = Label | Reference | ActionUnits | Units | Own


@dataclass(frozen=True)
class Trial:
    """A batch that is asked one kind of thing at one intensity; what is not known is None."""

    source: Faces[Tensor]
    people: tuple[str, ...]
    names: tuple[str, ...]
    """What each is asked for, in a word: an emotion or a unit. The scorecard breaks down by it."""
    ask: Ask
    intensity: float = 1.0
    truth: Faces[Tensor] | None = None
    emotions: tuple[int, ...] | None = None
    """What a judge should call each result, places in `facs.EMOTIONS`."""
    units: Tensor | None = None
    """Action units (B, 47) that each result should wear."""
    lender: Faces[Tensor] | None = None
    """Somebody else who lends the expression: a result should not become them."""
    direction: Tensor | None = None
    """Units (47,) that are asked for in proportion to an amount, from a face at rest."""
    amount: float = 0.0
    """How much of `direction` is asked for."""

    def __len__(self) -> int:
        return len(self.people)

    def tensors(self, asked: bool) -> Iterator[Tensor]:
        """Every number in it, for a hash; those of the guide too, if `asked`."""
        for faces in (self.source, self.truth, self.lender):
            if faces is not None:
                yield from (faces.pixels, faces.landmarks)
        if asked and isinstance(self.ask, Reference):
            yield from (self.ask.faces.pixels, self.ask.faces.landmarks)
        if asked and isinstance(self.ask, Units):
            yield self.ask.values
        yield from (t for t in (self.units, self.direction) if t is not None)


@dataclass(frozen=True)
class Section:
    """Trials that are summed up together: a line of the scorecard for each contestant."""

    name: str
    trials: Sequence[Trial]
    answer: str | None = None
    """What the truth is, if it is an answer that deserves a line: the rig, or a photograph."""
    answers: Sequence[Trial] = ()
    """What the answer's line is measured on, where that is not `trials` itself."""
    intensity: bool = False
    """Whether what counts is how a reading follows the amount asked for, not single results."""

    @property
    def people(self) -> list[str]:
        """Whose faces are edited, once each."""
        return sorted({person for trial in self.trials for person in trial.people})


Editing: TypeAlias = Callable[[Trial], Tensor]
"""What is measured: a trial -> pictures (B, 3, S, S) in [-1, 1]."""


def nothing(trial: Trial) -> Tensor:
    """The unedited source."""
    return trial.source.pixels


def answer(trial: Trial) -> Tensor:
    """The truth itself: what the measures make of the right answer."""
    assert trial.truth is not None
    return trial.truth.pixels


def edited_by(method: Method[Any]) -> Editing:
    """A method's results; even where nothing is asked for its network draws the picture."""
    last: list[tuple[Faces[Tensor], Identity[Any]]] = []

    @torch.no_grad()
    def edit(trial: Trial) -> Tensor:
        # a protocol may ask a hundred things of the same faces in a row
        if not last or last[0][0] is not trial.source:
            last[:] = [(trial.source, method.identity(method.seen(trial.source)))]
        _, identity = last[0]
        if isinstance(trial.ask, Own | Units) or trial.intensity == 1:
            wanted = asked_of(method, trial)
        else:
            own = method.encode(identity.source)
            wanted = method.wanted(identity.source, own, trial.ask, trial.intensity)
        return torch.as_tensor(method.decode(identity, wanted))

    return edit


def asked_of(method: Method[Any], trial: Trial) -> Expression[Any]:
    """The expression that a trial asks for at full intensity, in the method's own code."""
    match trial.ask:
        case Own():
            return method.encode(method.seen(trial.source))
        case Units(values):
            return method.from_units(method.array(values.numpy()))
        case guide:
            return method.expression(guide, method.seen(trial.source))


def batches(count: int, size: int = BATCH) -> list[slice]:
    """Slices that cover `count` items."""
    return [slice(i, i + size) for i in range(0, count, size)]


def part(faces: Faces[Tensor], some: slice) -> Faces[Tensor]:
    """Some of a batch."""
    return Faces(faces.pixels[some], faces.landmarks[some])

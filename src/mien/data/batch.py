"""What a training step is given: faces, what is known of them, and the truth between them.

All are frozen dataclasses of tensors. A data set's item is one without the leading B, which
`collate` adds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Self, TypeVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tensors:
    """Tensors with the batch in front, under names; some may be groups of such, or None."""

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with every tensor changed."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{name: _changed(value, change) for name, value in found.items()})

    def to(self, device: torch.device | str) -> Self:
        """The same on a device."""
        return self.map(lambda t: t.to(device))

    def __getitem__(self, rows: slice | Tensor) -> Self:
        """Some of the batch: a slice, or a mask or indices (B,)."""
        return self.map(lambda t: t[rows])

    def __len__(self) -> int:
        return len(next(v for f in fields(self) if (v := getattr(self, f.name)) is not None))


Group = TypeVar("Group", bound=Tensors)


def _changed(
    value: Tensor | Tensors | None, change: Callable[[Tensor], Tensor]
) -> Tensor | Tensors | None:
    if isinstance(value, Tensors):
        return value.map(change)
    return None if value is None else change(value)


def collate(items: Sequence[Group]) -> Group:
    """Items of one kind -> the batch of them."""
    made = {}
    for field in fields(items[0]):
        values = [getattr(item, field.name) for item in items]
        first = values[0]
        if isinstance(first, Tensors):
            made[field.name] = collate(values)
        else:
            made[field.name] = None if first is None else torch.stack(values)
    return type(items[0])(**made)


@dataclass(frozen=True)
class Shown(Tensors):
    """Faces and what they show."""

    pixels: Tensor
    """(B, 3, S, S) in [-1, 1]."""
    units: Tensor
    """Action units (B, 47) in [0, 1]."""
    label: Tensor
    """int64 (B,): index of the emotion whose full prototype the units are, or -1."""
    exact: Tensor
    """(B,): 1 where `units` is the truth, 0 where it is the estimate of a fit."""
    landmarks: Tensor
    """(B, 68, 2) px."""
    coded: Tensor | None = None
    """(B, 47): 1 for the units that are known where some of a face's are not; None: `exact` says
    it of all. Also 1 where an emotion's prototype stands for units that nobody coded
    (`photographs.suggested`): a suggestion, of which `exact` is 0."""

    @property
    def known(self) -> Tensor:
        """Which units are the truth: (B, 47), 0 or 1."""
        if self.coded is not None:
            return self.coded
        return self.exact[:, None].expand_as(self.units)


@dataclass(frozen=True)
class Person(Tensors):
    """Who faces are of."""

    index: Tensor
    """int64 (B,): place in the data set's list of people; -1 where nothing else shows them."""
    neutral: Tensor
    """(B, 3, 64, 64) in [-1, 1]: the person without an expression, posed and lit as the face; of
    photographs another one of theirs, turned and lit by the same draw."""
    has_neutral: Tensor
    """(B,): 1 where such a picture is there; `neutral` is grey where it is not."""


@dataclass(frozen=True)
class Truth(Tensors):
    """How the target comes out of the source, as the rig drew it."""

    flow: Tensor
    """(B, 2, 64, 64), crop units: where in the source a pixel of the target is."""
    visible: Tensor
    """(B, 1, 64, 64) in [0, 1]: 1 where the source shows it."""
    mouth: Tensor
    """(B, 1, 64, 64) in [0, 1]: 1 inside the target's open mouth."""
    known: Tensor
    """(B,): 1 where flow and visibility are known, that is where the source is the photograph."""


@dataclass(frozen=True)
class Batch(Tensors):
    """Faces alone."""

    source: Shown


@dataclass(frozen=True)
class Named(Batch):
    """Faces and the emotions to give them; what they then look like is not known."""

    wanted: Tensor
    """int64 (B,): index of an emotion."""


@dataclass(frozen=True)
class Strangers(Batch):
    """Faces, and as many of other people: what the first look like with the expressions of the
    second is not known."""

    donor: Shown
    source_person: Person | None
    donor_person: Person | None
    """Both None where nobody asked for them."""


@dataclass(frozen=True)
class Pairs(Strangers):
    """The same where it is known: the first with the expression that the second show."""

    target: Shown
    truth: Truth

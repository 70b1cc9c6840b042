"""What is asked of an editor: faces, a guide, and what is known of the right answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from mien.errors import FaceUndrawable
from mien.faces.align import resized, transform, warp
from mien.faces.paste import paste
from mien.guides import ActionUnits, Guide, Label, Reference
from mien.methods.base import Method
from mien.methods.registry import OWN
from mien.nn.tensors import to_tensor, to_uint8
from mien.types import AlignedFace, Expression, Faces, Float, Identity, UInt8

BATCH = 16


@dataclass(frozen=True)
class Units:
    """Every unit, given in numbers (B, 47) in [0, 1]."""

    values: Tensor


@dataclass(frozen=True)
class Own:
    """The expression that the source shows already: nothing should change."""


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
    """Action units (B, 47) that each result should show."""
    reference: Faces[Tensor] | None = None
    """Somebody else whose expression it is: a result should not become them."""
    direction: Tensor | None = None
    """Units (47,) that are asked for in proportion to an amount, from a face at rest."""
    amount: float = 0.0
    """How much of `direction` is asked for."""
    coded: Tensor | None = None
    """Action units (B, 47) that somebody coded in the truth, NaN where nobody did."""

    def __len__(self) -> int:
        return len(self.people)

    def tensors(self, asked: bool) -> Iterator[Tensor]:
        """Every number in it, for a hash; those of the guide too, if `asked`."""
        for faces in (self.source, self.truth, self.reference):
            if faces is not None:
                yield from (faces.pixels, faces.landmarks)
        if asked and isinstance(self.ask, Reference):
            yield from (self.ask.faces.pixels, self.ask.faces.landmarks)
        if asked and isinstance(self.ask, Units):
            yield self.ask.values
        yield from (t for t in (self.units, self.direction, self.coded) if t is not None)


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
    parts: bool = False
    """Whether faces have their own size, and mouth, eyes and brows are measured apart."""

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
    """A method's own pictures, by its own codes; even where nothing is asked for its network draws
    them."""
    method.drawn_by = OWN
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


def pasted_by(method: Method[Any]) -> Editing:
    """A method's results as a user gets them: each face at its own side, drawn by whatever the
    method draws with, and pasted into its crop. A face that cannot be drawn stays as it is.
    """

    @torch.no_grad()
    def edit(trial: Trial) -> Tensor:
        return torch.cat([one(trial, i) for i in range(len(trial))])

    def one(trial: Trial, index: int) -> Tensor:
        source = part(trial.source, slice(index, index + 1))
        pixels = to_uint8(source.pixels)[0]
        faces = Faces.stack([_crop(pixels, source.landmarks[0].numpy(), len(pixels))])
        wanted: Guide | Expression[Any]
        match trial.ask:
            case Own():
                wanted = method.shown(method.seen(faces))
            case Units(values):
                wanted = method.from_units(method.array(values[index : index + 1].numpy()))
            case guide:
                wanted = guide.of(index)
        try:
            made = method.edit(faces, wanted, trial.intensity)
        except FaceUndrawable:
            return source.pixels
        crop = _crop(pixels, source.landmarks[0].numpy(), made.mask.shape[-1])
        return to_tensor(paste(pixels, crop, made))

    return edit


def _crop(pixels: UInt8, landmarks: Float, side: int) -> AlignedFace:
    """A crop taken for a photograph, and its face as a method that sees `side` px has it."""
    whole = np.eye(2, 3, dtype=np.float32)
    if side == len(pixels):
        return AlignedFace(pixels, whole, landmarks)
    matrix = resized(whole, len(pixels), side)
    return AlignedFace(warp(pixels, matrix, side), matrix, transform(matrix, landmarks))


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

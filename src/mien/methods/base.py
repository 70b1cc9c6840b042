"""The contract of a method: what stays, what is lent, and their composition; and how it is trained.

Every method answers four calls, whatever is inside. Transfer, swap, interpolation, metrics, the
editor, the web form and the contract tests are written against these alone.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mien import facs
from mien.errors import ConfigError, GuideError
from mien.methods.strengths import ANY, Strengths, stronger
from mien.nn.compose import compose, unchanged
from mien.types import ActionUnits, Composition, Faces, Guide, Label, Reference

FOLLOW = 0.5
"""Share of what a result lacks that is asked for on top: its reading is not exact either."""


@dataclass(frozen=True)
class Identity:
    """What stays: who it is, pose, light, background. `features` are the method's own; `source` the
    pixels.
    """

    source: Faces
    features: tuple[Tensor, ...]


@dataclass(frozen=True)
class Expression:
    """What is lent: a code (B, D). Codes of one method lie in one space, where lines mean
    intensity.
    """

    code: Tensor

    def toward(self, other: Expression, intensity: float | Tensor) -> Expression:
        """The point on the line from this expression (0) through the other (1) and beyond; one
        intensity, or (B, 1).
        """
        return Expression(self.code + intensity * (other.code - self.code))


class Method(nn.Module, ABC):
    """Base of all methods; see the module's text. `native` are the guides it takes without a learnt
    map.
    """

    name: ClassVar[str]
    native: ClassVar[tuple[type, ...]]
    at_inference: ClassVar[tuple[str, ...]] = ()
    """Fields of the architecture that no weight depends on: chosen anew by `mien.load(name,
    passes=5)` or `--set passes=5`.
    """
    size: int
    checks: int = 0
    """How often `answer` reads its result and asks again for what is missing."""
    strengths: Strengths = MappingProxyType({})
    """What weak expressions are asked for as, so that they show as strong as they are meant."""

    @abstractmethod
    def identity(self, source: Faces) -> Identity:
        """Identity of `source` (B)."""

    @abstractmethod
    def encode(self, faces: Faces) -> Expression:
        """The expression that faces (B) wear: code (B, D)."""

    @abstractmethod
    def from_labels(self, index: Tensor) -> Expression:
        """The expressions of emotion labels, int64 (B,) into `facs.EMOTIONS`."""

    @abstractmethod
    def from_units(self, units: Tensor) -> Expression:
        """The expressions of action-unit vectors (B, 47) in [0, 1]."""

    @abstractmethod
    def units(self, expression: Expression) -> Tensor:
        """The method's own reading of a code as action units, (B, 47) in [0, 1]."""

    @abstractmethod
    def compose(self, identity: Identity, expression: Expression) -> Composition:
        """What to do to the source so that it wears the expression."""

    def explain(self, source: Faces, expression: Expression) -> list[tuple[str, Tensor]]:
        """Named pictures (B, 3, s, s) in [-1, 1], each of its own side, of what the method makes of
        `source` on the way to the expression; the last is the result.

        Optional: ConfigError for a method that has nothing to show.
        """
        raise ConfigError(f"{self.name} has nothing inside to look at: choose another --method")

    def invent(
        self, count: int, generator: torch.Generator | None = None, spread: float = 1.0
    ) -> Identity:
        """Identities (count) of people who do not exist, at rest: `source` are their portraits.

        generator: the random numbers, on the CPU; spread: how far from the average person, 1 as
        people are. Optional: ConfigError for a method that cannot draw a face from nothing.
        """
        raise ConfigError(f"{self.name} invents nobody: choose another --method")

    def expression(self, guide: Guide, source: Faces | None = None) -> Expression:
        """The expression a guide asks for: code (B, D).

        `source` (B) is needed by `ActionUnits`, whose unnamed units stay as they are there: the
        code moves from the source's own by exactly what the named units change. A single reference
        serves a batch.
        """
        match guide:
            case Label():
                batch = len(source) if source is not None else len(guide.names)
                return self._labelled(guide, batch)
            case Reference():
                return self.encode(guide.faces)
            case ActionUnits():
                if source is None:
                    raise GuideError("action units change a source: give the source face too")
                return self.stepped(self.encode(source), guide, 1.0)

    def _labelled(self, guide: Label, batch: int) -> Expression:
        """Labels (B): those with a variant by their units, for the method knows the eight alone."""
        asked = self.from_labels(guide.indices(batch).to(self.device))
        varied = guide.varied(batch).to(self.device)
        if not varied.any():
            return asked
        units = self.from_units(guide.units(batch).to(self.device))
        return Expression(torch.where(varied[:, None], units.code, asked.code))

    @property
    def strengths_used(self) -> Strengths:
        """None where checks find out themselves what is missing."""
        return {} if self.checks else self.strengths

    def stepped(self, own: Expression, guide: ActionUnits, intensity: float) -> Expression:
        """The code that moves from a source's own (B) by what the named units change, each by
        `intensity` of it.
        """
        start = self.units(own)
        read = start.cpu().numpy()
        wanted = np.stack([facs.apply(guide.settings, s) for s in read])
        change = stronger(self.strengths_used, intensity * (wanted - read))
        moved = torch.from_numpy((read + change).astype(np.float32)).to(start)
        step = self.from_units(moved).code - self.from_units(start).code
        return Expression(own.code + step)

    def wanted(
        self, source: Faces, own: Expression, guide: Guide | Expression, intensity: float
    ) -> Expression:
        """The expression to ask for so that `intensity` of the way from the source's own to the
        guide's shows. With `checks`, as it is meant: they find themselves what is missing.
        """
        if isinstance(guide, ActionUnits):
            return self.stepped(own, guide, intensity)
        asked = guide if isinstance(guide, Expression) else self.expression(guide, source)
        names = guide.names if isinstance(guide, Label) else (ANY,)
        share = [float(stronger(self.strengths_used, intensity, name)) for name in names]
        return own.toward(asked, own.code.new_tensor(share)[:, None])

    def answer(self, identity: Identity, expression: Expression) -> Composition:
        """What to do to the source so that it is read to wear the expression.

        `compose`, and then `checks` times: the result is read as action units, and half of what it
        lacks is asked for on top. Faces do not all answer alike; this makes one ask mean one
        strength on more of them. It costs one more encoding and composing each time.
        """
        edit = self.compose(identity, expression)
        if not self.checks:
            return edit
        face, wanted = identity.source, self.units(expression)
        code, start = expression.code, self.from_units(wanted).code
        for _ in range(self.checks):
            seen = Faces(compose(face.pixels, edit).clamp(-1, 1), face.landmarks)
            lacks = wanted - self.units(self.encode(seen))
            code = code + self.from_units(wanted + FOLLOW * lacks).code - start
            edit = self.compose(identity, Expression(code))
        return edit

    def decode(self, identity: Identity, expression: Expression) -> Tensor:
        """The face (B, 3, S, S) in [-1, 1] of an identity under an expression."""
        return compose(identity.source.pixels, self.answer(identity, expression)).clamp(-1, 1)

    @torch.no_grad()
    def edit(self, source: Faces, guide: Guide | Expression, intensity: float = 1.0) -> Composition:
        """What to do to `source` (B); `intensity` 0 is its own expression, 1 the guide's, beyond is
        allowed. An expression that is known already may stand for the guide.

        Where the expression asked for is the source's own, the composition changes nothing, to the
        bit.
        """
        own = self.encode(source)
        wanted = self.wanted(source, own, guide, intensity)
        if torch.equal(wanted.code, own.code):
            return unchanged(source.pixels)
        return self.answer(self.identity(source), wanted)

    @torch.no_grad()
    def generate(self, source: Faces, guide: Guide, intensity: float = 1.0) -> Tensor:
        """`source` (B) under the guide's expression: float32 (B, 3, S, S) in [-1, 1]."""
        return compose(source.pixels, self.edit(source, guide, intensity)).clamp(-1, 1)

    @torch.no_grad()
    def read(self, faces: Faces) -> Tensor:
        """The method's own reading of the action units of faces, (B, 47) in [0, 1]. No judge: see
        `judges/`.
        """
        return self.units(self.encode(faces))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device


@dataclass(frozen=True)
class Loss:
    """A total to minimise and its named parts, already weighted, for the log."""

    parts: Mapping[str, Tensor]

    @classmethod
    def weighed(cls, parts: Mapping[str, Tensor], weights: object) -> Loss:
        """Parts times the fields of `weights` of the same names; parts of weight 0 vanish."""
        return cls({k: getattr(weights, k) * v for k, v in parts.items() if getattr(weights, k)})

    @property
    def total(self) -> Tensor:
        """The sum of the parts, a scalar."""
        return torch.stack(list(self.parts.values())).sum()


def rate_at(progress: float, rise: float, decay: str) -> float:
    """Factor of a learning rate at `progress` 0..1 of its course: up over the share `rise`, then as
    `decay` says: none, linear (falls from half on) or cosine.
    """
    start = min(1.0, progress / rise) if rise else 1.0
    fall = {
        "none": 1.0,
        "linear": min(1.0, 2 * (1 - progress)),
        "cosine": 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)),
    }[decay]
    return max(start * fall, 1e-3)


@dataclass(frozen=True)
class Group:
    """Modules that one optimiser steps at one learning rate."""

    modules: Sequence[nn.Module]
    lr: float


@dataclass(frozen=True)
class Phase:
    """One kind of step in training: what it minimises, what it updates, how often, from when to
    when.

    `every` n-th batch; `start` and `stop` (None: the end) in images seen: phases that follow one
    another are the stages of a training, each with an optimiser of its own. The optimiser is Adam
    (AdamW when `weight_decay` > 0); `clip` bounds the gradient's norm per module of a group.
    """

    name: str
    groups: Sequence[Group]
    loss: Callable[[Any, int], Loss]  # (batch, images seen) -> Loss
    every: int = 1
    start: int = 0
    stop: int | None = None
    betas: tuple[float, float] = (0.0, 0.99)
    weight_decay: float = 0.0
    clip: float = 100.0
    schedule: Callable[[float], float] = field(
        default=lambda _: 1.0
    )  # progress 0..1 -> factor of lr

    def runs(self, seen: int) -> bool:
        """Whether it takes part at so many images."""
        return self.start <= seen and (self.stop is None or seen < self.stop)


class Task(nn.Module, ABC):
    """How a method is trained: its phases, the data it wants, and the average that is kept."""

    method: Method
    ema_images: float
    """Half-life of the moving average of the method's weights, in images (after EDM2's convention).
    """

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The phases of one training step, in order."""

    @abstractmethod
    def dataset(self, split: str, seed: int) -> Any:
        """A map-style dataset; item i depends on (seed, i) alone, so that resuming is exact."""

    def conclude(self, method: Method) -> None:
        """The last touch to the averaged method before its weights are written: whatever is fitted
        to what has been learnt, and not learnt itself.
        """

    @torch.no_grad()
    def preview(self, method: Method, batch: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
        """Named columns (B, 3, S, S) of a sheet of pictures, made with the averaged method.

        Source, every label, the source's own code; where the truth is known, the target by
        reference and by units.
        """
        x = batch["source"]
        source = Faces(x, x.new_zeros(len(x), 68, 2))
        identity = method.identity(source)
        columns = [("source", x)]
        for k, name in enumerate(facs.EMOTIONS):
            index = torch.full((len(x),), k, device=x.device)
            columns.append((name, method.decode(identity, method.from_labels(index))))
        columns.append(("own", method.decode(identity, method.encode(source))))
        if "target" in batch:
            donor = Faces(batch["donor"], source.landmarks)
            columns += [
                ("donor", batch["donor"]),
                ("like donor", method.decode(identity, method.encode(donor))),
                ("by units", method.decode(identity, method.from_units(batch["target_units"]))),
                ("truth", batch["target"]),
            ]
        return columns

    @torch.no_grad()
    def validate(self, method: Method, batch: Mapping[str, Tensor]) -> dict[str, float]:
        """PSNR (dB) to the truth, of the averaged method by units and by reference, and of the
        unedited source; nothing where no truth is known.
        """
        if "target" not in batch:
            return {}
        x, y = batch["source"], batch["target"]
        source = Faces(x, x.new_zeros(len(x), 68, 2))
        keep = (x - y).abs().flatten(1).amax(1) > 0
        identity = method.identity(source)
        edits = method.decode(identity, method.from_units(batch["target_units"]))
        lent = method.decode(identity, method.encode(Faces(batch["donor"], source.landmarks)))
        return {
            "psnr_nothing": psnr(x[keep], y[keep]),
            "psnr_units": psnr(edits[keep], y[keep]),
            "psnr_reference": psnr(lent[keep], y[keep]),
        }


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over the batch of 10 log10(4 / MSE) for images in [-1, 1], dB."""
    mse = (a - b).square().flatten(1).mean(1).clamp_min(1e-10)
    return float((10 * torch.log10(4 / mse)).mean())

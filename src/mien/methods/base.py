"""The contract of a method: what stays, what is lent, and their composition.

Every method answers four calls, whatever is inside. Transfer, swap, interpolation, metrics, the
editor, the web form and the contract tests are written against these alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mien import facs
from mien.errors import ConfigError, FaceUndrawable, GuideError
from mien.face_model import units as model_units
from mien.guides import Guide
from mien.methods.drawing import Memory, ModelHead, shipped_head
from mien.methods.registry import MODEL
from mien.methods.strengths import ANY, Strengths, stronger
from mien.nn.compose import changes_nothing, compose, unchanged
from mien.types import Composition, Expression, Faces, Identity

REMEMBERED = 8
"""Faces whose own code is kept for the next ask."""
FOLLOW = 0.5  # share of what a result lacks that is asked for on top: its reading is not exact


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
    drawn_by: str = MODEL
    """What turns an expression into a picture: `model`, the face model, fitted to the source, or
    the method's `own`; the own one too where the face model cannot be fitted."""
    checks: int = 0
    """How often `answer` reads its result and asks again for what is missing."""
    strengths: Strengths = MappingProxyType({})
    """What weak expressions are asked for as, so that they show as strong as they are meant."""

    def __init__(self) -> None:
        super().__init__()
        self._known = Memory[Expression](REMEMBERED)

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

        `source` (B) is needed by guides that change it, such as `ActionUnits`, whose unnamed units
        stay as they are there. A single reference serves a batch.
        """
        return guide.expression(self, source, None if source is None else self.encode(source))

    def from_blendshapes(self, weights: Tensor) -> Expression:
        """The expressions of ARKit's blendshapes (B, 51), in the order of
        `guides.blendshapes.NAMES`: those of the action units that come nearest."""
        model = self.model_head.model
        shapes = [model_units.of_arkit(model, row) for row in weights.cpu().numpy()]
        units = np.stack([model_units.to_units(model, row) for row in shapes])
        return self.from_units(torch.from_numpy(units).to(self.device))

    def staged(
        self, own: Expression, turn: tuple[float, float, float], light: tuple[float, float]
    ) -> Expression:
        """The expression with the head turned and the key light moved; GuideError here, for most
        methods leave both as they are."""
        raise GuideError(f"{self.name} leaves head and light as they are: use --method morphable")

    def held(self, own: Expression, wanted: Expression, numbers: Iterable[int]) -> Expression:
        """The expression asked for, with the action units of these numbers as they are in the
        source's own."""
        start, goal = self.units(own), self.units(wanted)
        kept = goal.clone()
        at = [column for number in numbers for column in facs.columns(f"AU{number}")]
        kept[:, at] = start[:, at].expand(len(kept), -1)
        step = self.from_units(kept).code - self.from_units(goal).code
        return Expression(wanted.code + step)

    @property
    def strengths_used(self) -> Strengths:
        """None where checks find out themselves what is missing."""
        return {} if self.checks else self.strengths

    def share(self, intensity: float, names: Iterable[str] | None) -> Tensor:
        """How far to go so that `intensity` shows: for each of the named emotions (B, 1), or (1, 1)
        for any other expression."""
        asked = [float(stronger(self.strengths_used, intensity, n)) for n in names or (ANY,)]
        return torch.tensor(asked, device=self.device)[:, None]

    def stepped(
        self, own: Expression, settings: Iterable[facs.Setting], intensity: float
    ) -> Expression:
        """The code that moves from a source's own (B) by what the named units change, each by
        `intensity` of it.
        """
        settings = tuple(settings)
        start = self.units(own)
        read = start.cpu().numpy()
        wanted = np.stack([facs.apply(settings, s) for s in read])
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
        if isinstance(guide, Expression):
            return own.toward(guide, self.share(intensity, None))
        return guide.wanted(self, source, own, intensity)

    def answer(self, identity: Identity, expression: Expression) -> Composition:
        """What to do to the source so that it is read to wear the expression.

        `compose`, and then `checks` times: the result is read as action units, and half of what it
        lacks is asked for on top, so that one ask means one strength on more faces.
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

        `source` may be of any side, for a method that is `drawn_by` the face model: what it draws
        has that side, and a `gain`. Where the expression asked for is the source's own, the
        composition changes nothing, to the bit.
        """
        seen = self.seen(source)
        own = self._own(seen)
        wanted = self.wanted(seen, own, guide, intensity)
        if torch.equal(wanted.code, own.code):
            return unchanged(source.pixels)
        drawn = self.by_model(source, own, wanted) if self.drawn_by == MODEL else None
        return drawn or self.answer(self.identity(seen), wanted)

    def by_model(self, source: Faces, own: Expression, wanted: Expression) -> Composition | None:
        """The faces of `source` (B) moved by the face model from one code to another, both read as
        action units; None if one of them cannot be drawn so."""
        model = self.model_head.model
        start, goal = (self.units(code).cpu().numpy() for code in (own, wanted))
        steps = model_units.to_weights(model, goal) - model_units.to_weights(model, start)
        return self.model_head.moved(source, steps)

    def people(self, source: Faces) -> Tensor | None:
        """Who the faces (B) are, for other pictures of them (`Faces.people`): identity coefficients
        (B, 50) of the face model, None where it does not draw them."""
        if self.drawn_by != MODEL:
            return None
        try:
            return self.model_head.people(source)
        except FaceUndrawable:
            return None

    @property
    def model_head(self) -> ModelHead:
        """What fits and draws the face model."""
        return shipped_head()

    def seen(self, source: Faces) -> Faces:
        """The faces as the method sees them: at its own size."""
        return source.at(self.size)

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
        """Take a file's weights and what it says of itself; RuntimeError if they do not fit."""
        self.load_state_dict(dict(tensors))

    def _own(self, faces: Faces) -> Expression:
        """`encode`, from memory of faces seen a moment ago, unless weights are still learnt."""
        return self.encode(faces) if self.training else self._known.get(faces, self.encode)

    @torch.no_grad()
    def generate(self, source: Faces, guide: Guide, intensity: float = 1.0) -> Tensor:
        """`source` (B) under the guide's expression: float32 (B, 3, S, S) in [-1, 1]."""
        edit = self.edit(source, guide, intensity)
        if changes_nothing(edit):
            return source.pixels
        return compose(source.pixels, edit).clamp(-1, 1)

    @torch.no_grad()
    def read(self, faces: Faces) -> Tensor:
        """The method's own reading of the action units of faces, (B, 47) in [0, 1]. No judge: see
        `judges/`.
        """
        return self.units(self.encode(self.seen(faces)))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

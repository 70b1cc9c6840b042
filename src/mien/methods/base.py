"""The contract of a method: what stays, what is transferred, and their composition.

Every method answers a few calls, whatever is inside. Transfer, swap, interpolation, metrics, the
editor, the web form and the contract tests are written against these alone. A method works with one
kind of array, tensors (`methods.learnt`) or numpy's (the face model, without torch): `Array`.
Whoever edits photographs gives and gets numpy's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self

import numpy as np
from numpy.typing import NDArray

from mien import facs
from mien.errors import ConfigError, FaceUndrawable, GuideError
from mien.face_model import units as model_units
from mien.face_model.render import Rig
from mien.guides import Guide
from mien.memory import Memory
from mien.methods.drawing import ModelHead, shipped_head
from mien.methods.registry import MODEL
from mien.methods.strengths import ANY, Strengths, stronger
from mien.types import Array, Composition, Expression, Faces, Float, Identity, unchanged

if TYPE_CHECKING:
    import torch

REMEMBERED = 8
"""Faces whose own code is kept for the next ask."""


class Method(ABC, Generic[Array]):
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
    strengths: Strengths = MappingProxyType({})
    """What weak expressions are asked for as, so that they show as strong as they are meant."""

    def __init__(self) -> None:
        self._known: Memory[Expression[Any]] = Memory(REMEMBERED)

    # ---- what each method says itself ------------------------------------------------------------

    @abstractmethod
    def identity(self, source: Faces[Array]) -> Identity[Array]:
        """Identity of `source` (B)."""

    @abstractmethod
    def encode(self, faces: Faces[Array]) -> Expression[Array]:
        """The expression that faces (B) show: code (B, D)."""

    @abstractmethod
    def from_labels(self, index: Array) -> Expression[Array]:
        """The expressions of emotion labels, int64 (B,) into `facs.EMOTIONS`."""

    @abstractmethod
    def from_units(self, units: Array) -> Expression[Array]:
        """The expressions of action-unit vectors (B, 47) in [0, 1]."""

    @abstractmethod
    def units(self, expression: Expression[Array]) -> Array:
        """The method's own reading of a code as action units, (B, 47) in [0, 1]."""

    @abstractmethod
    def compose(
        self, identity: Identity[Array], expression: Expression[Array]
    ) -> Composition[Array]:
        """What to do to the source so that it shows the expression."""

    @abstractmethod
    def composed(self, pixels: Array, edit: Composition[Array]) -> Array:
        """Pixels (B, 3, T, T) with a composition applied, in [-1, 1]."""

    @abstractmethod
    def array(self, values: NDArray[Any]) -> Any:
        """Numbers as the method's own kind of array (`Array`, of the numbers' type)."""

    @abstractmethod
    def numbers(self, values: Array) -> Float:
        """The numbers of the method's own kind of array."""

    @abstractmethod
    def seen(self, source: Faces[Any]) -> Faces[Array]:
        """Faces of either kind as the method sees them: in its own arrays, at its own size."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, str]) -> None:
        """Take a file's weights and what it says of itself; RuntimeError if they do not fit."""

    def ready(self, device: str) -> Self:
        """The method with its weights restored, to edit on a device and learn no more."""
        return self

    def explain(
        self, source: Faces[Array], expression: Expression[Array]
    ) -> list[tuple[str, Array]]:
        """Named pictures (B, 3, s, s) in [-1, 1], each of its own side, of what the method makes of
        `source` on the way to the expression; the last is the result.

        Optional: ConfigError for a method that has nothing to show.
        """
        raise ConfigError(f"{self.name} has nothing inside to look at: choose another --method")

    def invent(
        self, count: int, generator: torch.Generator | None = None, spread: float = 1.0
    ) -> Identity[Array]:
        """Identities (count) of people who do not exist, at rest: `source` are their portraits.

        generator: the random numbers, on the CPU; spread: how far from the average person, 1 as
        people are. Optional: ConfigError for a method that cannot draw a face from nothing.
        """
        raise ConfigError(f"{self.name} invents nobody: choose another --method")

    # ---- the ways to a code ----------------------------------------------------------------------

    def shown(self, faces: Faces[Array]) -> Expression[Array]:
        """The expression that faces (B) show, as an edit starts from it and a reference transfers
        it: `encode`, where the method draws its own code.
        """
        return self.encode(faces)

    def expression(self, guide: Guide, source: Faces[Array] | None = None) -> Expression[Array]:
        """The expression a guide asks for: code (B, D).

        `source` (B) is needed by guides that change it, such as `ActionUnits`, whose unnamed units
        stay as they are there. A single reference serves a batch.
        """
        return guide.expression(self, source, None if source is None else self.shown(source))

    def transferred(
        self, faces: Faces[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        """The expression of other people's faces (B or 1) as `source` (B), whose own is `own`,
        would show it."""
        return self.shown(faces)

    def from_blendshapes(self, weights: Array) -> Expression[Array]:
        """The expressions of ARKit's blendshapes (B, 51), in the order of
        `guides.blendshapes.NAMES`: those of the action units that come nearest."""
        model = self.model_head.model
        shapes = [model_units.of_arkit(model, row) for row in self.numbers(weights)]
        units = np.stack([model_units.to_units(model, row) for row in shapes])
        return self.from_units(self.array(units))

    def blendshapes(self, expression: Expression[Array]) -> Float:
        """The method's own reading of a code as ARKit's blendshapes, (B, 51) in [0, 1], in the
        order of `guides.blendshapes.NAMES`: by way of the action units."""
        model = self.model_head.model
        weights = model_units.to_weights(model, self.numbers(self.units(expression)))
        return np.stack([model_units.to_arkit(model, row) for row in weights])

    def staged(
        self, own: Expression[Array], turn: tuple[float, float, float], light: tuple[float, float]
    ) -> Expression[Array]:
        """The expression with the head turned and the key light moved; GuideError here, for most
        methods leave both as they are."""
        raise GuideError(f"{self.name} leaves head and light as they are: use --method morphable")

    def held(
        self, own: Expression[Array], wanted: Expression[Array], numbers: Iterable[int]
    ) -> Expression[Array]:
        """The expression asked for, with the action units of these numbers as they are in the
        source's own."""
        goal = self.units(wanted)
        kept = self.numbers(goal).copy()
        at = [column for number in numbers for column in facs.columns(f"AU{number}")]
        kept[:, at] = self.numbers(self.units(own))[:, at]
        step = self.from_units(self.array(kept)).code - self.from_units(goal).code
        return Expression(wanted.code + step)

    def gazing_as(self, own: Expression[Array], wanted: Expression[Array]) -> Expression[Array]:
        """The expression asked for, with the eyes looking where they do in the source; as it is
        here, for networks that read emotions hardly know gaze from the rest."""
        return wanted

    @property
    def strengths_used(self) -> Strengths:
        """By which `share` and `stepped` correct what is asked."""
        return self.strengths

    def share(self, intensity: float, names: Iterable[str] | None) -> Array:
        """How far to go so that `intensity` shows: for each of the named emotions (B, 1), or (1, 1)
        for any other expression."""
        asked = [float(stronger(self.strengths_used, intensity, n)) for n in names or (ANY,)]
        share: Array = self.array(np.array(asked, np.float32)[:, None])
        return share

    def stepped(
        self, own: Expression[Array], settings: Iterable[facs.Setting], intensity: float
    ) -> Expression[Array]:
        """The code that moves from a source's own (B) by what the named units change, each by
        `intensity` of it.
        """
        settings = tuple(settings)
        start = self.units(own)
        read = self.numbers(start)
        wanted = np.stack([facs.apply(settings, s) for s in read])
        change = stronger(self.strengths_used, intensity * (wanted - read))
        moved = self.array((read + change).astype(np.float32))
        step = self.from_units(moved).code - self.from_units(start).code
        return replace(own, code=own.code + step)

    def wanted(
        self,
        source: Faces[Array],
        own: Expression[Array],
        guide: Guide | Expression[Array],
        intensity: float,
    ) -> Expression[Array]:
        """The expression to ask for so that `intensity` of the way from the source's own to the
        guide's shows.
        """
        if isinstance(guide, Expression):
            return own.toward(guide, self.share(intensity, None))
        return guide.wanted(self, source, own, intensity)

    # ---- edits -----------------------------------------------------------------------------------

    def answer(
        self, identity: Identity[Array], expression: Expression[Array]
    ) -> Composition[Array]:
        """What to do to the source so that it is read to show the expression."""
        return self.compose(identity, expression)

    def decode(self, identity: Identity[Array], expression: Expression[Array]) -> Array:
        """The face (B, 3, S, S) in [-1, 1] of an identity under an expression."""
        return self.composed(identity.source.pixels, self.answer(identity, expression))

    def edit(
        self,
        source: Faces[Float],
        guide: Guide | Expression[Array],
        intensity: float = 1.0,
        side: int | None = None,
    ) -> Composition[Float]:
        """What to do to `source` (B); `intensity` 0 is its own expression, 1 the guide's, beyond is
        allowed. An expression that is known already may stand for the guide.

        `source` may be of any side, for a method that is `drawn_by` the face model: what it draws
        has that side, or `side` px if that is less, and a `gain`. Where the expression asked for
        is the source's own, the composition changes nothing, to the bit.
        """
        seen = self.seen(source)
        own = self._own(source, seen)
        wanted = self.wanted(seen, own, guide, intensity)
        if bool((wanted.code == own.code).all()):
            return unchanged(source.pixels)
        drawn = self.by_model(source, own, wanted, side) if self.drawn_by == MODEL else None
        return drawn or self.answer(self.identity(seen), wanted).mapped(self.numbers)

    def generate(self, source: Faces[Array], guide: Guide, intensity: float = 1.0) -> Array:
        """`source` (B) under the guide's expression: float32 (B, 3, S, S) in [-1, 1]."""
        edit = self.edit(source.mapped(self.numbers), guide, intensity)
        if edit.nothing:
            return source.pixels
        return self.composed(source.pixels, edit.mapped(self.array))

    def read(self, faces: Faces[Any]) -> Array:
        """The action units of faces as the method's edits start from them, (B, 47) in [0, 1]. No
        judge: see `judges/`.
        """
        return self.units(self.shown(self.seen(faces)))

    def by_model(
        self,
        source: Faces[Float],
        own: Expression[Array],
        wanted: Expression[Array],
        side: int | None = None,
    ) -> Composition[Float] | None:
        """The faces of `source` (B) moved by the face model from one code to another, both read as
        action units, drawn at `side` px at most; None if one of them cannot be drawn so."""
        model = self.model_head.model
        start, goal = (self.numbers(self.units(code)) for code in (own, wanted))
        steps = model_units.to_weights(model, goal) - model_units.to_weights(model, start)
        return self.model_head.moved(source, steps, side)

    def people(self, source: Faces[Float]) -> Float | None:
        """Who the faces (B) are, for other pictures of them (`Faces.people`): identity coefficients
        (B, 50) of the face model, None where it does not draw them."""
        if self.drawn_by != MODEL:
            return None
        try:
            return self.model_head.people(source)
        except FaceUndrawable:
            return None

    def fits(self, source: Faces[Float], before: Sequence[Rig] = ()) -> list[Rig]:
        """The face model's fits of faces (B), for callers that look ahead: an edit of a face finds
        its fit as long as they hold it. Empty where the face model does not draw the faces.
        `before` (B), of faces with `people`: the fits of the same faces in the last frame."""
        if self.drawn_by != MODEL:
            return []
        try:
            return self.model_head.rigs(source, before)
        except FaceUndrawable:
            return []

    @property
    def read_by(self) -> str:
        """SHA-256 of the weights of the reader of action units by which edits start and references
        transfer; empty for a method that reads by its own networks."""
        return ""

    @property
    def model_head(self) -> ModelHead:
        """What fits and draws the face model."""
        return shipped_head()

    def _own(self, source: Faces[Float], seen: Faces[Array]) -> Expression[Array]:
        """`shown`, from memory of faces seen a moment ago."""
        own: Expression[Array] = self._known.get(source, lambda _: self.shown(seen))
        return own

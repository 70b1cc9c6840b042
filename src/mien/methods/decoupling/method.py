"""decoupling behind the common contract."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.guides import Reference
from mien.methods.decoupling.codes import Codes, Layout
from mien.methods.decoupling.config import Architecture
from mien.methods.decoupling.generator import Generator
from mien.methods.decoupling.networks import CodeMaps, Encoder, Feedback
from mien.methods.learnt import Learnt
from mien.nn.alive import Gate
from mien.nn.blocks import initialise
from mien.nn.compose import decisive, picture
from mien.nn.composer import Composer
from mien.nn.heads import ComposeHead
from mien.nn.spread import Crowd
from mien.types import Composition, Expression, Faces, Identity


class Decoupling(Learnt):
    """Identity and expression as latent codes of a progressive GAN's layers (Bao et al. 2023).

    The expression code (B, E) is what the mapping network reads; the identity is the other mapping
    network's code (B, D), mended by the feedback network's passes. Both heads live in one set of
    weights: the generator's picture from codes alone, and the composition with the photograph.
    """

    name: ClassVar[str] = "decoupling"
    native: ClassVar[tuple[type, ...]] = (Reference,)
    at_inference: ClassVar[tuple[str, ...]] = (
        "passes", "head", "occlusion_threshold", "refinement_steps", "project",
    )  # fmt: skip

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        a = self.architecture = architecture or Architecture()
        self.size, self.refinement_steps = a.size, a.refinement_steps
        self.layout = Layout.of(a)
        self.encoder = Encoder(a, self.layout)
        self.code_maps = CodeMaps(sum(self.layout.numbers))
        self.generator = Generator(a, self.layout)
        self.feedback = Feedback(a, self.layout)
        drawn, numbers = self.generator.widths[a.size // 4], sum(self.layout.numbers)
        self.composer = Composer(a.composer, a.blocks, drawn, numbers)
        self.head = ComposeHead(a.composer // 2, 2)
        self.crowd = Crowd(sum(self.layout.lengths), a.people)
        initialise(self)

    # ---- the contract --------------------------------------------------------------------------

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        """Features: the identity code after all passes; what these found in the expression beyond
        its code, which is this person's own way and stays; the expression code.
        """
        own = self.first_codes(source.pixels)
        seen = self.refined(source.pixels, own)
        code = self.transferable(seen.expression) if self.architecture.driven else own.expression
        return Identity(source, (seen.identity, seen.expression - code, code))

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        """The mapping network's code; `driven`: what the feedback network makes of it."""
        if not self.architecture.driven:
            return Expression(self.transferable(self.encoder.expressions(faces.pixels)))
        own = self.refined(faces.pixels, self.first_codes(faces.pixels))
        return Expression(self.transferable(own.expression))

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(self.code_maps.to_code(units))

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return self.code_maps.to_units(expression.code).clamp(0, 1)  # type: ignore[no-any-return]

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        who, manner, own = identity.features
        wanted = expression.code.expand(who.shape[0], -1) + manner
        if self.architecture.head == "picture":
            return picture(self.drawn(Codes(who, wanted)))
        edit = self.edited(identity.source.pixels, Codes(who, own + manner), wanted)
        return decisive(edit, self.architecture.occlusion_threshold)

    @torch.no_grad()
    def invent(
        self, count: int, generator: torch.Generator | None = None, spread: float = 1.0
    ) -> Identity[Tensor]:
        normal = torch.randn(count, self.architecture.people, generator=generator)
        who = self.crowd.draw(normal.to(self.device), spread)
        calm = self.from_labels(torch.zeros(count, dtype=torch.long, device=self.device)).code
        portrait = self.drawn(Codes(who, calm)).clamp(-1, 1)
        faces = Faces(portrait, portrait.new_zeros(count, 68, 2))
        return Identity(faces, (who, torch.zeros_like(calm), calm))

    @torch.no_grad()
    def explain(
        self, source: Faces[Tensor], expression: Expression[Tensor]
    ) -> list[tuple[str, Tensor]]:
        """The picture from codes alone after every pass, at rest, and the result."""
        own = self.first_codes(source.pixels)
        shown = []
        for k in range(self.architecture.passes):
            own = self.again(source.pixels, own) if k else own
            shown.append((f"codes, pass {k + 1}", self.drawn(own).clamp(-1, 1)))
        calm = self.from_labels(torch.zeros(len(source), dtype=torch.long, device=self.device))
        neutral = self.drawn(Codes(own.identity, calm.code)).clamp(-1, 1)
        return [
            *shown,
            ("identity at rest", neutral),
            ("result", self.decode(self.identity(source), expression)),
        ]

    def gates(self, face: Tensor) -> dict[str, Gate]:
        """For `nn.alive`: the mapping network's expression code (B, E) in [-1, 1]."""
        return {"expression code": Gate(self.encoder.expressions(face), -1.0)}

    # ---- its parts, for training too -----------------------------------------------------------

    def transferable(self, code: Tensor) -> Tensor:
        """What of an expression code goes over: all, or what the map makes of its units.

        Differs: what a code holds beside units is the reference's own; the map knows units alone.
        """
        if not self.architecture.project:
            return code
        return self.from_units(self.units(Expression(code))).code

    def first_codes(self, face: Tensor) -> Codes:
        """The mapping networks' codes of faces (B, 3, S, S), of the expression what goes over."""
        first = self.encoder(face)
        return Codes(first.identity, self.transferable(first.expression))

    def drawn(self, codes: Codes) -> Tensor:
        """The picture from codes alone (B, 3, S, S), whatever the generator has grown to."""
        made: Tensor = self.generator(codes)
        if made.shape[-1] < self.size:
            return F.interpolate(made, size=(self.size, self.size), mode="nearest")
        return made

    def again(self, face: Tensor, codes: Codes) -> Codes:
        """One pass: the codes (B) after a look at what they make of the face (B, 3, S, S)."""
        return codes.moved(self.feedback(face, self.drawn(codes)))

    def refined(self, face: Tensor, codes: Codes) -> Codes:
        """The codes of the face after all passes; the first is the mapping networks' own."""
        for _ in range(self.architecture.passes - 1):
            codes = self.again(face, codes)
        return codes

    def edited(self, face: Tensor, own: Codes, wanted: Tensor) -> Composition[Tensor]:
        """The composing head: the face (B, 3, S, S) of the codes `own` with the expression codes
        `wanted` (B, E).
        """
        layer = self.layout.sides.index(self.size // 4)
        with torch.no_grad():  # what is drawn already teaches the generator for the wanted one
            start = self.generator.features(own, layer)[-1]
        drawn = self.generator.features(Codes(own.identity, wanted), layer)[-1]
        seen = self.composer(face, start, drawn, own.expression, wanted)
        return self.head(seen, face)  # type: ignore[no-any-return]

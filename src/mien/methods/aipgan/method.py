"""aipgan behind the common contract."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from mien.guides import Reference
from mien.methods.aipgan import networks
from mien.methods.aipgan.config import Architecture
from mien.methods.learnt import Learnt
from mien.nn.alive import Gate
from mien.nn.blocks import initialise
from mien.nn.compose import decisive, resize
from mien.nn.encoder import ExpressionEncoder
from mien.nn.heads import ComposeHead, PictureHead
from mien.nn.units import UnitMap
from mien.types import Composition, Expression, Faces, Identity


class AIPGAN(Learnt):
    """Attention-based identity-preserving transfer (Ali and Hughes, 2020): references natively.

    The expression code (B, 128) is the bottleneck from which the landmarks are predicted; the
    identity is the maps that rebuild the intrinsic image.
    """

    name: ClassVar[str] = "aipgan"
    native: ClassVar[tuple[type, ...]] = (Reference,)
    at_inference: ClassVar[tuple[str, ...]] = ("occlusion_threshold", "refinement_steps", "project")

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        a = self.architecture = architecture or Architecture()
        self.size, self.refinement_steps = a.size, a.refinement_steps
        self.expression_encoder = ExpressionEncoder(a)
        self.expression_features = networks.ExpressionFeatures(a)
        self.identity_encoder = networks.IdentityEncoder(a)
        self.decoder = networks.Decoder(a)
        head = ComposeHead if a.head == "compose" else PictureHead
        self.head = head(a.width, a.stem)
        self.unit_map = UnitMap(a.code)
        initialise(self)

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        maps, _, _ = self.identity_encoder(source.pixels)
        return Identity(source, (*maps, self.encode(source).code))

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        code, _ = self.expression_encoder(faces.pixels)
        if self.architecture.project:
            # Differs: landmarks hold the reference's face shape too; the map knows units alone
            return self.from_units(self.units(Expression(code)))
        return Expression(code)

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(self.unit_map.to_code(units))

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return self.unit_map.to_units(expression.code).clamp(0, 1)  # type: ignore[no-any-return]

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        *maps, own = identity.features
        edit = self.transfer(identity.source.pixels, maps, own, expression.code)
        return decisive(edit, self.architecture.occlusion_threshold)

    def transfer(
        self, face: Tensor, maps: list[Tensor], own: Tensor, wanted: Tensor
    ) -> Composition[Tensor]:
        """The decoder, for training too: the face (B, 3, S, S) of these identity maps, from its
        `own` code to the `wanted` one (B or 1, 128).
        """
        wanted = wanted.expand(face.shape[0], -1)
        donor = self.expression_features(wanted)
        kept = self.expression_features(own) if self.architecture.relative else None
        return self.head(self.decoder(maps, donor, kept, face, wanted - own), face)  # type: ignore[no-any-return]

    def landmarks(self, code: Tensor) -> Tensor:
        """The landmarks (B, 68, 2), crop units, that codes say."""
        return self.expression_features.landmarks(self.expression_features(code)[-1])

    @torch.no_grad()
    def explain(
        self, source: Faces[Tensor], expression: Expression[Tensor]
    ) -> list[tuple[str, Tensor]]:
        """Where each encoder looks, the landmarks that it sees, the intrinsic image, the result."""
        code, gate = self.expression_encoder(source.pixels)
        maps, _, kept = self.identity_encoder(source.pixels)
        gates = {"expression looks": gate, "identity looks": kept}
        shown = [(k, lit(source.pixels, g)) for k, g in gates.items() if g is not None]
        return [
            *shown,
            ("landmarks", dotted(source.pixels, self.landmarks(code))),
            ("intrinsic", self.identity_encoder.intrinsic(maps[-1])),
            ("result", self.decode(self.identity(source), expression)),
        ]

    def gates(self, face: Tensor) -> dict[str, Gate]:
        """For `nn.alive`: the spatial gates of both encoders, (B, 1, 16, 16) in [0, 1], and the
        expression code (B, 128) in [-1, 1].
        """
        chooses = self.architecture.identity_gate > 0
        code, donor = self.expression_encoder(face)
        _, _, kept = self.identity_encoder(face)
        found = {"expression attention": (donor, False), "identity attention": (kept, chooses)}
        gates = {k: Gate(g, selects=chosen) for k, (g, chosen) in found.items() if g is not None}
        return gates | {"expression code": Gate(code, -1.0)}


def lit(face: Tensor, gate: Tensor) -> Tensor:
    """A face (B, 3, S, S) in grey, red where a gate (B, 1, h, h) in [0, 1] is open."""
    grey = 0.5 * face.mean(1, keepdim=True) - 0.4
    open_ = resize(gate.float(), face.shape[-1]).clamp(0, 1)
    red = torch.cat([open_, 0.25 * open_, -0.1 * open_], 1)
    return (grey + 1.2 * red).clamp(-1, 1)


def dotted(face: Tensor, points: Tensor) -> Tensor:
    """A face (B, 3, S, S) with a green dot at each of its landmarks (B, 68, 2), crop units."""
    size = face.shape[-1]
    line = (torch.arange(size, device=face.device) + 0.5) / size
    reach = 1.2 / size
    near = torch.exp(-((points[..., None] - line) / reach).square())  # (B, 68, 2, S)
    dots = (near[:, :, 1, :, None] * near[:, :, 0, None, :]).amax(1)[:, None]
    green = face.new_tensor([-0.6, 1.0, -0.2])[:, None, None]
    return face * (1 - dots) + green * dots

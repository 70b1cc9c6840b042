"""mtss behind the common contract."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from mien.facs import EMOTIONS
from mien.guides import Label, Reference
from mien.methods.learnt import Learnt
from mien.methods.mtss import networks
from mien.methods.mtss.config import Architecture
from mien.nn.alive import Gate
from mien.nn.blocks import initialise
from mien.nn.compose import decisive
from mien.nn.heads import ComposeHead, PictureHead
from mien.nn.units import UnitMap
from mien.types import Composition, Expression, Faces, Identity


class MTSS(Learnt):
    """Multi-task learning of style and content (Lu et al., ICIP 2023): labels and references
    natively.

    The expression code is the style (B, 256); the identity is the content map and the purified
    skip.
    """

    name: ClassVar[str] = "mtss"
    native: ClassVar[tuple[type, ...]] = (Label, Reference)
    at_inference: ClassVar[tuple[str, ...]] = ("occlusion_threshold", "refinement_steps")

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        a = self.architecture = architecture or Architecture()
        self.size, self.refinement_steps = a.size, a.refinement_steps
        self.encoder = networks.Encoder(a)
        self.translator = networks.Translator(a)
        self.decoder = networks.Decoder(a)
        head = ComposeHead if a.head == "compose" else PictureHead
        self.head = head(a.width, a.stem)
        self.extractor = networks.Extractor(a)
        self.sdu = networks.SDU(a, self.extractor.early_width)
        self.mapper = networks.Mapper(a)
        self.unit_map = UnitMap(a.style)
        initialise(self)

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        content, skip, _ = self.separate(source.pixels)
        return Identity(source, (content, skip, self.extractor(source.pixels)))

    def separate(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Face -> content (B, 256, 32, 32), purified skip and style part of the skip (B, 128, 64,
        64); a skip of nothing where the architecture has none.
        """
        maps = self.encoder(face)
        style, skip = self.sdu(maps[1], self.extractor.look(face))
        return maps[2], skip if self.architecture.skip else torch.zeros_like(skip), style

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        return Expression(self.extractor(faces.pixels))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        """Noise 0 stands for the label's typical style."""
        z = torch.zeros(index.shape[0], self.architecture.latent, device=index.device)
        return Expression(self.mapper(z, index))

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(self.unit_map.to_code(units))

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return self.unit_map.to_units(expression.code).clamp(0, 1)  # type: ignore[no-any-return]

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        content, skip, own = identity.features
        edit = self.translate(identity.source.pixels, content, skip, own, expression.code)
        return decisive(edit, self.architecture.occlusion_threshold)

    def translate(
        self, face: Tensor, content: Tensor, skip: Tensor, own: Tensor, style: Tensor
    ) -> Composition[Tensor]:
        """The generator's second half, for training too: from the `own` style to the asked one."""
        style = style.expand(face.shape[0], -1)
        h = self.decoder(self.translator(content, style, own), skip, style - own)
        return self.head(h, face)  # type: ignore[no-any-return]

    def prototypes(self) -> Tensor:
        """The style of every emotion, (8, 256)."""
        index = torch.arange(len(EMOTIONS), device=self.device)
        return self.from_labels(index).code

    def gates(self, face: Tensor) -> dict[str, Gate]:
        """For `nn.alive`: the style part of the skip, (B, 128, 64, 64) in [-1, 1]."""
        return {"style disentanglement": Gate(self.separate(face)[2], -1.0)}

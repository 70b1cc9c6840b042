"""auswap behind the common contract."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from mien.facs import UNITS
from mien.guides import Reference
from mien.methods.auswap import networks
from mien.methods.auswap.config import Architecture
from mien.methods.learnt import Learnt
from mien.nn.alive import Gate
from mien.nn.blocks import initialise
from mien.nn.compose import decisive
from mien.nn.heads import ComposeHead, PictureHead
from mien.types import Composition, Expression, Faces, Identity


class AUSwap(Learnt):
    """Transfer by AU-related and AU-free features (Shao et al., TIP 2021): references natively.

    The expression code is the AU-related feature (B, 188), four numbers per unit; the identity is
    the AU-free feature.
    """

    name: ClassVar[str] = "auswap"
    native: ClassVar[tuple[type, ...]] = (Reference,)
    at_inference: ClassVar[tuple[str, ...]] = (
        "occlusion_threshold",
        "refinement_steps",
        "project",
        "unit_floor",
    )

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        a = self.architecture = architecture or Architecture()
        self.size, self.refinement_steps = a.size, a.refinement_steps
        self.unit_encoder = networks.UnitEncoder(a)
        self.free_encoder = networks.FreeEncoder(a)
        self.generator = networks.Generator(a)
        head = ComposeHead if a.head == "compose" else PictureHead
        self.head = head(a.width, a.stem)
        # AU-related feature of AU intensities, linear; the way back is the encoder's own readout
        self.unit_map = nn.Linear(len(UNITS), len(UNITS) * a.per_unit)
        initialise(self)

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        return Identity(source, (self.free_encoder(source.pixels), self.encode(source).code))

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        feature = self.unit_encoder(faces.pixels)
        if self.architecture.project:
            # Differs: what a feature holds beside units is the reference's own; the map knows units
            units = self.unit_encoder.read(feature).clamp(0, 1)
            return self.from_units(units * (units >= self.architecture.unit_floor))
        return Expression(feature)

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(self.unit_map(units))

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return self.unit_encoder.read(expression.code).clamp(0, 1)

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        free, own = identity.features
        edit = self.swap(identity.source.pixels, free, own, expression.code)
        return decisive(edit, self.architecture.occlusion_threshold)

    def gates(self, face: Tensor) -> dict[str, Gate]:
        """For `nn.alive`: the AU-related feature (B, 188) in [-1, 1]."""
        return {"AU-related feature": Gate(self.unit_encoder(face), -1.0)}

    def swap(self, face: Tensor, free: Tensor, own: Tensor, wanted: Tensor) -> Composition[Tensor]:
        """G, for training too: the face (B, 3, S, S) with another AU-related feature (B or 1,
        188).
        """
        wanted = wanted.expand(face.shape[0], -1)
        return self.head(self.generator(free, wanted, own, face), face)  # type: ignore[no-any-return]

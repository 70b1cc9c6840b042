"""The reader of action units: one network, taught once, for all that the face model draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from mien.facs import UNITS
from mien.nn.blocks import initialise
from mien.nn.encoder import ExpressionEncoder


@dataclass(frozen=True)
class Architecture:
    """Shapes of the network."""

    size: int = 128  # side of the crop, px
    stem: int = 2  # space-to-depth before it
    width: int = 48  # channels at its first resolution; doubled by each Down
    width_max: int = 192  # the most channels it grows to
    code: int = 128  # numbers from which the units are read
    attention: bool = True  # channel and spatial attention before the last Down
    norm: Literal["instance", "group"] = "group"  # of its residual blocks but the last


class UnitReader(nn.Module):
    """Face (B, 3, S, S) in [-1, 1] -> action units (B, 47), unbounded: an expression encoder and a
    linear map. Its numpy half, by which editing needs no torch, is `methods/reader.py`.
    """

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        a = self.architecture = architecture or Architecture()
        self.size = a.size
        self.expression_encoder = ExpressionEncoder(a)
        self.to_units = nn.Linear(a.code, len(UNITS))
        initialise(self)

    def forward(self, face: Tensor) -> Tensor:
        code, _ = self.expression_encoder(face)
        return self.to_units(code)  # type: ignore[no-any-return]

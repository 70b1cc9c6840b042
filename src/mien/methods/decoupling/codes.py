"""What a code of decoupling is, and its place in the generator's layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from mien.errors import ConfigError
from mien.methods.decoupling.config import Architecture


class Codes(NamedTuple):
    """Both codes of a batch of faces, all layers in a row: identity (B, D), expression (B, E)."""

    identity: Tensor
    expression: Tensor

    def moved(self, step: Codes) -> Codes:
        """Both codes with a step added."""
        return Codes(self.identity + step.identity, self.expression + step.expression)


@dataclass(frozen=True)
class Seen:
    """What the encoder made of a batch (B) and of the first of its donors and targets (n)."""

    own: Codes
    donor_codes: Tensor  # (n, E), or (2 n, E): before the feedback network's passes, and after
    target: Tensor | None  # identity codes (n, D) of the same people with another expression
    who: Tensor  # identity codes for the generator, with their noise
    how: Tensor  # the source's expression codes for the generator
    wanted: Tensor  # the target's; of strangers the first n donors', and then the source's own

    def first(self, count: int) -> Seen:
        """The same of the first `count` of the batch."""
        own = Codes(*(code[:count] for code in self.own))
        rest = (self.who[:count], self.how[:count], self.wanted[:count])
        return Seen(own, self.donor_codes, self.target, *rest)


@dataclass(frozen=True)
class Layout:
    """Which part of the codes enters which layer of the generator."""

    sides: tuple[int, ...]
    """Side of each layer, px: 4, 8, ..., size."""
    maps: tuple[tuple[int, int, int], ...]
    """Shape (channels, cells, cells) of each layer's identity code; channels 0 for none."""
    numbers: tuple[int, ...]
    """Length of each layer's expression code; 0 for none."""

    @classmethod
    def of(cls, a: Architecture) -> Layout:
        """The layout of an architecture; ConfigError where its list of layers does not fit."""
        sides = tuple(2**k for k in range(2, int(math.log2(a.size)) + 1))
        if len(a.layers) < len(sides):
            raise ConfigError(
                f"architecture.layers names {len(a.layers)} layers and {a.size} px take "
                f"{len(sides)}: give (identity, expression) for each of 4, 8, ..., {a.size} px"
            )
        used = [tuple(pair) for pair in a.layers[: len(sides)]]
        if not sum(i for i, _ in used) or not sum(e for _, e in used):
            raise ConfigError("architecture.layers: some layer must take each of the two codes")
        cells = [min(side, a.grain) for side in sides]
        maps = tuple((i, c, c) for (i, _), c in zip(used, cells, strict=True))
        return cls(sides, maps, tuple(e for _, e in used))

    @property
    def lengths(self) -> list[int]:
        """How many numbers of the identity code each layer takes."""
        return [math.prod(shape) for shape in self.maps]

    def identity(self, code: Tensor) -> list[Tensor]:
        """Identity codes (B, D) as each layer's map (B, c, s, s); empty ones where c is 0."""
        parts = torch.split(code, self.lengths, 1)
        return [p.view(code.shape[0], *shape) for p, shape in zip(parts, self.maps, strict=True)]

    def expression(self, code: Tensor) -> list[Tensor]:
        """Expression codes (B, E) as each layer's numbers (B, e)."""
        return list(torch.split(code, list(self.numbers), 1))

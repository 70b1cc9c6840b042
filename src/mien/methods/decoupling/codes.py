"""What a code of decoupling is: its place in the generator's layers, its scale, and how people's
codes are spread, from which people are invented.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mien.errors import ConfigError, WeightsError
from mien.methods.decoupling.config import Architecture


class Codes(NamedTuple):
    """Both codes of a batch of faces, all layers in a row: identity (B, D), expression (B, E)."""

    identity: Tensor
    expression: Tensor


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
        return [p.view(len(code), *shape) for p, shape in zip(parts, self.maps, strict=True)]

    def expression(self, code: Tensor) -> list[Tensor]:
        """Expression codes (B, E) as each layer's numbers (B, e)."""
        return list(torch.split(code, list(self.numbers), 1))

    def scaled(self, code: Tensor) -> Tensor:
        """Identity codes (B, D), the root mean square of every layer's part brought to 1.

        A code of free scale outruns the adversary that reads it (auswap's lesson); and only at a
        fixed scale is noise on a code a narrower channel.
        """
        parts = [p for p in torch.split(code.float(), self.lengths, 1) if p.shape[1]]
        return torch.cat([p * (p.square().mean(1, True) + 1e-8).rsqrt() for p in parts], 1)


class Crowd(nn.Module):
    """How the identity codes of the training people are spread: a Gaussian of low rank.

    Inferred: a progressive GAN draws its latents from a standard normal. Here z (B, R) becomes an
    identity code by the map that gives it the mean and the main directions of people's codes, and
    the discriminator has the generator make photographs of such codes. Nobody's own code is kept.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, layout: Layout, rank: int) -> None:
        super().__init__()
        self.layout = layout
        size = sum(layout.lengths)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("factor", torch.zeros(rank, size))

    def draw(self, normal: Tensor, spread: float = 1.0) -> Tensor:
        """Identity codes (B, D) of nobody, from normal numbers (B, R); `spread` 0 is the average
        person. WeightsError before `fit`.
        """
        if not bool(self.factor.any()):
            raise WeightsError("these weights know no people: let their training come to its end")
        return self.layout.scaled(self.mean + spread * normal @ self.factor)

    @torch.no_grad()
    def fit(self, codes: Tensor) -> None:
        """Take mean and main directions of identity codes (N, D)."""
        rank = min(len(self.factor), len(codes) - 1)
        mean = codes.mean(0)
        _, size, directions = torch.linalg.svd(codes - mean, full_matrices=False)
        self.mean.copy_(mean)
        self.factor.zero_()
        scale = size[:rank, None] / math.sqrt(len(codes) - 1)
        self.factor[:rank] = scale * directions[:rank]


def mingled(codes: Tensor, count: int) -> Tensor:
    """Draws (count, D) of the Gaussian that codes (N, D) have, without its directions: with z of N
    normal numbers, mean + z (codes - mean) / sqrt(N) has their covariance.
    """
    mean = codes.mean(0)
    z = torch.randn(count, len(codes), device=codes.device)
    return mean + z @ (codes - mean) / math.sqrt(len(codes))

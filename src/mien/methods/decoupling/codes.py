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


class Spread(nn.Module):
    """Identity codes (B, D) centred on the average person, the differences between people brought
    to a root mean square of 1 in every layer's part.

    An adversary that reads codes, and an agreement between codes of one person, both have an easy
    answer: make all people alike. Here there is no such answer; and the noise on a code, the
    agreement of two and a step of the feedback network are all measured in differences of people.
    The scale is the batch's own in training, so that nothing is gained by changing it. The centre
    is that of the first batches, and stays: codes ran away from a centre that followed them.
    """

    mean: Tensor
    scale: Tensor
    met: Tensor

    def __init__(self, layout: Layout, slowest: float = 0.02) -> None:
        super().__init__()
        self.lengths, self.slowest = layout.lengths, slowest
        self.register_buffer("mean", torch.zeros(sum(self.lengths)))
        self.register_buffer("scale", torch.ones(len(self.lengths)))
        self.register_buffer("met", torch.tensor(0))  # batches

    def forward(self, raw: Tensor) -> Tensor:
        raw = raw.float()
        if not self.training or len(raw) == 1:
            return (raw - self.mean) / self.whole(self.scale)
        self.met += 1
        pace = max(self.slowest, 1 / int(self.met))
        middle = raw.mean(0)
        if pace > self.slowest:
            self.mean.lerp_(middle.detach(), pace)
        # about the batch's own mean: about a slower one, all alike and running ahead would do
        parts = torch.split((raw - middle).square(), self.lengths, 1)
        scale = torch.stack([p.mean() if p.numel() else p.new_ones(()) for p in parts])
        scale = (scale + 1e-8).sqrt()
        self.scale.lerp_(scale.detach(), pace)
        return (raw - self.mean) / self.whole(scale)

    def whole(self, scale: Tensor) -> Tensor:
        """Every layer's number for each of its numbers, (D,)."""
        return scale.repeat_interleave(torch.tensor(self.lengths, device=scale.device))


class Crowd(nn.Module):
    """How the identity codes of the training people are spread: a Gaussian of low rank.

    Inferred: a progressive GAN draws its latents from a standard normal. Here z (B, R) becomes an
    identity code by the map that gives it the mean and the main directions of people's codes, and
    the discriminator has the generator make photographs of such codes. Nobody's own code is kept.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, size: int, rank: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("factor", torch.zeros(rank, size))

    @property
    def known(self) -> bool:
        """Whether `fit` has been called."""
        return bool(self.factor.any())

    def draw(self, normal: Tensor, spread: float = 1.0) -> Tensor:
        """Identity codes (B, D) of nobody, from normal numbers (B, R); `spread` 0 is the average
        person. WeightsError before `fit`.
        """
        if not self.known:
            raise WeightsError("these weights know no people: let their training come to its end")
        return self.mean + spread * normal @ self.factor

    @torch.no_grad()
    def fit(self, codes: Tensor) -> None:
        """Take mean and main directions of identity codes (N, D)."""
        rank = min(len(self.factor), len(codes) - 1)
        mean = codes.float().mean(0)
        apart = codes.float() - mean
        with torch.autocast(codes.device.type, enabled=False):
            # few codes of many numbers: their products are far smaller than they are
            squares, ways = torch.linalg.eigh(apart @ apart.T)
        order = squares.argsort(descending=True)[:rank]
        self.mean.copy_(mean)
        self.factor.zero_()
        # a direction is ways.T @ apart / size, and its deviation size / sqrt(N - 1)
        self.factor[:rank] = ways[:, order].T @ apart / math.sqrt(len(codes) - 1)

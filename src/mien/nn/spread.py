"""How people's codes are spread: a scale for their differences, and a Gaussian to invent people
from.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mien.errors import WeightsError


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

    def __init__(self, lengths: list[int], slowest: float = 0.02) -> None:
        """lengths: how many numbers each layer takes, whose parts stand in a row."""
        super().__init__()
        self.lengths, self.slowest = lengths, slowest
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


def keep_newest(kept: Tensor, met: Tensor, codes: Tensor) -> None:
    """Put codes (B, D) in place of the oldest of those `kept` (N, D); `met`, a scalar, counts."""
    where = (met + torch.arange(len(codes), device=codes.device)) % len(kept)
    kept[where] = codes.to(kept)
    met += len(codes)


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
        deviations = codes.float() - mean
        with torch.autocast(codes.device.type, enabled=False):
            # few codes of many numbers: their products are far smaller than they are
            squares, ways = torch.linalg.eigh(deviations @ deviations.T)
        order = squares.argsort(descending=True)[:rank]
        self.mean.copy_(mean)
        self.factor.zero_()
        # a direction is ways.T @ deviations / size, and its deviation size / sqrt(N - 1)
        self.factor[:rank] = ways[:, order].T @ deviations / math.sqrt(len(codes) - 1)

"""What reads a face: residual blocks down to 8 px, with attention before the last, and a code.

The expression encoder of aipgan (Ali and Hughes, 2020); the reader of action units that all methods
share is built alike, and the one that ships is aipgan's. Sizes in comments are aipgan's defaults at
128 px.
"""

from __future__ import annotations

import itertools
import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.blocks import ResBlock

BOTTOM = 8
"""Side of the smallest maps."""


class EncoderShape(Protocol):
    """What an architecture says of an encoder."""

    @property
    def size(self) -> int: ...  # side of the crop, px
    @property
    def stem(self) -> int: ...  # space-to-depth before it
    @property
    def width(self) -> int: ...  # channels at the first resolution; doubled by each Down
    @property
    def width_max(self) -> int: ...  # the most channels it grows to
    @property
    def code(self) -> int: ...  # numbers of the code
    @property
    def attention(self) -> bool: ...  # channel and spatial attention before the last Down
    @property
    def norm(self) -> str: ...  # of its residual blocks


def widths(first: int, count: int, most: int) -> list[int]:
    """`count` channel numbers from `first` on, each double the one before, `most` at most."""
    return [min(first * 2**k, most) for k in range(count)]


def downs(a: EncoderShape) -> int:
    """Downs from the stem's resolution to the smallest maps."""
    return int(math.log2(a.size // a.stem // BOTTOM))


class Attention(nn.Module):
    """Channel gate, then spatial gate (CBAM, Woo et al., ECCV 2018, sec. 3): (B, c, h, w) -> the
    same, and the spatial gate (B, 1, h, w) in [0, 1].

    Differs: without CBAM's batch norm behind the 7x7 convolution: a face's gate is its own. With a
    `share` above 0 the spatial gate lets that share of the places through, see `rationed`.
    """

    def __init__(self, c: int, share: float = 0.0) -> None:
        super().__init__()
        narrow, self.let = max(4, c // 16), share
        self.shared = nn.Sequential(nn.Linear(c, narrow), nn.ReLU(), nn.Linear(narrow, c))
        self.where = nn.Conv2d(2, 1, 7, 1, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        which = torch.sigmoid(self.shared(x.mean((2, 3))) + self.shared(x.amax((2, 3))))
        x = x * which[..., None, None]
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        said = self.where(seen)
        where = rationed(said, self.let) if self.let else torch.sigmoid(said)
        return x * where, where


def rationed(logits: Tensor, share: float) -> Tensor:
    """A gate (B, 1, h, w) in [0, 1] whose mean is `share` in every face: sigmoid(logits - t), with
    the one t of each face that makes it so. What opens it here shuts it elsewhere.

    Inferred: a gate that may be open everywhere is, since nothing that lies behind it loses by
    that, and so it says nothing. t is found by halving; its gradient is the implicit one.
    """
    said = logits.float().flatten(1)
    with torch.no_grad():
        low, high = said.amin(1, keepdim=True) - 20, said.amax(1, keepdim=True) + 20
        for _ in range(40):
            t = (low + high) / 2
            more = torch.sigmoid(said - t).mean(1, keepdim=True) > share
            low, high = torch.where(more, t, low), torch.where(more, high, t)
        gate = torch.sigmoid(said - t)
        slope = gate * (1 - gate)
        pull = slope / slope.sum(1, keepdim=True).clamp_min(1e-6)
    drift = (pull * (said - said.detach())).sum(1, keepdim=True)  # 0, with the gradient of t
    return torch.sigmoid(said - (t + drift)).view_as(logits).to(logits)


class Trunk(nn.Module):
    """Face (B, 3, S, S) -> map (B, c, 8, 8) and the spatial gate (B, 1, 16, 16), or None without
    attention, which sits before the last Down.
    """

    def __init__(self, a: EncoderShape, last: str | None, share: float = 0.0) -> None:
        """`last`: norm of the last block; share: of places that the gate lets through."""
        super().__init__()
        channels = widths(a.width, downs(a) + 1, a.width_max)
        pairs = list(itertools.pairwise(channels))
        self.stem, self.width = a.stem, channels[-1]
        self.first = nn.Conv2d(3 * a.stem**2, channels[0], 1)
        self.down = nn.Sequential(*(ResBlock(i, o, -1, a.norm) for i, o in pairs[:-1]))
        self.attention = Attention(channels[-2], share) if a.attention else None
        self.last = ResBlock(*pairs[-1], -1, last)

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor | None]:
        maps, gate = self.down(self.first(F.pixel_unshuffle(face, self.stem))), None
        if self.attention is not None:
            maps, gate = self.attention(maps)
        return F.leaky_relu(self.last(maps), 0.2), gate


class ExpressionEncoder(nn.Module):
    """Face -> code (B, 128) in [-1, 1] and spatial gate; normalised but for the last block, whose
    strength is the intensity.

    No connection leads around the code: it would carry whose face it is. Its scale is bounded, so
    that nothing that reads codes can be outshouted.
    """

    def __init__(self, a: EncoderShape) -> None:
        super().__init__()
        self.trunk = Trunk(a, None)
        # not pooled: where something is seen tells a raised brow from a raised lip
        self.out = nn.Linear(BOTTOM**2 * self.trunk.width, a.code)

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor | None]:
        maps, gate = self.trunk(face)
        # halved: a code that begins at its bounds learns slowly
        return torch.tanh(0.5 * self.out(maps.flatten(1))), gate

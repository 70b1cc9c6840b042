"""Blocks that more than one method is built from.

Residual blocks are pre-activation, LeakyReLU 0.2, two 3x3 convolutions, a 1x1 bias-free shortcut,
their sum over sqrt 2; Down is a 2x2 average pool, Up nearest (HiSD and StarGAN v2, public code).
A bias-free 1x1 convolution and a pool may change places: a shortcut is pooled first, for a quarter
of the work.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AffineNorm(nn.Module):
    """Instance norm with learnt scale and shift (the paper's), or group norm of 8 (keeps local
    contrast).
    """

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.norm: nn.Module = (
            nn.InstanceNorm2d(channels, affine=True)
            if kind == "instance"
            else nn.GroupNorm(8, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x)
        return out


class ResBlock(nn.Module):
    """(B, i, H, W) -> (B, o, H', W'); `scale` -1 halves, +1 doubles, 0 keeps the size."""

    def __init__(self, i: int, o: int, scale: int = 0, norm: str | None = None) -> None:
        super().__init__()
        self.scale = scale
        # Down narrows late and Up early, so that the wide side works at the small size
        middle = i if scale <= 0 else o
        self.conv1, self.conv2 = nn.Conv2d(i, middle, 3, 1, 1), nn.Conv2d(middle, o, 3, 1, 1)
        self.norm1 = AffineNorm(i, norm) if norm else nn.Identity()
        self.norm2 = AffineNorm(middle, norm) if norm else nn.Identity()
        self.shortcut = nn.Conv2d(i, o, 1, bias=False) if i != o else nn.Identity()

    def resample(self, x: Tensor) -> Tensor:
        if self.scale < 0:
            return halved(x)
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.scale > 0 else x

    def forward(self, x: Tensor) -> Tensor:
        skip = self.shortcut(self.resample(x)) if self.scale < 0 else self.shortcut(x)
        h = F.leaky_relu(self.norm1(x), 0.2)
        h = self.conv1(self.resample(h)) if self.scale > 0 else self.resample(self.conv1(h))
        h = self.conv2(F.leaky_relu(self.norm2(h), 0.2))
        skip = self.resample(skip) if self.scale > 0 else skip
        return (skip + h) / math.sqrt(2)  # type: ignore[no-any-return]


def halved(x: Tensor) -> Tensor:
    """A map (B, c, H, W) averaged over squares of 2x2, H and W even.

    Where gradients are wanted by sums of rows and columns: on a CPU torch's pool takes two to four
    times as long, forward and backward, a fifth of a training step of mtss.
    """
    if not torch.is_grad_enabled():
        return F.avg_pool2d(x, 2)
    rows = x[..., ::2, :] + x[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) / 4


def pooled(x: Tensor, cells: int) -> Tensor:
    """A map (B, c, s, s) averaged to `cells` a side."""
    return x if x.shape[-1] == cells else F.adaptive_avg_pool2d(x, cells)


class AdaIN(nn.Module):
    """Adaptive instance norm: scale 1 + gamma and shift from the style; unbiased std, eps 1e-5
    added to it.
    """

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        # in float32: the difference of close numbers is lost in bf16
        full = x.float()
        mean = full.mean((2, 3), keepdim=True)
        std = full.std((2, 3), keepdim=True) + 1e-5
        styled = (full - mean) / std * (1 + gamma[..., None, None]) + beta[..., None, None]
        return styled.to(x.dtype)


class StyledBlock(nn.Module):
    """A residual block of the translator with two AdaINs; keeps (B, c, H, W)."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, c, 3, 1, 1)
        self.adain = AdaIN()

    def forward(self, x: Tensor, affine: Tensor) -> Tensor:
        g1, b1, g2, b2 = affine.chunk(4, 1)
        h = self.conv1(F.leaky_relu(self.adain(x, g1, b1), 0.2))
        h = self.conv2(F.leaky_relu(self.adain(h, g2, b2), 0.2))
        out: Tensor = (x + h) / math.sqrt(2)
        return out


class Quiet(nn.Module):
    """A part that changes nothing at first, so that what is there already learns undisturbed."""

    @abstractmethod
    def add_nothing(self) -> None:
        """Zero what the part adds."""


class Refine(Quiet):
    """A styled residual block at the decoder's finer map, (B, c, H, W) -> the same.

    Lids and lips are a few pixels wide: one more look at the style where they can be distinguished.
    Adds nothing at first. through: the style's change passes so many numbers, 0 for all of it.
    """

    def __init__(self, c: int, style: int, through: int = 0) -> None:
        super().__init__()
        self.affine = (
            nn.Sequential(nn.Linear(style, through, bias=False), nn.Linear(through, 4 * c))
            if through
            else nn.Linear(style, 4 * c)
        )
        self.block = StyledBlock(c)
        self.add_nothing()

    def add_nothing(self) -> None:
        nn.init.zeros_(self.block.conv2.weight)
        if self.block.conv2.bias is not None:
            nn.init.zeros_(self.block.conv2.bias)

    def forward(self, x: Tensor, change: Tensor) -> Tensor:
        # the block halves the energy of its sum; here the sum itself is wanted
        out: Tensor = self.block(x, self.affine(change)) * math.sqrt(2)
        return out


class Departure(nn.Sequential, Quiet):
    """What the expression that a face starts from adds to a style's numbers: (B, style) -> (B, n).

    Through 100 numbers, twice the units there are: more of a full matrix would be idle.
    """

    def __init__(self, style: int, numbers: int) -> None:
        super().__init__(nn.Linear(style, 100, bias=False), nn.Linear(100, numbers, bias=False))
        self.add_nothing()

    def add_nothing(self) -> None:
        nn.init.zeros_(list(self.parameters())[-1])


def initialise(module: nn.Module) -> None:
    """Kaiming-normal fan-in weights, biases 0.01 (HiSD's); quiet parts add nothing."""
    for m in module.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(m.weight, a=0, mode="fan_in")
            if m.bias is not None:
                nn.init.constant_(m.bias, 0.01)
    for m in module.modules():
        if isinstance(m, Quiet):
            m.add_nothing()

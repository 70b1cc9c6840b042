"""Parts of a progressive GAN (Karras, Aila, Laine and Lehtinen, ICLR 2018) that do not depend on
what its generator is given: equalised layers, pixel norm, the discriminator, which grows from 4 px
with fade-in and minibatch deviation, and photographs as a grown generator could show them at best.

How far they have grown is one number: 0 is the layer at 4 px, k the layer at 4 * 2^k; between k - 1
and k that layer is being faded in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.blocks import halved

NEARLY = 1 / 64
"""What is missing of a layer that counts as grown: averages of weights arrive only in the limit."""


class EqualConv(nn.Module):
    """A convolution with weights of unit variance, scaled when used (sec. 4.1): every weight learns
    at the same pace, whatever its fan-in.
    """

    def __init__(self, i: int, o: int, kernel: int, gain: float = math.sqrt(2)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(o))
        self.scale, self.padding = gain / math.sqrt(i * kernel**2), kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class EqualLinear(nn.Module):
    """The same for a linear layer."""

    def __init__(self, i: int, o: int, gain: float = math.sqrt(2)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(o, i))
        self.bias = nn.Parameter(torch.zeros(o))
        self.scale = gain / math.sqrt(i)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)


class PixelNorm(nn.Module):
    """Every pixel's features (B, c, ...) brought to a mean square of 1 (sec. 4.2)."""

    def forward(self, x: Tensor) -> Tensor:
        # summed in float32: bf16 loses what many small squares add up to
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32)
        out: Tensor = x * (math.sqrt(x.shape[1]) / (length + 1e-4)).to(x.dtype)
        return out


def perceptron(i: int, width: int, o: int, depth: int) -> nn.Sequential:
    """`depth` layers, `width` wide, LeakyReLU 0.2 between them, for every cell of (B, i, s, s)."""
    layers: list[nn.Module] = [PixelNorm()]
    for _ in range(depth - 1):
        layers += [EqualConv(i, width, 1), nn.LeakyReLU(0.2)]
        i = width
    return nn.Sequential(*layers, EqualConv(i, o, 1, gain=1))


class Discriminator(nn.Module):
    """Pictures (B, 3, s, s) of the side grown to -> one answer each (B,), above 0 for photographs.

    Mirrors the generator; the deviation over groups of the batch is one more channel at 4 px.
    """

    grown: Tensor
    """How far, a scalar from 0 to the number of layers - 1."""

    def __init__(self, widths: Sequence[int], group: int = 4) -> None:
        """widths: channels at 4, 8, 16, ... px."""
        super().__init__()
        self.group = group
        self.from_rgb = nn.ModuleList(EqualConv(3, c, 1) for c in widths)
        self.same = nn.ModuleList(EqualConv(c, c, 3) for c in widths[1:])
        self.narrow = nn.ModuleList(
            EqualConv(c, o, 3) for c, o in zip(widths[1:], widths, strict=False)
        )
        c = widths[0]
        self.last = EqualConv(c + 1, c, 3)
        self.answer = nn.Sequential(
            EqualLinear(16 * c, c), nn.LeakyReLU(0.2), EqualLinear(c, 1, gain=1)
        )
        self.register_buffer("grown", torch.tensor(float(len(widths) - 1)))

    def forward(self, pictures: Tensor) -> Tensor:
        lower, upper, share = stages(float(self.grown))
        h = self.seen(pictures, upper)
        for k in range(upper, 0, -1):
            h = F.leaky_relu(self.same[k - 1](h), 0.2)
            h = F.leaky_relu(self.narrow[k - 1](halved(h)), 0.2)
            if k == upper and share < 1:
                h = torch.lerp(self.seen(halved(pictures), lower), h, share)
        h = F.leaky_relu(self.last(torch.cat([h, deviation(h, self.group)], 1)), 0.2)
        return self.answer(h.flatten(1)).flatten().float()  # type: ignore[no-any-return]

    def seen(self, pictures: Tensor, k: int) -> Tensor:
        return F.leaky_relu(self.from_rgb[k](pictures), 0.2)


def channels(base: int, most: int, side: int) -> int:
    """Channels of a layer: `base` over its side, within `most` (ProGAN: 8192 over 2^stage)."""
    return max(1, min(most, base // side))


def stages(grown: float) -> tuple[int, int, float]:
    """The last whole layer, the one being faded in (the same when none is), and its share."""
    lower = math.floor(grown + NEARLY)
    share = grown - lower
    return (lower, lower, 1.0) if share < NEARLY else (lower, lower + 1, share)


def faded(pictures: Tensor, grown: float) -> Tensor:
    """Photographs (B, 3, S, S) as a generator that has grown so far could show them at best: at its
    side, and as blurred as the fading makes it (sec. 2; ProGAN's data loader).
    """
    _, upper, share = stages(grown)
    side = 4 * 2**upper
    shrunk = pictures
    if side < pictures.shape[-1]:
        shrunk = F.interpolate(pictures, size=(side, side), mode="area")
    if share < 1:
        coarse = F.interpolate(halved(shrunk), scale_factor=2.0, mode="nearest")
        return torch.lerp(coarse, shrunk, share)
    return shrunk


def deviation(h: Tensor, group: int) -> Tensor:
    """The mean standard deviation of features over groups of the batch, as one map (B, 1, s, s)
    (sec. 3); groups of the largest size up to `group` that divides the batch.
    """
    size = next(n for n in range(min(group, len(h)), 0, -1) if len(h) % n == 0)
    grouped = h.float().view(size, -1, *h.shape[1:])
    spread = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # (B / size,)
    return spread.repeat(size)[:, None, None, None].expand(-1, 1, *h.shape[2:]).to(h.dtype)

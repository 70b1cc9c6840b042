"""The progressive GAN (Karras, Aila, Laine and Lehtinen, ICLR 2018): generator and discriminator
that grow from 4 px, with fade-in, equalised learning rates, pixel norm and minibatch deviation.

How far they have grown is one number: 0 is the layer at 4 px, k the layer at 4 * 2^k; between k - 1
and k that layer is being faded in.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.methods.decoupling.codes import Codes, Layout
from mien.methods.decoupling.config import Architecture

FINEST = 16
"""Cells a side, at most, of the maps that an expression is spread over."""
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


class Modulation(nn.Module):
    """What a layer's codes say about its features: scale and shift of every channel.

    The expression's numbers say it for the whole map; the identity's map says it place by place, or
    for the whole map too where it is a single cell (StyleGAN's styles and StyleMapGAN's maps).
    With `places`, the expression's numbers are spread over so many small maps too: on an aligned
    face a mouth has its place, and what is said of it need not be found there again.
    """

    def __init__(self, c: int, identity: int, expression: int, side: int, places: int) -> None:
        super().__init__()
        self.place = EqualConv(identity, 2 * c, 1, gain=1) if identity else None
        self.whole = EqualLinear(expression, 2 * c, gain=1) if expression else None
        self.shape = (places, min(side, FINEST), min(side, FINEST))
        self.where, self.spot = None, None
        if expression and places:
            self.where = EqualLinear(expression, math.prod(self.shape))
            self.spot = EqualConv(places, 2 * c, 1, gain=1)
            nn.init.zeros_(self.spot.weight)

    def forward(self, x: Tensor, identity: Tensor, expression: Tensor) -> Tensor:
        said = []
        if self.place is not None:
            said.append(_over(self.place(identity), x.shape[-1]))
        if self.whole is not None:
            said.append(self.whole(expression)[:, :, None, None])
        if self.spot is not None and self.where is not None:
            spots = self.where(expression).view(-1, *self.shape)
            said.append(_over(self.spot(spots), x.shape[-1]))
        if not said:
            return x
        scale, shift = sum(said[1:], said[0]).chunk(2, 1)
        return x * (1 + scale) + shift


def _over(cells: Tensor, side: int) -> Tensor:
    """A map of cells (B, c, s, s) over a picture of `side` px; a single cell is left to spread."""
    if cells.shape[-1] in (1, side):
        return cells
    return F.interpolate(cells, size=(side, side), mode="bilinear", align_corners=False)


class Layer(nn.Module):
    """One resolution of the generator: (B, i, s / 2, s / 2) -> (B, o, s, s), and its picture.

    Inferred: the first convolution works before the doubling, at a quarter of the cost. The layer
    at 4 px begins from a learnt constant.
    """

    def __init__(
        self, i: int, o: int, identity: int, expression: int, side: int, places: int
    ) -> None:
        super().__init__()
        self.conv1 = EqualConv(i, o, 3) if i else None
        self.conv2 = EqualConv(o, o, 3)
        self.norm = PixelNorm()
        self.modulation1, self.modulation2 = (
            Modulation(o, identity, expression, side, places) for _ in range(2)
        )
        self.to_rgb = EqualConv(o, 3, 1, gain=1)

    def forward(self, x: Tensor, identity: Tensor, expression: Tensor) -> Tensor:
        if self.conv1 is not None:
            x = F.interpolate(self.conv1(x), scale_factor=2, mode="nearest")
            x = self.norm(F.leaky_relu(x, 0.2))
        x = self.modulation1(x, identity, expression)
        x = self.norm(F.leaky_relu(self.conv2(x), 0.2))
        return self.modulation2(x, identity, expression)  # type: ignore[no-any-return]


class Generator(nn.Module):
    """Codes -> pictures (B, 3, s, s) of the side s that it has grown to; no tanh, as in ProGAN."""

    grown: Tensor
    """How far, a scalar from 0 to the number of layers - 1; kept with the weights."""

    def __init__(self, a: Architecture, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        widths = [channels(a.generator, a.generator_max, side) for side in layout.sides]
        self.start = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.layers = nn.ModuleList(
            Layer(i, o, shape[0], e, side, a.places)
            for i, o, shape, e, side in zip(
                [0, *widths], widths, layout.maps, layout.numbers, layout.sides, strict=False
            )
        )
        self.widths = dict(zip(layout.sides, widths, strict=True))
        self.register_buffer("grown", torch.tensor(float(len(widths) - 1)))

    def features(self, codes: Codes, last: int) -> list[Tensor]:
        """Features of the layers 0 to `last`: (B, c, 4, 4), (B, c, 8, 8), ..."""
        who, how = self.layout.identity(codes.identity), self.layout.expression(codes.expression)
        x, out = self.start.expand(codes.identity.shape[0], -1, -1, -1), []
        for k in range(last + 1):
            x = self.layers[k](x, who[k], how[k])
            out.append(x)
        return out

    def forward(self, codes: Codes) -> Tensor:
        lower, upper, share = stages(float(self.grown))
        maps = self.features(codes, upper)
        rgb: Tensor = self.layers[upper].to_rgb(maps[upper])  # type: ignore[operator]
        if share < 1:
            before = self.layers[lower].to_rgb(maps[lower])  # type: ignore[operator]
            rgb = torch.lerp(F.interpolate(before, scale_factor=2.0, mode="nearest"), rgb, share)
        return rgb.float()


class Discriminator(nn.Module):
    """Pictures (B, 3, s, s) of the side grown to -> one answer each (B,), above 0 for photographs.

    Mirrors the generator; the deviation over groups of the batch is one more channel at 4 px.
    """

    grown: Tensor

    def __init__(self, a: Architecture, layout: Layout, group: int = 4) -> None:
        super().__init__()
        widths = [channels(a.discriminator, a.discriminator_max, side) for side in layout.sides]
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
            h = F.leaky_relu(self.narrow[k - 1](F.avg_pool2d(h, 2)), 0.2)
            if k == upper and share < 1:
                h = torch.lerp(self.seen(F.avg_pool2d(pictures, 2), lower), h, share)
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
        coarse = F.interpolate(F.avg_pool2d(shrunk, 2), scale_factor=2.0, mode="nearest")
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

"""decoupling's generator: a progressive GAN's, whose layers are given the codes of who and how.

How far it has grown is one number, see `nn/progressive.py`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.methods.decoupling.codes import Codes, Layout
from mien.methods.decoupling.config import Architecture
from mien.nn.progressive import EqualConv, EqualLinear, PixelNorm, channels, stages

FINEST = 16
"""Cells a side, at most, of the maps that an expression is spread over."""


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

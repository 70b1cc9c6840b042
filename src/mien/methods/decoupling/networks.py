"""The other networks of decoupling: from pyramid to codes, from pictures back to codes, and the
composing head's. Designed after the paper's abstract (Bao et al. 2023); see README.md for what is
inferred.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs
from mien.methods.decoupling.codes import Codes, Layout
from mien.methods.decoupling.config import Architecture
from mien.nn.blocks import Quiet, ResBlock, pooled
from mien.nn.progressive import EqualConv, EqualLinear, PixelNorm, perceptron
from mien.nn.resnet import Pyramid, ResNet50
from mien.nn.spread import Spread
from mien.nn.units import UnitMap

FINEST = 16
"""Side of the finest pyramid level that codes are read from, px (pSp: 16, 32, 64 of 256)."""


class Encoder(nn.Module):
    """Face -> both codes: trunk, pyramid and the two mapping networks."""

    def __init__(self, a: Architecture, layout: Layout) -> None:
        super().__init__()
        self.trunk = ResNet50(a.trunk, a.trunk_norm)
        self.pyramid = Pyramid(self.trunk.widths, a.size, FINEST, a.pyramid)
        self.identity = IdentityMapping(a, layout, self.pyramid.sides)
        self.expression = ExpressionMapping(a, layout, self.pyramid.sides)

    def forward(self, face: Tensor) -> Codes:
        levels = self.pyramid(self.trunk(face))
        return Codes(self.identity(levels), self.expression(levels))

    def expressions(self, face: Tensor) -> Tensor:
        """Expression codes (B, E) alone."""
        return self.expression(self.pyramid(self.trunk(face)))  # type: ignore[no-any-return]


class IdentityMapping(nn.Module):
    """The identity's mapping network: pyramid -> identity codes (B, D), see `Spread`.

    Per layer a perceptron with pixel-normed input (ProGAN's latents, StyleGAN's mapping), the same
    for every cell of the layer's code; coarse layers are read from coarse levels (pSp).
    """

    def __init__(self, a: Architecture, layout: Layout, sides: list[int]) -> None:
        super().__init__()
        self.layout = layout
        self.level = [min(sides, key=lambda s: abs(s - side)) for side in layout.sides]
        self.maps = nn.ModuleList(
            perceptron(a.pyramid, a.mapping, c, a.depth) if c else nn.Identity()
            for c, _, _ in layout.maps
        )
        self.spread = Spread(layout.lengths)

    def forward(self, levels: dict[int, Tensor]) -> Tensor:
        parts = []
        for level, network, (c, cells, _) in zip(
            self.level, self.maps, self.layout.maps, strict=True
        ):
            if c:
                parts.append(network(pooled(levels[level], cells)).flatten(1))
        return self.spread(torch.cat(parts, 1))  # type: ignore[no-any-return]


class ExpressionMapping(nn.Module):
    """The expression's mapping network: pyramid -> expression codes (B, E) in [-1, 1].

    Levels are narrowed, not pooled away: where something is seen tells a raised brow from a raised
    lip.
    """

    narrow_to = 16

    def __init__(self, a: Architecture, layout: Layout, sides: list[int]) -> None:
        super().__init__()
        self.cells = {side: min(side, 8) for side in sides}
        self.narrow = nn.ModuleList(EqualConv(a.pyramid, self.narrow_to, 1) for _ in sides)
        length = self.narrow_to * sum(c**2 for c in self.cells.values())
        widths = [length, *[a.mapping] * max(1, a.depth - 1)]
        layers: list[nn.Module] = [PixelNorm()]
        for i, o in pairwise(widths):
            layers += [EqualLinear(i, o), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, EqualLinear(a.mapping, sum(layout.numbers), gain=1))

    def forward(self, levels: dict[int, Tensor]) -> Tensor:
        seen = [
            pooled(F.leaky_relu(narrow(levels[side]), 0.2), cells).flatten(1)
            for (side, cells), narrow in zip(self.cells.items(), self.narrow, strict=True)
        ]
        return torch.tanh(self.layers(torch.cat(seen, 1))).float()


class CodeMaps(UnitMap):
    """What expression codes (B, E) say in words: action units, and emotions as logits (B, 8)."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.to_emotions = nn.Linear(length, len(facs.EMOTIONS))


class Feedback(Quiet):
    """The feedback network: the picture wanted and the picture made -> the step in both codes that
    leads from the one to the other. Says nothing at first.

    Stated: it obtains the latent codes again from the generated picture. Inferred: as ReStyle has
    it (Alaluf et al., ICCV 2021), it sees the photograph too and answers with a difference, so that
    it can be asked again.
    """

    def __init__(self, a: Architecture, layout: Layout) -> None:
        super().__init__()
        w, self.layout = a.feedback, layout
        self.side = max(16, a.size // 2)
        self.first = nn.Conv2d(24, w, 1)
        widths = [w, 2 * w, min(4 * w, 256), min(4 * w, 256)]
        sides = [self.side // 2**k for k in (2, 3, 4)]
        self.down = nn.ModuleList(ResBlock(i, o, -1, "group") for i, o in pairwise(widths))
        self.level = [min(range(3), key=lambda k: abs(sides[k] - side)) for side in layout.sides]
        self.identity = nn.ModuleList(
            nn.Conv2d(widths[1 + k], c, 1) if c else nn.Identity()
            for k, (c, _, _) in zip(self.level, layout.maps, strict=True)
        )
        self.expression = nn.Linear(16 * widths[-1], sum(layout.numbers))
        self.add_nothing()

    def add_nothing(self) -> None:
        for part in (*self.identity, self.expression):
            for p in part.parameters():
                nn.init.zeros_(p)

    def forward(self, wanted: Tensor, made: Tensor) -> Codes:
        """Pictures (B, 3, s, s) of any one side -> differences of codes (B, D), (B, E)."""
        both = torch.cat([wanted, made - wanted], 1)
        both = F.interpolate(both, size=(self.side, self.side), mode="bilinear", antialias=True)
        h = self.first(F.pixel_unshuffle(both, 2))
        maps = []
        for block in self.down:
            h = block(h)
            maps.append(F.leaky_relu(h, 0.2))
        parts = [
            head(pooled(maps[k], cells)).flatten(1)
            for k, head, (c, cells, _) in zip(
                self.level, self.identity, self.layout.maps, strict=True
            )
            if c
        ]
        low = pooled(maps[-1], 4).flatten(1)
        return Codes(torch.cat(parts, 1).float(), self.expression(low).float())

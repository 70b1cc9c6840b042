"""The networks of MTSS (Lu et al., ICIP 2023), from public facts; see README.md for what is
inferred.

Blocks and heads that other methods share are in `nn/`. Sizes in comments are the paper's, 128 px
and width 64.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.facs import EMOTIONS, UNITS
from mien.methods.mtss.config import Architecture
from mien.nn.blocks import Departure, Refine, ResBlock, StyledBlock


class Encoder(nn.Module):
    """Face (B, 3, S, S) -> all maps; [1] is `f_s` (B, 128, 64, 64), [2] the content."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        w, self.stem = a.width, a.stem
        self.first = nn.Conv2d(3 * a.stem**2, w, 1)
        self.down = nn.ModuleList(
            [ResBlock(w, 2 * w, -1, a.norm), ResBlock(2 * w, 4 * w, -1, a.norm)]
        )

    def forward(self, face: Tensor) -> list[Tensor]:
        maps = [self.first(F.pixel_unshuffle(face, self.stem))]
        for block in self.down:
            maps.append(block(maps[-1]))
        return maps


class Translator(nn.Module):
    """Content (B, 256, 32, 32) and style (B, 256) -> translated content `f*m + e*(1-m)`."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * a.width, a.middle, 1)
        self.blocks = nn.ModuleList(StyledBlock(a.middle) for _ in range(a.blocks))
        self.affine = nn.Linear(a.style, a.blocks * 4 * a.middle)  # 1,792 numbers in the paper
        # Differs: where the expression starts from says what has to move; begins without a say
        self.depart = Departure(a.style, a.blocks * 4 * a.middle) if a.relative else None
        self.features = nn.Conv2d(a.middle, 4 * a.width, 1)
        self.mask = nn.Conv2d(a.middle, 4 * a.width, 1)

    def forward(self, content: Tensor, style: Tensor, own: Tensor) -> Tensor:
        h = self.enter(content)
        numbers = self.affine(style)
        if self.depart is not None:
            numbers = numbers + self.depart(own)
        for block, affine in zip(self.blocks, numbers.chunk(len(self.blocks), 1), strict=True):
            h = block(h, affine)
        mask = torch.sigmoid(self.mask(h))
        out: Tensor = self.features(h) * mask + content * (1 - mask)
        return out


class Decoder(nn.Module):
    """Translated content and the purified skip -> features at the stem's resolution (B, 64, 128,
    128).
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        w = a.width
        self.up1 = ResBlock(4 * w, 2 * w, +1, a.norm)
        self.up2 = ResBlock(4 * w, w, +1, a.norm)
        self.refine = Refine(2 * w, a.style) if a.refine else None
        self.refine_last = Refine(w, a.style, len(UNITS)) if a.refine_last else None

    def forward(self, content: Tensor, skip: Tensor, change: Tensor | None = None) -> Tensor:
        """`change` (B, 256): asked style minus own, for both `refine`s; None skips them."""
        h = self.up1(content)
        if self.refine is not None and change is not None:
            h = self.refine(h, change)
        h = self.up2(torch.cat([h, skip], 1))
        if self.refine_last is not None and change is not None:
            h = self.refine_last(h, change)
        return h  # type: ignore[no-any-return]


class Extractor(nn.Module):
    """Face -> style (B, 256); also its early map, and a style from a map injected in that map's
    place.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        w, self.stem = a.extractor, a.stem
        self.first = nn.Conv2d(3 * a.stem**2, w, 1)
        count = int(math.log2(a.size // a.stem)) - 2  # Downs to 4x4
        widths = [min(w * 2**k, a.extractor_max) for k in range(count + 1)]
        self.early = ResBlock(widths[0], widths[1], -1)
        self.rest = nn.Sequential(*(ResBlock(i, o, -1) for i, o in itertools.pairwise(widths[1:])))
        self.out = nn.Conv2d(widths[-1], a.style, 1)
        self.early_width = widths[1]

    def look(self, face: Tensor) -> Tensor:
        """The early map `f_r` (B, 128, 64, 64)."""
        return self.early(self.first(F.pixel_unshuffle(face, self.stem)))  # type: ignore[no-any-return]

    def conclude(self, early: Tensor) -> Tensor:
        """Style (B, 256) from an early map: the second mode of the paper's extractor."""
        pooled = self.rest(early).mean((2, 3), keepdim=True)
        return self.out(pooled).flatten(1)  # type: ignore[no-any-return]

    def forward(self, face: Tensor) -> Tensor:
        return self.conclude(self.look(face))


class Mapper(nn.Module):
    """Noise z (B, 32) and an emotion's index (B,) -> style (B, 256); one branch per expression."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        m = a.mapper
        self.shared = nn.Sequential(
            nn.Linear(a.latent, m), nn.ReLU(), nn.Linear(m, m), nn.ReLU(), nn.Linear(m, m)
        )
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Linear(m, m), nn.ReLU(), nn.Linear(m, m), nn.ReLU(),
                nn.Linear(m, a.style),
            )
            for _ in EMOTIONS
        )  # fmt: skip

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        h = self.shared(z)
        styles = torch.stack([branch(h) for branch in self.branches], 1)  # (B, 8, 256)
        return styles[torch.arange(label.shape[0], device=label.device), label]


class StyleClassifier(nn.Sequential):
    """Style (B, 256) -> emotion logits (B, 8)."""

    def __init__(self, a: Architecture) -> None:
        super().__init__(
            nn.Linear(a.style, 128), nn.ReLU(inplace=False), nn.Linear(128, len(EMOTIONS))
        )


class SDU(nn.Module):
    """Style disentanglement unit: takes the source's expression out of the skip connection.

    From the encoder's map `f_s` and the extractor's early map `f_r` of the *same* source
    (detached): `f'_st = tanh(decode(C f^_s))` with `C` the uncentred Gram of f^_r; content skip
    `f'_co = f_s - f'_st`.
    """

    def __init__(self, a: Architecture, extractor_width: int) -> None:
        super().__init__()
        c, k, self.standardised = 2 * a.width, a.sdu, a.sdu_standardised
        self.lift_s = nn.Conv2d(c, k, 1, bias=False)
        self.lift_r = nn.Conv2d(extractor_width, k, 1, bias=False)
        self.encode = _stack([k, k // 2, k // 4, k // 8])
        self.decode = _stack([k // 8, k // 4, k // 2, k])
        self.out = nn.Conv2d(k, c, 1)
        # Differs: only where the extractor is narrower than the encoder; the paper's widths agree
        self.inject = (
            nn.Identity() if c == extractor_width else nn.Conv2d(c, extractor_width, 1, bias=False)
        )

    def forward(self, f_s: Tensor, f_r: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, 128, 64, 64) each -> (style part f'_st, content part f'_co), both (B, 128, 64,
        64).
        """
        s = self.encode(self._standard(self.lift_s(f_s)))
        r = self.encode(self._standard(self.lift_r(f_r.detach()))).flatten(2)
        gram = r @ r.transpose(1, 2) / r.shape[-1]  # (B, 64, 64)
        mixed = self._standard((gram @ s.flatten(2)).view_as(s))
        style = torch.tanh(self.out(self._standard(self.decode(mixed))))
        return style, f_s - style

    def _standard(self, maps: Tensor) -> Tensor:
        """Inferred: maps (B, C, H, W) of mean 0 and spread 1 in each face. Gram times map is cubic
        in the maps' scale: without this the tanh is at +-1 everywhere, and nothing is learnt.
        """
        return F.group_norm(maps, 1) if self.standardised else maps


def _stack(widths: list[int]) -> nn.Sequential:
    """3x3 convolutions through `widths`, ReLU between them."""
    layers: list[nn.Module] = []
    for i, o in itertools.pairwise(widths):
        layers += [nn.ReLU(), nn.Conv2d(i, o, 3, 1, 1)]
    return nn.Sequential(*layers[1:])


class Discriminator(nn.Module):
    """Face -> (translated, cycled) logits, each (B, 8): per expression, two heads.

    The paper concatenates a style that it zeroes and a one-number condition; both vanish here:
    HiSD's other tags do not exist, and zeros add nothing to a 1x1 convolution.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        count = int(math.log2(a.size)) - 2
        widths = [min(a.discriminator * 2**k, a.discriminator_max) for k in range(count + 1)]
        self.trunk = nn.Sequential(
            nn.Conv2d(3, widths[0], 1),
            *(ResBlock(i, o, -1) for i, o in itertools.pairwise(widths)),
        )
        self.out = nn.Conv2d(widths[-1], 2 * len(EMOTIONS), 1)

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.trunk(face).mean((2, 3), keepdim=True)
        translated, cycled = self.out(pooled).flatten(1).chunk(2, 1)
        return translated, cycled

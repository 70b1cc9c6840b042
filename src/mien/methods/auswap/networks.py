"""The networks of auswap, designed after the paper's abstract (Shao et al., TIP 2021) and its first
author's public ADLD; see README.md for what is inferred.

Sizes in comments are the defaults at 128 px: width 64, four numbers per unit.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mien.facs import EMOTIONS, UNITS
from mien.methods.auswap.config import Architecture
from mien.nn.blocks import Departure, Refine, ResBlock, StyledBlock


class UnitEncoder(nn.Module):
    """E_a: face (B, 3, S, S) -> AU-related feature (B, 188) in [-1, 1], and its reading.

    Each unit has its own numbers and is read from them alone, linearly, so that the feature says
    which AU it holds where, and a line in features is a line in intensities. Normalised but for
    the last block, whose strength is the intensity.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.stem, self.per_unit = a.stem, a.per_unit
        self.first = nn.Conv2d(3 * a.stem**2, a.encoder, 1)
        count = int(math.log2(a.size // a.stem)) - 2  # Downs to 4x4
        widths = [min(a.encoder * 2**k, a.encoder_max) for k in range(count + 1)]
        pairs = list(itertools.pairwise(widths))
        self.down = nn.Sequential(
            *(ResBlock(i, o, -1, a.norm) for i, o in pairs[:-1]), ResBlock(*pairs[-1], -1)
        )
        # not pooled: where something is seen tells a raised brow from a raised lip
        self.out = nn.Linear(16 * widths[-1], len(UNITS) * a.per_unit)
        self.weight = nn.Parameter(torch.randn(len(UNITS), a.per_unit) / math.sqrt(a.per_unit))
        self.bias = nn.Parameter(torch.zeros(len(UNITS)))

    def forward(self, face: Tensor) -> Tensor:
        maps = self.down(self.first(F.pixel_unshuffle(face, self.stem)))
        return torch.tanh(self.out(F.leaky_relu(maps, 0.2).flatten(1)))

    def read(self, feature: Tensor) -> Tensor:
        """AU intensities (B, 47), unbounded, of AU-related features (B, 188)."""
        own = feature.view(feature.shape[0], *self.weight.shape)
        return (own * self.weight).sum(2) + self.bias


class FreeEncoder(nn.Module):
    """E_f: face -> AU-free feature (B, 256, 32, 32): who it is, pose, light, and nothing of how it
    looks now.

    Its scale is fixed: an encoder that may shout outruns the adversary that reads it.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        w, self.stem = a.width, a.stem
        self.layers = nn.Sequential(
            nn.Conv2d(3 * a.stem**2, w, 1),
            ResBlock(w, 2 * w, -1, a.norm),
            ResBlock(2 * w, 4 * w, -1, a.norm),
            nn.InstanceNorm2d(4 * w)
            if a.norm == "instance"
            else nn.GroupNorm(8, 4 * w, affine=False),
        )

    def forward(self, face: Tensor) -> Tensor:
        out: Tensor = self.layers(F.pixel_unshuffle(face, self.stem))
        return out


class Generator(nn.Module):
    """G: AU-free and AU-related feature -> features at the stem's resolution (B, 64, 128, 128).

    Residual blocks as in the family, Ups instead of its deconvolutions. The AU-related feature
    enters by adaptive instance norm: put beside the maps as constant channels, a norm after the
    first convolution would take it out again.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        w, code = a.width, len(UNITS) * a.per_unit
        self.enter = nn.Conv2d(4 * w, a.middle, 1)
        self.blocks = nn.ModuleList(StyledBlock(a.middle) for _ in range(a.blocks))
        self.affine = nn.Linear(code, a.blocks * 4 * a.middle)
        self.depart = Departure(code, a.blocks * 4 * a.middle) if a.relative else None
        self.leave = nn.Conv2d(a.middle, 4 * w, 1)
        self.up1 = ResBlock(4 * w, 2 * w, +1, a.norm)
        self.refine = Refine(2 * w, code) if a.refine else None
        self.look = Look(a) if a.look else None
        self.up2 = ResBlock(3 * w if a.look else 2 * w, w, +1, a.norm)
        self.refine_last = Refine(w, code, len(UNITS)) if a.refine_last else None

    def forward(self, free: Tensor, wanted: Tensor, own: Tensor, face: Tensor) -> Tensor:
        """free (B, 256, 32, 32); `wanted` and `own` AU-related features (B, 188); the face."""
        h = self.enter(free)
        numbers = self.affine(wanted)
        if self.depart is not None:
            numbers = numbers + self.depart(own)
        for block, affine in zip(self.blocks, numbers.chunk(len(self.blocks), 1), strict=True):
            h = block(h, affine)
        h = self.up1(free + self.leave(h))
        if self.refine is not None:
            h = self.refine(h, wanted - own)
        if self.look is not None:
            h = torch.cat([h, self.look(face)], 1)
        h = self.up2(h)
        return h if self.refine_last is None else self.refine_last(h, wanted - own)  # type: ignore[no-any-return]


class Look(nn.Module):
    """Differs: the face that is to be moved, seen by the composing head: (B, 3, S, S) -> (B, 64,
    64, 64).

    What moves has to be found first, and the AU-free feature must not say where it is. Nothing of
    it is given to another face.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.stem = a.stem
        self.first = nn.Conv2d(3 * a.stem**2, a.width // 2, 1)
        self.down = ResBlock(a.width // 2, a.width, -1, a.norm)

    def forward(self, face: Tensor) -> Tensor:
        return self.down(self.first(F.pixel_unshuffle(face, self.stem)))  # type: ignore[no-any-return]


class FreeReader(nn.Module):
    """D_f, the multi-class adversary: AU-free feature -> raw answers about every unit (B, 47, 2),
    absent or present, and about the emotion (B, 8).

    Spectral norm keeps its answers where squares are tame: without it encoder and reader drive
    each other up without end.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        c = a.reader
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(4 * a.width, c, 3, 2, 1)), nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(c, c, 3, 2, 1)), nn.LeakyReLU(0.2),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            spectral_norm(nn.Linear(16 * c, 2 * len(UNITS) + len(EMOTIONS))),
        )  # fmt: skip

    def forward(self, free: Tensor) -> tuple[Tensor, Tensor]:
        units, emotion = self.layers(free).split([2 * len(UNITS), len(EMOTIONS)], 1)
        return units.unflatten(1, (len(UNITS), 2)), emotion


class PatchDiscriminator(nn.Sequential):
    """Face -> one answer per patch (B, 1, 8, 8): 4x4 convolutions of stride 2, instance norm, PReLU
    (ADLD's blocks).
    """

    def __init__(self, a: Architecture) -> None:
        d = a.discriminator
        layers: list[nn.Module] = []
        for k, (i, o) in enumerate(((3, d), (d, d), (d, 2 * d), (2 * d, 2 * d))):
            layers.append(nn.Conv2d(i, o, 4, 2, 1))
            if k:  # normalised pixels would hide exposure and tint
                layers.append(nn.InstanceNorm2d(o, affine=True))
            layers.append(nn.PReLU(o))
        super().__init__(*layers, nn.Conv2d(2 * d, 1, 3, 1, 1))

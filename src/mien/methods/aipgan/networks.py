"""The networks of aipgan, designed after the paper's abstract (Ali and Hughes, 2020); see README.md
for what is inferred.

Sizes in comments are the defaults at 128 px: width 64, features 64, three scales.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mien.faces.align import template
from mien.facs import UNITS
from mien.methods.aipgan.config import Architecture
from mien.methods.aipgan.pooling import Alone, pool
from mien.nn.blocks import Quiet, Refine, ResBlock
from mien.nn.encoder import BOTTOM, Trunk, downs, widths

FINEST = 32
"""Side of the finest maps that are joined, where the stem leaves as much."""
INTRINSIC = 64
"""Side of the intrinsic image."""
POINTS = 68


def scales(a: Architecture) -> int:
    """Scales from the smallest maps to the finest joined ones: 8, 16 and 32 px."""
    return int(math.log2(min(a.size // a.stem, FINEST) // BOTTOM)) + 1


class UpPath(nn.Module):
    """Map (B, 256, 8, 8) -> maps (B, 256, 8, 8), (B, 128, 16, 16), (B, 64, 32, 32)."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.widths = widths(a.features, scales(a), a.features_max)[::-1]
        pairs = itertools.pairwise(self.widths)
        self.ups = nn.ModuleList(ResBlock(i, o, +1, a.norm) for i, o in pairs)

    def forward(self, bottom: Tensor) -> list[Tensor]:
        maps = [bottom]
        for up in self.ups:
            maps.append(up(maps[-1]))
        return maps


class ExpressionFeatures(nn.Module):
    """Code (B, 128) -> the expression's maps at every scale, and the 68 landmarks they say.

    The finest map ends in heat-maps, read by soft-argmax.
    """

    prior: Tensor

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.path = UpPath(a)
        self.enter = nn.Linear(a.code, self.path.widths[0] * BOTTOM**2)
        self.heat = nn.Conv2d(self.path.widths[-1], POINTS, 1)
        side = BOTTOM * 2 ** (scales(a) - 1)
        self.register_buffer("prior", _prior(side), persistent=False)

    def forward(self, code: Tensor) -> list[Tensor]:
        return self.path(self.enter(code).view(code.shape[0], -1, BOTTOM, BOTTOM))  # type: ignore[no-any-return]

    def landmarks(self, finest: Tensor) -> Tensor:
        """Landmarks (B, 68, 2) in crop units, of the finest map (B, 64, 32, 32)."""
        return soft_argmax(self.heat(F.leaky_relu(finest, 0.2)).float() + self.prior)


def _prior(side: int) -> Tensor:
    """Logits (68, side, side) of wide Gaussians at the template: a crop is aligned, and a landmark
    is looked for near its place.
    """
    places = torch.from_numpy(template(side))
    line = torch.arange(side, dtype=torch.float32)
    x, y = line - places[:, :1], line - places[:, 1:]
    spread = 0.08 * side
    return -(x[:, None, :] ** 2 + y[:, :, None] ** 2) / (2 * spread**2)


def soft_argmax(logits: Tensor) -> Tensor:
    """Heat-maps (B, n, h, h) as logits -> their mean places (B, n, 2), x and y in crop units."""
    h = logits.shape[-1]
    heat = logits.flatten(2).softmax(-1).view_as(logits)
    line = (torch.arange(h, device=logits.device) + 0.5) / h
    return torch.stack([(heat.sum(2) * line).sum(-1), (heat.sum(3) * line).sum(-1)], -1)


class IdentityEncoder(nn.Module):
    """Face -> identity maps at every scale, intrinsic image (B, 3, 64, 64), spatial gate, and the
    warp that belongs to a deforming texture.

    Self-supervised: what is attended must rebuild the intrinsic image; nothing else is asked of
    the gate, nor teaches it (`task.choose`). No connection leads around the 8x8 bottleneck.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.trunk, self.path = Trunk(a, a.norm, a.identity_gate), UpPath(a)
        bottom, flat = self.path.widths[0], BOTTOM**2 * self.trunk.width
        self.enter: nn.Module = (
            nn.Sequential(
                nn.Flatten(), nn.Linear(flat, a.identity),
                nn.Linear(a.identity, bottom * BOTTOM**2), nn.Unflatten(1, (-1, BOTTOM, BOTTOM)),
            )
            if a.identity
            else nn.Conv2d(self.trunk.width, bottom, 1)
        )  # fmt: skip
        self.times = INTRINSIC // (BOTTOM * 2 ** (scales(a) - 1))
        self.image = nn.Conv2d(self.path.widths[-1], 3 * self.times**2, 3, 1, 1)
        self.deform = Deformation(self.trunk.width) if a.intrinsic == "deforming" else None

    def forward(self, face: Tensor) -> tuple[list[Tensor], Tensor, Tensor | None]:
        """Maps, the trunk's map (B, c, 8, 8), from which `deform` reads the warp, and the gate."""
        bottom, gate = self.trunk(face)
        return self.path(self.enter(bottom)), bottom, gate

    def gate(self) -> nn.Module | None:
        """What decides the spatial gate, where that has to choose; else None."""
        attention = self.trunk.attention
        return attention.where if attention is not None and attention.let else None

    def others(self) -> list[nn.Module]:
        """All of it but `gate`, that has anything to learn."""
        trunk, attention = self.trunk, self.trunk.attention
        if self.gate() is None or attention is None:
            return [self]
        parts = (
            trunk.first, trunk.down, attention.shared, trunk.last, self.enter, self.path,
            self.image, self.deform,
        )  # fmt: skip
        return [m for m in parts if m is not None and any(True for _ in m.parameters())]

    def intrinsic(self, finest: Tensor) -> Tensor:
        """The intrinsic image (B, 3, 64, 64) in [-1, 1], of the finest map."""
        made = self.image(F.leaky_relu(finest, 0.2)).float()
        return torch.tanh(F.pixel_shuffle(made, self.times))


class Deformation(Quiet):
    """Map (B, c, 8, 8) -> the warp (B, 2, 64, 64), crop units, that brings a canonical texture to
    the photograph (Deforming Autoencoders, Shu et al., ECCV 2018, sec. 3.1).

    Increments between 0 and 2 px are summed up along each axis, so that the texture may be
    stretched but never folded; at first every increment is 1: no warp.
    """

    def __init__(self, c: int) -> None:
        super().__init__()
        self.code = nn.Sequential(nn.Flatten(), nn.Linear(BOTTOM**2 * c, 128), nn.LeakyReLU(0.2))
        self.out = nn.Linear(128, 2 * 16 * 16)
        self.add_nothing()

    def add_nothing(self) -> None:
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, maps: Tensor) -> Tensor:
        coarse = self.out(self.code(maps)).float().view(-1, 2, 16, 16)
        steps = 2 * torch.sigmoid(F.interpolate(coarse, INTRINSIC, mode="bilinear"))
        moved = steps - 1
        return torch.stack([moved[:, 0].cumsum(-1), moved[:, 1].cumsum(-2)], 1) / INTRINSIC


class Decoder(nn.Module):
    """Maps of both encoders -> features at the stem's resolution (B, 64, 128, 128).

    At every scale both encoders' maps are joined and put beside the decoder's own.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        count = scales(a)
        features = widths(a.features, count, a.features_max)[::-1]
        own = widths(a.decoder, count, a.decoder_max)[::-1]
        joins = [
            pool(a, e * (2 if a.relative else 1), e, o)
            if a.scales == "all" or k == count - 1
            else Alone(e, o)
            for k, (e, o) in enumerate(zip(features, own, strict=True))
        ]
        self.joins = nn.ModuleList(joins)
        self.look = Look(a) if a.look else None
        entering = [own[0], *(2 * o for o in own[1:])]
        entering[-1] += a.width if a.look else 0
        self.ups = nn.ModuleList(
            ResBlock(i, o, +1, a.norm) for i, o in zip(entering[:-1], own[1:], strict=True)
        )
        rest = downs(a) + 1 - count  # Ups from the finest joined map to the stem's resolution
        steps = [min(1, rest), *[1] * (rest - 1)]
        most = max(a.width, a.decoder_max)
        channels = [entering[-1], *widths(a.width, len(steps), most)[::-1]]
        self.leave = nn.Sequential(
            *(
                ResBlock(i, o, step, a.norm)
                for step, (i, o) in zip(steps, itertools.pairwise(channels), strict=True)
            )
        )
        self.refine = Refine(a.width, a.code) if a.refine else None

    def forward(
        self, identity: list[Tensor], wanted: list[Tensor], own: list[Tensor] | None, face: Tensor,
        change: Tensor,
    ) -> Tensor:  # fmt: skip
        """Identity maps, wanted and (if relative) own expression maps by scale; the face; wanted
        code minus own (B, 128), for `refine`.
        """
        h = None
        for k, join in enumerate(self.joins):
            donor = wanted[k] if own is None else torch.cat([wanted[k], own[k]], 1)
            joined = join(donor, identity[k])
            h = joined if h is None else torch.cat([self.ups[k - 1](h), joined], 1)
        if self.look is not None:
            h = torch.cat([h, self.look(face)], 1)  # type: ignore[list-item]
        h = self.leave(h)
        return h if self.refine is None else self.refine(h, change)  # type: ignore[no-any-return]


class Look(nn.Module):
    """Differs: the face that is to be moved, seen by the decoder's last block: (B, 3, S, S) -> (B,
    64, 32, 32).

    What moves has to be found first, and the intrinsic image must not say where it is. Nothing of
    it is given to another face.
    """

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.stem, count = a.stem, downs(a) + 1 - scales(a)
        channels = [a.width // 2] * max(1, count) + [a.width]
        self.first = nn.Conv2d(3 * a.stem**2, channels[0], 1)
        self.down = nn.Sequential(
            *(ResBlock(i, o, -min(1, count), a.norm) for i, o in itertools.pairwise(channels))
        )

    def forward(self, face: Tensor) -> Tensor:
        return self.down(self.first(F.pixel_unshuffle(face, self.stem)))  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Face -> realism of patches (B, 1, 8, 8), action units (B, 47), people (B, n): one trunk with
    expression and identity heads (DE-GAN's, Ali and Hughes 2019).

    Spectral norm wherever it plays against the generator; units and people it learns from
    photographs alone.
    """

    def __init__(self, a: Architecture, people: int) -> None:
        super().__init__()
        d = widths(a.discriminator, 4, 8 * a.discriminator)
        count = max(1, int(math.log2(a.size // BOTTOM)))
        channels = [3, *d[:count]]
        self.trunk = nn.Sequential(
            *itertools.chain.from_iterable(
                (spectral_norm(nn.Conv2d(i, o, 4, 2, 1)), nn.LeakyReLU(0.2))
                for i, o in itertools.pairwise(channels)
            )
        )
        self.realism = spectral_norm(nn.Conv2d(channels[-1], 1, 3, 1, 1))
        self.traits = nn.Sequential(
            nn.Conv2d(channels[-1], 128, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten()
        )
        self.units = nn.Linear(16 * 128, len(UNITS))
        self.person = nn.Linear(16 * 128, people)

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.trunk(face)
        traits = self.traits(maps)
        # a picture head's early results lie far outside a photograph: units answer in their range
        return self.realism(maps), torch.sigmoid(self.units(traits)), self.person(traits)

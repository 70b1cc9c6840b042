"""The last layer of a decoder: a picture, or a composition of the source with paint."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.blocks import Quiet
from mien.nn.compose import picture, resize, warp
from mien.types import Composition


class PictureHead(nn.Module):
    """The paper-true head: a 1x1 convolution to RGB, no tanh; mask 0, every pixel is repainted."""

    def __init__(self, width: int, stem: int) -> None:
        """Features (B, `width`, S / `stem`, S / `stem`) -> a picture (B, 3, S, S)."""
        super().__init__()
        self.stem, self.out = stem, nn.Conv2d(width, 3 * stem**2, 1)

    def forward(self, h: Tensor, source: Tensor) -> Composition[Tensor]:
        return picture(F.pixel_shuffle(self.out(h), self.stem))


class ComposeHead(Quiet):
    """Warp the source and paint only what cannot be moved in; starts as the identity.

    The flow is read at the stem's resolution and upsampled; mask and paint are made at full size
    beside the warped source, so that they can mend it.
    """

    reach = 0.1  # crop units that a flow output of 1 moves: keeps early steps small

    def __init__(self, width: int, stem: int) -> None:
        """Features (B, `width`, S / `stem`, S / `stem`) and the source -> a composition at S."""
        super().__init__()
        self.stem = stem
        fine = 16
        self.flow = nn.Conv2d(width, 2, 3, 1, 1)
        self.spread = nn.Conv2d(width, fine * stem**2, 3, 1, 1)
        self.mix = nn.Conv2d(fine + 6, 32, 3, 1, 1)
        self.norm = nn.GroupNorm(8, 32)
        self.out = nn.Conv2d(32, 4, 3, 1, 1)
        self.add_nothing()

    def add_nothing(self) -> None:
        nn.init.zeros_(self.flow.weight)
        nn.init.zeros_(self.out.weight)
        for conv in (self.flow, self.out):
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        if self.out.bias is not None:
            nn.init.constant_(self.out.bias[3:], 2.0)  # mask 0.88: mostly the source

    def forward(self, h: Tensor, source: Tensor) -> Composition[Tensor]:
        h = F.leaky_relu(h, 0.2)
        # in float32: half a pixel of flow is less than bf16 can tell apart far from zero
        flow = resize(self.flow(h).float() * self.reach, source.shape[-1])
        fine = F.pixel_shuffle(self.spread(h), self.stem)
        moved = warp(source.float(), flow)
        mixed = self.mix(torch.cat([fine, moved.to(fine), source.to(fine)], 1))
        out = self.out(F.leaky_relu(self.norm(mixed), 0.2)).float()
        return Composition(flow, torch.sigmoid(out[:, 3:]), torch.tanh(out[:, :3]))

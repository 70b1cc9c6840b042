"""The network before a composing head, for methods whose generator draws faces from codes alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.blocks import Refine, ResBlock, StyledBlock


class Composer(nn.Module):
    """A generator's features for the face with the wanted expression and with its own, and the face
    itself -> features (B, c, S / 2, S / 2).

    What moves has to be found in the photograph first; what the generator would draw says where to.
    """

    def __init__(self, c: int, blocks: int, drawn: int, numbers: int) -> None:
        """c: channels; drawn: those of the generator's features; numbers: length of a code."""
        super().__init__()
        self.first = nn.Conv2d(12, c // 2, 1)
        self.look = ResBlock(c // 2, c, -1, "group")
        self.join = nn.Conv2d(c + 2 * drawn, c, 1)
        self.blocks = nn.ModuleList(StyledBlock(c) for _ in range(blocks))
        self.affine = nn.Linear(2 * numbers, blocks * 4 * c)
        self.up = ResBlock(c, c // 2, +1, "group")
        self.refine = Refine(c // 2, numbers)

    def forward(
        self, face: Tensor, start: Tensor, drawn: Tensor, own: Tensor, wanted: Tensor
    ) -> Tensor:
        """The face (B, 3, S, S); features (B, drawn, S / 4, S / 4) as it is, and as it is to be;
        its expression's code (B, numbers), and the wanted one.
        """
        fine = self.first(F.pixel_unshuffle(face, 2))
        h = self.join(torch.cat([self.look(fine), drawn, drawn - start], 1))
        change = wanted - own
        numbers = self.affine(torch.cat([wanted, change], 1))
        for block, affine in zip(self.blocks, numbers.chunk(len(self.blocks), 1), strict=True):
            h = block(h, affine)
        return self.refine(self.up(h) + fine, change)  # type: ignore[no-any-return]

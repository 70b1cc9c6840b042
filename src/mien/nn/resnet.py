"""The trunk: ResNet50 (He et al., CVPR 2016, table 1) and a pyramid (Lin et al., CVPR 2017).

Written here and trained here: no weights of others. Sizes in comments are for 128 px at He et al.'s
width.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

BLOCKS = (3, 4, 6, 3)
"""Bottlenecks of the four stages: 1 + 3 (3 + 4 + 6 + 3) + 1 layers are the fifty."""
EXPANSION = 4


def norm(channels: int, kind: str) -> nn.Module:
    """Batch norm (the paper's), or group norm of 8: independent of who else is in the batch."""
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.GroupNorm(8, channels)


class Bottleneck(nn.Module):
    """(B, i, H, W) -> (B, 4 c, H / stride, W / stride): 1x1, 3x3, 1x1 beside a shortcut.

    The 3x3 strides (ResNet "v1.5"); the last norm begins at zero, so that the block is its shortcut
    (Goyal et al. 2017).
    """

    def __init__(self, i: int, c: int, stride: int, kind: str) -> None:
        super().__init__()
        o = EXPANSION * c
        self.convs = nn.ModuleList([
            nn.Conv2d(i, c, 1, bias=False),
            nn.Conv2d(c, c, 3, stride, 1, bias=False),
            nn.Conv2d(c, o, 1, bias=False),
        ])  # fmt: skip
        self.norms = nn.ModuleList([norm(c, kind), norm(c, kind), norm(o, kind)])
        last = self.norms[-1].weight
        assert isinstance(last, nn.Parameter)
        nn.init.zeros_(last)
        self.shortcut: nn.Module = nn.Identity()
        if i != o or stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), norm(o, kind))

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norms[0](self.convs[0](x)))
        h = F.relu(self.norms[1](self.convs[1](h)))
        return F.relu(self.shortcut(x) + self.norms[2](self.convs[2](h)))


class ResNet50(nn.Module):
    """Face (B, 3, S, S) -> maps at a quarter, an eighth, a sixteenth and a 32nd of its side, with
    256, 512, 1024 and 2048 channels; narrower in proportion to `width`.
    """

    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=False), norm(width, kind), nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )  # fmt: skip
        self.widths = [EXPANSION * width * 2**k for k in range(len(BLOCKS))]
        stages, i = [], width
        for k, count in enumerate(BLOCKS):
            strides = [1 if k == 0 else 2] + [1] * (count - 1)
            blocks = []
            for stride in strides:
                blocks.append(Bottleneck(i, width * 2**k, stride, kind))
                i = self.widths[k]
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, face: Tensor) -> list[Tensor]:
        maps = [self.stages[0](self.stem(face))]
        for stage in list(self.stages)[1:]:
            maps.append(stage(maps[-1]))
        return maps


class Pyramid(nn.Module):
    """Maps of all four scales -> maps of equal width (B, p, s, s), each with what the coarser ones
    hold; by their side, from the coarsest to `finest` px.
    """

    def __init__(self, widths: Sequence[int], size: int, finest: int, p: int) -> None:
        super().__init__()
        sides = [size // 4 // 2**k for k in range(len(widths))]
        self.used = [k for k, side in enumerate(sides) if side <= finest or k == len(sides) - 1]
        self.sides = [sides[k] for k in self.used]
        self.laterals = nn.ModuleList(nn.Conv2d(widths[k], p, 1) for k in self.used)
        self.smooth = nn.ModuleList(nn.Conv2d(p, p, 3, 1, 1) for _ in self.used)

    def forward(self, maps: Sequence[Tensor]) -> dict[int, Tensor]:
        above: Tensor | None = None
        out = {}
        for n in reversed(range(len(self.used))):
            h = self.laterals[n](maps[self.used[n]])
            if above is not None:
                h = h + F.interpolate(above, size=h.shape[-1], mode="nearest")
            above = h
            out[self.sides[n]] = self.smooth[n](F.leaky_relu(h, 0.2))
        return out

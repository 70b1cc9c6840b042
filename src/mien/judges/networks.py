"""The two judges' networks: unlike by design, so that what both say is not one network's habit.

Both see an aligned crop of 128 px and answer three questions at once. `ConvNet` (judge a) is a
residual network that pools nothing away: which side of the face moved is read by where. `Mixer`
(judge b) cuts the face into 8 x 8 cells and mixes cells and channels in turn (Tolstikhin et al.,
"MLP-Mixer", 2021), which suits faces that lie always alike. They share no block but the linear
layers at their ends.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs
from mien.faces.align import template

SIZE = 128
"""Side of the crop that a judge sees, px."""
POINTS = 68


class Answer(NamedTuple):
    """What a network says of B crops, before it becomes a `Reading`."""

    units: Tensor
    """Logits (B, 47); their sigmoid is the intensity."""
    emotions: Tensor
    """Logits (B, 8) in the order of `facs.EMOTIONS`."""
    landmarks: Tensor
    """(B, 68, 2) in crop units, 0 to 1 from edge to edge."""


class ConvNet(nn.Module):
    """Judge a: residual blocks with group norm, heat maps for the landmarks. 0.23 GMAC a crop.

    The whole face is seen in 8 x 8 cells; lids, irises and lips by what the finest map, of 32 x 32,
    holds at each landmark.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (32, 48, 96, 160)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Conv2d(3, a, 3, 2, 1)
        self.down1 = nn.Sequential(_Narrow(a, b), _Residual(b))
        self.down2 = nn.Sequential(_Narrow(b, c), _Residual(c), _Residual(c))
        self.down3 = nn.Sequential(_Narrow(c, d), _Residual(d), _Residual(d))
        self.side2, self.side3 = nn.Conv2d(c, b, 1), nn.Conv2d(d, b, 1)
        self.heat = nn.Sequential(nn.GroupNorm(8, b), nn.SiLU(), nn.Conv2d(b, POINTS, 1))
        self.narrow = nn.Sequential(nn.GroupNorm(8, d), nn.SiLU(), nn.Conv2d(d, 32, 1))
        self.face = nn.Linear(32 * 8 * 8, 256)
        self.spot = nn.Sequential(nn.SiLU(), nn.Linear(b, 12), nn.SiLU())
        self.spots = nn.Linear(12 * POINTS, 256)
        nn.init.zeros_(self.spots.weight)
        self.units = nn.Linear(256 + 2 * POINTS, len(facs.UNITS))
        self.emotions = nn.Linear(256 + 2 * POINTS, len(facs.EMOTIONS))
        self.mean: Tensor
        self.register_buffer("mean", _mean_face(), persistent=False)

    def forward(self, crops: Tensor) -> Answer:
        """Crops (B, 3, 128, 128) in [-1, 1]."""
        quarter = self.down1(self.stem(crops))  # (B, 48, 32, 32)
        eighth = self.down2(quarter)  # (B, 96, 16, 16)
        low = self.down3(eighth)  # (B, 160, 8, 8)
        fine = quarter + _twice(self.side2(eighth) + _twice(self.side3(low)))
        points = expected_place(self.heat(fine).float())  # (B, 68, 2)
        spots = self.spot(sampled(fine, points.detach())).flatten(1)
        seen = F.silu(self.face(self.narrow(low).flatten(1)) + self.spots(spots))  # (B, 256)
        # where the landmarks lie says much about units, but the units' loss shall not move them
        moved = 10 * (points.detach() - self.mean).flatten(1)
        seen = F.dropout(seen, 0.2, self.training)
        both = torch.cat([seen, moved.to(seen.dtype)], 1)
        return Answer(self.units(both).float(), self.emotions(both).float(), points)

    def features(self, crops: Tensor) -> Tensor:
        """What the coarsest map holds, mean over the face: (B, 160)."""
        low: Tensor = self.down3(self.down2(self.down1(self.stem(crops))))
        return low.mean((2, 3))


class Mixer(nn.Module):
    """Judge b: cells of 16 px, mixed with one another and within themselves. 0.15 GMAC a crop."""

    def __init__(self, width: int = 176, depth: int = 7) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 4, 4), nn.GELU(), nn.Conv2d(32, 96, 3, 2, 1), nn.GELU(),
            nn.Conv2d(96, width, 3, 2, 1),
        )  # fmt: skip
        self.place = nn.Parameter(torch.zeros(1, 64, width))
        self.mix = nn.Sequential(*(_Mix(width) for _ in range(depth)), nn.LayerNorm(width))
        self.votes = nn.Linear(width, 3 * POINTS)
        self.narrow = nn.Linear(width, 24)
        self.face = nn.Sequential(nn.GELU(), nn.Linear(24 * 64, 256), nn.GELU())
        self.units = nn.Linear(256, len(facs.UNITS))
        self.emotions = nn.Linear(256, len(facs.EMOTIONS))
        side = (torch.arange(8.0) + 0.5) / 8
        cells = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).reshape(64, 2)
        self.cells: Tensor
        self.register_buffer("cells", cells, persistent=False)

    def forward(self, crops: Tensor) -> Answer:
        """Crops (B, 3, 128, 128) in [-1, 1]."""
        cells = self._mixed(crops)  # (B, 64, width)
        seen = self.face(self.narrow(cells).flatten(1))  # (B, 256)
        seen = F.dropout(seen, 0.2, self.training)
        points = self._voted(self.votes(cells).float())
        return Answer(self.units(seen).float(), self.emotions(seen).float(), points)

    def features(self, crops: Tensor) -> Tensor:
        """What the cells hold in the end, mean over the face: (B, 176)."""
        return self._mixed(crops).mean(1)

    def _mixed(self, crops: Tensor) -> Tensor:
        cells: Tensor = self.mix(self.stem(crops).flatten(2).transpose(1, 2) + self.place)
        return cells

    def _voted(self, votes: Tensor) -> Tensor:
        """Each cell says how sure it is of a landmark and how far away that lies; (B, 68, 2)."""
        sure, x, y = votes.view(-1, 64, 3, POINTS).unbind(2)  # (B, 64, 68) each
        place = self.cells[:, None] + torch.stack([x, y], -1) / 8  # (B, 64, 68, 2)
        return (sure.softmax(1)[..., None] * place).sum(1)


class _Residual(nn.Module):
    """Norm, SiLU, 3x3 convolution, twice, and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, 1, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        out: Tensor = x + self.conv2(F.silu(self.norm2(h)))
        return out


class _Narrow(nn.Sequential):
    """Half the side: (B, i, H, W) -> (B, o, H / 2, W / 2)."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(nn.GroupNorm(8, i), nn.SiLU(), nn.Conv2d(i, o, 3, 2, 1))


class _Mix(nn.Module):
    """Mixes cells channel by channel, then channels cell by cell: (B, 64, width) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.cells = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64))
        self.channels = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.cells(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        out: Tensor = x + self.channels(self.norm2(x))
        return out


def expected_place(maps: Tensor) -> Tensor:
    """Mean place under maps of logits (B, n, s, s): (B, n, 2) in crop units (Sun et al. 2018)."""
    side = maps.shape[-1]
    share = maps.flatten(2).softmax(2).view(maps.shape)
    place = (torch.arange(side, device=maps.device, dtype=maps.dtype) + 0.5) / side
    return torch.stack([(share.sum(2) * place).sum(2), (share.sum(3) * place).sum(2)], 2)


def sampled(maps: Tensor, points: Tensor) -> Tensor:
    """Maps (B, C, s, s) at points (B, n, 2) in crop units: (B, n, C)."""
    grid = (2 * points - 1)[:, :, None].to(maps.dtype)  # (B, n, 1, 2)
    seen = F.grid_sample(maps, grid, align_corners=False)
    return seen[..., 0].transpose(1, 2)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _mean_face() -> Tensor:
    return (torch.from_numpy(template(SIZE)) + 0.5) / SIZE

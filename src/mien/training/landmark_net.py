"""The landmark network as it is learnt; at work it is `faces.landmark_maps`, without torch."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import WeightsError
from mien.nn.tensors import from_levels, named
from mien.types import Float, UInt8
from mien.zoo.records import read_weights, records


class LandmarkNet(nn.Module):
    """Heat maps at a quarter of the crop and the mean place of each: crops (B, 3, 128, 128) in [-1,
    1] -> (B, 68, 2).

    The answer is in crop units, that is 0 to 1 from edge to edge. An hourglass gives each heat map
    the sight of the whole face; the expected place under the map is finer than its cells (integral
    regression, Sun et al. 2018).
    """

    def __init__(self, widths: tuple[int, int, int, int] = (20, 40, 72, 112)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = conv(3, a, 3, 2)
        self.down1 = nn.Sequential(conv(a, b, 3, 2), Block(b))
        self.down2 = nn.Sequential(conv(b, c, 3, 2), Block(c), Block(c))
        self.down3 = nn.Sequential(conv(c, d, 3, 2), Block(d), Block(d), Block(d))
        self.up2 = nn.Sequential(conv(d + c, c, 1, 1), Block(c))
        self.up1 = conv(c + b, b, 1, 1)
        # Lids and lips are finer than a cell of the maps: the stem's cells, four to one, see them.
        self.fine = nn.Conv2d(4 * a, b, 1)
        self.last = nn.Sequential(Block(b), Block(b))
        self.heat = nn.Conv2d(b, 68, 1)

    def maps(self, crops: Tensor) -> Tensor:
        """Logits of where each landmark is, (B, 68, 32, 32)."""
        half = self.stem(crops)  # (B, 20, 64, 64)
        quarter = self.down1(half)  # (B, 40, 32, 32)
        eighth = self.down2(quarter)  # (B, 72, 16, 16)
        low = self.down3(eighth)  # (B, 112, 8, 8)
        low = F.interpolate(low, scale_factor=2.0, mode="bilinear", align_corners=False)
        low = self.up2(torch.cat([low, eighth], dim=1))
        low = F.interpolate(low, scale_factor=2.0, mode="bilinear", align_corners=False)
        low = self.up1(torch.cat([low, quarter], dim=1)) + self.fine(F.pixel_unshuffle(half, 2))
        heat: Tensor = self.heat(self.last(low))
        return heat

    def places(self, maps: Tensor) -> Tensor:
        """Expected place under each map, (B, 68, 2) in crop units."""
        side = maps.shape[-1]
        share = maps.flatten(2).softmax(dim=2).view(maps.shape)
        place = (torch.arange(side, device=maps.device, dtype=maps.dtype) + 0.5) / side
        x = (share.sum(dim=2) * place).sum(dim=2)
        y = (share.sum(dim=3) * place).sum(dim=2)
        return torch.stack([x, y], dim=2)

    @torch.inference_mode()
    def look(self, crops: UInt8) -> Float:
        """Landmarks (B, 68, 2) in crop units of crops uint8 (B, 128, 128, 3), as a
        `faces.landmarks.Network`.
        """
        pixels = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2)
        units: Float = self(from_levels(pixels)).numpy()
        return units

    def forward(self, crops: Tensor) -> Tensor:
        """Landmarks (B, 68, 2) in crop units of crops (B, 3, 128, 128)."""
        return self.places(self.maps(crops))


class Block(nn.Module):
    """Two 3x3 convolutions and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width, 3, 1)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, C, H, W) -> the same shape."""
        return F.relu(x + self.second(self.first(x)))


def conv(into: int, out: int, kernel: int, stride: int) -> nn.Sequential:
    """A convolution, its normalisation, and what rectifies it."""
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


@functools.cache
def load(path: Path | None = None) -> LandmarkNet:
    """The network in eval mode, with the weights that ship or those at `path`.

    AssetMissing when they are not there, WeightsError when they are not this network's.
    """
    if path is None:
        record = records()["landmarks"]
        record.verify()
        path = record.path
    arrays, _ = read_weights(path)
    net = LandmarkNet()
    try:
        net.load_state_dict({name: tensor.float() for name, tensor in named(arrays).items()})
    except RuntimeError:
        raise WeightsError(f"{path} does not hold the weights of the landmark network") from None
    return net.eval()

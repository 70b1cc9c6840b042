"""The networks that find faces and landmarks, as torch modules of the very arrays that numpy works
with: `faces.blazeface` and `faces.landmark_maps` again, for batches."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mien.faces.landmark_maps import folded
from mien.faces.landmarks import SIZE
from mien.zoo.records import read_weights, records

DETECTED = 128
"""Side of the picture that the detector's graph sees, px: any multiple of 16 works in numpy; a
graph has one, or its anchors could not be constants."""
_STRIDED, _FINE, _BLOCKS = (2, 5, 11), 10, 16
_EDGES = (1, 2, 1, 2)  # TensorFlow's SAME for a 5x5 convolution of stride 2
_STAGES = (("down1", 1, 1), ("down2", 1, 2), ("down3", 1, 3))


def _arrays(name: str) -> dict[str, NDArray[np.float32]]:
    record = records()[name]
    record.verify()
    return {key: value.astype(np.float32) for key, value in read_weights(record.path)[0].items()}


class Detector(nn.Module):
    """BlazeFace: pictures (B, 3, 128, 128) in [-1, 1] -> logits (B, 896), boxes (B, 896, 4) left,
    top, right, bottom and six points (B, 896, 6, 2), px with the left edge at 0."""

    def __init__(self) -> None:
        super().__init__()
        for name, value in _arrays("blazeface").items():
            self.register_buffer(name.replace(".", "_"), torch.from_numpy(value))
        for name, stride in (("fine", 8), ("coarse", 16)):
            anchors = self._weight(f"{name}.scores.weight").shape[0]
            count = DETECTED // stride
            line = (torch.arange(count, dtype=torch.float32) + 0.5) * stride
            middles = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
            self.register_buffer(
                f"{name}_middles", middles.reshape(-1, 1, 2).repeat(1, anchors, 1).reshape(-1, 1, 2)
            )

    def _weight(self, name: str) -> Tensor:
        return self.get_buffer(name.replace(".", "_"))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.pad(pixels, _EDGES)
        x = F.conv2d(x, self._kernel("stem", 4), self._weight("stem.bias"), stride=2).relu()
        fine = x
        for index in range(_BLOCKS):
            x = self._block(x, f"blocks.{index}", index in _STRIDED)
            if index == _FINE:
                fine = x
        read = [self._read(fine, "fine"), self._read(x, "coarse")]
        logits, boxes, points = (torch.cat(both, 1) for both in zip(*read, strict=True))
        return logits, boxes, points

    def _kernel(self, name: str, axes: int) -> Tensor:
        weight = self._weight(f"{name}.weight")
        return weight if weight.ndim == axes else weight[..., None, None]

    def _block(self, x: Tensor, name: str, halved: bool) -> Tensor:
        depth = self._weight(f"{name}.depthwise.weight").reshape(-1, 1, 3, 3)
        y = F.conv2d(
            x, depth, self._weight(f"{name}.depthwise.bias"), padding=1, groups=depth.shape[0]
        )
        if halved:
            y, x = y[:, :, 1::2, 1::2], F.max_pool2d(x, 2)
        y = F.conv2d(
            y, self._kernel(f"{name}.pointwise", 4), self._weight(f"{name}.pointwise.bias")
        )
        return (y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))).relu()

    def _read(self, x: Tensor, name: str) -> tuple[Tensor, Tensor, Tensor]:
        logits, places = (
            F.conv2d(
                x, self._kernel(f"{name}.{what}", 4), self._weight(f"{name}.{what}.bias")
            ).permute(0, 2, 3, 1)  # (B, rows, columns, ...)
            for what in ("scores", "places")
        )
        points = places.reshape(x.shape[0], -1, 8, 2)
        middles = self._weight(f"{name}_middles")
        centre, half = points[:, :, :1] + middles, points[:, :, 1:2] / 2
        boxes = torch.cat([centre - half, centre + half], 2).flatten(2)
        return logits.flatten(1), boxes, points[:, :, 2:] + middles


class Landmarks(nn.Module):
    """mien's landmarks: crops (B, 3, 128, 128) in [-1, 1] -> (B, 68, 2) in crop units."""

    def __init__(self) -> None:
        super().__init__()
        record = records()["landmarks"]
        record.verify()
        for name, (weight, bias) in folded(read_weights(record.path)[0]).items():
            self.register_buffer(f"{name}.weight".replace(".", "_"), torch.from_numpy(weight))
            self.register_buffer(f"{name}.bias".replace(".", "_"), torch.from_numpy(bias))

    def forward(self, crops: Tensor) -> Tensor:
        half = self._conv(crops, "stem", 2).relu()
        x, seen = half, []
        for name, first, count in _STAGES:
            x = self._conv(x, f"{name}.0", 2).relu()
            for index in range(first, first + count):
                x = self._block(x, f"{name}.{index}")
            seen.append(x)
        quarter, eighth, low = seen
        low = self._conv(torch.cat([_doubled(low), eighth], 1), "up2.0").relu()
        low = self._block(low, "up2.1")
        low = self._conv(torch.cat([_doubled(low), quarter], 1), "up1").relu()
        low = low + self._conv(F.pixel_unshuffle(half, 2), "fine")
        for index in (0, 1):
            low = self._block(low, f"last.{index}")
        maps = self._conv(low, "heat")
        side = SIZE // 4
        share = maps.flatten(2).softmax(2).reshape(-1, 68, side, side)
        place = (torch.arange(side, dtype=torch.float32, device=crops.device) + 0.5) / side
        return torch.stack([(share.sum(2) * place).sum(2), (share.sum(3) * place).sum(2)], 2)

    def _conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight, bias = (
            self.get_buffer(f"{name}.{of}".replace(".", "_")) for of in ("weight", "bias")
        )
        return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)

    def _block(self, x: Tensor, name: str) -> Tensor:
        return (x + self._conv(self._conv(x, f"{name}.first").relu(), f"{name}.second")).relu()


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)

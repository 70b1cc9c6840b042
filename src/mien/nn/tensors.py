"""Between numpy's arrays and tensors: pictures, batches of faces, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mien import images
from mien.types import Faces, UInt8


def to_tensor(pixels: UInt8) -> Tensor:
    """uint8 (S, S, 3) or (B, S, S, 3) -> float32 (B, 3, S, S) in [-1, 1]."""
    batch = torch.from_numpy(np.ascontiguousarray(pixels if pixels.ndim == 4 else pixels[None]))
    return from_levels(batch.permute(0, 3, 1, 2)).contiguous()


def to_uint8(batch: Tensor) -> UInt8:
    """float (B, 3, S, S) in [-1, 1] -> uint8 (B, S, S, 3), rounded; values outside are clipped."""
    return images.to_uint8(batch.detach().float().cpu().numpy())


def from_levels(levels: Tensor) -> Tensor:
    """Levels 0 to 255, of any shape -> float32 in [-1, 1]."""
    return levels.float().div(127.5).sub(1.0)


def to_levels(pixels: Tensor) -> Tensor:
    """Pictures in [-1, 1], of any shape -> whole levels 0 to 255 as float; others are clipped."""
    return pixels.clamp(-1, 1).add(1).mul(127.5).round()


def faces(given: Faces[Any]) -> Faces[Tensor]:
    """A batch of faces of either kind as tensors, on the CPU if it was numpy's."""
    return given.mapped(torch.as_tensor)


def at(given: Faces[Tensor], size: int) -> Faces[Tensor]:
    """The same faces in crops of side `size`."""
    side = given.pixels.shape[-1]
    if side == size:
        return given
    smooth = F.interpolate(given.pixels, size=(size, size), mode="bilinear", antialias=True)
    points = (given.landmarks + 0.5) * (size / side) - 0.5
    return replace(given, pixels=smooth, landmarks=points)


def named(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """A file's arrays (`zoo.records.read_weights`) as tensors."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}

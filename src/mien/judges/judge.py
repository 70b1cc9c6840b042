"""A judge: a network whose weights ship with mien, and what it reads in faces."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien import facs
from mien.errors import AssetMissing, WeightsError
from mien.faces.align import MIRROR
from mien.judges.networks import SIZE, Answer, ConvNet, Mixer
from mien.nn.tensors import named
from mien.types import Float
from mien.zoo.records import read_weights, records

NETWORKS: dict[str, type[nn.Module]] = {"a": ConvNet, "b": Mixer}
NAMES = tuple(NETWORKS)

_UNITS = torch.from_numpy(facs.mirror(np.arange(len(facs.UNITS), dtype=np.float32))).long()
_POINTS = torch.from_numpy(MIRROR)


@dataclass(frozen=True)
class Reading:
    """What a judge sees in B faces."""

    units: Tensor
    """Action units (B, 47) in [0, 1], in the order of `facs.UNITS`."""
    emotions: Tensor
    """Probabilities (B, 8) in the order of `facs.EMOTIONS`."""
    landmarks: Tensor
    """(B, 68, 2) px of the crop of 128 px."""


class Judge:
    """Reads aligned faces; `name` is "a" or "b"."""

    def __init__(self, name: str, net: nn.Module) -> None:
        self.name, self.net = name, net.eval().requires_grad_(False)

    @torch.inference_mode()
    def read(self, pixels: Tensor | Float) -> Reading:
        """Faces float32 (B, 3, 128, 128) in [-1, 1], aligned as `faces.align` does, as a tensor or
        an array.

        The mirror image is a second opinion. No gradient passes: a judge measures and is never a
        loss.
        """
        pixels = torch.as_tensor(pixels)
        _check(pixels)
        plain: Answer = self.net(pixels)
        turned: Answer = self.net(pixels.flip(3))
        emotions = 0.5 * (plain.emotions + turned.emotions)
        units = 0.5 * (plain.units.sigmoid() + turned.units.sigmoid()[:, _UNITS])
        points = turned.landmarks[:, _POINTS] * turned.landmarks.new_tensor([-1.0, 1.0])
        points = 0.5 * (plain.landmarks + points + points.new_tensor([1.0, 0.0]))
        return Reading(units, emotions.softmax(1), points * SIZE - 0.5)

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """What the network holds of such faces before it answers, (B, D): to compare sets by."""
        _check(pixels)
        seen: Tensor = self.net.features(pixels)  # type: ignore[operator]
        return seen.float()


def _check(pixels: Tensor) -> None:
    if pixels.ndim != 4 or tuple(pixels.shape[1:]) != (3, SIZE, SIZE):
        raise ValueError(f"expected (B, 3, {SIZE}, {SIZE}), got {tuple(pixels.shape)}")


@functools.cache
def load(name: str, path: Path | None = None) -> Judge:
    """Judge "a" or "b", with the weights that ship or those at `path`.

    AssetMissing when they are not there, WeightsError when they are not this judge's.
    """
    if name not in NETWORKS:
        raise WeightsError(f"no judge {name!r}: choose from {', '.join(NAMES)}")
    if path is None:
        record = records().get(f"judge_{name}")
        if record is None:
            raise AssetMissing(f"the weights of judge {name} are missing: install mien again")
        record.verify()
        path = record.path
    arrays, _ = read_weights(path)
    net = NETWORKS[name]()
    try:
        net.load_state_dict({key: tensor.float() for key, tensor in named(arrays).items()})
    except RuntimeError:
        raise WeightsError(f"{path} does not hold the weights of judge {name}") from None
    return Judge(name, net)

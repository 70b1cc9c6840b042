"""The landmark network at work: `training.landmark_net` in numpy, its normalisation folded in.

What is learnt with torch is used without: sums run in one order whatever the number of threads,
which torch's convolutions do not promise, and nothing is kept between calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from mien.errors import WeightsError
from mien.faces.convolution import Layers, block, convolved, unshuffled
from mien.types import Float, UInt8

_EPSILON = 1e-5  # of torch's batch normalisation
_HALVED = ("stem", "down1.0", "down2.0", "down3.0")
_NORMED = (*_HALVED, "up2.0", "up1")
_PLAIN = ("fine", "heat")
_BLOCKS = {"down1": 1, "down2": 2, "down3": 3, "last": 2, "up2": 1}
_OFFSET = {"last": 0}  # where a stage's first block stands in it; elsewhere after a convolution


def folded(tensors: Mapping[str, NDArray[np.generic]]) -> Layers:
    """The convolutions of a network's tensors, each with the normalisation that follows it;
    WeightsError when they are not this network's.
    """
    try:
        out = {name: _fold(tensors, f"{name}.0", f"{name}.1") for name in _NORMED}
        for stage, count in _BLOCKS.items():
            for name in _blocks(stage, count):
                out[f"{name}.first"] = _fold(tensors, f"{name}.first.0", f"{name}.first.1")
                out[f"{name}.second"] = _fold(tensors, f"{name}.second.0", f"{name}.second.1")
        for name in _PLAIN:
            weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
            out[name] = weight.astype(np.float32), bias.astype(np.float32)
    except KeyError as error:
        raise WeightsError(f"not the landmark network: no {error.args[0]}") from None
    return out


def _blocks(stage: str, count: int) -> Iterable[str]:
    first = _OFFSET.get(stage, 1)
    return (f"{stage}.{index}" for index in range(first, first + count))


def _fold(
    tensors: Mapping[str, NDArray[np.generic]], convolution: str, norm: str
) -> tuple[Float, Float]:
    named = ("weight", "bias", "running_mean", "running_var")
    gain, shift, mean, variance = (tensors[f"{norm}.{n}"].astype(np.float64) for n in named)
    gain = gain / np.sqrt(variance + _EPSILON)
    weight = tensors[f"{convolution}.weight"].astype(np.float64) * gain[:, None, None, None]
    return weight.astype(np.float32), (shift - gain * mean).astype(np.float32)


def places(crop: UInt8, layers: Layers) -> Float:
    """Landmarks (68, 2) in crop units of an aligned crop uint8 (128, 128, 3)."""
    planes = crop.transpose(2, 0, 1).astype(np.float32) / np.float32(127.5) - 1
    half = convolved(planes, layers["stem"], 2)  # (20, 64, 64)
    quarter = _stage(half, "down1", layers)  # (40, 32, 32)
    eighth = _stage(quarter, "down2", layers)  # (72, 16, 16)
    low = _stage(eighth, "down3", layers)  # (112, 8, 8)
    low = convolved(np.concatenate([_doubled(low), eighth]), layers["up2.0"])
    low = block(low, "up2.1", layers)
    low = convolved(np.concatenate([_doubled(low), quarter]), layers["up1"])
    low = low + convolved(unshuffled(half), layers["fine"], rectified=False)
    for name in _blocks("last", _BLOCKS["last"]):
        low = block(low, name, layers)
    return _means(convolved(low, layers["heat"], rectified=False))


def _stage(x: Float, name: str, layers: Layers) -> Float:
    x = convolved(x, layers[f"{name}.0"], 2)
    for within in _blocks(name, _BLOCKS[name]):
        x = block(x, within, layers)
    return x


def _doubled(x: Float) -> Float:
    """Twice the size, bilinear, the edges' values going on outwards."""
    for axis in (1, 2):
        count = x.shape[axis]
        before = np.take(x, np.maximum(np.arange(count) - 1, 0), axis)
        behind = np.take(x, np.minimum(np.arange(count) + 1, count - 1), axis)
        near = np.float32(0.75) * x
        pair = (near + np.float32(0.25) * before, near + np.float32(0.25) * behind)
        shape = (*x.shape[:axis], 2 * count, *x.shape[axis + 1 :])
        x = np.stack(pair, axis + 1).reshape(shape)
    return x


def _means(maps: Float) -> Float:
    """Expected place under each of the logits (68, S, S), in crop units."""
    side = maps.shape[-1]
    share = np.exp(maps - maps.max(axis=(1, 2), keepdims=True))
    share /= share.sum(axis=(1, 2), keepdims=True)
    place = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    x, y = (share.sum(axis=1) * place).sum(axis=1), (share.sum(axis=2) * place).sum(axis=1)
    return np.stack([x, y], axis=1)

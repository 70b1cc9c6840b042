"""The landmark network at work: `training.landmark_net` by OpenCV, its normalisation folded in.

What is learnt with torch is used without: sums run in one order whatever the number of threads,
which torch's convolutions do not promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from mien.errors import WeightsError
from mien.faces.convolution import Layers
from mien.faces.graph import Graph, Network
from mien.types import Float, UInt8

SIDE = 128
"""Side of the crop that the network sees, px."""
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


def network(layers: Layers) -> Network:
    """The network of these convolutions, at work: planes (B, 3, 128, 128) -> maps (B, 68, 32,
    32)."""
    graph = Graph()
    half = graph.convolution("crops", layers["stem"], 2)  # (20, 64, 64)
    quarter = _stage(graph, half, "down1", layers)  # (40, 32, 32)
    eighth = _stage(graph, quarter, "down2", layers)  # (72, 16, 16)
    low = _stage(graph, eighth, "down3", layers)  # (112, 8, 8)
    low = graph.node("Concat", (graph.doubled(low), eighth), axis=1)
    low = _block(graph, graph.convolution(low, layers["up2.0"]), "up2.1", layers)
    low = graph.node("Concat", (graph.doubled(low), quarter), axis=1)
    low = graph.convolution(low, layers["up1"])
    fine = graph.convolution(half, _strided(layers["fine"]), 2, rectified=False)
    low = graph.node("Add", (low, fine))
    for name in _blocks("last", _BLOCKS["last"]):
        low = _block(graph, low, name, layers)
    maps = graph.convolution(low, layers["heat"], rectified=False)
    return Network(graph.model(("crops", (3, SIDE, SIDE)), (maps, (68, SIDE // 4, SIDE // 4))))


def places(crops: UInt8, net: Network) -> Float:
    """Landmarks (B, 68, 2) in crop units of aligned crops uint8 (B, 128, 128, 3)."""
    planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32)
    planes /= np.float32(127.5)
    planes -= 1
    (maps,) = net(planes)
    return np.stack([_means(one) for one in maps])


def _stage(graph: Graph, x: str, name: str, layers: Layers) -> str:
    x = graph.convolution(x, layers[f"{name}.0"], 2)
    for within in _blocks(name, _BLOCKS[name]):
        x = _block(graph, x, within, layers)
    return x


def _block(graph: Graph, x: str, name: str, layers: Layers) -> str:
    """Two convolutions, `name.first` and `name.second`, and a way around them."""
    y = graph.convolution(x, layers[f"{name}.first"])
    y = graph.convolution(y, layers[f"{name}.second"], rectified=False)
    return graph.node("Relu", (graph.node("Add", (y, x)),))


def _strided(layer: tuple[Float, Float]) -> tuple[Float, Float]:
    """A convolution (D, 4 C, 1, 1) of cells of 2x2, laid side by side as channels, as one (D, C, 2,
    2) that steps from cell to cell."""
    weight, bias = layer
    return weight.reshape(len(weight), -1, 2, 2), bias


def _means(maps: Float) -> Float:
    """Expected place under each of the logits (68, S, S), in crop units."""
    side = maps.shape[-1]
    share = np.exp(maps - maps.max(axis=(1, 2), keepdims=True))
    share /= share.sum(axis=(1, 2), keepdims=True)
    place = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
    x, y = (share.sum(axis=1) * place).sum(axis=1), (share.sum(axis=2) * place).sum(axis=1)
    return np.stack([x, y], axis=1)

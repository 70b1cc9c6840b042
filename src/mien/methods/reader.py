"""Reads the action units that a face shows, for every method that the face model draws.

One network (`nn.reader.UnitReader`), which drawn faces taught. It is run in numpy, so that a
reference needs no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mien.errors import WeightsError
from mien.face_model.threads import one_thread
from mien.faces.align import resized, warp
from mien.faces.convolution import convolved, unshuffled
from mien.images import to_uint8
from mien.types import Faces, Float, UInt8
from mien.zoo.records import read_weights, records

SIZE = 128
"""Side of the crop that the network sees, px."""
NAME = "reader"
"""The record of its weights (`recipes/reader.yaml`)."""
_DOWN = ("down.0", "down.1")
_GROUPS, _EPSILON, _SLOPE = 8, 1e-5, 0.2

Tensors = Mapping[str, Float]


@one_thread()
def read(crop: UInt8, tensors: Tensors | None = None) -> Float:
    """Action units (47,) in [0, 1] of an aligned crop uint8 (S, S, 3); by the network that ships,
    or one of `tensors`."""
    t = shipped() if tensors is None else tensors
    small = warp(crop, resized(np.eye(2, 3, dtype=np.float32), len(crop), SIZE), SIZE)
    face = small.transpose(2, 0, 1).astype(np.float32) / np.float32(127.5) - 1
    x = _plain(unshuffled(face), t, "trunk.first")
    for name in _DOWN:
        x = _halved(x, t, f"trunk.{name}")
    x = _leaky(_halved(_attended(x, t), t, "trunk.last"))
    code = np.tanh(0.5 * (t["out.weight"] @ x.reshape(-1) + t["out.bias"]))
    return np.asarray((t["to_units.weight"] @ code + t["to_units.bias"]).clip(0, 1), np.float32)


def of(faces: Faces[Float]) -> Float:
    """Action units (B, 47) in [0, 1] of faces (B)."""
    return np.stack([read(crop) for crop in to_uint8(faces.pixels)])


def tensors_of(arrays: Mapping[str, NDArray[np.generic]]) -> Tensors:
    """The network among a file's arrays, as numpy runs it; WeightsError if it is not there."""
    if not {"expression_encoder.out.weight", "to_units.weight"} <= arrays.keys():
        raise WeightsError("not a reader of action units: it has no expression encoder")
    return {k.removeprefix("expression_encoder."): v.astype(np.float32) for k, v in arrays.items()}


def digest() -> str:
    """SHA-256 of the weights that ship."""
    return records()[NAME].sha256


@cache
def shipped() -> Tensors:
    """The network that ships."""
    record = records()[NAME]
    record.verify()
    return tensors_of(read_weights(record.path)[0])


def _plain(x: Float, t: Tensors, name: str) -> Float:
    weight = t[f"{name}.weight"]
    bias = t.get(f"{name}.bias", np.zeros(len(weight), np.float32))
    return convolved(x, (weight, bias), rectified=False)


def _halved(x: Float, t: Tensors, name: str) -> Float:
    """A residual block that halves the map, see `nn.blocks.ResBlock`."""
    skip = _plain(x, t, f"{name}.shortcut") if f"{name}.shortcut.weight" in t else x
    h = _pooled(_plain(_leaky(_normed(x, t, f"{name}.norm1")), t, f"{name}.conv1"))
    h = _plain(_leaky(_normed(h, t, f"{name}.norm2")), t, f"{name}.conv2")
    return (_pooled(skip) + h) / np.float32(math.sqrt(2))


def _attended(x: Float, t: Tensors) -> Float:
    """Channels, then places, weighed, see `nn.encoder.Attention`."""

    def weighed(values: Float) -> Float:
        inside = t["trunk.attention.shared.0.weight"] @ values + t["trunk.attention.shared.0.bias"]
        narrow = np.maximum(inside, 0)
        out = t["trunk.attention.shared.2.weight"] @ narrow + t["trunk.attention.shared.2.bias"]
        return np.asarray(out, np.float32)

    which = _sigmoid(weighed(x.mean((1, 2))) + weighed(x.max((1, 2))))
    x = x * which[:, None, None]
    seen = np.stack([x.mean(0), x.max(0)])
    return x * _sigmoid(_plain(seen, t, "trunk.attention.where"))


def _normed(x: Float, t: Tensors, name: str) -> Float:
    """Group norm, where the block has one."""
    if f"{name}.norm.weight" not in t:
        return x
    parts = x.reshape(_GROUPS, -1)
    mean, variance = parts.mean(1, keepdims=True), parts.var(1, keepdims=True)
    flat = ((parts - mean) / np.sqrt(variance + np.float32(_EPSILON))).reshape(x.shape)
    gain, shift = (t[f"{name}.norm.{key}"][:, None, None] for key in ("weight", "bias"))
    out: Float = flat * gain + shift
    return out


def _leaky(x: Float) -> Float:
    out: Float = np.maximum(x, np.float32(_SLOPE) * x)
    return out


def _sigmoid(x: Float) -> Float:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def _pooled(x: Float) -> Float:
    channels, height, width = x.shape
    cells: Float = x.reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4))
    return cells

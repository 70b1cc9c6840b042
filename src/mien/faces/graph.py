"""Networks for OpenCV's runtime, written as ONNX: nothing is installed for it that is not there.

Of ONNX (onnx.proto3, IR version 8, opset 13) what is needed is written by hand: a model is a
message of Protocol Buffers, and a message is fields, each a number, a kind and a value.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Float

_IR, _OPSET = 8, 13
_VARINT, _BYTES = 0, 2  # kinds of fields
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7  # kinds of attributes, and of numbers in a tensor


HELD = 3 * 256 * 256
"""Numbers of an input after which a network is kept; after a larger one it is read anew, in a few
milliseconds."""


class Graph:
    """A graph while it is being written; values go by their names."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._tensors: list[bytes] = []

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """A value that is known."""
        name = f"constant{len(self._tensors)}"
        sides = b"".join(_field(1, side) for side in values.shape)
        whole = values.dtype == np.int64
        raw = np.ascontiguousarray(values, "<i8" if whole else "<f4").tobytes()
        kind = _field(2, _INTS if whole else _FLOAT)
        self._tensors.append(sides + kind + _field(8, name) + _field(9, raw))
        return name

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """What an operator makes of its inputs."""
        name = f"node{len(self._nodes)}"
        parts = [_field(1, one) for one in inputs]
        parts += [_field(2, name), _field(3, name), _field(4, kind)]
        parts += [_field(5, _attribute(key, value)) for key, value in attributes.items()]
        self._nodes.append(b"".join(parts))
        return name

    def convolution(
        self,
        x: str,
        layer: tuple[Float, Float],
        stride: int = 1,
        *,
        rectified: bool = True,
        edges: tuple[int, int] | None = None,
        groups: int = 1,
    ) -> str:
        """A convolution with a weight (D, C / groups, k, k) and a bias (D,), its border of zeros:
        `edges` px before and behind, or half a kernel."""
        weight, bias = layer
        size = weight.shape[-1]
        before, behind = edges or 2 * ((size - 1) // 2,)
        out = self.node(
            "Conv", (x, self.constant(weight), self.constant(bias)),
            kernel_shape=(size, size), strides=(stride, stride), group=groups,
            pads=(before, before, behind, behind),
        )  # fmt: skip
        return self.node("Relu", (out,)) if rectified else out

    def doubled(self, x: str) -> str:
        """Twice the size, bilinear, the edges' values going on outwards."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.node("Resize", (x, "", scales), **how)

    def halved(self, x: str) -> str:
        """The largest of each 2x2."""
        return self.node("MaxPool", (x,), kernel_shape=(2, 2), strides=(2, 2))

    def widened(self, x: str, more: int) -> str:
        """With `more` channels of zeros behind its own."""
        if not more:
            return x
        return self.node("Pad", (x, self.constant(np.array([0] * 5 + [more, 0, 0], np.int64))))

    def model(self, given: tuple[str, Sequence[int]], *made: tuple[str, Sequence[int]]) -> bytes:
        """The file, from its input's name and sides (B apart; 0 for any) to its outputs'."""
        graph = b"".join(_field(1, node) for node in self._nodes) + _field(2, "network")
        graph += b"".join(_field(5, tensor) for tensor in self._tensors)
        graph += _field(11, _value(*given))
        graph += b"".join(_field(12, _value(*one)) for one in made)
        return _field(1, _IR) + _field(8, _field(1, "") + _field(2, _OPSET)) + _field(7, graph)


class Network:
    """A network at work. The same bytes for any number of threads, and of pictures at once.

    Threads may share it: they take turns.
    """

    def __init__(self, model: bytes) -> None:
        self._lock, self._model = threading.Lock(), np.frombuffer(model, np.uint8)
        self._net: cv2.dnn.Net | None = None

    def __call__(self, x: Float) -> tuple[Float, ...]:
        """What it answers to its input, float32 (B, ...)."""
        with self._lock:
            # the engine that takes any number of pictures without being planned anew
            net = self._net or cv2.dnn.readNetFromONNX(self._model, cv2.dnn.ENGINE_NEW)
            net.setInput(x)
            answers = net.forward(net.getUnconnectedOutLayersNames())
            # it holds the room that its largest input took for good
            self._net = net if x.size <= HELD else None
            # the net's own arrays are used again
            return tuple(np.array(one, np.float32) for one in answers)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, _INT)
    if isinstance(value, str):
        return _field(1, name) + _field(4, value) + _field(20, _STRING)
    return _field(1, name) + b"".join(_field(8, one) for one in value) + _field(20, _INTS)


def _value(name: str, sides: Sequence[int]) -> bytes:
    """A float32 tensor (B, *sides), a side of 0 being any."""
    known = [_field(1, side) if side else _field(2, f"side{i}") for i, side in enumerate(sides)]
    shape = b"".join(_field(1, one) for one in (_field(2, "B"), *known))
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, shape)))

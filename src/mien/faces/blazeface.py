"""BlazeFace, the face detector of Google's MediaPipe (short range): Bazarevsky et al. 2019.

The network's own weights (float16, Apache-2.0), run by OpenCV: pictures uint8 (H, W, 3) in, faces
with six points out. Threads may share it, and numbers of threads change nothing.

Differs: it was made for one picture of 128 px. All of it is convolution, so it runs on larger
pictures as well, with its anchors at every cell; faces of 18 to 120 px are found in either case.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from mien.faces.graph import Graph, Network
from mien.types import Float, UInt8
from mien.zoo.records import read_weights, records

SMALLEST, LARGEST = 18, 120
"""Widths of a face, px of the picture that the network sees, between which it is found surely."""
KEYPOINTS = 6
"""Right eye, left eye (the person's own sides), tip of the nose, middle of the mouth, right and
left ear.
"""
BORDER = -1.0
"""What the network is shown beyond the picture: black."""
_STRIDED = (2, 5, 11)
_FINE = 10
"""The block after which the fine cells (8 px) are read; after the last, the coarse ones (16 px)."""
_BLOCKS = 16
_CELL = 16
_STEM = 5
_PARTS = (("depthwise", 3), ("pointwise", 1))


@dataclass(frozen=True)
class Answers:
    """What every anchor answers: N of them, px of the picture that was looked at (edges, so that
    its left edge is 0).
    """

    logits: Float  # (N,)
    boxes: Float  # (N, 4): left, top, right, bottom
    keypoints: Float  # (N, 6, 2)


def look(pixels: UInt8) -> Answers:
    """The network's answers for a picture uint8 (H, W, 3) RGB of any size."""
    height, width = pixels.shape[:2]
    tall, wide = (-(-side // _CELL) * _CELL for side in (height, width))
    planes = np.full((1, 3, tall, wide), BORDER, np.float32)
    seen = planes[0, :, :height, :width]
    seen[:] = pixels.transpose(2, 0, 1)
    seen *= np.float32(1 / 127.5)
    seen -= 1
    answers = [one[0] for one in _load()(planes)]
    near, far = answers[:2], answers[2:]
    parts = [_read(near[0], near[1], stride=8), _read(far[0], far[1], stride=16)]
    return Answers(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def _read(scores: Float, places: Float, stride: int) -> tuple[Float, Float, Float]:
    """Logits (N,), boxes (N, 4), keypoints (N, 6, 2) px of one grid of cells, of whose A anchors
    each the network says a score (A, rows, columns) and 16 numbers of places."""
    anchors, rows, columns = scores.shape  # per cell, all in its middle and of one size
    logits = scores.transpose(1, 2, 0).reshape(-1)
    points = places.reshape(anchors, 2 + KEYPOINTS, 2, rows, columns).transpose(3, 4, 0, 1, 2)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    middles = (np.stack([x, y], 2)[:, :, None, None] + np.float32(0.5)) * stride
    sizes = points[:, :, :, 1].reshape(-1, 2)
    points = np.delete(points, 1, axis=3) + middles  # (rows, columns, anchors, 7, 2)
    points = points.reshape(-1, 1 + KEYPOINTS, 2)
    boxes = np.concatenate([points[:, 0] - sizes / 2, points[:, 0] + sizes / 2], axis=1)
    return logits, boxes, points[:, 1:]


@functools.cache
def _load() -> Network:
    """The network: planes (1, 3, H, W) -> scores and places of the fine cells, then of the coarse
    ones."""
    record = records()["blazeface"]
    record.verify()
    found = {name: array.astype(np.float32) for name, array in read_weights(record.path)[0].items()}

    def layer(name: str, size: int) -> tuple[Float, Float]:
        weight = found[f"{name}.weight"]
        return weight.reshape(len(weight), -1, size, size), found[f"{name}.bias"]

    graph = Graph()
    # borders as TensorFlow's SAME
    x = fine = graph.convolution("pixels", layer("stem", _STEM), 2, edges=(1, 2))
    wide = len(found["stem.bias"])
    for index in range(_BLOCKS):
        halved = index in _STRIDED
        kernels, point = (layer(f"blocks.{index}.{part}", size) for part, size in _PARTS)
        stride, edges = (2, (0, 1)) if halved else (1, (1, 1))
        y = graph.convolution(x, kernels, stride, edges=edges, groups=wide, rectified=False)
        y = graph.convolution(y, point, rectified=False)
        beside = graph.widened(graph.halved(x) if halved else x, len(point[1]) - wide)
        x, wide = graph.node("Relu", (graph.node("Add", (y, beside)),)), len(point[1])
        fine = x if index == _FINE else fine
    made = []
    for name, features in (("fine", fine), ("coarse", x)):
        for part in ("scores", "places"):
            head = layer(f"{name}.{part}", 1)
            out = graph.convolution(features, head, rectified=False)
            made.append((out, (len(head[1]), 0, 0)))
    return Network(graph.model(("pixels", (3, 0, 0)), *made))

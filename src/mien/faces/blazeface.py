"""BlazeFace, the face detector of Google's MediaPipe (short range): Bazarevsky et al. 2019.

The network's own weights (float16, Apache-2.0) and its arithmetic, in numpy and OpenCV: pictures
uint8 (H, W, 3) in, faces with six points out. Nothing is kept between calls, so that threads may
share it, and numbers of threads change nothing.

Differs: it was made for one picture of 128 px. All of it is convolution, so it runs on larger
pictures as well, with its anchors at every cell; faces of 18 to 120 px are found in either case.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from mien.faces.products import product
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
_BAND = 16  # rows of the stem at a time: what is multiplied stays in the cache


@dataclass(frozen=True)
class Answers:
    """What every anchor answers: N of them, px of the picture that was looked at (edges, so that
    its left edge is 0).
    """

    logits: Float  # (N,)
    boxes: Float  # (N, 4): left, top, right, bottom
    keypoints: Float  # (N, 6, 2)


@dataclass(frozen=True)
class _Block:
    depth: Float  # (C, 3, 3)
    depth_bias: Float
    point: Float  # (D, C + 1): the last column is the bias


@dataclass(frozen=True)
class _Weights:
    stem: Float  # (24, 75)
    stem_bias: Float
    blocks: tuple[_Block, ...]
    heads: tuple[tuple[Float, Float], ...]
    """Scores and places of the fine cells, then of the coarse ones."""


def look(pixels: UInt8) -> Answers:
    """The network's answers for a picture uint8 (H, W, 3) RGB of any size."""
    height, width = pixels.shape[:2]
    tall, wide = (-(-side // _CELL) * _CELL for side in (height, width))
    planes = np.full((3, tall, wide), BORDER, np.float32)
    planes[:, :height, :width] = pixels.transpose(2, 0, 1)
    planes[:, :height, :width] *= np.float32(1 / 127.5)
    planes[:, :height, :width] -= 1
    fine, coarse = _features(planes, _load())
    parts = [
        _read(features, heads, stride)
        for features, heads, stride in (
            (fine, _load().heads[:2], 8),
            (coarse, _load().heads[2:], 16),
        )
    ]
    return Answers(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def _features(planes: Float, weights: _Weights) -> tuple[Float, Float]:
    """Picture (3, H, W) in [-1, 1] -> features (88, H/8, W/8) and (96, H/16, W/16)."""
    x = _stem(planes, weights)
    fine = x
    for index, block in enumerate(weights.blocks):
        y = _depthwise(x, block)
        if index in _STRIDED:
            y = np.ascontiguousarray(y[:, 1::2, 1::2])
            rows = np.maximum(x[:, ::2], x[:, 1::2])
            x = np.maximum(rows[:, :, ::2], rows[:, :, 1::2])
        x = _joined(y, x, block.point)
        if index == _FINE:
            fine = x
    return fine, x


def _stem(planes: Float, weights: _Weights) -> Float:
    """5x5 convolution of stride 2: (3, H, W) -> (24, H/2, W/2); borders as TensorFlow's SAME."""
    _, height, width = planes.shape
    padded = np.zeros((3, height + 3, width + 3), np.float32)
    padded[:, 1:-2, 1:-2] = planes
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_STEM, _STEM), axis=(1, 2))
    windows = windows[:, ::2, ::2].transpose(0, 3, 4, 1, 2)  # (3, 5, 5, H/2, W/2)
    out = np.empty((len(weights.stem), height // 2, width // 2), np.float32)
    for top in range(0, height // 2, _BAND):
        band = np.ascontiguousarray(windows[..., top : top + _BAND, :])
        part = product(weights.stem, band.reshape(weights.stem.shape[1], -1))
        out[:, top : top + _BAND] = part.reshape(len(out), -1, width // 2)
    out += weights.stem_bias[:, None, None]
    return np.maximum(out, 0, out=out)


def _depthwise(x: Float, block: _Block) -> Float:
    """Features (C, H, W) -> (C + 1, H, W): each filtered by its own kernel, and a plane of ones."""
    out = np.empty((len(x) + 1, *x.shape[1:]), np.float32)
    out[-1] = 1
    for plane, kernel, bias, into in zip(x, block.depth, block.depth_bias, out[:-1], strict=True):
        cv2.filter2D(plane, cv2.CV_32F, kernel, into, (-1, -1), float(bias), cv2.BORDER_CONSTANT)
    return out


def _joined(y: Float, x: Float, weight: Float) -> Float:
    """The end of a block: (C + 1, H, W) through a 1x1 convolution (D, C + 1), plus the way around
    (C, H, W), which is narrower: the other channels get nothing.
    """
    out = product(weight, y.reshape(len(y), -1))
    out[: len(x)] += x.reshape(len(x), -1)
    np.maximum(out, 0, out=out)
    return out.reshape(-1, *y.shape[1:])


def _pointwise(x: Float, weight: Float, bias: Float) -> Float:
    channels, height, width = x.shape
    out = product(weight, x.reshape(channels, -1))
    out += bias[:, None]
    return np.asarray(out.reshape(-1, height, width), np.float32)


def _read(
    features: Float, heads: tuple[tuple[Float, Float], ...], stride: int
) -> tuple[Float, Float, Float]:
    """Logits (N,), boxes (N, 4), keypoints (N, 6, 2) px of one grid of cells."""
    (score, score_bias), (place, place_bias) = heads
    _, rows, columns = features.shape
    logits = _pointwise(features, score, score_bias).transpose(1, 2, 0).reshape(-1)
    places = _pointwise(features, place, place_bias)
    anchors = len(score)  # per cell, all in its middle and of one size
    points = places.reshape(anchors, 2 + KEYPOINTS, 2, rows, columns).transpose(3, 4, 0, 1, 2)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    middles = (np.stack([x, y], 2)[:, :, None, None] + np.float32(0.5)) * stride
    sizes = points[:, :, :, 1].reshape(-1, 2)
    points = np.delete(points, 1, axis=3) + middles  # (rows, columns, anchors, 7, 2)
    points = points.reshape(-1, 1 + KEYPOINTS, 2)
    boxes = np.concatenate([points[:, 0] - sizes / 2, points[:, 0] + sizes / 2], axis=1)
    return logits, boxes, points[:, 1:]


@functools.cache
def _load() -> _Weights:
    record = records()["blazeface"]
    record.verify()
    found = {name: array.astype(np.float32) for name, array in read_weights(record.path)[0].items()}

    def flat(name: str) -> tuple[Float, Float]:
        weight = found[f"{name}.weight"]
        return weight.reshape(len(weight), -1), found[f"{name}.bias"]

    blocks = []
    for index in range(_BLOCKS):
        depth, bias = flat(f"blocks.{index}.depthwise")
        point = np.column_stack(flat(f"blocks.{index}.pointwise"))
        blocks.append(_Block(depth.reshape(-1, 3, 3), bias, point))
    names = ("fine.scores", "fine.places", "coarse.scores", "coarse.places")
    return _Weights(*flat("stem"), tuple(blocks), tuple(flat(name) for name in names))

"""mien's own 68 landmarks: a small network that was trained on hand-checked points and rig renders.

The network sees an aligned crop of 128 px and answers where the landmarks lie in it. It starts from
the detector's eyes and mouth, which tell place, size and roll; its answer aligns the crop better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from mien.faces import landmark_maps
from mien.faces.align import STABLE, inverse, mirrored, similarity, template, transform, warp
from mien.faces.graph import Network as Shipped
from mien.types import Float, UInt8
from mien.zoo.records import read_weights, records

SIZE = landmark_maps.SIDE
"""Side of the crop that the network sees, px."""
DOUBT = 0.02
"""Crop units up to which `follow` is believed."""
_FOLLOWING = 2
_MOVED = 1.5  # px of the crop: a face off by more is looked at again, in the middle
_SEEN = [0, 1, 3]  # of the detector's points: eyes and mouth; a turned head's nose and ears stray
_PLACES = np.array([[0.3628, 0.3750], [0.6372, 0.3750], [0.5, 0.6572]], np.float32)
"""Where they lie in the crop, in crop units: means over the hand-checked training people, made
symmetric (`mien bench detection` measures them).
"""
Network: TypeAlias = Callable[[UInt8], Float]
"""What may stand in for the network that ships: aligned crops uint8 (B, 128, 128, 3) -> landmarks
(B, 68, 2) in crop units.
"""


def landmarks_in(
    pictures: Sequence[UInt8], keypoints: Sequence[Float], net: Network | None = None
) -> list[tuple[Float, float]]:
    """Landmarks (68, 2) px of a face in each picture (H, W, 3), whose six points (6, 2) px the
    detector gave (`blazeface.KEYPOINTS`), and a doubt as in `follow`.
    """
    if not keypoints:
        return []
    matrices = [starting(points) for points in keypoints]
    answers = predict(_crops(pictures, matrices), net)
    first = [transform(inverse(m), a) for m, a in zip(matrices, answers, strict=True)]
    matrices = [aligning(points) for points in first]
    answers, doubts = _twice(_crops(pictures, matrices), net)
    return [
        (transform(inverse(matrix), answer), float(doubt))
        for matrix, answer, doubt in zip(matrices, answers, doubts, strict=True)
    ]


def _crops(pictures: Sequence[UInt8], matrices: Sequence[Float]) -> UInt8:
    return np.stack([warp(p, m, SIZE) for p, m in zip(pictures, matrices, strict=True)])


def starting(keypoints: Float) -> Float:
    """The similarity (2, 3) to the crop of 128 px, as the detector's six points px tell it."""
    return similarity(keypoints[_SEEN], _PLACES * SIZE - np.float32(0.5))


def aligning(points: Float) -> Float:
    """The similarity (2, 3) from the photograph of landmarks (68, 2) px to their crop of 128 px."""
    return similarity(points[list(STABLE)], template(SIZE)[list(STABLE)])


def _twice(crops: UInt8, net: Network | None) -> tuple[Float, Float]:
    """Landmarks (B, 68, 2), crop px, the mirror image giving a second opinion, and the doubts
    (B,): how far the two lie apart on average, in crop units.
    """
    straight, turned = np.split(predict(np.concatenate([crops, crops[:, :, ::-1]]), net), 2)
    second = mirrored(turned, SIZE)
    apart = np.linalg.norm(straight - second, axis=2).mean(axis=1) / SIZE
    return (straight + second) / np.float32(2), np.asarray(apart, np.float32)


def follow(pixels: UInt8, landmarks: Float, net: Network | None = None) -> tuple[Float, float]:
    """Landmarks (68, 2) px of a face that was at `landmarks` (68, 2) px a moment ago, and a doubt.

    No detector: the crop is aligned by where the face was, and once more if it has moved on. The
    doubt is how far the answers for the crop and for its mirror image lie apart, on average, in
    crop units: under `DOUBT` on a face, several times that where there is none.
    """
    stable = list(STABLE)
    points, doubt = landmarks, 1.0
    for _ in range(_FOLLOWING):
        matrix = aligning(points)
        (answer,), (apart,) = _twice(warp(pixels, matrix, SIZE)[None], net)
        points, doubt = transform(inverse(matrix), answer), float(apart)
        if np.abs(answer[stable].mean(0) - template(SIZE)[stable].mean(0)).max() < _MOVED:
            break
    return points, doubt


def predict(crops: UInt8, net: Network | None = None) -> Float:
    """Landmarks (B, 68, 2), crop px, of aligned crops uint8 (B, 128, 128, 3): by the weights that
    ship, the same to the bit for any number of threads, or by another network.
    """
    units = landmark_maps.places(crops, _shipped()) if net is None else net(crops)
    return np.asarray(units * SIZE - 0.5, dtype=np.float32)


@cache
def _shipped() -> Shipped:
    record = records()["landmarks"]
    record.verify()
    return landmark_maps.network(landmark_maps.folded(read_weights(record.path)[0]))

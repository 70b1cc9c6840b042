"""mien's own 68 landmarks: a small network that was trained on hand-checked points and rig renders.

The network sees an aligned crop of 128 px and answers where the landmarks lie in it. It starts from
the detector's eyes and mouth, which tell place, size and roll; its answer aligns the crop better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np

from mien.faces import landmark_maps
from mien.faces.align import STABLE, inverse, mirrored, similarity, template, transform, warp
from mien.faces.graph import Network as Shipped
from mien.faces.registration import Registration
from mien.memory import Memory
from mien.types import Float, UInt8, digest
from mien.zoo.records import read_weights, records

SIZE = landmark_maps.SIDE
"""Side of the crop that the network sees, px."""
DOUBT = 0.02
"""Crop units up to which `follow` is believed."""
GLANCES = 4
"""Frames of a film, one after the other, of which the mirror image is not looked at."""
FIRST = 4
"""Frames that the network sees before any it does not: they say whose face it is."""
STILL = 8
"""Frames, one after the other, of which the network sees nothing, as the face looks as it did."""
_ALIKE = 12.0  # levels, on average: a crop that differs by more from the last one shows another
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

_READS: Memory[Float] = Memory(32)
"""The network's answers to the last crops: a photograph is edited again and again."""


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
    straight, second = _both(crops, net)
    return (straight + second) / np.float32(2), _distance(straight, second)


def _both(crops: UInt8, net: Network | None) -> tuple[Float, Float]:
    """Landmarks (B, 68, 2), crop px, by crops and by their mirror images."""
    straight, turned = np.split(predict(np.concatenate([crops, crops[:, :, ::-1]]), net), 2)
    return straight, mirrored(turned, SIZE)


def _distance(first: Float, second: Float) -> Float:
    """How far (B,) landmarks (B, 68, 2), crop px, lie apart on average, in crop units."""
    return np.asarray(np.linalg.norm(first - second, axis=2).mean(axis=1) / SIZE, np.float32)


def follow(pixels: UInt8, landmarks: Float, net: Network | None = None) -> tuple[Float, float]:
    """Landmarks (68, 2) px of a face that was at `landmarks` (68, 2) px a moment ago, and a doubt.

    No detector: the crop is aligned by where the face was, and once more if it has moved on. The
    doubt is how far the answers for the crop and for its mirror image lie apart, on average, in
    crop units: under `DOUBT` on a face, several times that where there is none.
    """
    return Follower(net)(pixels, landmarks)


class Follower:
    """`follow` from frame to frame of a film.

    While the face looks as it did when the network saw it last, it is found by registration, for a
    few frames, and its landmarks are those of then. Of five frames that the network sees, it sees
    the mirror image of one. In between, what that added to the crop's own answer, a mean over the
    last looks, is added again, as long as the crop looks alike and the face is where it was: over
    three speakers and a swaying head that is 0.03 to 0.12 px of the crop from what both images say,
    with the jitter of both.
    """

    def __init__(self, net: Network | None = None) -> None:
        self._net = net
        self._crop: UInt8 | None = None  # the last one; None where nothing is known
        self._added: Float | None = None  # (68, 2) crop px: what the mirror image adds
        self._doubt, self._glances, self._stills, self._looks = 1.0, 0, 0, 0
        self._seen: tuple[Registration, Float] | None = None  # and the landmarks there, crop px
        self._before: Float | None = None  # landmarks (68, 2) px in the last frame but one

    def __call__(self, pixels: UInt8, landmarks: Float) -> tuple[Float, float]:
        """Landmarks (68, 2) px of the face that was at `landmarks` in the last frame, and the
        doubt of the last look at both images."""
        found = self._carried(pixels, landmarks)
        self._before = landmarks
        if found is not None:
            self._stills += 1
            return found, self._doubt
        self._stills, self._looks = 0, self._looks + 1
        seen = self._glanced(pixels, landmarks) if self._glances < GLANCES else None
        if seen is None:
            return self._looked(pixels, landmarks)
        self._glances += 1
        return seen, self._doubt

    def _carried(self, pixels: UInt8, points: Float) -> Float | None:
        """The landmarks of a face that looks as it did when the network saw it; None if it does
        not, or was not seen for long."""
        if self._seen is None or self._looks < FIRST or self._stills >= STILL:
            return None
        registration, answer = self._seen
        ahead = points if self._before is None else 2 * points - self._before
        found = registration(pixels, aligning(ahead))
        if found is None:
            return None
        matrix, self._crop = found
        return transform(inverse(matrix), answer)

    def _glanced(self, pixels: UInt8, points: Float) -> Float | None:
        """The landmarks by the crop itself, seen again where the face has moved on; None if it may
        not be what was seen last."""
        for _ in range(_FOLLOWING):
            matrix = aligning(points)
            crop = warp(pixels, matrix, SIZE)
            if self._added is None or not self._alike(crop):
                return None
            answer = predict(crop[None], self._net)[0] + self._added
            points = transform(inverse(matrix), answer)
            if _off(answer) < _MOVED:
                break
        self._crop, self._seen = crop, (Registration(crop), answer)
        return points

    def _looked(self, pixels: UInt8, points: Float) -> tuple[Float, float]:
        """The same by both images, and their doubt."""
        before: Float | None = None
        for _ in range(_FOLLOWING):
            matrix = aligning(points)
            crop = warp(pixels, matrix, SIZE)
            if before is None and self._alike(crop):
                before = self._added
            straight, second = _both(crop[None], self._net)
            added = (second[0] - straight[0]) / np.float32(2)
            if before is not None:
                added = (added + before) / np.float32(2)
            answer, doubt = straight[0] + added, float(_distance(straight, second)[0])
            points = transform(inverse(matrix), answer)
            if _off(answer) < _MOVED:
                break
        self._crop, self._added, self._doubt, self._glances = crop, added, doubt, 0
        self._seen = Registration(crop), answer
        return points, doubt

    def _alike(self, crop: UInt8) -> bool:
        """Whether a crop may show what the last one did."""
        return self._crop is not None and float(cv2.absdiff(crop, self._crop).mean()) < _ALIKE


def _off(answer: Float) -> float:
    """How far landmarks (68, 2) lie from the middle of their crop, px."""
    stable = list(STABLE)
    return float(np.abs(answer[stable].mean(0) - template(SIZE)[stable].mean(0)).max())


def predict(crops: UInt8, net: Network | None = None) -> Float:
    """Landmarks (B, 68, 2), crop px, of aligned crops uint8 (B, 128, 128, 3): by the weights that
    ship, the same to the bit for any number of threads, or by another network.
    """
    if net is None:
        units = _READS.kept(digest(crops), lambda: landmark_maps.places(crops, _shipped()))
    else:
        units = net(crops)
    return np.asarray(units * SIZE - 0.5, dtype=np.float32)


@cache
def _shipped() -> Shipped:
    record = records()["landmarks"]
    record.verify()
    return landmark_maps.network(landmark_maps.folded(read_weights(record.path)[0]))

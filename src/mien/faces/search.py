"""Where faces may be: BlazeFace over a pyramid of the photograph, upright or in a quarter turn.

Each level of the pyramid is half the one above it, so that a face of any size is seen at several of
them between 18 and 120 px wide; what overlaps is one face, its box and points the mean of what was
seen, weighted by score. The coarsest level has a border around it, for faces that fill the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import cv2
import numpy as np

from mien.face_model.threads import together
from mien.faces import blazeface
from mien.memory import Memory
from mien.types import Float, UInt8, digest

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, px of the photograph."""
TURNS = (0, 1, 2, 3)
_COARSEST, _BORDER = 96, 16  # px: a face of 1.25 times the longer side is still 120 px wide
_HALF_UNTIL = 160  # px of the longer side: above it another level of half the size follows
_SAME = 0.3  # intersection over union from which two boxes show one face
_INSIDE = 0.7  # likewise of a box's area that lies in the other


@dataclass(frozen=True)
class Candidate:
    """What may be a face: score 0 to 1, box and six points (6, 2) px of the photograph, in the
    order of `blazeface.KEYPOINTS`.
    """

    score: float
    box: Box
    keypoints: Float


_LOOKS: Memory[list[Candidate]] = Memory(64)
"""What was seen in the last levels: a photograph is edited again and again."""


@dataclass(frozen=True)
class Level:
    """A photograph shrunk by a scale for x and one for y (sides are whole numbers), with a border
    of so many px around it.
    """

    pixels: UInt8
    scale: tuple[float, float]
    border: int = 0

    def to_photograph(self, points: Float) -> Float:
        """Points (..., 2) of this level (pixel centres at whole numbers), px of the photograph."""
        out = (points + np.float32(0.5 - self.border)) / np.array(self.scale, np.float32)
        return np.asarray(out - np.float32(0.5), np.float32)

    def from_photograph(self, points: Float) -> Float:
        """The way back."""
        out = (points + np.float32(0.5)) * np.array(self.scale, np.float32)
        return np.asarray(out + np.float32(self.border - 0.5), np.float32)


def pyramid(pixels: UInt8, finest: float) -> list[Level]:
    """Levels of a photograph uint8 (H, W, 3), the first `finest` times its size."""
    levels = []
    longest = max(pixels.shape[:2])
    level, scale = Level(pixels, (1.0, 1.0)), finest
    while longest * scale > _HALF_UNTIL:
        level = _shrunk(level, pixels, scale)
        levels.append(level)
        scale /= 2
    level = _shrunk(level, pixels, _COARSEST / longest)
    around = ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0))
    return [*levels, Level(np.pad(level.pixels, around), level.scale, _BORDER)]


def _shrunk(level: Level, whole: UInt8, scale: float) -> Level:
    """The photograph at `scale`, from a level that is larger; the last pixel of an odd side is left
    out, since halving to the pixel is many times as fast.
    """
    while level.scale[0] >= 2 * scale and min(level.pixels.shape[:2]) > 1:
        height, width = (side // 2 for side in level.pixels.shape[:2])
        even = level.pixels[: 2 * height, : 2 * width]
        half = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        level = Level(np.asarray(half, np.uint8), (level.scale[0] / 2, level.scale[1] / 2))
    height, width = (max(1, round(side * scale)) for side in whole.shape[:2])
    tall, wide = level.pixels.shape[:2]
    mode = cv2.INTER_AREA if scale < level.scale[0] else cv2.INTER_LINEAR
    shown = cv2.resize(level.pixels, (width, height), interpolation=mode)
    ratio = (level.scale[0] * width / wide, level.scale[1] * height / tall)
    return Level(np.asarray(shown, np.uint8), ratio)


def candidates(levels: Sequence[Level], least: float, turn: int = 0) -> list[Candidate]:
    """What scores `least` or more in the levels turned left by so many quarters, best first."""
    calls = [partial(_seen, level, least, turn) for level in levels]
    return merged([found for look in together(calls) for found in look])


def _seen(level: Level, least: float, turn: int) -> list[Candidate]:
    """`_look`, now or when it was asked before."""
    key = digest(level.pixels, level.scale, level.border, least, turn)
    return _LOOKS.kept(key, partial(_look, level, least, turn))


def _look(level: Level, least: float, turn: int) -> list[Candidate]:
    answers = blazeface.look(np.rot90(level.pixels, turn))
    chosen = answers.logits > np.log(least / (1 - least))
    scores = 1 / (1 + np.exp(-answers.logits[chosen].astype(np.float64)))
    corners = answers.boxes[chosen].reshape(-1, 2, 2)
    points = np.concatenate([corners, answers.keypoints[chosen]], axis=1)
    points = _turned_back(points, level.pixels.shape[:2], turn)
    points = level.to_photograph(points - np.float32(0.5))
    return [
        Candidate(float(score), _box(found[:2]), found[2:])
        for score, found in zip(scores, points, strict=True)
    ]


def _turned_back(points: Float, shape: tuple[int, ...], turn: int) -> Float:
    """Places (..., 2) of a picture turned left by `turn` quarters, in the picture as it was."""
    height, width = shape
    x, y = points[..., 0], points[..., 1]
    places = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))
    return np.stack(places[turn % 4], axis=-1)


def _box(corners: Float) -> Box:
    (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
    return left, top, right, bottom


def merged(found: Sequence[Candidate]) -> list[Candidate]:
    """One candidate for each group that shows the same face, best first (weighted non-maximum
    suppression).
    """
    rest = sorted(found, key=lambda one: -one.score)
    out = []
    while rest:
        best = rest[0]
        same = [overlap(best.box, one.box) for one in rest]
        group = [one for one, yes in zip(rest, same, strict=True) if yes]
        rest = [one for one, yes in zip(rest, same, strict=True) if not yes]
        alike = [one for one in group if _union(best.box, one.box) > _SAME]
        weights = np.array([one.score for one in alike])
        weights /= weights.sum()
        box = weights @ np.array([one.box for one in alike])
        points = np.tensordot(weights, np.stack([one.keypoints for one in alike]), 1)
        left, top, right, bottom = box.tolist()
        out.append(Candidate(best.score, (left, top, right, bottom), points.astype(np.float32)))
    return out


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes show one face."""
    smaller = min(_area(one), _area(other))
    return _union(one, other) > _SAME or _shared(one, other) > _INSIDE * smaller


def _union(one: Box, other: Box) -> float:
    shared = _shared(one, other)
    return shared / max(_area(one) + _area(other) - shared, 1e-9)


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])

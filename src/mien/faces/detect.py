"""Where the faces are: dlib's HOG detector (public domain), then mien's own 68 landmarks.

The detector slides a window of 80 px over the photograph and its smaller versions, so that a face
of a given size is found when the photograph is first scaled to make that face 80 px wide or more. A
first look is bounded in pixels; only when nothing is found does a second go down to faces of 60 px,
and a third widens the borders for a face that fills the frame.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import dlib
import numpy as np

from mien.errors import FaceNotFound, GuideError
from mien.faces.landmarks import landmarks_in
from mien.types import Face, UInt8

_ENLARGE = 1.34  # 60 px become 80, the detector's smallest
_FIRST_PIXELS = 2.0e6
_SECOND_PIXELS = 18.0e6
_SCORE = 0.15  # below it, one box in two is no face
_BORDER = 0.25
_TURNED_PIXELS = 1.0e6
_TURNS = (
    (3, "90 degrees clockwise"),
    (1, "90 degrees counterclockwise"),
    (2, "upside down"),
)


def detect(pixels: UInt8) -> list[Face]:
    """Faces of a photograph uint8 (H, W, 3) RGB, the largest first; an empty list when there is
    none.
    """
    boxes = boxes_in(pixels)
    if not boxes:
        return []
    points = landmarks_in(pixels, [box for _, box in boxes])
    faces = [Face(box, score, lm) for (score, box), lm in zip(boxes, points, strict=True)]
    return sorted(faces, key=lambda face: face.area, reverse=True)


def seek(pixels: UInt8) -> list[Face]:
    """`detect`; FaceNotFound with what to do where none is upright, but one lies on its side or
    upside down.
    """
    found = detect(pixels)
    if not found and (turn := turn_for(pixels)) is not None:
        raise FaceNotFound(
            f"no face found upright, but one where the photograph is turned {turn}: turn it first"
        )
    return found


def turn_for(pixels: UInt8) -> str | None:
    """How a photograph (H, W, 3) has to be turned for a face to be seen; None if no turn helps."""
    small = min(1.0, math.sqrt(_TURNED_PIXELS / max(1.0, float(np.prod(pixels.shape[:2])))))
    for quarters, words in _TURNS:
        # a copy, whose strides dlib takes of pictures one pixel wide too
        if _look(np.rot90(pixels, quarters).copy(), small):
            return words
    return None


def choose(faces: Sequence[Face], spec: str = "largest") -> list[Face]:
    """The faces that `spec` asks for: `largest`, `all`, `index N` (0 is the largest) or `near X,Y`
    (px).

    FaceNotFound when there is no such face, GuideError when `spec` is none of these.
    """
    word, _, rest = spec.strip().lower().partition(" ")
    if word in {"largest", "all"} and not rest:
        picked = list(faces if word == "all" else faces[:1])
    elif word == "index" and rest.strip().isdecimal():
        picked = list(faces[int(rest) : int(rest) + 1])
        if faces and not picked:
            raise FaceNotFound(
                f"no face {int(rest)}: the picture has {len(faces)}, counted from 0, largest first"
            )
    elif word == "near" and (place := _place(rest)) is not None:
        picked = sorted(faces, key=lambda face: _distance(face, place))[:1]
    else:
        raise GuideError(f"face {spec!r} is not understood: say largest, all, index N, or near X,Y")
    if not picked:
        raise FaceNotFound(
            "no face found: use a photograph that shows one from the front, 60 px wide or more"
        )
    return picked


def _place(text: str) -> tuple[float, float] | None:
    parts = text.replace(",", " ").split()
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _distance(face: Face, place: tuple[float, float]) -> float:
    left, top, right, bottom = face.box
    return math.hypot((left + right) / 2 - place[0], (top + bottom) / 2 - place[1])


Box: TypeAlias = tuple[float, float, float, float]


def boxes_in(pixels: UInt8) -> list[tuple[float, Box]]:
    """Scores and boxes of the faces, by up to three looks, each only if the one before found
    nothing.
    """
    height, width = pixels.shape[:2]
    area = float(height * width)
    first = min(_ENLARGE, math.sqrt(_FIRST_PIXELS / area))
    found = _look(pixels, first)
    second = min(2.0 if area < 2e5 else _ENLARGE, math.sqrt(_SECOND_PIXELS / area))
    if not found and second > 1.1 * first:
        found = _look(pixels, second)
    if not found:
        pad = round(_BORDER * max(height, width))
        wide: UInt8 = np.pad(pixels, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        found = _look(wide, min(first, math.sqrt(_FIRST_PIXELS / (wide.shape[0] * wide.shape[1]))))
        found = [(score, (a - pad, b - pad, c - pad, d - pad)) for score, (a, b, c, d) in found]
    return found


def _look(pixels: UInt8, scale: float) -> list[tuple[float, Box]]:
    """dlib's detector on the photograph at `scale`; boxes in photograph px."""
    if abs(scale - 1) > 1e-3:
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=mode), dtype=np.uint8
        )
    boxes, scores, _ = _detector().run(np.ascontiguousarray(pixels), 0, _SCORE)
    edges = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box in boxes]
    return [
        (float(score), (a / scale - 0.5, b / scale - 0.5, c / scale - 0.5, d / scale - 0.5))
        for score, (a, b, c, d) in zip(scores, edges, strict=True)
    ]


@functools.cache
def _detector() -> Any:
    return dlib.get_frontal_face_detector()

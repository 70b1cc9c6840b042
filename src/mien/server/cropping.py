"""Faces in a photograph, and pictures of them: in which order they are read, cut out, shrunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from mien.images import Photo
from mien.types import Face, UInt8

AROUND = 1.5
"""Side of a picture of a face, in sides of the face's box."""
THUMB = 128
"""Side of a picture in the history, px."""


def reading_order(faces: Sequence[Face]) -> list[Face]:
    """Faces row by row, and each row from left to right: a face belongs to a row whose first face
    has its middle within half a face's height of it."""
    rows: list[list[Face]] = []
    for face in sorted(faces, key=lambda face: face.box[1] + face.box[3]):
        middle, height = (face.box[1] + face.box[3]) / 2, face.box[3] - face.box[1]
        first = rows[-1][0] if rows else None
        if first is not None and abs(middle - (first.box[1] + first.box[3]) / 2) < height / 2:
            rows[-1].append(face)
        else:
            rows.append([face])
    return [face for row in rows for face in sorted(row, key=lambda face: face.box[0])]


def shrunk(pixels: UInt8, scale: float) -> UInt8:
    """A picture at `scale` times its size; as it is where that is no smaller."""
    if scale >= 1:
        return pixels
    size = [max(2, round(side * scale)) for side in pixels.shape[1::-1]]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def seen_at(face: Face, scale: float) -> Face:
    """The face in the photograph at `scale` times its size."""
    left, top, right, bottom = ((edge + 0.5) * scale - 0.5 for edge in face.box)
    points = ((face.landmarks + 0.5) * scale - 0.5).astype(np.float32)
    return replace(face, box=(left, top, right, bottom), landmarks=points)


def fitting(pixels: UInt8, side: int = 480) -> UInt8:
    """A picture shrunk to `side` px, if it is larger."""
    return shrunk(pixels, min(1.0, side / max(pixels.shape[:2])))


def portrait(pixels: UInt8, face: Face) -> Photo:
    """A face and what is around it, `THUMB` px a side."""
    left, top, right, bottom = face.box
    side = AROUND * max(right - left, bottom - top)
    corner = ((left + right - side) / 2, (top + bottom - side) / 2)
    square = cut(pixels, corner, side)
    return Photo(shrunk(square, min(1.0, THUMB / len(square))))


def cut(pixels: UInt8, corner: tuple[float, float], side: float) -> UInt8:
    """A square of the picture, its border repeated where the square reaches beyond."""
    rows, columns = (
        np.clip(np.arange(round(side)) + round(start), 0, size - 1)
        for start, size in zip(corner[::-1], pixels.shape[:2], strict=True)
    )
    return pixels[rows[:, None], columns]

"""Faces as stimuli: eyes at the same place, equal size, an oval, equal luminance and contrast.

Luminance and contrast are the mean and the standard deviation of luma (Rec. 709 weights on sRGB
values, 0..255) over what is shown of the face, as the SHINE toolbox equates them (Willenbockel and
others, Behavior Research Methods 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.errors import DataError
from mien.faces.align import similarity, warp
from mien.faces.detect import choose, detect
from mien.types import Face, Float, UInt8

EYES = (0.365, 0.635, 0.44)
"""Where the eyes lie in a stimulus: x of the person's right and left one, y of both, in sides."""
GROUND = 128
"""Grey around the oval."""
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
CLOSE = 0.02
"""Distance of the eyes from their place, px, at which bringing them there ends."""
ROUNDS = 6
LEVELS = 0.5
"""Luma by which mean and contrast may miss what they are set to."""


@dataclass(frozen=True)
class Level:
    """Mean luma and its standard deviation, 0..255."""

    luminance: float
    contrast: float


def eyes_of(face: Face) -> Float:
    """Middles (2, 2) px of the eyes' landmarks, the person's right one first."""
    points = face.landmarks
    return np.stack([points[36:42].mean(0), points[42:48].mean(0)]).astype(np.float32)


def places(size: int) -> Float:
    """Where the eyes lie (2, 2) px in a stimulus of side `size`."""
    right, left, y = EYES
    return np.array([[right, y], [left, y]], np.float32) * size - 0.5


def placed(pixels: UInt8, face: Face, size: int) -> tuple[UInt8, Face]:
    """The photograph (H, W, 3) turned, scaled and shifted so that the eyes lie at `places`, uint8
    (size, size, 3), and the face in it. What lies outside the photograph is mirrored.

    What a detector says of a picture depends a little on how it lies, so the place is corrected
    until the eyes are found where they belong.
    """
    goal = places(size)
    aim = goal
    best: tuple[float, UInt8, Face] | None = None
    for _ in range(ROUNDS):
        matrix = similarity(eyes_of(face), aim)
        shown = warp(pixels, matrix, size)
        (found,) = choose(detect(shown), "largest")
        off = goal - eyes_of(found)
        far = float(np.abs(off).max())
        if best is None or far < best[0]:
            best = far, shown, found
        if far < CLOSE:
            break
        aim = aim + off
    assert best is not None
    return best[1], best[2]


def outline(landmarks: Float, size: int) -> Float:
    """The face's own outline by its landmarks (68, 2), up to the brows' height doubled, float32
    (size, size) of 0 and 1: what is measured where no oval is shown."""
    out = np.zeros((size, size), np.float32)
    up = landmarks[17:27] - 0.6 * (landmarks[33] - landmarks[27])
    hull = cv2.convexHull(np.rint(np.concatenate([landmarks[:17], up])).astype(np.int32))
    cv2.fillConvexPoly(out, hull, 1.0)
    return out


def level(pixels: UInt8 | Float, where: Float) -> Level:
    """Luminance and contrast of (S, S, 3) where the mask (S, S) is 1; its rim is half grey."""
    luma = np.asarray(pixels, np.float32)[where >= 1] @ LUMA
    return Level(float(luma.mean()), float(luma.std()))


def equated(pixels: UInt8, where: Float, goal: Level) -> UInt8:
    """The picture with `goal` over the mask `where`, colour differences kept; the rest of the
    picture follows the same curve. What the range of a pixel clips is made up for in the others.

    Raises:
        DataError: the goal cannot be met within `LEVELS`.
    """
    source = pixels.astype(np.float32)
    luma = source @ LUMA
    gain, shift = 1.0, 0.0
    own = level(source, where)
    out = source
    for _ in range(30):
        wanted = (luma - own.luminance) * gain + own.luminance + shift
        out = np.clip(np.rint(source + (wanted - luma)[..., None]), 0, 255)
        now = level(out, where)
        if (
            abs(now.luminance - goal.luminance) < LEVELS / 5
            and abs(now.contrast - goal.contrast) < LEVELS / 5
        ):
            break
        gain *= float(np.clip(goal.contrast / max(now.contrast, 1e-3), 0.5, 2))
        shift += goal.luminance - now.luminance
    now = level(out, where)
    if max(abs(now.luminance - goal.luminance), abs(now.contrast - goal.contrast)) > LEVELS:
        raise DataError(
            f"luminance {goal.luminance:.0f} with contrast {goal.contrast:.0f}, the mean of all, "
            "cannot be reached: too many pixels would be black or white. Leave this person out, "
            "take a photograph lit more like the others', or go without equal luminance"
        )
    return out.astype(np.uint8)


def masked(pixels: UInt8, oval: Float) -> UInt8:
    """The picture inside the oval, grey around it."""
    shown = pixels * oval[..., None] + GROUND * (1 - oval[..., None])
    return np.asarray(np.rint(shown), np.uint8)

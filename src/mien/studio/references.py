"""Reference photographs: their faces are shown first, and one of them is clicked
on; and photographs that lie on their side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mien.faces.detect import choose, detect
from mien.images import Photo
from mien.server.cropping import portrait, reading_order
from mien.server.sitting import Guest, Sitting
from mien.studio.rendering import part, picture
from mien.types import Face

_MOST = 12
"""Most faces that are shown of one photograph."""
_LYING = 60.0  # degrees from which a face is taken to lie: people tilt their heads less


def guest(photo: Photo, name: str) -> Guest:
    """The faces of a photograph; FaceNotFound when it has none."""
    largest = choose(detect(photo.pixels), "all")[:_MOST]
    faces = reading_order(largest)
    return Guest(photo, name, tuple(faces), tuple(largest.index(face) for face in faces))


def shown(kind: str, reference: Guest | None) -> str:
    """The faces as buttons; `kind` is what a click does: `like` or `swap`."""
    if reference is None:
        return ""
    verb = {"like": "Take the expression of", "swap": "Swap with"}[kind]
    faces = [
        picture(portrait(reference.photo.pixels, face).pixels, altered=False)
        for face in reference.faces
    ]
    return part("guests", verb, reference.name, faces)


def lying(faces: Sequence[Face]) -> int:
    """Quarter turns to the left after which the largest face stands; 0 for one that does."""
    face = max(faces, key=lambda face: face.area)
    left, right = face.landmarks[36:42].mean(0), face.landmarks[42:48].mean(0)
    angle = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
    return round(angle / 90) % 4 if abs(angle) > _LYING else 0


def offer(sitting: Sitting) -> str:
    """A button that turns a photograph that lies on its side, or nothing."""
    turns = lying(sitting.faces)
    if not turns:
        return ""
    how = {1: "to the left", 2: "upside down", 3: "to the right"}[turns]
    return part("offer", turns, how)


def turned(photo: Photo, turns: int) -> Photo:
    """The photograph turned to the left by so many quarters."""
    alpha = None if photo.alpha is None else np.ascontiguousarray(np.rot90(photo.alpha, turns))
    return replace(photo, pixels=np.ascontiguousarray(np.rot90(photo.pixels, turns)), alpha=alpha)

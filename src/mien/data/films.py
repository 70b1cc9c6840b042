"""Frames of films and series: counted, looked at, and brought to disk as photographs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mien import images
from mien.data.adapters.reading import Clip
from mien.errors import FaceNotFound
from mien.faces.align import STABLE, similarity, template, transform
from mien.faces.detect import choose, detect
from mien.types import Float, UInt8

Film: TypeAlias = Callable[[Path], Iterator[UInt8]]
"""From the path of a film to its frames (H, W, 3) in order; VideoError where it cannot be read."""
LOOKED_AT = 25
"""Frames of a sequence in which its peak is looked for."""


def count(clip: Clip, folder: Path, film: Film) -> int:
    """How many frames a clip has."""
    return sum(1 for _ in film(folder / clip.files[0])) if clip.film else len(clip.files)


def at(
    clip: Clip, folder: Path, film: Film, places: Collection[int]
) -> Iterator[tuple[int, UInt8]]:
    """The frames at some places, in order, and where they are."""
    if not clip.film:
        for place in sorted(places):
            yield place, images.read(folder / clip.files[place]).pixels
        return
    last = max(places, default=-1)
    for place, pixels in enumerate(film(folder / clip.files[0])):
        if place > last:
            return
        if place in places:
            yield place, pixels


def peak(clip: Clip, folder: Path, film: Film, frames: int) -> int | None:
    """Where the face of a clip of so many frames is farthest from its first, of `LOOKED_AT` places;
    None where the first shows nobody, or no other one does."""
    places = sorted({round(x) for x in np.linspace(0, frames - 1, LOOKED_AT).tolist()})
    points = [_landmarks(pixels) for _, pixels in at(clip, folder, film, places)]
    best = farthest(points)
    return None if best is None else places[best]


def farthest(points: Sequence[Float | None]) -> int | None:
    """Which face of a sequence is farthest from the first: landmarks (68, 2) px each, None where no
    face was found. None where the first shows none, or no other does.

    Distance: mean over the landmarks, once those that expressions hardly move are brought into one
    place, turn and scale.
    """
    if not points or points[0] is None:
        return None
    first = _placed(points[0])
    distances = [-1.0 if p is None else float(np.abs(_placed(p) - first).mean()) for p in points]
    best = int(np.argmax(distances))
    return best if distances[best] > 0 else None


def _placed(points: Float) -> Float:
    chosen = list(STABLE)
    return transform(similarity(points[chosen], template(1)[chosen]), points)


def _landmarks(pixels: UInt8) -> Float | None:
    try:
        return choose(detect(pixels), "largest")[0].landmarks
    except FaceNotFound:
        return None


def write_frame(path: Path, pixels: UInt8) -> None:
    """A frame as a photograph; ImageError where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images.store(path, images.encode(pixels, path.suffix, altered=False))

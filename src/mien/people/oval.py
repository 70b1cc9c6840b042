"""The oval of a series: one for all its pictures, so large that nobody's brows or mouth are cut.

It shows brows, eyes, nose and mouth and hides most of hair, ears and clothes. An oval of one fixed
size cuts the outer ends of most people's brows once their eyes lie at one place, and more of them
where brows are raised; so it is chosen by the people of the series, at rest and at their widest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mien.editor import Editor
from mien.errors import MienError
from mien.faces.detect import choose, detect
from mien.guides import Label
from mien.images import Photo
from mien.jobs import Engine
from mien.types import Face, Float, UInt8

WIDEST = "surprise"
"""The label whose brows are highest and whose mouth is lowest."""
SHAPE = 1.45
"""Height over width: rounder ones show what is beside the jaw, longer ones the hair."""
MARGIN = 0.012
"""Room around the features, in sides: brows go on beyond their landmarks, and the edge is soft."""
EDGE = 0.01
"""The least distance of the oval from the picture's border, in sides."""
STEP = 0.0025
"""What its measures are rounded up to, in sides: the last digits of a landmark decide nothing."""
INNER = slice(17, 68)
"""Landmarks of brows, eyes, nose and mouth."""


@dataclass(frozen=True)
class Oval:
    """An upright ellipse in a square picture; all in sides."""

    x: float
    y: float
    """The middle."""
    wide: float
    high: float
    """The half axes."""

    def reach(self, landmarks: Float, size: int) -> float:
        """How far out the outermost inner feature lies of a face (68, 2) px in a picture of side
        `size`: 0 is the middle of the oval, 1 its edge."""
        points = (landmarks[INNER] + 0.5) / size - (self.x, self.y)
        return float(np.hypot(points[:, 0] / self.wide, points[:, 1] / self.high).max())

    def mask(self, size: int) -> Float:
        """Float32 (size, size), 1 inside, 0 outside, with a soft edge of two pixels."""
        x, y, wide, high = (v * size for v in (self.x, self.y, self.wide, self.high))
        ys, xs = np.mgrid[:size, :size].astype(np.float32)
        far = np.hypot((xs + 0.5 - x) / wide, (ys + 0.5 - y) / high)
        out = np.clip((1 - far) * min(wide, high) / 2 + 0.5, 0, 1)
        return np.asarray(out, np.float32)

    def label(self, size: int) -> str:
        """Its middle and half axes in px, for a table: `x y wide high`."""
        return " ".join(f"{v * size:g}" for v in (self.x, self.y, self.wide, self.high))


@dataclass(frozen=True)
class Widest:
    """Placed people as jobs: where a person's inner features lie, in sides (51 or 102, 2), at rest
    and under `WIDEST` at an intensity."""

    editor: Editor
    intensity: float

    def open(self) -> Callable[[tuple[UInt8, Face]], Float]:
        """The function that draws one person."""
        return self._points

    def _points(self, job: tuple[UInt8, Face]) -> Float:
        pixels, face = job
        found = [face.landmarks[INNER]]
        try:
            drawn = self.editor.edit(Photo(pixels), Label(WIDEST), self.intensity).pixels
            found.append(choose(detect(drawn), "largest")[0].landmarks[INNER])
        except MienError:
            pass  # whoever cannot be drawn has no picture to be cut
        return np.asarray((np.concatenate(found) + 0.5) / len(pixels), np.float32)


def common(
    editor: Editor, people: Sequence[tuple[UInt8, Face]], intensity: float, engine: Engine
) -> Oval:
    """The smallest oval that holds everybody's brows, eyes, nose and mouth, at rest and under
    `WIDEST` at an intensity, or the largest that lies in the picture.

    Args:
        editor: draws the expression.
        people: everybody's picture (S, S, 3), eyes in place, and the face in it.
        intensity: the highest of the series, above 0.
        engine: where people are drawn; the oval is the same on any.
    """
    found = engine.map(Widest(editor, intensity), people)
    return around(np.concatenate([points for points in found if isinstance(points, np.ndarray)]))


def around(points: Float) -> Oval:
    """The smallest oval of `SHAPE` with its middle half way across that holds `points` (N, 2), in
    sides, and `MARGIN` around them, or the largest that lies in the picture."""
    best = Oval(0.5, 0.5, math.inf, math.inf)
    for y in np.arange(0.4, 0.6 + STEP / 2, STEP).round(4):
        far = np.hypot(points[:, 0] - 0.5, (points[:, 1] - y) / SHAPE).max() + MARGIN
        wide = round(math.ceil(far / STEP - 1e-6) * STEP, 4)
        if wide < best.wide:
            best = Oval(0.5, float(y), wide, round(wide * SHAPE, 4))
    room = min(best.y, 1 - best.y) - EDGE
    if best.high > room:
        best = Oval(0.5, best.y, round(room / SHAPE, 4), round(room, 4))
    return best

"""The lines that a skin has: how furrowed a photograph shows it, and its own furrows, to be
deepened where a unit bunches it and taken away where a frown is let go.

What counts as a line is a streak a little darker or brighter than the skin across it and alike
along it, 0.06 to 0.2 cm wide: pores and grain are shorter, shade is wider, hair is darker.
"""

from __future__ import annotations

import math
from functools import cached_property

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, UInt8
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.sampling import LUMA, sample

FINE, COARSE, ALONG = 0.045, 0.2, 0.24
"""Sigmas, cm: across a line those of what is finer and of what is coarser, and along it."""
ALL = (slice(None), slice(None))
FOLD, SHORTEST = (0.06, 0.4), 0.6
"""Sigmas, cm, across a fold of what is finer and of what is coarser, and its length at least."""
REACH = 5
"""Sigmas up to which OpenCV's Gaussian looks, and a little more."""
STEEPEST = 0.14
"""Bound of a line's log-brightness: beyond lie edges of brows and shine."""
HAIR = 0.16, 0.32
"""How much darker than the skin around it, in log-brightness, hair begins to be, and surely is."""
OFFSET = 8.0
"""Added to brightness, 0..255, before its logarithm: noise in the dark makes no lines."""
SPANS = {"forehead": (0.004, 0.013), "bags": (0.014, 0.034), "corners": (0.027, 0.041)}
"""Contrast (root mean square of log-brightness) of smooth and of furrowed skin: the 20th percentile
of the London people, half of whom are under 27, and what the most furrowed of them pass."""


class SkinLines:
    """The lines of one photograph of side S.

    Attributes:
        side: S.
        rough: how furrowed the skin is, 0 for smooth and young, 1 for deeply lined.
    """

    def __init__(self, photo: Float, scale: float, rough: float = 0.0) -> None:
        """Of a photograph (S, S, 3), 0..255, at `scale` px per cm."""
        self.side, self.rough, self._scale = len(photo), rough, scale
        self._light = np.log(photo @ LUMA + np.float32(OFFSET)).astype(np.float32)
        self._sigmas = tuple(max(part * scale, 0.4) for part in (FINE, COARSE, ALONG))

    @cached_property
    def skin(self) -> Float:
        """How far (S, S) there is no hair, 0..1."""
        fine, coarse, _ = self._sigmas
        small = cv2.resize(self._light, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        around = cv2.resize(cv2.GaussianBlur(small, (0, 0), coarse), self._light.shape[::-1])
        darker = around - cv2.GaussianBlur(self._light, (0, 0), fine)
        hair = np.clip((darker - HAIR[0]) / (HAIR[1] - HAIR[0]), 0, 1)
        skin = 1 - np.clip(2 * cv2.GaussianBlur(hair, (0, 0), 1.5 * coarse), 0, 1)
        return np.asarray(skin, np.float32)

    @cached_property
    def level(self) -> Float:
        """Log-brightness (S, S) of lines that run across the face."""
        return self._lines("level", ALL)

    @cached_property
    def upright(self) -> Float:
        """The same of those that run down it."""
        return self._lines("upright", ALL)

    @cached_property
    def grain(self) -> Float:
        """The same of what is as narrow either way."""
        return self._lines("grain", ALL)

    def within(self, name: str, part: tuple[slice, slice]) -> Float:
        """`level` or `upright`, by its name, in a part (h, w) of the photograph."""
        if name in self.__dict__:
            whole: Float = getattr(self, name)[part]
            return whole
        return self._lines(name, part)

    def folds(self, part: tuple[slice, slice]) -> Float:
        """Dark lines of any direction, as folds are: how much darker, in log-brightness, each pixel
        of a part (h, w) is than what is beside it, but for what is shorter than a line, such as
        moles, pores and stubble."""
        narrow, wide = (max(sigma * self._scale, 0.4) for sigma in FOLD)
        room = math.ceil(REACH * wide)
        near, inner = zip(*(_wider(of, room, self.side) for of in part), strict=True)
        light = self._light[near]
        a, b = (cv2.GaussianBlur(light, (0, 0), sigma) for sigma in (narrow, wide))
        darker = np.maximum(b - a, 0)
        found = np.zeros_like(darker)
        for line in _lines_through(max(round(SHORTEST * self._scale / 2), 1)):
            np.maximum(found, cv2.morphologyEx(darker, cv2.MORPH_OPEN, line), out=found)
        return np.asarray(found[inner], np.float32)

    def _lines(self, name: str, part: tuple[slice, slice]) -> Float:
        fine, coarse, along = self._sigmas
        narrow, wide = {
            "level": ((along, fine), (along, coarse)),
            "upright": ((fine, along), (coarse, along)),
            "grain": ((fine, fine), (coarse, coarse)),
        }[name]
        room = math.ceil(REACH * max(*narrow, *wide))
        near, inner = zip(*(_wider(of, room, self.side) for of in part), strict=True)
        light = self._light[near]
        a, b = (cv2.GaussianBlur(light, (0, 0), x, sigmaY=y)[inner] for x, y in (narrow, wide))
        return np.asarray(np.clip(a - b, -STEEPEST, STEEPEST) * self.skin[part], np.float32)


def _lines_through(reach: int) -> list[UInt8]:
    """Lines (2 * reach + 1, 2 * reach + 1) in eight directions, 1 where they run."""
    out = []
    for turn in np.arange(8) * np.pi / 8:
        x, y = np.round(reach * np.array([np.cos(turn), np.sin(turn)])).astype(int).tolist()
        line = np.zeros((2 * reach + 1,) * 2, np.uint8)
        cv2.line(line, (reach - x, reach - y), (reach + x, reach + y), (1,), 1)
        out.append(line)
    return out


def _wider(part: slice, room: int, side: int) -> tuple[slice, slice]:
    """A part of so many rows or columns with `room` around it, and where in that it lies."""
    start, stop, _ = part.indices(side)
    first = max(start - room, 0)
    return slice(first, min(stop + room, side)), slice(start - first, stop - first)


def skin_lines(
    model: FaceModel, photo: Float, points: Float, scale: float, rough: float | None = None
) -> SkinLines:
    """Of a photograph (S, S, 3), 0..255, with the mesh at points (N, 2) px, `scale` px per cm; of a
    skin that is known to be `rough`, or as rough as it looks."""
    seen = SkinLines(photo, scale)
    seen.rough = _roughness(model, seen, points) if rough is None else rough
    return seen


def _roughness(model: FaceModel, seen: SkinLines, points: Float) -> float:
    """How furrowed the skin of a photograph looks, its mesh at points (N, 2) px."""
    at, weight = points[FACE], sample(seen.skin, points[FACE])
    found = {"forehead": seen.level, "bags": seen.grain, "corners": seen.grain}
    shares = []
    for name, where in model.once(_areas).items():
        trust = weight[where]
        if float(trust.mean()) < 0.3:
            continue
        squared = sample(found[name], at[where]) ** 2
        contrast = float(np.sqrt((trust * squared).sum() / trust.sum()))
        low, high = SPANS[name]
        shares.append(float(np.clip((contrast - low) / (high - low), 0, 1)))
    return float(np.median(shares)) if shares else 0.0


def _areas(model: FaceModel) -> dict[str, Bool]:
    """Where (F,) age shows first: the forehead, below the eyes, beside their outer corners."""
    x, y, z = model.neutral[FACE].T
    aside, front = np.abs(x), z > 3
    return {
        "forehead": front & (aside < 4.0) & (y > 6.8) & (y < 9.3),
        "bags": front & (aside > 1.8) & (aside < 4.6) & (y > 1.0) & (y < 2.6),
        "corners": front & (aside > 4.6) & (aside < 6.2) & (y > 2.2) & (y < 4.6),
    }

"""The rims of clear glasses, which stand still while the face around them moves.

Landmarks, mesh and flow take what lies before the skin for skin: raised brows would stretch the
rims of glasses, a frown squash them. The skin at a rim is held with it, then, and what lies between
rims and lids, brows and cheeks takes up their motion. (Rims cut out and laid back over a face that
moves behind them were tried: brows touch most rims, and go with them in part.)

Rims are looked for as ridges of one colour, darker or brighter than the skin on both sides, one
around each eye and one across the root of the nose between them. Each is the clearest path through
ridges by dynamic programming (minimal paths: Amini, Weymouth and Jain 1990). Folds and bags are
ridges too; what tells glasses is the bridge, and that a rim has one colour. Rimless and very thin
glasses have no ridge to speak of, are not found and move along. The numbers were set by hand on 192
Congress portraits; `mien bench eyewear` counts on whom glasses are found there and elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face_model.arrays import Double, Float, Index, UInt8
from mien.face_model.eyes import POINTS
from mien.face_model.neighbours import Nearest
from mien.face_model.sampling import sample
from mien.face_model.smoothstep import smoothstep

LIMIT = 0.57
"""Score from which on there are glasses."""
BRIDGE = 0.25
"""How clear a ridge over the nose is at least, or the rest is not looked for."""
ROUND, DEEP, LOW = 0.281, 0.223, 0.036
"""Half the width and height of an average lens, and how far its middle lies below the eye's, in
distances of the outer eye corners."""
RADII = np.linspace(0.45, 1.75, 72)
"""Where around such a lens a rim may be."""
ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)
"""Around a lens: 0 to the temple, a quarter is down, a half to the nose."""
THICK = ((2, 3, 5), (3, 5, 8))
"""Half widths of rims and of bridges, in samples across them."""
CLEAR = 0.4
"""Log-brightness by which the clearest ridge that counts stands out."""
BEND, MOST = 0.02, 3
"""What a sample of a rim's bending costs, and the most of it between two angles."""
LEAST = 0.65
"""Below the eye a rim is no nearer than this, in radii: bags and lids are."""
ALIKE, NEAR = 2, 6
"""By how many radii two rims differ where they are looked for as one, and how far each is then
looked for from there."""
NOSE, SPREAD = 0.5, 0.4
"""How much the rim beside the nose counts, and against a rim how its colour varies."""
OFFSET = 8.0
"""Added to brightness, 0..255, before its logarithm."""
HELD = (0.25, 0.9)
"""Up to how far from a rim, cm, skin stays with it, and from where on it is free."""


@dataclass(frozen=True)
class _Axes:
    """The axes of a face: along the eyes and down, unit vectors, and the distance, px, of the outer
    corners of the eyes."""

    along: Double
    down: Double
    wide: float


def rims(crop: UInt8, landmarks: Double, glasses: bool | None = None) -> list[Double]:
    """The rims and the bridge of glasses before a face, lines of points (K, 2) px, in an
    upright crop (S, S, 3) RGB of about 320 px with landmarks (68, 2) px; none if none are found.
    `glasses`: whether there are, where that is known."""
    if glasses is False:
        return []
    across = landmarks[45] - landmarks[36]
    wide = max(float(np.linalg.norm(across)), 1.0)
    along = across / wide
    axes = _Axes(along, np.array([-along[1], along[0]]), wide)
    log = np.log(cv2.GaussianBlur(crop.astype(np.float32), (0, 0), 0.7) + np.float32(OFFSET))
    over, nose = _over_nose(log, landmarks, axes)
    if glasses is None and nose < BRIDGE:
        return []
    lenses = np.stack([_around(landmarks[part], side, axes) for part, side in _eyes()])
    seen = _at(log, lenses)
    ridges = _ridges(seen, THICK[0])
    ridges[:, np.sin(ANGLES) > 0.3, : int(np.sum(RADII < LEAST))] = -1
    paths = _paths(ridges)
    if glasses is None and _score(seen, ridges, paths) + nose < LIMIT:
        return []
    turn = np.arange(len(ANGLES))
    return [*(lens[turn, path] for lens, path in zip(lenses, paths, strict=True)), over]


def still(points: Float, lines: list[Double], unit: float) -> Float:
    """How far (N, 1) vertices at points (N, 2) px stay where they are, 0..1, for `rims` along these
    lines; unit: px per cm."""
    distance = Nearest(np.concatenate(lines))(points)[0] / unit
    near, far = HELD
    return np.asarray(smoothstep((far - distance) / (far - near)), np.float32)


def _eyes() -> list[tuple[slice, int]]:
    """Landmarks of the eyes, and where along the face the temple is from each."""
    parts = sorted(POINTS.values(), key=lambda part: part.start)
    return list(zip(parts, (-1, 1), strict=True))


def _around(eye: Double, side: int, axes: _Axes) -> Double:
    """Places (A, R, 2), crop px, around the lens of an eye (6, 2)."""
    middle = eye.mean(0) + LOW * axes.wide * axes.down
    aside = np.cos(ANGLES)[:, None] * side * axes.along * ROUND
    below = np.sin(ANGLES)[:, None] * axes.down * DEEP
    around = ((aside + below) * axes.wide)[:, None]
    return np.asarray(middle + RADII[:, None] * around, np.float64)


def _at(log: Float, places: Double) -> Float:
    """Log-brightness (..., 3) at places (..., 2)."""
    return sample(log, places.reshape(-1, 2)).reshape(*places.shape[:-1], 3)


def _ridges(seen: Float, halves: tuple[int, ...]) -> Float:
    """By how much (..., R) samples (..., R, 3) stand out, to one side, from those a half width
    before and after, in the clearest of their colours."""
    out = np.zeros(seen.shape[:-1], np.float32)
    for half in halves:
        middle = seen[..., half:-half, :]
        before, after = middle - seen[..., : -2 * half, :], middle - seen[..., 2 * half :, :]
        stands = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0).max(-1)
        part = out[..., half:-half]
        np.maximum(part, stands, out=part)
    return np.minimum(out, np.float32(CLEAR))


def _paths(ridges: Float) -> Index:
    """The paths (2, A) around both eyes through their ridges (2, A, R): one for both, for rims
    mirror one another, and near it each its own, for heads turn."""
    wide = [cv2.dilate(ridge, np.ones((1, 2 * ALIKE + 1), np.uint8)) for ridge in ridges]
    both = _closed(wide[0] + wide[1])
    away = np.abs(np.arange(ridges.shape[-1]) - both[:, None]) > NEAR
    return np.stack([_closed(np.where(away, np.float32(-1), ridge)) for ridge in ridges])


def _closed(ridges: Float) -> Index:
    """The clearest closed path through ridges (A, R): a radius (A,) for each angle.

    Two turns are gone through; what lies in the middle meets its own beginning.
    """
    turns = len(ridges)
    path, _ = _clearest(np.concatenate([ridges, ridges]), MOST, BEND)
    middle = path[turns // 2 : turns // 2 + turns]
    return np.asarray(np.roll(middle, turns // 2), np.intp)


def _clearest(ridges: Float, most: int, bend: float = 0.0) -> tuple[Index, float]:
    """The clearest path through ridges (A, R), a place (A,) in each, that bends by `most` at a time
    at a cost of `bend` each; and the sum of its ridges less that cost."""
    bends = np.arange(-most, most + 1)
    best, came = -ridges[0].astype(float), []
    for ridge in ridges[1:]:
        padded = np.pad(best, most, constant_values=np.inf)
        ways = np.stack([padded[most - b : len(padded) - most - b] + bend * abs(b) for b in bends])
        way = ways.argmin(0)
        best = ways[way, np.arange(len(way))] - ridge
        came.append(np.arange(len(way)) - bends[way])
    path = [int(best.argmin())]
    for step in reversed(came):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1], np.intp), -float(best.min())


def _score(seen: Float, ridges: Float, rims: NDArray[np.intp]) -> float:
    """How much the paths (2, A) around the eyes are like rims: clear below the eye and beside the
    nose, where skin is smooth, and of one colour; brows count for nothing."""
    turn, degrees = np.arange(len(ANGLES)), np.degrees(ANGLES)
    clear = np.stack([ridge[turn, rim] for ridge, rim in zip(ridges, rims, strict=True)]).mean(0)
    low, nose = (degrees >= 22.5) & (degrees < 157.5), np.abs(degrees - 180) < 22.5
    seen_part = (degrees < 190) | (degrees > 350)
    colours = np.stack([s[turn, rim][seen_part] for s, rim in zip(seen, rims, strict=True)])
    spread = float(colours.std(1).mean())
    return float(clear[low].mean() + NOSE * clear[nose].mean() - SPREAD * spread)


def _over_nose(log: Float, landmarks: Double, axes: _Axes) -> tuple[Double, float]:
    """The clearest path (K, 2), crop px, over the root of the nose, and how clear it is."""
    inner = landmarks[42] - landmarks[39]
    aside = np.linspace(-0.28, 0.28, 9) * float(np.linalg.norm(inner))
    down = np.linspace(-0.21, 0.24, 60) * axes.wide
    middle = (landmarks[39] + landmarks[42]) / 2
    places = middle + aside[:, None, None] * axes.along + down[None, :, None] * axes.down
    path, clear = _clearest(_ridges(_at(log, places), THICK[1]), 2)
    return places[np.arange(len(places)), path], clear / len(places)

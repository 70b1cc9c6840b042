"""Analysis by synthesis: a person's own photograph is matched by drawing it.

Where source and reference show one person, what the face model draws of the source can be laid
beside the reference itself. The mouth's and the eyes' shapes are moved until the two pictures and
their mouths' landmarks agree, by Gauss-Newton steps whose slopes are drawn once (Blanz and Vetter
1999; Face2Face). The reading is where it starts and what it is pulled to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.bounded import in_box
from mien.face_model.fit import LOWER_LIP, UPPER_LIP
from mien.face_model.frame import SOURCE_SIZE, resized
from mien.face_model.mesh import SIDES, FaceModel
from mien.face_model.problem import ruler
from mien.face_model.render import Rig
from mien.face_model.sampling import merged, shrink, tripled
from mien.methods.drawing import ModelHead

SIDE = 128
"""Side of the pictures that are compared, px."""
SHAPES = ("jawOpen", "jawForward", "mouthSmile", "mouthStretch", "mouthUpperUp", "mouthLowerDown",
          "mouthPucker", "mouthFunnel", "mouthFrown", "mouthClose", "mouthRollUpper",
          "mouthRollLower", "mouthShrugUpper", "mouthShrugLower", "mouthPress", "mouthDimple",
          "cheekSquint", "noseSneer", "eyeBlink", "eyeSquint", "browDown", "browOuterUp",
          "browInnerUp")  # fmt: skip
"""Shapes that are moved, both sides alike: what is one-sided the reading says."""
STEPS = 4
FARTHEST = 0.35
"""How far a shape is moved in one step, at most."""
SOFT = 1.0
"""Blur, px, under which pictures are compared: drawn and real pores differ."""
FACE = 0.2
"""What a pixel of the face counts, in units of one around the mouth. By trials on training and
validation people and one speaker's clips, as are the two below."""
POINTS = 0.5
"""What a landmark of the mouth that is off by the distance of the outer eye corners counts, in
units of a mouth that is off by half the range of its colours."""
PULL = 0.015
"""The same for a shape that is at 1 instead of where it was read."""
FREE = 0.02
"""The same for what is no expression and is left free: a light that is twice as strong or stronger
by half the range, and a crop that is shifted by a pixel, or turned or enlarged by one at its
middle's distance from a border, twice."""
_TRIAL = 0.1
_LIPS, _OUTER = slice(48, 68), slice(48, 60)


Gap: TypeAlias = Literal["seen", "kept", "free"]
"""How far lips are apart: as the reference's landmarks see it, as in the source, or as the pixels
alone say."""


@dataclass(frozen=True)
class Shown:
    """What a photograph shows: picture (SIDE, SIDE, 3) in [-1, 1], landmarks (68, 2) in its px."""

    picture: Float
    points: Float

    @classmethod
    def of(cls, crop: UInt8, points: Float) -> Shown:
        """Of a crop uint8 (S, S, 3) with landmarks (68, 2) in its px."""
        how = cv2.INTER_AREA if len(crop) > SIDE else cv2.INTER_LINEAR
        small = cv2.resize(crop, (SIDE, SIDE), interpolation=how).astype(np.float32)
        return cls(small / np.float32(127.5) - 1, resized(points, len(crop), SIDE))


def matched(head: ModelHead, rig: Rig, goal: Float, reference: Shown, gap: Gap) -> Float:
    """Weights (53,) near `goal`, relative to rest, by which the source, whose rig it is, is drawn
    most like `reference`, a photograph of the same person."""
    match = _Match(head, rig, reference, gap)
    groups = [both_sides(head.model, name) for name in SHAPES]
    start = goal.astype(np.float64)
    now, seen = start, match.off(start)
    pulls, cost = PULL * np.eye(len(groups)), match.cost(seen)
    slopes = np.stack([_slope(match, seen, start, group) for group in groups], 1)
    for _ in range(STEPS):
        far = np.array([(now - start)[group].mean() for group in groups])
        step = _step(match, slopes, seen, (pulls, far), [now[group] for group in groups])
        for share in (1.0, 0.4):
            there = now.copy()
            for group, by in zip(groups, share * step, strict=True):
                there[group] += by
            off = match.off(there)
            moved = pulls @ (far + share * step)
            total = match.cost(off) + float(moved @ moved)
            if total < cost:
                break
        else:
            break
        now, seen, cost = there, off, total
    return np.asarray(now, np.float32)


def both_sides(model: FaceModel, name: str) -> list[int]:
    """Where a shape stands, or both of its sides."""
    names = [name] if name in model.index else [f"{name}_{side}" for side in SIDES]
    return [model.index[each] for each in names]


class _Match:
    """Differences between what is drawn and the reference; those of exposure, and of how either
    crop is cut, are none."""

    def __init__(self, head: ModelHead, rig: Rig, reference: Shown, gap: Gap) -> None:
        self._head, self._rig, self._gap = head, rig, gap
        small = shrink(rig.small.astype(np.float32), SIDE)
        self._source = np.asarray(small / np.float32(127.5) - 1, np.float32)
        points = resized(rig.fit.landmarks.astype(np.float32), SOURCE_SIZE, SIDE)
        self._weight = _weight(points, reference.points)
        self._goal = _softened(reference.picture) * self._weight
        self._unit = POINTS / ruler(points)
        self._mouth = self._lips(reference.points)
        if gap == "kept":
            inner = len(UPPER_LIP)
            self._mouth[-inner:] = self._lips(points)[-inner:]
        self._free = _free(_softened(reference.picture), self._weight)
        rows = np.zeros((2 * len(self._mouth), self._free.shape[1]))
        self._free = np.concatenate([self._free, rows])
        square = self._free.T @ self._free
        self._held = np.linalg.inv(square + FREE**2 * np.eye(len(square)))

    def off(self, weights: Double) -> Double:
        """The drawing of weights (53,) less the reference: pixels, then landmarks, weighed (M,)."""
        absolute = self._head.absolute(self._rig, weights.astype(np.float32))
        drawing = self._rig.draw(absolute, SIDE, 1)
        x, y = drawing.flow * np.float32(SIDE) + _PIXELS
        moved = cv2.remap(self._source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        lit = (moved + 1) * tripled(drawing.visibility * drawing.gain)
        picture = _softened(lit + merged([one / np.float32(127.5) for one in drawing.paint]) - 1)
        points = (self._lips(drawing.landmarks) - self._mouth) * self._unit
        pixels = picture * self._weight - self._goal
        return np.concatenate([pixels.ravel(), points.ravel()]).astype(np.float64)

    def _lips(self, points: Float) -> Float:
        """What counts (K, 2) of landmarks (68, 2)."""
        if self._gap == "seen":
            return points[_LIPS].copy()
        if self._gap == "free":
            return points[_OUTER].copy()
        gap = points[list(LOWER_LIP)] - points[list(UPPER_LIP)]
        return np.concatenate([points[_OUTER], gap])

    def cost(self, off: Double) -> float:
        """Squares of differences (M,), under the exposure and the cut that make them least."""
        return float(self.product(off[:, None], off[:, None])[0, 0])

    def product(self, a: Double, b: Double) -> Double:
        """Products (I, J) of differences (M, I) and (M, J), without what is left free."""
        free: Double = (a.T @ self._free) @ self._held @ (self._free.T @ b)
        return a.T @ b - free


def _slope(match: _Match, seen: Double, start: Double, group: list[int]) -> Double:
    by = _TRIAL if start[group].mean() < 0.7 else -_TRIAL
    there = start.copy()
    there[group] += by
    return (match.off(there) - seen) / by


def _step(
    match: _Match, slopes: Double, seen: Double, pull: tuple[Double, Double], at: list[Double]
) -> Double:
    """The step (K,) of the groups that are `at` weights, given slopes (M, K) and differences (M,),
    the pull (K, K) to where it began, and how far (K,) from there they are."""
    pulls, far = pull
    square = match.product(slopes, slopes) + pulls @ pulls
    right = -match.product(slopes, seen[:, None])[:, 0] - pulls @ pulls @ far
    low = np.array([max(min(-weights.max(), 0.0), -FARTHEST) for weights in at])
    high = np.array([min(max(1 - weights.max(), 0.0), FARTHEST) for weights in at])
    width = np.maximum(high - low, 1e-6)
    root = np.linalg.cholesky(square).T
    goal = np.linalg.solve(root.T, right)
    found: Double = low + width * in_box(root * width, goal - root @ low)
    return found


def _free(picture: Float, weight: Float) -> Double:
    """How a picture (SIDE, SIDE, 3) changes, weighed, (3 SIDE SIDE, 10): by light, then by how its
    crop is cut."""
    one = np.eye(3, dtype=np.float32)
    down, right = np.gradient(picture, axis=(0, 1))
    x, y = (2 * _PIXELS / np.float32(SIDE) - 1)[..., None] / 2
    changes = [
        *one,
        *(picture * channel for channel in one),
        right,
        down,
        right * x + down * y,
        right * y - down * x,
    ]
    found = [np.broadcast_to(change, picture.shape) * weight for change in changes]
    return np.stack([each.ravel() for each in found], 1).astype(np.float64)


def _weight(source: Float, reference: Float) -> Float:
    """How much each pixel (SIDE, SIDE, 1) counts, given both photographs' landmarks (68, 2): the
    root of its share."""
    face, mouth = (np.zeros((SIDE, SIDE), np.float32) for _ in range(2))
    for points in (source, reference):
        brows = points[17:27]
        lift = points[[36, 39, 42, 45]].mean(0) - brows.mean(0)
        _fill(face, np.vstack([points, brows - lift]))
        _fill(mouth, points[_LIPS])
    border = max(1, round(ruler(reference) / 6))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * border + 1,) * 2)
    counts = cv2.GaussianBlur(np.maximum(FACE * face, cv2.dilate(mouth, brush)), (0, 0), 1.5)
    return np.asarray(np.sqrt(counts / counts.sum())[..., None], np.float32)


def _fill(mask: Float, points: Float) -> None:
    """Fill the hull of points (N, 2) in a mask (H, W)."""
    cv2.fillConvexPoly(mask, cv2.convexHull(points.round().astype(np.int32)), (1,))


def _softened(picture: Float) -> Float:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), SOFT), np.float32)


_PIXELS: Float = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="xy")).astype(
    np.float32
)

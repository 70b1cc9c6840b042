"""One face's expression on another's: what the reader sees, with the mouth held to its landmarks.

The reader tells which shapes are shown, but not how wide or how far open a mouth is: that the 68
landmarks know to a few pixels. So its reading is the prior of a fit where both photographs show one
person, whose identity is then known; and in every case the mouth is moved on until it is, on the
source, as much wider, higher at its corners and further open as it is in the reference. One
person's pictures are then compared themselves, see `synthesis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.animate import pose
from mien.face_model.arrays import Double
from mien.face_model.bounded import in_box
from mien.face_model.fit import LOWER_LIP, UPPER_LIP, Fit, fit, fitted, merge_lips
from mien.face_model.frame import SOURCE_SIZE, resized
from mien.face_model.mesh import FaceModel
from mien.face_model.problem import EYE_CORNERS, Expected, View, ruler, solve
from mien.face_model.render import Rig
from mien.face_model.threads import one_thread
from mien.methods.drawing import ModelHead
from mien.methods.morphable.synthesis import Gap, Shown, both_sides, matched
from mien.types import Faces, Float

GAIN = 1.1
"""What the mouth's shapes are multiplied by, for the reader sees real smiles as a little weaker
than they are: by regression of how much wider and higher at their corners the mouths of 66 training
and validation people are, smiling, on what it reads (1.11, 1.11). This and the two below:
`mien bench reading`."""
ALIKE, IDENTITY_COST = 0.79, 0.02
"""Correlation of eyes and nose, less this much for each unit that the fitted identities are apart,
from which two photographs show one person: 1 of 1,000 pairs of two people under one light reaches
it, and 85 % of the pairs of one person at rest and smiling."""
NEUTRAL: Double = np.array([0.009, 0.006, 1.0])
"""Measures up to which a source counts as at rest, three standard deviations of what is read in
training people who are: what the reader takes for a smile there is not taken away."""
AJAR = (0.012, 0.025)
"""Growth of what is not lip between the lips (`parted`), in outer eye corner distances, up to which
a mouth stays shut, and from which it opens as far as in the reference: between what training people
with shut lips have and what those have whose teeth show, distinguished by eye."""
_DARK, _PALE = 0.35, 0.65
"""Of the lips' lightness and redness: what has less is the dark of a mouth, or teeth."""
_GREY, _SLIT = 3.0, 0.06
"""Redness (a* of CIELAB) below which teeth and lips look alike, so that the gap of the landmarks
decides: from how much on, by eye, a mouth is open for the most part."""
REACH: Double = np.array([1.2, 1.2, 1.0])
"""By what measures of somebody else's mouth are asked for: of what the mesh reaches, landmarks see
0.84 of the width in what is drawn, and moving on falls short of the corners' height. By trials on
training and validation people, as are the three below."""
PULL = 14.0
"""One over the reader's error, as a prior."""
HOLD = 10.0
"""The same where the mouth is moved on: little, and no shape more than is needed."""
PRECISION: Double = 1 / np.array([0.008, 0.006, 0.004])
"""One over the error of the measures of a mouth."""
MOVED = ("jawOpen", "mouthSmile", "mouthStretch", "mouthUpperUp", "mouthLowerDown", "mouthPucker",
         "mouthFrown", "mouthClose")  # fmt: skip
"""Shapes that a mouth is moved on by, both sides alike: what is one-sided the reader says."""
TABLE = 0.5
"""How far the table of smiles is believed of a full one, beside the reader."""
ROUNDS = 3
_STEP = 0.05
_EYES, _CORNERS = slice(36, 48), (48, 54)


@dataclass(frozen=True)
class Face:
    """A face of a photograph: landmarks (68, 2) in px of the 320 px crop, the face model fitted to
    them, what the reader sees, weights (53,), eyes and nose, see `eyes_and_nose`, how far the lips
    are `parted`, and the photograph as pictures are compared."""

    points: Float
    fit: Fit
    read: Float
    middle: Float
    parted: float
    shown: Shown

    @property
    def seen(self) -> tuple[Float, ...]:
        """What was taken from the photograph, before any fit."""
        return self.points, self.read, self.middle

    def is_of(self, other: Face) -> bool:
        """Whether both show one person, as far as can be seen: a doubt is none."""
        distance = float(np.linalg.norm(self.fit.identity - other.fit.identity))
        return float(self.middle @ other.middle) - IDENTITY_COST * distance > ALIKE


def small(faces: Faces[Float]) -> Float:
    """Landmarks (68, 2) of the first face, in px of the 320 px crop."""
    return resized(faces.landmarks[0], faces.pixels.shape[-1], SOURCE_SIZE)


def eyes_and_nose(faces: Faces[Float]) -> Float:
    """The middle of the first face, grey, without slow changes of light, as a unit vector."""
    grey = faces.pixels[0].mean(0).astype(np.float32)
    part = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA)[14:40, 14:50]
    part = np.asarray(part - cv2.GaussianBlur(part, (0, 0), 6), np.float32)
    part -= part.mean()
    return np.asarray(part.ravel() / max(float(np.linalg.norm(part)), 1e-6), np.float32)


def parted(faces: Faces[Float]) -> float:
    """How far the lips of the first face are apart, in outer eye corner distances: of the height
    between the inner lips' landmarks that which is not lip, but dark or pale as teeth."""
    points, pixels = faces.landmarks[0].astype(np.float32), faces.pixels[0].transpose(1, 2, 0)
    lab = cv2.cvtColor(np.ascontiguousarray(pixels / 2 + 0.5, np.float32), cv2.COLOR_RGB2LAB)

    def line(start: int, end: int, share: Float) -> Float:
        x, y = (points[start] + (points[end] - points[start]) * share[:, None]).T[:, None]
        return np.asarray(cv2.remap(lab, x, y, cv2.INTER_LINEAR)[0], np.float32)

    on_lip, across = (np.linspace(*ends, dtype=np.float32) for ends in ((0.3, 0.8, 8), (0, 1, 24)))
    lips = [
        np.median([line(outer, inner, on_lip) for outer, inner in pairs], axis=(0, 1))
        for pairs in (((50, 61), (51, 62), (52, 63)), ((58, 67), (57, 66), (56, 65)))
    ]
    light, red, _ = np.minimum(*lips)
    pairs = ((61, 67), (62, 66), (63, 65))
    between = np.stack([line(upper, lower, across) for upper, lower in pairs])
    other = between[..., 0] < _DARK * light
    gap = points[list(LOWER_LIP), 1].mean() - points[list(UPPER_LIP), 1].mean()
    gap = max(float(gap) / ruler(points), 0.0)
    if red < _GREY:  # a photograph without colour
        return gap if gap > _SLIT else gap * float(other.mean())
    return gap * float((other | (between[..., 1] < _PALE * red)).mean())


def opens(source: Face, reference: Face) -> float:
    """How surely, 0..1, the reference shows more of what lies between its lips than the source."""
    difference = reference.parted - source.parted
    return min(max((difference - AJAR[0]) / (AJAR[1] - AJAR[0]), 0.0), 1.0)


def strengthened(model: FaceModel, read: Float) -> Float:
    """Weights (..., 53) as the reader sees them, the mouth's as strong as mouths are."""
    mouth = np.array([name.startswith(("mouth", "jaw")) for name in model.names])
    return np.where(mouth, read * np.float32(GAIN), read)


@one_thread()  # sums over meshes and pixels: how many threads share them would show
def retargeted(
    head: ModelHead, rig: Rig, source: Face, reference: Face, same: bool, compared: bool
) -> Float:
    """The change of weights (53,), relative to rest, by which the source, whose rig it is, shows
    what the reference shows; 0 of a face that is its own reference. `same`: both show one person;
    `compared`: their pictures are then compared as well, which takes a second."""
    model, own = head.model, head.own(rig)
    if all(np.array_equal(*seen) for seen in zip(source.seen, reference.seen, strict=True)):
        return np.zeros_like(own)
    if reference.fit.undrawable is not None:  # landmarks that are not to be believed
        return reference.read - source.read
    difference = reference.parted - source.parted
    if same:
        who = source.fit.identity
        step = _explained(model, who, reference) - _explained(model, who, source)
        there, here = (
            _measures(_seen(model, fit(model, face.points, neutral=False, identity=who)))
            for face in (reference, source)
        )
        change = there - here
    else:
        step = reference.read - source.read
        there, here = (_predicted(rig, face) for face in (reference, source))
        change = REACH * (there - here**3 / (here**2 + NEUTRAL**2))
        gaps = [_measures(_seen(model, face.fit))[2] for face in (reference, source)]
        change[2] = gaps[0] - gaps[1]
    if change[2] > 0:
        change[2] *= opens(source, reference)
    goal = _closed_in(head, rig, own + step, change).astype(np.float32)
    if same and compared and rig.fault is None:
        goal = matched(head, rig, goal, reference.shown, _gap(difference))
    return np.asarray(goal - own, np.float32)


def _gap(wider: float) -> Gap:
    """What says how far one person's lips are wider, given how much more is `parted` than was."""
    if not 0 <= wider < sum(AJAR) / 2:
        return "seen"
    return "kept" if wider < AJAR[0] / 2 else "free"


def _explained(model: FaceModel, identity: Float, face: Face) -> Float:
    """Weights (53,) that explain a known person's landmarks and lie near what the reader sees."""
    points, _ = merge_lips(face.points.astype(np.float64), neutral=False)
    shapes = fitted(model)
    at = [model.index[name] for name in shapes]
    known = face.read.copy()
    known[at] = 0
    view = View(model.markers, points, shapes, 1.0, known, Expected(face.read, PULL))
    weights = known.copy()
    weights[at] += solve(model, [view], identity).weights[0].astype(np.float32)
    return weights


def _closed_in(head: ModelHead, rig: Rig, goal: Float, change: Double) -> Double:
    """Weights (53,) near `goal`, relative to rest, at which the measures of the source's mouth are
    `change` more than in its photograph."""
    model = head.model
    groups = [both_sides(model, name) for name in MOVED]
    shapes = [model.expressions[columns][:, model.landmarks].sum(0) for columns in groups]
    wanted = _measures(_landmarks(head, rig, head.own(rig))) + change
    start, now = goal.astype(np.float64), goal.astype(np.float64)
    for _ in range(ROUNDS):
        at = _landmarks(head, rig, now.astype(np.float32))
        here = _measures(at)
        slopes = np.stack([(_measures(at + _STEP * s) - here) / _STEP for s in shapes], 1)
        far = np.array([(now - start)[g].mean() for g in groups])
        rows = np.concatenate([slopes * PRECISION[:, None], HOLD * np.eye(len(groups))])
        left = np.concatenate([(wanted - here) * PRECISION, -HOLD * far])
        low = np.array([min(-now[g].max(), 0) for g in groups])
        width = np.array([max(1 - now[g].max(), 0) for g in groups]) - low
        found = low + width * in_box(rows * width, left - rows @ low)
        for columns, by in zip(groups, found, strict=True):
            now[columns] += by
    return now


def _landmarks(head: ModelHead, rig: Rig, weights: Float) -> Double:
    """Landmarks (68, 3) cm of a person who shows weights (53,), relative to rest, as drawn."""
    vertices = pose(head.model, rig.person, head.absolute(rig, weights))
    return vertices[head.model.landmarks].astype(np.float64)


def _predicted(rig: Rig, face: Face) -> Double:
    """Measures (3,) by which the mouth of a face that nobody saw at rest differs from that: as the
    reader sees it and, the more it smiles, as the table of smiles says (`face_model.neutral`)."""
    model = rig.model
    (by_reader,) = read_in(model, [face.read], rig.person.neutral)
    by_table = _measures(_seen(model, face.fit)) - _measures(_seen(model, face.fit, neutral=True))
    smile = float(face.read[both_sides(model, "mouthSmile")].mean())
    share = TABLE * min(max(smile, 0.0), 1.0)
    out: Double = (1 - share) * by_reader + share * by_table
    return out


def read_in(model: FaceModel, reads: Sequence[Float], neutral: Float | None = None) -> Double:
    """What readings (N, 53) change, of the measures (N, 3) of a mouth: its width, the height of its
    corners, the lips' gap, in outer eye corner distances. `neutral`: the vertices at rest, by
    default the mean face's."""
    at = model.landmarks
    start = (model.neutral if neutral is None else neutral)[at].astype(np.float64)
    shapes = model.expressions[:, at]
    shown = [_measures(start + np.tensordot(read, shapes, 1)) for read in reads]
    return np.array(shown) - _measures(start)


def _seen(model: FaceModel, shown: Fit, neutral: bool = False) -> Double:
    """Landmarks (68, 3) cm of a fit, or of the same face at rest, with what it left over put into
    the picture plane."""
    weights, over = shown.weights, shown.residual
    if neutral:
        weights, over = shown.neutral_weights, shown.neutral_residual
    at, off = model.landmarks, over[:68] / shown.camera.scale
    mesh = model.shape(shown.identity)[at] + np.tensordot(weights, model.expressions[:, at], 1)
    plane = np.column_stack([off[:, 0], -off[:, 1], np.zeros(68)])
    return np.asarray(mesh + plane @ shown.camera.matrix, np.float64)


def _measures(points: Double) -> Double:
    """Of landmarks (68, 3) cm of the mesh: width of the mouth, height of its corners over the
    eyes' (negative), gap of the inner lips; in distances of the outer eye corners."""
    x, y = points[:, 0], points[:, 1]
    right, left = EYE_CORNERS
    corners = list(_CORNERS)
    gap = y[list(UPPER_LIP)].mean() - y[list(LOWER_LIP)].mean()
    lift = y[corners].mean() - y[_EYES].mean()
    out: Double = np.array([x[corners[1]] - x[corners[0]], lift, gap]) / (x[left] - x[right])
    return out

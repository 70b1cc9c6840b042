"""The inside of the mouth: where the teeth stand, how dark it is there, and what a smiling
photograph shows of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Index, Real
from mien.face_model.eyes import polygon
from mien.face_model.fit import Fit
from mien.face_model.mesh import FACE, TEETH, FaceModel
from mien.face_model.sampling import LUMA, around, sample

UPPER_LIP, LOWER_LIP, CORNERS = 62, 66, (60, 64)
LOWER_ROW = (67, 66, 65)
"""Inner-lip landmarks."""
LIP_LINE = 0.45
"""Brightness of the line between closed lips, in units of the lower lip's."""
ARC_WIDTH, ARC_GAP, ROUND = 0.62, 0.8, 1.06
"""Reach along the lip of each inner landmark's correction, cm; lip gap of a full one, cm; depth of
the lower lip's middle in units of its sides' on a round opening."""

TEETH_BELOW_LIP = 0.42
"""How far the upper teeth's edge hangs below the resting upper lip, cm."""
CROWN = {"upper": 1.45, "lower": 1.2}
"""The model's crowns are short for a face seen from the front: stretched by this."""

TONGUE_LIFT = 0.1
"""The tongue lies this much nearer to the upper teeth than the model has it, cm."""

ENOUGH = 20
"""Pixels of teeth, at 320, that tell their colour."""

REDDEST, UNSURE = 0.7, 0.05
"""Redness of teeth at most, in units of the cheeks', and beyond the eye's white's."""

OPENING, SPAN = 0.04, 0.22
"""The inside shows from this much extra lip gap on, fully after this much more, cm."""


def seat_teeth(model: FaceModel, neutral: Float, fit: Fit) -> Float:
    """`neutral` (N, 3) with teeth, gums and tongue moved to where this person's upper lip wants
    them."""
    upper, lower, tongue = model.jaw_parts
    neutral = neutral.copy()

    def front(part: Index) -> Float:
        teeth = part[part >= TEETH.start]
        heights: Float = neutral[teeth[np.abs(model.neutral[teeth, 0]) < 0.7], 1]
        return heights

    edge, lower_edge = float(front(upper).min()), float(front(lower).max())
    lip = float(neutral[model.landmarks[UPPER_LIP], 1])
    target = lip - TEETH_BELOW_LIP
    if not fit.closed:  # in an open smile the teeth must not reach through the lower lip
        moved = np.tensordot(fit.weights, model.expressions[:, model.landmarks[LOWER_LIP]], 1)
        low = float(neutral[model.landmarks[LOWER_LIP], 1] + moved[1])
        target = min(target, max(low + 0.02, lip - 0.8))
    neutral[upper, 1] = target + (neutral[upper, 1] - edge) * CROWN["upper"]
    neutral[lower, 1] = target + 0.10 + (neutral[lower, 1] - lower_edge) * CROWN["lower"]
    neutral[lower, 2] -= 0.12
    neutral[tongue, 1] += target - edge + TONGUE_LIFT
    return neutral


@dataclass(frozen=True)
class OwnMouth:
    """The mouth in a photograph.

    whole (H, W): how much of the photograph may be shown inside the mouth (0 if it is closed), in
    the part of it that has the mouth, whose `corner` (x, y) px is there; beyond it that is 0; line
    (3,): colour where closed lips meet; lip (3,) and skin (3,): colours of the lower lip and of the
    cheeks; enamel (3,): of the teeth if they show.
    """

    whole: Float
    corner: tuple[int, int]
    line: Float
    lip: Float
    skin: Float
    enamel: Float | None
    shown: bool
    """Whether any of its inside is seen."""


def own_mouth(photo: Float, landmarks: Double, closed: bool, white: Float, fine: float) -> OwnMouth:
    """What the photograph (H, W, 3) with an eye's white (3,) shows of its mouth.

    `fine`: its px per px of the 320 crop.
    """
    lip, skin = lip_colour(photo, landmarks), cheek_colour(photo, landmarks)
    if closed:
        line = np.percentile(sample(photo, landmarks[60:68]), 30, axis=0) * 0.75
        nothing = np.zeros((1, 1), np.float32)
        return OwnMouth(nothing, (0, 0), line.astype(np.float32), lip, skin, None, False)
    there = around(photo.shape, landmarks[60:68], 6 * fine)
    corner, photo = (there[1].start, there[0].start), photo[there]
    inside = polygon(photo.shape[:2], landmarks[60:68] - corner).astype(np.float32)
    whole = np.clip(cv2.GaussianBlur(inside, (0, 0), 1.2 * fine) * 1.6, 0, 1)
    teeth = cv2.GaussianBlur(toothlike(photo, white), (0, 0), 0.7 * fine)
    shown = photo[(inside > 0) & (teeth > 0.6)]
    enough = len(shown) > ENOUGH * fine**2
    enamel = np.percentile(shown, 70, axis=0).astype(np.float32) if enough else None
    if enamel is not None and too_red(enamel, skin, white):
        enamel = None
    return OwnMouth(whole, corner, lip * LIP_LINE, lip, skin, enamel, True)


def toothlike(photo: Float, white: Float) -> Float:
    """How bright and how little red (H, W) each pixel is, 1 for a tooth."""
    bright = np.clip((photo @ LUMA / max(float(white.mean()), 1.0) - 0.5) / 0.2, 0, 1)
    pale = 1 - np.clip(_redness(photo) * 4 - 0.9, 0, 1)
    return np.asarray(bright * pale, np.float32)


def _redness(colour: Float) -> Float:
    """How much redder than green (...) colours (..., 3) are, 0..1."""
    red, green = colour[..., 0], colour[..., 1]
    return np.asarray((red - green) / np.maximum(red, 1), np.float32)


def too_red(enamel: Float, skin: Float, white: Float) -> bool:
    """Whether what was taken for `enamel` (3,) is redder than teeth beside cheeks `skin` (3,) and
    an eye's `white` (3,) are."""
    return float(_redness(enamel)) > _reddest(skin, white)


def _reddest(skin: Float, white: Float) -> float:
    """The redness of the reddest teeth beside cheeks `skin` (3,) and an eye's `white` (3,): what is
    redder is a lip that shines, where landmarks part closed ones."""
    return max(REDDEST * float(_redness(skin)), float(_redness(white)) + UNSURE)


def lip_colour(photo: Float, landmarks: Double) -> Float:
    """Median colour (3,) of the lower lip, which a smile thins less than the upper one."""
    inner, outer = landmarks[[67, 66, 65]], landmarks[[58, 57, 56]]
    part = np.linspace(0.35, 0.75, 7)[:, None, None]
    across = (inner * (1 - part) + outer * part).reshape(-1, 2)
    return np.asarray(np.median(sample(photo, across), axis=0), np.float32)


def cheek_colour(photo: Float, landmarks: Double) -> Float:
    """Median colour (3,) between nose and jaw."""
    spots = np.concatenate(_cheeks(landmarks))
    return np.asarray(np.median(sample(photo, spots), axis=0), np.float32)


def cheek_colours(photo: Float, landmarks: Real) -> tuple[Float, Float]:
    """The same on the left of the picture and on its right."""
    left, right = (np.median(sample(photo, spots), axis=0) for spots in _cheeks(landmarks))
    return np.asarray(left, np.float32), np.asarray(right, np.float32)


def _cheeks(landmarks: Real) -> tuple[Real, Real]:
    """Points (14, 2) on the left cheek of the picture and on the right one."""
    part = np.linspace(0.35, 0.65, 7)[:, None, None]
    sides = (landmarks[[31, 31]], landmarks[[2, 3]]), (landmarks[[35, 35]], landmarks[[14, 13]])
    left, right = ((nose * (1 - part) + jaw * part).reshape(-1, 2) for nose, jaw in sides)
    return left, right


class LipArc:
    """Keeps the lower lip's edge an arc when the mouth opens.

    At rest it follows the dip of the upper lip; carried down as it is, that dip makes a heart.
    """

    def __init__(self, model: FaceModel) -> None:
        rides = model.expressions[model.index["jawOpen"], FACE, 1] < -1.5
        points = model.neutral[FACE]
        y = float(points[model.landmarks[LOWER_LIP], 1])
        self._model = model
        self._at = np.flatnonzero(rides & (np.abs(points[:, 0]) < 2.6) & (points[:, 1] > y - 3.0))
        near = points[self._at]
        x = points[model.landmarks[list(LOWER_ROW)], 0]
        across = np.exp(-(((near[:, :1] - x) / ARC_WIDTH) ** 2))
        down = np.exp(-((np.maximum(y - near[:, 1], 0) / 1.1) ** 2))
        self._weight = (across * down[:, None]).astype(np.float32)

    def excess(self, vertices: Float) -> float:
        """By how much, cm, the middle of the lower lip of `vertices` (N, 3) hangs below an arc."""
        at = self._model.landmarks
        corners = float(vertices[at[list(CORNERS)], 1].mean())
        left, middle, right = corners - vertices[at[list(LOWER_ROW)], 1]
        gap = float(vertices[at[UPPER_LIP], 1] - vertices[at[LOWER_LIP], 1])
        hangs = float(middle - ROUND * max((left + right) / 2, 0.0))
        return max(hangs, 0.0) * float(np.clip(gap / ARC_GAP, 0, 1))

    def __call__(self, vertices: Float, own: float) -> None:
        """Move the lower lip of `vertices` (N, 3) in place; an excess of `own` cm may stay."""
        excess = np.float32(min(self.excess(vertices) - own, 0.6))
        if excess > 0:
            shift = np.array([-0.45, 0.5, -0.45], np.float32) * excess
            vertices[self._at, 1] += self._weight @ shift


class Opening:
    """How far the mouth of one photograph is opened."""

    def __init__(self, model: FaceModel, gaps: tuple[float, float]) -> None:
        """`gaps`: lip gap, cm, of the resting shape and of the photograph's expression."""
        self._at = model.landmarks[[UPPER_LIP, LOWER_LIP]]
        self._neutral_gap, self._source_gap = gaps

    def __call__(self, vertices: Float) -> tuple[float, float]:
        """How open the mouth of `vertices` (N, 3) cm is, 0..1; and its lip gap against the
        photograph's, cm."""
        upper, lower = vertices[self._at, 1]
        gap = max(0.0, float(upper - lower))
        opened = float(np.clip((gap - self._neutral_gap - OPENING) / SPAN, 0, 1))
        return opened, gap - self._source_gap

"""The inside of the mouth: where the teeth stand, how dark it is there, and what a smiling
photograph shows of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.rig.arrays import Double, Float, Index
from mien.rig.camera import Camera
from mien.rig.eyes import fixed_point, polygon
from mien.rig.fit import Fit
from mien.rig.mesh import GUMS, MOUTH_INSIDE, MOUTH_SOCKET, TEETH, FaceModel
from mien.rig.sampling import LUMA, sample

UPPER_LIP, LOWER_LIP, CORNERS = 62, 66, (60, 64)
"""Inner-lip landmarks."""

TEETH_BELOW_LIP = 0.42
"""How far the upper teeth's edge hangs below the resting upper lip, cm."""
CROWN = {"upper": 1.45, "lower": 1.2}
"""The model's crowns are short for a face seen from the front: stretched by this."""

TONGUE_LIFT = 0.1
"""The tongue lies this much nearer to the upper teeth than the model has it, cm."""

TOOTH_TINT = np.array([1.02, 0.97, 0.84], np.float32)
GUM_TINT = np.array([0.72, 0.38, 0.40], np.float32)
THROAT_TINT = np.array([0.26, 0.14, 0.16], np.float32)
"""Colours (R, G, B) in units of the eye white's brightness: the white knows exposure and tint of
the photograph."""

OPENING, SPAN = 0.04, 0.22
"""The inside shows from this much extra lip gap on, fully after this much more, cm."""


def seat_teeth(model: FaceModel, rest: Float, fit: Fit) -> Float:
    """`rest` (N, 3) with teeth, gums and tongue moved to where this person's upper lip wants
    them."""
    upper, lower, tongue = model.jaw_parts
    rest = rest.copy()

    def front(part: Index) -> Float:
        teeth = part[part >= TEETH.start]
        heights: Float = rest[teeth[np.abs(model.neutral[teeth, 0]) < 0.7], 1]
        return heights

    edge, lower_edge = float(front(upper).min()), float(front(lower).max())
    lip = float(rest[model.landmarks[UPPER_LIP], 1])
    target = lip - TEETH_BELOW_LIP
    if not fit.closed:  # in an open smile the teeth must not reach through the lower lip
        moved = np.tensordot(fit.weights, model.expressions[:, model.landmarks[LOWER_LIP]], 1)
        low = float(rest[model.landmarks[LOWER_LIP], 1] + moved[1])
        target = min(target, max(low + 0.02, lip - 0.8))
    rest[upper, 1] = target + (rest[upper, 1] - edge) * CROWN["upper"]
    rest[lower, 1] = target + 0.10 + (rest[lower, 1] - lower_edge) * CROWN["lower"]
    rest[lower, 2] -= 0.12
    rest[tongue, 1] += target - edge + TONGUE_LIFT
    return rest


@dataclass(frozen=True)
class OwnMouth:
    """The mouth in a photograph.

    whole, teeth (H, W): how much of the photograph may be shown inside the mouth, all of it or its
    teeth only (0 if it is closed); line (3,): colour where closed lips meet.
    """

    whole: Float
    teeth: Float
    line: Float


def own_mouth(photo: Float, landmarks: Double, closed: bool, white: Float) -> OwnMouth:
    """What the photograph (H, W, 3) with an eye's white (3,) shows of its mouth."""
    around = sample(photo, landmarks[60:68])
    line = (np.percentile(around, 30, axis=0) * 0.75).astype(np.float32)
    if closed:
        nothing = np.zeros(photo.shape[:2], np.float32)
        return OwnMouth(nothing, nothing, line)
    inside = polygon(photo.shape[:2], landmarks[60:68]).astype(np.float32)
    whole = np.clip(cv2.GaussianBlur(inside, (0, 0), 1.2) * 1.6, 0, 1)
    teeth = cv2.GaussianBlur(_toothlike(photo, white), (0, 0), 0.7)
    return OwnMouth(whole, whole * teeth, line)


def _toothlike(photo: Float, white: Float) -> Float:
    """How bright and how little red (H, W) each pixel is, 1 for a tooth."""
    bright = np.clip((photo @ LUMA / max(float(white.mean()), 1.0) - 0.5) / 0.2, 0, 1)
    red, green = photo[..., 0], photo[..., 1]
    pale = 1 - np.clip((red - green) / np.maximum(red, 1) * 4 - 0.9, 0, 1)
    return np.asarray(bright * pale, np.float32)


def lips_without_slit(lids: Float, landmarks: Double, closed: bool, white: Float) -> Float:
    """The second texture (H, W, 3) with what is between the lips painted over."""
    inner, shape = landmarks[60:68], lids.shape[:2]
    mask = polygon(shape, inner)
    width = max(2, round(0.03 * float(np.linalg.norm(landmarks[48] - landmarks[54]))))
    cv2.polylines(mask, [fixed_point(inner)], True, (1,), width, shift=4)
    if not closed:  # landmarks miss the edge of a tooth by a pixel or two: its colour tells
        near = np.asarray(cv2.dilate(mask, np.ones((7, 7))), np.uint8)
        near &= polygon(shape, landmarks[48:60])
        mask |= (near > 0) & (_toothlike(lids, white) > 0.5)
    mask = np.asarray(cv2.dilate(mask, np.ones((3, 3)), iterations=1 if closed else 2), np.uint8)
    pixels = np.clip(lids, 0, 255).astype(np.uint8)
    return cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA).astype(np.float32)


class MouthShade:
    """Colour of the mouth's inside, vertex by vertex, for one photograph."""

    def __init__(
        self, model: FaceModel, camera: Camera, white: Float, line: Float, gaps: tuple[float, float]
    ) -> None:
        """`gaps`: lip gap, cm, of the resting shape and of the photograph's expression."""
        self._model, self._camera, self._line = model, camera, line
        self._rest_gap, self._source_gap = gaps
        glow = float(white.mean()) * 1.12
        tooth, gum, throat = TOOTH_TINT, GUM_TINT, THROAT_TINT
        if white.max() - white.min() < 2:  # a grey photograph has a grey mouth
            tooth, gum, throat = (np.full(3, t @ LUMA) for t in (tooth, gum, throat))
        colours = np.zeros((MOUTH_INSIDE.stop - MOUTH_INSIDE.start, 3), np.float32)
        start = MOUTH_INSIDE.start
        colours[TEETH.start - start :] = (white * 0.6 + tooth * glow * 0.55) * 1.02
        colours[GUMS.start - start : TEETH.start - start] = gum * glow * 0.95
        colours[: MOUTH_SOCKET.stop - start] = throat * glow
        self._colours = colours
        ids = np.arange(MOUTH_INSIDE.start, MOUTH_INSIDE.stop)
        self._tooth, self._throat = ids >= TEETH.start, ids < MOUTH_SOCKET.stop

    def __call__(self, vertices: Float, normals: Float) -> tuple[Float, float, float]:
        """Colours of `MOUTH_INSIDE` (M, 3), how open it is 0..1, and the lip gap against the
        source's, cm.

        vertices (N, 3) cm; normals (N, 3) in camera axes.
        """
        at = self._model.landmarks
        upper, lower = vertices[at[UPPER_LIP]], vertices[at[LOWER_LIP]]
        left, right = vertices[at[list(CORNERS)], 0]
        gap = float(upper[1] - lower[1])
        inside, normal = vertices[MOUTH_INSIDE], normals[MOUTH_INSIDE]
        # Light comes in between the lips: it falls off with depth, towards the corners and behind
        # the upper lip.
        deep = np.clip((upper[2] + lower[2]) / 2 - inside[:, 2], 0, 8)
        aside = np.abs(inside[:, 0] - (left + right) / 2) / max(abs(left - right) / 2, 0.5)
        below = np.clip((upper[1] - inside[:, 1]) / 0.45, 0, 1)
        tooth, throat = self._tooth, self._throat
        falloff = np.where(tooth, 0.16, np.where(throat, 0.45, 0.17))
        shade = np.exp(-np.maximum(deep - 0.8, 0) * falloff) * np.clip(
            1.05 - 0.3 * aside**2, 0.35, 1
        )
        shade *= 0.72 + 0.28 * np.clip(max(0.0, gap), 0, 1)
        shade *= np.where(throat, 0.55, 0.84) + np.where(throat, 0.45, 0.16) * below
        facing = np.clip(normal[:, 2] * 0.8 + 0.35 * normal[:, 1], 0, 1)
        shade *= np.where(tooth, 0.85 + 0.15 * facing, 0.75 + 0.25 * facing)
        opened = float(np.clip((max(0.0, gap) - self._rest_gap - OPENING) / SPAN, 0, 1))
        colours = self._colours * shade.astype(np.float32)[:, None] * opened
        return colours + self._line * (1 - opened), opened, max(0.0, gap) - self._source_gap

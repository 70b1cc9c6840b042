"""What a render changes beside the expression: how the head is turned, and how it is lit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mien.face_model.arrays import Float
from mien.face_model.camera import DISTANCE, Camera, rotation_matrix
from mien.face_model.mesh import FACE, HEAD, FaceModel
from mien.face_model.smoothstep import smoothstep

PIVOT = np.array([0.0, -4.0, 2.5])
"""What a turning head turns about: below the ears, where the skull sits on the neck, cm."""
NAPE = (-7.0, -18.0)
"""Height, cm, down to which a tilting head takes its surround along, and where that stands still:
the shoulders do not tilt."""
REACH = np.array([12.0, 20.0])
"""Pitch and yaw, degrees, up to which a head may be turned, photograph and turn together."""
ROWS = np.arange(-15.0, 13.0, 0.75)
"""Heights, cm, at which the outline of a turned head is measured."""
SIDEWAYS = (0.9, 0.4)
"""Skin begins to follow the outline when it faces the camera by the first cosine, and does so
wholly from the second on."""
DRAWN = 0.75
"""Skin is drawn out to this part of the way only, or cheeks look swollen."""
CHEEK = (5.5, 0.5)
"""Heights, cm: above, hair hides the outline, and brows must not be drawn out."""
ROW_BLUR = np.array([1, 2, 3, 2, 1], np.float64) / 9
DISPLAY_GAMMA = 2.2
"""From light to the numbers of a picture."""


@dataclass(frozen=True)
class PoseAndLight:
    """Head and light of a render, as changes of the photograph's own.

    Attributes:
        turn: pitch (up), yaw (to the person's left) and roll (tilt to the person's left), degrees;
            what the photograph shows carries about 12, 20 and 15.
        light: how far the key light moves to the person's left and up, each about -1..1, and the
            exposure in stops.
    """

    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    light: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def within(self, own: Camera) -> PoseAndLight:
        """The same with no more turn than the photograph's `own` leaves room for: what both make
        together stays within `REACH`, or a cheek that was never seen would fill the picture.
        """
        shown = np.degrees([-own.rotation[0], own.rotation[1]])
        room = np.clip(REACH - np.abs(shown), 0, None)
        # towards the front there is no such limit
        ahead = np.sign(shown) * self.turn[:2] > 0
        turn = np.where(ahead, np.clip(self.turn[:2], -room, room), self.turn[:2])
        return replace(self, turn=(float(turn[0]), float(turn[1]), self.turn[2]))

    @property
    def key(self) -> tuple[float, float]:
        """How far the key light moves to the person's left, and up."""
        return self.light[:2]

    def camera(self, own: Camera) -> Camera:
        """The camera that sees the head turned, given the photograph's."""
        if not any(self.turn):
            return own
        pitch, yaw, roll = np.radians(self.turn)
        turned = (
            rotation_matrix(np.array([0, 0, -roll]))
            @ rotation_matrix(np.array([-pitch, 0, 0]))
            @ rotation_matrix(np.array([0, yaw, 0]))
        )
        matrix = turned @ own.matrix
        x, y, z = own.matrix @ PIVOT - matrix @ PIVOT
        # The pivot stays where it is; what that moves in depth, perspective turns into scale.
        scale = own.scale / (1 - z / DISTANCE)
        origin = own.origin + np.array([x, -y]) * scale
        vector, _ = cv2.Rodrigues(matrix)
        return Camera(np.asarray(vector, np.float64).ravel(), float(scale), origin)

    def tilt(self, own: Camera, points: Float) -> Float:
        """Displacement (K, 2) px of the head's surround at points (K, 2) px, by the roll alone."""
        roll = np.radians(self.turn[2])
        if roll == 0:
            return np.zeros_like(points)
        centre, _ = own.project(PIVOT[None])
        above = (centre[0, 1] - points[:, 1]) / own.scale + PIVOT[1]
        angle = roll * smoothstep((above - NAPE[1]) / (NAPE[0] - NAPE[1]))
        x, y = (points - centre[0]).T
        c, s = np.cos(angle) - 1, np.sin(angle)
        return np.stack([c * x - s * y, s * x + c * y], 1).astype(np.float32)

    def expose(self, colour: Float) -> Float:
        """Colours (..., 3) in 0..255 at this exposure; brightened ones near white without burning
        out."""
        stops = self.light[2]
        if stops == 0:
            return colour
        gain = np.float32(2 ** (stops / DISPLAY_GAMMA))
        if gain < 1:
            return colour * gain
        white = np.clip(colour, 0, 255) / np.float32(255)
        out: Float = gain * colour / (1 + (gain - 1) * white)
        return out


def outline_pull(model: FaceModel, before: Float, after: Float) -> Float:
    """How far (F,) px to the right each face vertex must go on to stay with the head's outline,
    when points (N, 2) px went from `before` to `after`.

    The outline that a head turns away from is soon made of other skin, which the photograph does
    not show, so what it does show there is drawn out towards it; on the other side skin hides skin.
    """
    head = slice(FACE.start, HEAD.stop)
    y = model.neutral[head, 1]
    rows = [np.flatnonzero(np.abs(y - row) < 1.0) for row in ROWS]
    at, left = model.neutral[FACE, 1], model.neutral[FACE, 0] > 0
    own = after[FACE, 0] - before[FACE, 0]
    pulls = []
    for widest, bound in ((np.min, np.minimum), (np.max, np.maximum)):
        moved = [widest(after[row, 0]) - widest(before[row, 0]) for row in rows]
        smooth = np.convolve(np.pad(moved, 2, mode="edge"), ROW_BLUR, "valid")
        pulls.append(bound(np.interp(at, ROWS, smooth) - own, 0))
    return np.where(left, pulls[1], pulls[0]).astype(np.float32)


def outlying(model: FaceModel, normals: Float) -> Float:
    """How far (F,) each face vertex goes with the head's outline when the head turns, 0..`DRAWN`;
    normals (N, 3) as in the photograph."""
    aside = np.clip((normals[FACE, 2] - SIDEWAYS[0]) / (SIDEWAYS[1] - SIDEWAYS[0]), 0, 1)
    below = np.clip((model.neutral[FACE, 1] - CHEEK[0]) / (CHEEK[1] - CHEEK[0]), 0, 1)
    beside = np.clip((np.abs(model.neutral[FACE, 0]) - 2.8) / 2, 0, 1)  # neither nose nor mouth
    return np.asarray(DRAWN * smoothstep(aside * below * beside), np.float32)

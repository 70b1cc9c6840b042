"""Whether something covers the mouth: a mask, a scarf, a collar drawn up. Beards do not.

Landmarks are drawn over it as if there were lips, and an edit would open a mouth in the cloth. What
gives it away: lips have the colour of all that is around them, and that is a colour which the
person's skin does not have. Lips of a bare face are redder or darker than the skin around them; a
beard is darker than lips. Neither is so in a mask of the skin's own colour, in hands and in grey
photographs: those are not recognised. Limits were set by hand, on half of those that
`mien bench eyewear` counts.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float
from mien.face_model.fit import LOWER_LIP, UPPER_LIP

ALIKE = (2.5, 5.0)
"""Differences of lips from what is around them, colour and lightness of CIE L*a*b*, up to which
they are none."""
FOREIGN = 9.0
"""Difference in colour of what is around the lips, at its least, from the skin of cheeks and nose,
from which on it is not skin."""
SOFT, SPOT = 1.5, 0.06
"""Blur before looking, px, and radius of a place that is looked at, in distances of the eyes."""


def mouth_covered(crop: Float, landmarks: Double) -> bool:
    """Whether the mouth of an upright crop (H, W, 3), 0..255, of about 320 px, with landmarks
    (68, 2) px, is covered."""
    soft = cv2.GaussianBlur(crop, (0, 0), SOFT) / np.float32(255)
    lab = np.asarray(cv2.cvtColor(soft.astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)
    eyes = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    radius = max(2, int(SPOT * np.linalg.norm(eyes[1] - eyes[0])))
    right, left, chin = landmarks[48], landmarks[54], landmarks[8]

    def colour(of: Double, to: Double, share: float) -> Float:
        """Median colour (3,) of a spot between two points."""
        where = np.zeros(lab.shape[:2], np.uint8)
        at = np.round(of + share * (to - of)).astype(int)
        cv2.circle(where, (int(at[0]), int(at[1])), radius, (1,), -1)
        return _median(lab, where > 0)

    skin = np.median([colour(eyes[0], right, 0.4), colour(eyes[1], left, 0.4),
                      colour(landmarks[29], landmarks[29], 0)], axis=0)  # fmt: skip
    around = np.stack([
        colour(landmarks[33], landmarks[51], 0.5), colour(landmarks[57], chin, 0.5),
        colour(chin, landmarks[57], 0.25),
        colour(right, landmarks[4], 0.4), colour(left, landmarks[12], 0.4),
    ])  # fmt: skip
    lips = _median(lab, _lips(landmarks, lab.shape[:2])) - np.median(around, axis=0)
    foreign = np.linalg.norm(around[:, 1:] - skin[1:], axis=1).min()
    alike = np.linalg.norm(lips[1:]) < ALIKE[0] and abs(float(lips[0])) < ALIKE[1]
    return bool(alike and foreign > FOREIGN)


def _lips(landmarks: Double, shape: tuple[int, ...]) -> Bool:
    """Where (H, W) both lips are."""
    out = np.zeros(shape, np.uint8)
    upper = np.vstack([landmarks[48:55], landmarks[64], landmarks[list(UPPER_LIP)[::-1]]])
    lower = np.vstack([landmarks[54:60], landmarks[[48, 60]], landmarks[list(LOWER_LIP)]])
    for lip in (upper, lower):
        cv2.fillPoly(out, [np.round(lip).astype(np.int32)], (1,))
    return out > 0


def _median(lab: Float, where: Bool) -> Float:
    found = lab[where]
    return np.median(found, axis=0) if len(found) else np.full(3, np.inf, np.float32)

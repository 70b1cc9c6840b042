"""Whether something opaque covers the eyes: sunglasses, goggles, a mask. Clear glasses do not.

Landmarks are drawn over it as if there were eyes. What gives it away: below the eyes it is dark
where the cheek is not, inside them nothing is as bright as a white of the eye, they are evenly dark
where eyes have irises, and its lower edge is a step. A face in hard shade has the first two, closed
eyes the third; together they tell. The measure's parts and limit were set by hand on the portraits
of SFHQ-T2I that `mien bench eyewear` counts, beside photographs that nothing was set on.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.eyes import POINTS, polygon
from mien.face_model.sampling import LUMA

LIMIT = 2.75
"""Sum of the signs, in log-brightness, from which on the eyes are taken to be covered."""
EDGE, UNEVEN = 1.2, 0.8
"""How much the step at the lower edge, and the lack of contrast inside, weigh."""
BELOW, CHEEK = 0.38, 1.15
"""Where skin below an eye and a cheek are looked at, in widths of the eye below its middle."""
OFFSET = 6.0
"""Added to brightness, 0..255, before its logarithm."""


def covered(crop: Float, landmarks: Double) -> bool:
    """Whether the eyes of an upright crop (H, W, 3), 0..255, of about 320 px, with landmarks
    (68, 2) px, are covered."""
    signs = [_signs(crop, landmarks[part]) for part in POINTS.values()]
    return float(np.mean(signs)) > LIMIT


def _signs(crop: Float, eye: Double) -> float:
    """How much speaks for one covered eye (6, 2) px."""
    width = max(float(np.linalg.norm(eye[3] - eye[0])), 1.0)
    along, middle = (eye[3] - eye[0]) / width, eye.mean(0)
    down = np.array([-along[1], along[0]])
    log = np.log(cv2.GaussianBlur(crop, (0, 0), 1.0) @ LUMA + np.float32(OFFSET))

    def lines(offsets: Double) -> Float:
        """Log-brightness (11, K) below eleven places of the eye."""
        aside = np.linspace(-0.5, 0.5, 11)[:, None, None] * width * along
        at = (middle + aside + offsets[None, :, None] * width * down).astype(np.float32)
        x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
        border = cv2.BORDER_REPLICATE
        return np.asarray(cv2.remap(log, x, y, cv2.INTER_LINEAR, borderMode=border), np.float32)

    below, cheek = lines(np.array([BELOW, CHEEK])).T
    light = float(np.median(cheek))
    shade = -float(np.median(below - cheek))
    inside = log[polygon(crop.shape[:2], eye) > 0]
    if not len(inside):
        return 0.0
    dark, bright = np.percentile(inside, [5, 95])
    edge = float(np.median(_steps(lines(np.arange(0.1, 1.25, 0.03))).max(1)))
    contrast = min(1.0, float(bright - dark))
    return shade + light - float(bright) + EDGE * edge + UNEVEN * (1 - contrast)


def _steps(line: Float) -> Float:
    """By how much (K, M) the next tenth of an eye's width is brighter than the last one."""
    total = np.cumsum(np.pad(line, ((0, 0), (1, 0))), axis=1)
    mean = (total[:, 4:] - total[:, :-4]) / 4
    return np.asarray(mean[:, 5:] - mean[:, :-5], np.float32)

"""The lips of a photograph without what is between them: a closed mouth's dark line, an open one's
teeth."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.eyes import disc, fixed_point, polygon, spread
from mien.face_model.mouth import around, lip_colour, toothlike
from mien.face_model.sampling import LUMA, sample

UPPER_LIP_SHADE = 0.84
"""The upper lip looks down: its brightness in units of the lower lip's."""
CORNER, SHADED = 0.13, 0.5
"""How far from a corner of the mouth its shade lies on the lips, in widths of the mouth, and the
brightness, in units of the lower lip's, under which it is shade."""
LIT = 0.68
"""Brightness of the skin beside a corner, in the same units, from which on its shade is told from
the cheek's."""
MOST = 12.0
"""Bound of a lip's texture, of 255: beyond lie shine and edges."""


def lips_without_slit(
    picture: Float, landmarks: Double, closed: bool, white: Float, fine: float
) -> Float:
    """The picture (H, W, 3), 0..255, with what is between the lips painted over.

    landmarks (68, 2) px; whether the mouth is closed; white (3,) of the eyes; `fine`: its px per px
    of the 320 crop.
    """
    size = float(np.linalg.norm(landmarks[48] - landmarks[54]))
    at = around(picture.shape, landmarks[48:68], 0.3 * size)
    if picture[at].size == 0:
        return picture
    corner = np.array([at[1].start, at[0].start], np.float64)
    out = picture.copy()
    out[at] = _closed(picture[at], landmarks - corner, closed, white, fine)
    return out


def _closed(lids: Float, landmarks: Double, closed: bool, white: Float, fine: float) -> Float:
    inner, shape = landmarks[60:68], lids.shape[:2]
    mask = polygon(shape, inner)
    size = float(np.linalg.norm(landmarks[48] - landmarks[54]))
    cv2.polylines(mask, [fixed_point(inner)], True, (1,), max(2, round(0.03 * size)), shift=4)
    if closed:
        mask = np.asarray(cv2.dilate(mask, disc(fine)), np.uint8)
        pixels = np.clip(lids, 0, 255).astype(np.uint8)
        return cv2.inpaint(pixels, mask, 3 * fine, cv2.INPAINT_TELEA).astype(np.float32)
    # Landmarks miss the edge of a tooth by a pixel or two: its colour tells.
    near = np.asarray(cv2.dilate(mask, disc(3 * fine)), np.uint8) & polygon(shape, landmarks[48:60])
    mask |= (near > 0) & (toothlike(lids, white) > 0.5)
    mask = np.asarray(cv2.dilate(mask, disc(2 * fine)), np.uint8)
    return _without_corners(_painted_lips(lids, landmarks, mask, size, fine), landmarks, size, fine)


def _without_corners(photo: Float, landmarks: Double, size: float, fine: float) -> Float:
    """`photo` (H, W, 3) with the dark of the mouth's corners filled from what is around it: it
    belongs to the opening, and an opened mouth would draw it out."""
    shape = photo.shape[:2]
    beside = np.zeros(shape, np.uint8)
    light = photo @ LUMA
    lip = float(lip_colour(photo, landmarks) @ LUMA)
    for outer, corner, other in ((48, 60, 54), (54, 64, 48)):
        beyond = landmarks[outer] + np.array([[0.08], [0.12]]) * (
            landmarks[outer] - landmarks[other]
        )
        if float(sample(light, beyond).mean()) < LIT * lip:
            continue  # the cheek is as dark: nothing tells where the corner ends
        middle = fixed_point((landmarks[outer] + landmarks[corner]) / 2)
        cv2.circle(beside, middle.tolist(), round(16 * CORNER * size), (1,), -1, shift=4)
    dark = light < SHADED * lip
    hole = np.asarray(cv2.dilate((beside & dark).astype(np.uint8), disc(1.5 * fine)), np.uint8)
    if not hole.any():
        return photo
    filled = spread(photo, 1 - hole.astype(np.float32), 0.03 * size)
    k = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), fine)[..., None]
    return np.asarray(photo * (1 - k) + filled * k, np.float32)


def _painted_lips(photo: Float, landmarks: Double, mask: UInt8, size: float, fine: float) -> Float:
    """`photo` (H, W, 3) with the lips' colour where `mask` (H, W) is, and on the upper lip.

    A smile stretches the upper lip to a few pixels, so nothing that is seen of it can be spread
    over a lip at rest: it takes the lower one's colour, fading into the skin at its border.
    """
    top, inner = landmarks[48:55], landmarks[60:65]
    upper = np.concatenate([top[:1], top[1:6] * 0.6 + _along(inner, 5) * 0.4, top[6:]])
    lip = polygon(photo.shape[:2], np.concatenate([upper, inner[::-1]])) | mask
    lip &= np.asarray(cv2.dilate(polygon(photo.shape[:2], landmarks[48:60]), disc(fine)), np.uint8)
    soft = np.clip(
        cv2.GaussianBlur(lip.astype(np.float32), (0, 0), 0.018 * size) * 1.7 - 0.35, 0, 1
    )
    colour = lip_colour(photo, landmarks)
    middle = float(inner[1:4, 1].mean())
    fall = (np.arange(len(photo), dtype=np.float32)[:, None] - middle) / np.float32(0.06 * size)
    light = UPPER_LIP_SHADE + (1 - UPPER_LIP_SHADE) * (0.5 + 0.5 * np.tanh(fall))
    x = np.arange(photo.shape[1], dtype=np.float32) - np.float32(inner[2, 0])
    below = float(landmarks[57, 1] - landmarks[66, 1])
    y = np.arange(len(photo), dtype=np.float32) - np.float32(landmarks[66, 1] + 0.35 * below)
    gloss = np.exp(-((x / (0.22 * size)) ** 2)) * np.exp(-((y / (0.4 * below + 1)) ** 2))[:, None]
    light = light * (1 + 0.10 * gloss)
    paint = colour * light[..., None] + _texture(photo, landmarks, fine)
    # Keep what the photograph shows of the lip's own relief where it is not hidden.
    smooth = cv2.GaussianBlur(photo, (0, 0), 2.5 * fine)
    seen = 1 - cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0 * fine)
    paint = paint + np.clip(photo - smooth, -12, 12) * (seen * 0.8)[..., None]
    k = (soft * np.maximum(1 - 0.65 * seen, 0))[..., None]
    out: Float = np.asarray(photo * (1 - k) + paint * k, np.float32)
    return out


def _texture(photo: Float, landmarks: Double, fine: float) -> Float:
    """The lower lip's own fine texture, laid over the whole of `photo` (H, W, 3) by mirroring."""
    inner, outer = landmarks[[67, 66, 65], 1], landmarks[[58, 57, 56], 1]
    low, high = (float((a * inner + (1 - a) * outer).mean()) for a in (0.75, 0.25))
    rows = np.arange(len(photo), dtype=np.float32)
    span = max(high - low, 2.0)
    there = low + np.abs((rows - low + span) % (2 * span) - span)
    detail = photo - cv2.GaussianBlur(photo, (0, 0), 1.5 * fine)
    y = np.repeat(there[:, None], photo.shape[1], 1).astype(np.float32)
    x = np.repeat(np.arange(photo.shape[1], dtype=np.float32)[None], len(photo), 0)
    out = cv2.remap(detail, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(out, -MOST, MOST)


def _along(line: Double, count: int) -> Double:
    """`count` points of a polyline (N, 2), evenly by index."""
    at, steps = np.linspace(0, len(line) - 1, count), np.arange(len(line))
    return np.stack([np.interp(at, steps, line[:, j]) for j in (0, 1)], 1)

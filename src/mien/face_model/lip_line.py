"""The dark line where closed lips meet: read in the photograph, drawn where it lies on a mouth that
presses its lips or closes.

It is a change of light, not a colour: the lips beside it keep their texture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Real
from mien.face_model.frame import FLAT, Frame
from mien.face_model.layers import Layers
from mien.face_model.mesh import SKIN_LAYER, FaceModel
from mien.face_model.sampling import LUMA

REACH, WITHIN = 0.18, 0.1
"""How far, cm, the line's shade goes on either side of it, and part of that which landmarks may
miss it by."""
PLACES, ROWS = 97, 25
"""Samples along the line, and across it."""
DARKEST = np.float32(-1.6)
"""Log-brightness of the line in units of the lips' at most."""
FADES, KEPT = 0.06, 0.25
"""Part of the mouth's width over which it ends in either corner, which has a shade of its own; and
if that is the photograph's, of which pressed lips keep most: twice dark, it was a black stroke."""
PLAIN = (-0.42, 0.05), (-0.04, 0.1)
"""Log-brightness and width, cm, of the line and of the shade around it, of a mouth that the
photograph shows open."""
FARTHEST = 0.35
"""How far, cm, lips that are rolled in meet from the middle of the mesh's two edges."""
SMOOTH = 0.05
"""Reach, cm, over which the place where lips meet is smoothed."""


@dataclass(frozen=True)
class LipLine:
    """How much darker it is where the lips meet.

    shade (ROWS, PLACES): log-brightness from `REACH` above the line to `REACH` below it, from the
    left corner of the mouth in the picture to the right one; at most 0.
    """

    shade: Float

    @classmethod
    def of(cls, photo: Float, landmarks: Double, unit: float) -> LipLine:
        """That of a photograph (H, W, 3) with landmarks (68, 2) px that shows the lips closed, at
        `unit` px per cm."""
        line = middle(landmarks)
        x = np.linspace(line[0, 0], line[-1, 0], PLACES)
        y = np.interp(x, line[:, 0], line[:, 1])
        off = _offsets()[:, None]
        first = _bright(photo, x, y + off * unit)
        near = cv2.GaussianBlur(first, (0, 0), 2.0, sigmaY=1.0)
        near[np.abs(off[:, 0]) > WITHIN] = np.inf
        path = _offsets()[near.argmin(0)].astype(np.float32)
        path = cv2.GaussianBlur(path[None], (0, 0), 3.0)[0]
        seen = _bright(photo, x, y + (off + path) * unit)
        ends = max(1, ROWS // 8)
        above, below = seen[:ends].mean(0), seen[-ends:].mean(0)
        part = np.linspace(0, 1, ROWS, dtype=np.float32)[:, None]
        shade = np.clip(seen - (above * (1 - part) + below * part), DARKEST, 0)
        return cls(_faded(np.asarray(shade, np.float32), KEPT))

    @classmethod
    def plain(cls) -> LipLine:
        """That of lips which the photograph does not show closed."""
        off = _offsets()[:, None]
        shade = sum(np.float32(deep) * np.exp(-((off / wide) ** 2)) for deep, wide in PLAIN)
        return cls(_faded(np.repeat(np.asarray(shade, np.float32), PLACES, 1), FADES))

    def light(self, along: Float, across: Float) -> Float:
        """By how much (h, w) the light changes `along` (w,) the mouth's width, 0..1 from left to
        right, and `across` (h, w) cm below where the lips meet: log-brightness."""
        x = np.broadcast_to(along * np.float32(PLACES - 1), across.shape)
        y = (across / np.float32(REACH) + 1) * np.float32((ROWS - 1) / 2)
        out = cv2.remap(
            self.shade,
            np.ascontiguousarray(x, np.float32),
            np.ascontiguousarray(y, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )
        return np.asarray(out, np.float32)

    def draw(self, model: FaceModel, frame: Frame, layers: Layers, strength: float) -> None:
        """Darken a window along the line where the lips meet in it, `strength` 0..1."""
        line = middle(frame.points[model.landmarks])
        room = 2 * REACH * frame.unit + 2
        low = np.maximum(np.floor(line.min(0) - room).astype(int), 0)
        high = np.minimum(np.ceil(line.max(0) + room).astype(int) + 1, frame.layer.shape[::-1])
        if (high - low < 2).any():
            return
        part = slice(low[1], high[1]), slice(low[0], high[0])
        columns = np.arange(low[0], high[0], dtype=np.float32)
        # rolled in, the lips of the mesh pass through one another: they meet half-way
        expected = np.interp(columns, *line.T).astype(np.float32) - np.float32(low[1])
        meets = meeting(_above_mouth(model, frame, part), expected, frame.unit)
        rows = np.arange(high[1] - low[1], dtype=np.float32)[:, None]
        along = (columns - line[0, 0]) / max(float(line[-1, 0] - line[0, 0]), 1.0)
        shade = self.light(along, (rows - meets) / np.float32(frame.unit))
        light = np.exp(np.float32(strength) * shade)
        layers.gain[part] *= light
        layers.paint[part] *= light[..., None]


def _above_mouth(model: FaceModel, frame: Frame, part: tuple[slice, slice]) -> Bool:
    """Which pixels of a part (h, w) show skin from above the middle of the mouth."""
    mask = np.zeros(frame.layer.shape, bool)
    mask[part] = frame.layer[part] == SKIN_LAYER
    x, y = frame.spread(FLAT, mask).T
    between = model.lip_chart.opening.mean(0)
    out = np.zeros(mask[part].shape, bool)
    out[mask[part]] = y < np.interp(x, np.arange(len(between)), between)
    return out


def meeting(upper: Bool, expected: Float, unit: float) -> Float:
    """Rows (w,) where the skin above the mouth, `upper` (h, w), ends, the nearest ones to those
    `expected` (w,), smoothed; where there are none within `FARTHEST`, as far from these as beside
    there, and the expected ones if there are none anywhere."""
    rows = np.arange(len(upper) - 1, dtype=np.float32)[:, None] + np.float32(0.5)
    off = np.where(upper[:-1] & ~upper[1:], rows - expected, np.float32(np.inf))
    nearest = np.take_along_axis(off, np.abs(off).argmin(0)[None], 0)[0]
    found = np.flatnonzero(np.abs(nearest) < FARTHEST * unit)
    if not len(found):
        return expected
    off = np.interp(np.arange(len(nearest)), found, nearest[found]).astype(np.float32)
    smooth = cv2.GaussianBlur(off[None], (0, 0), max(SMOOTH * unit, 0.5))
    return np.asarray(expected + smooth[0], np.float32)


def middle(points: Real) -> Real:
    """The line between the two edges of the opening, (5, 2), of 68 landmarks `points` (68, 2)."""
    return (points[60:65] + points[[60, 67, 66, 65, 64]]) / 2


def _offsets() -> Float:
    """Of the rows (ROWS,) of a shade, how far below the line they lie, cm."""
    return np.linspace(-REACH, REACH, ROWS, dtype=np.float32)


def _bright(photo: Float, x: Double, y: Double) -> Float:
    """Log-brightness (ROWS, PLACES) of a photograph at columns x (PLACES,) and rows y (ROWS,
    PLACES)."""
    at = np.broadcast_to(x, y.shape).astype(np.float32), y.astype(np.float32)
    seen = cv2.remap(photo, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.log(seen @ LUMA + 6), np.float32)


def _faded(shade: Float, ends: float) -> Float:
    """`shade` (ROWS, PLACES) that ends softly above, below and over a part `ends` of the mouth's
    width in the corners."""
    across = np.clip((1 - np.abs(np.linspace(-1, 1, ROWS))) * 3, 0, 1)
    along = np.clip((0.5 - np.abs(np.linspace(-0.5, 0.5, PLACES))) / ends, 0, 1)
    return np.asarray(shade * across[:, None] * along, np.float32)

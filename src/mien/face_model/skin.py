"""What a photograph gives its pictures, and how they look at it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Float, UInt8
from mien.face_model.eye_textures import EyeTextures
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.inside import Mouth
from mien.face_model.lashes import Lashes
from mien.face_model.lip_line import LipLine
from mien.face_model.lips import Lips
from mien.face_model.mesh import FaceModel
from mien.face_model.mouth import OwnMouth
from mien.face_model.sampling import REACH, looked_at, sample


@dataclass(frozen=True)
class Skin:
    """What a photograph gives its pictures; textures of its own size, 0..255."""

    model: FaceModel
    photo: UInt8  # (H, W, 3)
    eyes: EyeTextures
    mouth: OwnMouth
    inside: Mouth
    lips: Lips
    line: LipLine
    lashes: Lashes

    @property
    def fine(self) -> float:
        """The photograph's px per px of the crop."""
        return len(self.photo) / SOURCE_SIZE

    def at(self, texture: Float | UInt8, places: Float, corner: tuple[int, int] = (0, 0)) -> Float:
        """`texture` (H, W) or (H, W, C), of a part of the photograph with that upper left `corner`
        (x, y) px, at P crop places (P, 2) px."""
        x, y = _own_places(places.T, self.fine, corner)
        part, (left, top) = looked_at(texture, x, y)
        return sample(part, np.column_stack([x - np.float32(left), y - np.float32(top)]))

    def map(self, texture: Float | UInt8, places: Float, corner: tuple[int, int] = (0, 0)) -> Float:
        """The same at crop places, x and y (2, h, w) px, sharper: (h, w, C)."""
        x, y = _own_places(places, self.fine, corner)
        part, (left, top) = looked_at(texture, x, y)
        x -= np.float32(left)
        y -= np.float32(top)
        out = cv2.remap(part, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, np.float32)

    def spot(self, texture: Float, places: Float, corner: tuple[int, int]) -> Float:
        """`map` of a `texture` (H, W) that ends in nothing: (h, w), 0 where no place is near it."""
        x, y = _own_places(places, self.fine, corner)
        height, width = texture.shape
        near = (x > -REACH) & (x < width + REACH) & (y > -REACH) & (y < height + REACH)
        left, top, across, down = cv2.boundingRect(near.view(np.uint8))
        out = np.zeros(x.shape, np.float32)
        if across:
            part = np.s_[top : top + down, left : left + across]
            out[part] = cv2.remap(
                texture, x[part], y[part], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
        return out


def _own_places(places: Iterable[Float], fine: float, corner: tuple[int, int]) -> list[Float]:
    """Crop places px, x and y (...), as those of a photograph, `fine` times as large, from `corner`
    on; NumPy is slow at broadcasting to two."""
    return [
        np.asarray((place + np.float32(0.5)) * np.float32(fine) - np.float32(0.5 + at), np.float32)
        for place, at in zip(places, corner, strict=True)
    ]

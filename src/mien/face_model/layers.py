"""A window while it is painted: what of the photograph shows, and what lies over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float
from mien.face_model.frame import Frame

ALL = (slice(None), slice(None))


@dataclass(frozen=True)
class Layers:
    """A window as it is being painted: `keep * gain * photograph + paint`.

    keep (H, W): how much of the photograph, moved, shows; gain (H, W): its change of light; paint
    (H, W, 3): colours, 0..255, times what they cover.
    """

    keep: Float
    gain: Float
    paint: Float

    @classmethod
    def of(cls, frame: Frame) -> Layers:
        shape = frame.window.shape
        blank = np.zeros((*shape, 3), np.float32)
        return cls(np.ones(shape, np.float32), frame.light.copy(), blank)

    def dim(self, where: Bool, by: Float | float) -> None:
        """Multiply the light of some pixels."""
        if not where.any():
            return
        light = np.ones(where.shape, np.float32)
        light[where] = by
        self.gain[...] *= light
        if self.paint.any():
            self.paint[...] *= cv2.merge((light, light, light))  # NumPy broadcasts to three slowly

    def tint(self, part: tuple[slice, slice], where: Bool, by: Float, shown: Float) -> None:
        """Multiply the colours of some pixels (P,) of a part (h, w) by as much (P, 3) each, given
        what the photograph has there, moved (P, 3). There is one gain for three colours, so what a
        colour gets beyond the least of them is painted."""
        keep, paint = self.keep[part], self.paint[part]
        least = np.minimum(np.minimum(by[:, 0], by[:, 1]), by[:, 2])
        own = keep[where]
        shown *= (own * self.gain[part][where])[:, None]
        paint[where] = paint[where] * by + shown * (by - least[:, None])
        keep[where] = own * least

    def over(self, part: tuple[slice, slice], cover: Float, colour: Float) -> None:
        """Blend a colour (3,) or (h, w, 3) over a part, as far as `cover` (h, w) says."""
        self.keep[part] *= 1 - cover
        self.paint[part] *= (1 - cover)[..., None]
        self.paint[part] += cover[..., None] * colour

    def image(self, photo: Float, part: tuple[slice, slice] = ALL) -> Float:
        """The picture (h, w, 3) of a part, over the moved photograph (h, w, 3) there."""
        shown = self.keep[part] * self.gain[part]
        out: Float = photo * shown[..., None] + self.paint[part]
        return out

"""A window while it is painted: what of the photograph shows, and what lies over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.face_model.arrays import Bool, Float
from mien.face_model.frame import Frame
from mien.face_model.sampling import merged, tripled

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
            self.paint[...] *= tripled(light)

    def tint(self, part: tuple[slice, slice], by: Sequence[Float], shown: Float) -> None:
        """Multiply the three colours of a part (h, w) by as much (h, w) each, given what the
        photograph has there, moved (h, w, 3). There is one gain for three colours, so what a colour
        gets beyond the least of them is painted."""
        keep, paint = self.keep[part], self.paint[part]
        least = np.minimum(np.minimum(by[0], by[1]), by[2])
        shown = shown * tripled(keep * self.gain[part])
        shown *= merged([one - least for one in by])
        shown += paint * merged(by)
        paint[...] = shown
        keep *= least

    def over(self, part: tuple[slice, slice], cover: Float, colour: Float) -> None:
        """Blend a colour (3,) or (h, w, 3) over a part, as far as `cover` (h, w) says."""
        left, paint = 1 - cover, self.paint[part]
        self.keep[part] *= left
        paint[...] = paint * tripled(left) + tripled(cover) * colour

    def image(self, photo: Float, part: tuple[slice, slice] = ALL) -> Float:
        """The picture (h, w, 3) of a part, over the moved photograph (h, w, 3) there."""
        out = photo * tripled(self.keep[part] * self.gain[part])
        out += self.paint[part]
        return out

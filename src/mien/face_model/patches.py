"""What one blendshape creases, drawn in a photograph, and carried from frame to frame of a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.strokes import Line, bounds, inked

CARRIED = 0.5
"""What a furrow that was drawn in an earlier frame of a film may lie off its place (root mean
square), px at 320, before it is drawn anew."""


@dataclass(frozen=True)
class Patch:
    """Log-brightness (h, w) of what one blendshape creases, and of the lines that are there
    already, or where they are looked for, from `corner` (x, y) px on; `at` (K, 2) px: the points
    that it is drawn from."""

    corner: tuple[int, int]
    wrinkle_map: Float
    own: Float
    at: Double

    @property
    def part(self) -> tuple[slice, slice]:
        """Where it lies in the photograph."""
        (x, y), (height, width) = self.corner, self.wrinkle_map.shape
        return slice(y, y + height), slice(x, x + width)

    def carried(self, at: Double, side: int) -> Patch | None:
        """The same in a photograph of side `side` where its points lie `at` (K, 2) px, turned,
        stretched and slanted as they are; None if that does not bring them there."""
        if not self.wrinkle_map.size:
            return None
        ones = np.ones(len(at))
        before = np.column_stack([self.at - self.corner, ones])
        try:
            matrix = np.linalg.solve(before.T @ before, before.T @ at).T  # (2, 3)
        except np.linalg.LinAlgError:
            return None
        if np.sqrt(((before @ matrix.T - at) ** 2).sum(1).mean()) > CARRIED:
            return None
        height, width = self.wrinkle_map.shape
        ends = np.array([(x, y, 1) for x in (0, width - 1) for y in (0, height - 1)]) @ matrix.T
        low = np.maximum(np.floor(ends.min(0)).astype(int), 0)
        high = np.minimum(np.ceil(ends.max(0)).astype(int) + 1, side)
        if (high <= low).any():
            return None
        matrix[:, 2] -= low
        size = int(high[0] - low[0]), int(high[1] - low[1])
        both = cv2.merge((self.wrinkle_map, self.own))
        moved = cv2.warpAffine(both, matrix, size, flags=cv2.INTER_CUBIC)
        wrinkle_map, own = (np.asarray(part, np.float32) for part in cv2.split(moved))
        return Patch((int(low[0]), int(low[1])), wrinkle_map, own, at)


NOTHING = Patch((0, 0), np.zeros((0, 0), "f4"), np.zeros((0, 0), "f4"), np.zeros((0, 2)))


def patch_of(at: Double, drawn: Sequence[Line], around: Sequence[Line]) -> Patch:
    """What lines darken, added up, and where areas lie, 1 at most; all their points are `at`."""
    if not drawn and not around:
        return NOTHING
    corner, (right, bottom) = bounds((*drawn, *around))
    height, width = bottom - corner[1] + 1, right - corner[0] + 1
    wrinkle_map, own = (np.zeros((height, width), np.float32) for _ in range(2))
    for sigma in dict.fromkeys(line.sigma for line in drawn):
        part, ink = inked([line for line in drawn if line.sigma == sigma], corner)
        wrinkle_map[part] += ink
    for line in around:
        part, ink = inked([line], corner)
        np.maximum(own[part], np.clip(ink, 0, 1), out=own[part])
    return Patch(corner, wrinkle_map, own, at)

"""The nouns of mien, and the legend of shapes.

B batch, S side of the square crop in pixels (128 unless said), D length of an expression code.
Images in numpy are uint8 (H, W, 3) RGB; tensors are float32 (B, 3, S, S) RGB in [-1, 1]. A point is
(x, y) in pixels, pixel centres at whole numbers (OpenCV's convention). A *crop unit* is the side of
the crop, so that a displacement of 0.1 crop units is 12.8 px at 128 px and 51.2 px at 512.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

UInt8: TypeAlias = NDArray[np.uint8]
Float: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Face:
    """A face found in a photograph: box (left, top, right, bottom) px, detector score, landmarks
    px.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Float  # (68, 2), iBUG order, in photograph pixels

    @classmethod
    def at(cls, landmarks: Float) -> Face:
        """A face by its landmarks (68, 2) px alone."""
        low, high = landmarks.min(0), landmarks.max(0)
        return cls((float(low[0]), float(low[1]), float(high[0]), float(high[1])), 1.0, landmarks)

    @property
    def area(self) -> float:
        left, top, right, bottom = self.box
        return max(0.0, right - left) * max(0.0, bottom - top)


@dataclass(frozen=True)
class AlignedFace:
    """A face brought to the template: crop, and the matrix that maps photograph px to crop px."""

    pixels: UInt8  # (S, S, 3)
    matrix: Float  # (2, 3)
    landmarks: Float  # (68, 2), crop px


@dataclass(frozen=True)
class Faces:
    """A batch of aligned faces: pixels (B, 3, S, S) in [-1, 1], landmarks (B, 68, 2) in crop px.

    `people` (B, 50), where they are known from other pictures: who each is, as the face model's
    identity coefficients.
    """

    pixels: Tensor
    landmarks: Tensor
    people: Tensor | None = None

    def __len__(self) -> int:
        return self.pixels.shape[0]

    def at(self, size: int) -> Self:
        """The same faces in crops of side `size`."""
        side = self.pixels.shape[-1]
        if side == size:
            return self
        smooth = F.interpolate(self.pixels, size=(size, size), mode="bilinear", antialias=True)
        points = (self.landmarks + 0.5) * (size / side) - 0.5
        return replace(self, pixels=smooth, landmarks=points)

    def to(self, device: torch.device | str) -> Self:
        people = None if self.people is None else self.people.to(device)
        return replace(
            self,
            pixels=self.pixels.to(device),
            landmarks=self.landmarks.to(device),
            people=people,
        )

    @classmethod
    def stack(cls, faces: Sequence[AlignedFace]) -> Self:
        """The one place where crops become a batch."""
        pixels = torch.from_numpy(np.stack([f.pixels for f in faces])).permute(0, 3, 1, 2)
        landmarks = torch.from_numpy(np.stack([f.landmarks for f in faces]))
        return cls(pixels.float().div(127.5).sub(1.0).contiguous(), landmarks.float())


@dataclass(frozen=True)
class Composition:
    """What a method does to a source: `mask * warp(source, flow) + (1 - mask) * paint`.

    flow (B, 2, S, S): at each result pixel, where in the source to look, as a displacement (x, y)
    in crop units; mask (B, 1, S, S) in [0, 1], 1 where the source shows through; paint (B, 3, S, S)
    in [-1, 1]. Resolution-free: all three may be resampled and applied to the photograph at its own
    size. A method with a paper-true picture head answers with mask 0 and the picture as paint.

    `gain` (B, 1, S, S) >= 0, where there is one, multiplies the light of what shows through (its
    values counted from black): shade and folds that leave the skin's texture alone. Such a
    composition is drawn at the photograph's own size, and every pixel means what it says.
    `held`: parts of the face that were left as they are, each with the reason, to be told.
    """

    flow: Tensor
    mask: Tensor
    paint: Tensor
    gain: Tensor | None = None
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """What stays: who it is, pose, light, background. `features` are the method's own; `source` the
    pixels.
    """

    source: Faces
    features: tuple[Tensor, ...]


@dataclass(frozen=True)
class Expression:
    """What is lent: a code (B, D). Codes of one method lie in one space, where lines mean
    intensity.
    """

    code: Tensor

    def toward(self, other: Expression, intensity: float | Tensor) -> Expression:
        """The point on the line from this expression (0) through the other (1) and beyond; one
        intensity, or (B, 1).
        """
        return Expression(self.code + intensity * (other.code - self.code))

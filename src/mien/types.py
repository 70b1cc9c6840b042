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

from mien import facs
from mien.errors import GuideError

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
    """A batch of aligned faces: pixels (B, 3, S, S) in [-1, 1], landmarks (B, 68, 2) in crop px."""

    pixels: Tensor
    landmarks: Tensor

    def __len__(self) -> int:
        return self.pixels.shape[0]

    def to(self, device: torch.device | str) -> Self:
        return replace(self, pixels=self.pixels.to(device), landmarks=self.landmarks.to(device))

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
    """

    flow: Tensor
    mask: Tensor
    paint: Tensor


@dataclass(frozen=True)
class Label:
    """Guide by emotion names, with a variant or without (`anger`, `anger:open`), one for the whole
    batch or one per face."""

    names: tuple[str, ...]

    def __init__(self, names: str | Sequence[str]) -> None:
        given = (names,) if isinstance(names, str) else names
        object.__setattr__(self, "names", tuple(facs.plain(name) for name in given))

    def indices(self, batch: int) -> Tensor:
        """Positions of the emotions in `facs.EMOTIONS`, whatever the variant, int64 (B,)."""
        return torch.tensor([facs.EMOTIONS.index(facs.emotion(n)) for n in self._each(batch)])

    def units(self, batch: int) -> Tensor:
        """What the labels mean in action units, (B, 47)."""
        return torch.from_numpy(np.stack([facs.prototype(n) for n in self._each(batch)]))

    def varied(self, batch: int) -> Tensor:
        """Which faces are asked for a variant that no position in `facs.EMOTIONS` says, bool
        (B,)."""
        return torch.tensor([n in facs.VARIANTS for n in self._each(batch)])

    def _each(self, batch: int) -> tuple[str, ...]:
        names = self.names * batch if len(self.names) == 1 else self.names
        if len(names) != batch:
            raise GuideError(f"{len(names)} labels for {batch} faces: give one, or one per face")
        return names


@dataclass(frozen=True)
class ActionUnits:
    """Guide by action units; units that are not named stay as they are in the source."""

    settings: tuple[facs.Setting, ...]

    @classmethod
    def parse(cls, *texts: str) -> Self:
        """`ActionUnits.parse("AU12=0.8", "AU4=+0.3")`."""
        return cls(tuple(facs.parse(text) for text in texts))


@dataclass(frozen=True)
class Reference:
    """Guide by other people's photographs: their expression is lent."""

    faces: Faces


Guide: TypeAlias = Label | ActionUnits | Reference

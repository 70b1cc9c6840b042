"""The nouns of mien, and the legend of shapes.

B batch, S side of the square crop in pixels (128 unless said), D length of an expression code.
Pictures are uint8 (H, W, 3) RGB; batches are float32 (B, 3, S, S) RGB in [-1, 1]. A point is (x, y)
in pixels, pixel centres at whole numbers (OpenCV's convention). A *crop unit* is the side of the
crop, so that a displacement of 0.1 crop units is 12.8 px at 128 px and 51.2 px at 512.

What a method works with is the same in either kind of array, numpy's or torch's: the networks take
tensors, the face model needs no torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

UInt8: TypeAlias = NDArray[np.uint8]
Float: TypeAlias = NDArray[np.float32]
Array = TypeVar("Array", Float, "Tensor")
"""The kind of array that a method works with: numpy's float32, or torch's."""


def digest(*parts: NDArray[Any] | object) -> bytes:
    """A hash of arrays, their shapes, and whatever else says what was asked for by its `repr`."""
    made = hashlib.sha256()  # processors have instructions for it
    for part in parts:
        if isinstance(part, np.ndarray):
            made.update(repr((part.shape, part.dtype.str)).encode())
            made.update(np.ascontiguousarray(part).data)
        else:
            made.update(repr(part).encode())
    return made.digest()


@dataclass(frozen=True)
class Face:
    """A face found in a photograph: box (left, top, right, bottom) px, detector score, landmarks
    px, and why these cannot be believed, "" where they can.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Float  # (68, 2), iBUG order, in photograph pixels
    doubt: str = ""

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
class Faces(Generic[Array]):
    """A batch of aligned faces: pixels (B, 3, S, S) in [-1, 1], landmarks (B, 68, 2) in crop px.

    `people` (B, 50), where they are known from other pictures: who each is, as the face model's
    identity coefficients. `crops`, uint8 (S, S, 3) each: what `stack` made `pixels` of; whoever
    changes anything loses them.
    """

    pixels: Array
    landmarks: Array
    people: Array | None = None
    crops: tuple[UInt8, ...] = field(default=(), init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return int(self.pixels.shape[0])

    def mapped(self, convert: Callable[[Any], Any]) -> Faces[Any]:
        """The same faces with each of their arrays converted, to another kind of array or to some
        of the batch.
        """
        people = None if self.people is None else convert(self.people)
        return Faces(convert(self.pixels), convert(self.landmarks), people)

    @cached_property
    def digest(self) -> bytes:
        """A hash of all numbers, of numpy's arrays: faces are asked about again and again."""
        parts = (*(self.crops or (self.pixels,)), self.landmarks, self.people)
        return digest(*(None if part is None else np.asarray(part) for part in parts))

    @staticmethod
    def stack(faces: Sequence[AlignedFace]) -> Faces[Float]:
        """The one place where crops become a batch."""
        pixels = np.stack([f.pixels.transpose(2, 0, 1) for f in faces]).astype(np.float32)
        pixels /= np.float32(127.5)
        pixels -= np.float32(1)
        landmarks = np.stack([f.landmarks for f in faces]).astype(np.float32)
        out = Faces(pixels, landmarks)
        object.__setattr__(out, "crops", tuple(f.pixels for f in faces))
        return out


@dataclass(frozen=True)
class Composition(Generic[Array]):
    """What a method does to a source: `mask * warp(source, flow) + (1 - mask) * paint`.

    flow (B, 2, S, S): at each result pixel, where in the source to look, as a displacement (x, y)
    in crop units; mask (B, 1, S, S) in [0, 1], 1 where the source shows through; paint (B, 3, S, S)
    in [-1, 1]. Resolution-free: all three may be resampled and applied to the photograph at its own
    size. A method with a paper-true picture head answers with mask 0 and the picture as paint.

    `gain` (B, 1, S, S) >= 0, where there is one, multiplies the light of what shows through (its
    values counted from black): shade and folds that leave the skin's texture alone. Such a
    composition is drawn at the photograph's own size, and every pixel means what it says.
    `held`: parts of the face that were left as they are, each with the reason, to be shown;
    `taken`: parts that another photograph of the person shows, likewise.
    """

    flow: Array
    mask: Array
    paint: Array
    gain: Array | None = None
    held: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    def mapped(self, convert: Callable[[Any], Any]) -> Composition[Any]:
        """The same composition with each of its fields converted."""
        gain = None if self.gain is None else convert(self.gain)
        flow, mask, paint = (convert(field) for field in (self.flow, self.mask, self.paint))
        return Composition(flow, mask, paint, gain, self.held, self.taken)

    @property
    def nothing(self) -> bool:
        """Whether it is `unchanged`'s: resampling by no flow would round the pixels."""
        return self.gain is None and not bool(self.flow.any()) and bool((self.mask == 1).all())


def unchanged(source: Float) -> Composition[Float]:
    """The composition (B, ...) that gives `source` (B, 3, S, S) back, to the bit."""
    batch, _, height, width = source.shape
    return Composition(
        flow=np.zeros((batch, 2, height, width), np.float32),
        mask=np.ones((batch, 1, height, width), np.float32),
        paint=np.zeros_like(source),
    )


@dataclass(frozen=True)
class Identity(Generic[Array]):
    """What stays: who it is, pose, light, background. `features` are the method's own; `source` the
    pixels.
    """

    source: Faces[Array]
    features: tuple[Array, ...]


@dataclass(frozen=True)
class Expression(Generic[Array]):
    """What is transferred: a code (B, D). Codes of one method lie in one space, where lines mean
    intensity.

    `mouths`: of each face (B) what is known of the inside of its mouth, if another photograph of
    the person says it (`face_model.inside.Mouth`), or None; empty where none does.
    """

    code: Array
    mouths: tuple[Any, ...] = ()

    def toward(self, other: Expression[Array], intensity: float | Array) -> Expression[Array]:
        """The point on the line from this expression (0) through the other (1) and beyond; one
        intensity, or (B, 1). Mouths are the other's, where it knows any: they carry themselves to
        every opening.
        """
        code = self.code + intensity * (other.code - self.code)
        return Expression(code, other.mouths or self.mouths)

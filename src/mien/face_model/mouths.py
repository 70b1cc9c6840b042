"""A library of real upper rows of teeth, cut out of smiles, and the choice of one for a person.

The shipped file holds smiles of the Face Research Lab London Set (DeBruine & Jones 2017, CC BY 4.0)
of training people only; `mien mouths build` makes it, and whoever has other photographs makes
another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mien.errors import DataError
from mien.face_model.arrays import Float, Real, UInt8
from mien.face_model.crowns import arches, whole
from mien.face_model.cuts import Flat, Row, cut
from mien.face_model.sampling import LUMA, pyramid
from mien.files import replacing
from mien.zoo.paths import own_mouths

SHIPPED = Path(__file__).with_name("mouths.safetensors")
FLAT = Flat(density=36, half=3.0, above=1.4, below=0.4)
"""The photographs of the shipped library have about 34 px per cm."""
LEAST_SHOWN, LEAST_CLEAN, LEAST_OPEN = 0.6, 0.75, 0.1
"""What a row must show to be kept: height of its front teeth, cm; share of that which is enamel;
lip gap over the mouth's width."""
ALIKE = 4
"""Donors of which one is taken."""
YEARS = 40.0
"""Years of difference that count as much as skin e times as bright."""
LEAST_OWN = 0.3
"""... and the height, cm, from which on a person needs no donor: a third of a crown. Drawn out to
what a bared row shows, less would be a blur, and nobody's teeth."""
SEAM, SIDES_LIGHT = 0.35, (0.3, 1.1)
"""Width, cm, of the end of an own row that tells how dark its sides are, and bounds of how much
darker those of a donor are made."""
FORMAT = "mien mouths 1"
LEVELS = 4
"""Sizes in which a row is kept, each half the one before."""


@dataclass(frozen=True)
class Donor:
    """One person's upper teeth, laid flat by `FLAT`.

    name; pixels uint8 (R, C, 4) RGB and coverage; top (C,) cm: how high above the teeth's edge they
    are seen; arc (C,) cm: how much higher that edge lies than in the middle; enamel (3,) and skin
    (3,): colours 0..255 of front teeth and cheeks; age in years, or NaN.
    """

    name: str
    pixels: UInt8
    top: Float
    arc: Float
    enamel: Float
    skin: Float
    age: float

    @cached_property
    def brown(self) -> float:
        """Brightness of the skin in units of the teeth's."""
        return float(self.skin @ LUMA) / max(float(self.enamel @ LUMA), 1.0)

    @cached_property
    def reach(self) -> tuple[float, float]:
        """How far the row goes to the left in the picture and to the right, cm."""
        shown = np.flatnonzero(self.pixels[..., 3].max(0) > 127)
        if not len(shown):
            return 0.0, 0.0
        left, right = (float(shown[i] + 0.5) / FLAT.density - FLAT.half for i in (0, -1))
        return max(-left, 0.0), max(right, 0.0)

    @cached_property
    def shown(self) -> Float:
        """How much of each column (C,) shows any of its teeth, 0..1."""
        return np.asarray(self.pixels[..., 3].max(0) / np.float32(255), np.float32)

    @cached_property
    def arches(self) -> Float:
        """How far (C,) gum comes down where a lip bares it: 0 amid a tooth, 1 where two touch."""
        return arches(self.pixels, FLAT)

    def beside(self, other: Donor, colours: Float) -> Donor:
        """This row, and where it ends the sides of another, whose pixels here have `colours` (R, C,
        3): a wider smile shows more than the photograph does."""
        ends = np.flatnonzero(self.shown > 0.5)
        if not len(ends):
            return self
        first, last, colours = int(ends[0]), int(ends[-1]), colours.copy()
        own, cover = self.pixels[..., :3].astype(np.float32), self.pixels[..., 3:] / np.float32(255)
        theirs = other.pixels[..., 3:] / np.float32(255) * (1 - self.shown)[:, None]
        near = round(SEAM * FLAT.density)
        middle = len(self.shown) // 2
        for half, end in (
            (np.s_[:middle], np.s_[first : first + near]),
            (np.s_[middle:], np.s_[max(last - near, 0) : last]),
        ):
            seen, there = (
                float((pixels[:, end] * weight[:, end]).sum() / max(weight[:, end].sum() * 3, 1e-3))
                for pixels, weight in ((own, cover), (colours, other.pixels[..., 3:] / 255.0))
            )
            if there > 1:
                colours[:, half] *= np.clip(seen / there, *SIDES_LIGHT)
        total = cover + theirs
        mixed = (own * cover + colours * theirs) / np.maximum(total, 1e-3)
        pixels = np.dstack([mixed, 255 * np.clip(total, 0, 1)])
        rise = other.arc - np.interp(
            np.arange(len(other.arc)), [first, last], other.arc[[first, last]]
        )
        outside = (np.arange(len(rise)) < first) | (np.arange(len(rise)) > last)
        return replace(
            self,
            pixels=np.round(np.clip(pixels, 0, 255)).astype(np.uint8),
            top=np.where(self.shown > 0.5, self.top, other.top).astype(np.float32),
            arc=(self.arc + np.maximum(rise, 0) * outside).astype(np.float32),
        )

    def with_ends(self, cut: Row) -> Donor:
        """This row, which was `cut` out of a smile, with the ends that the lower lip hid there."""
        return replace(self, pixels=whole(self.pixels, self.top, cut.met, cut.higher, FLAT))

    @cached_property
    def levels(self) -> tuple[Float, ...]:
        """The row premultiplied (R, C, 4), 0..255 and 0..1, at full size, half, quarter, eighth."""
        cover = self.pixels[..., 3:].astype(np.float32) / 255
        full = np.concatenate([self.pixels[..., :3] * cover, cover], -1)
        return pyramid(full, LEVELS)


class MouthLibrary:
    """Rows of teeth to choose from.

    Attributes:
        donors: all of them.
        about: what the file says of its source and licence.
    """

    def __init__(self, donors: Iterable[Donor], about: dict[str, str]) -> None:
        """DataError if there are none."""
        self.donors, self.about = tuple(donors), dict(about)
        if not self.donors:
            raise DataError("a library of mouths needs at least one smile that shows teeth")

    @classmethod
    def load(cls, path: Path | None = None) -> MouthLibrary:
        """The library at `path`, or the one that `MIEN_MOUTHS` names, or the one that ships;
        DataError if it is none."""
        return _load(path or own_mouths() or SHIPPED)

    def save(self, path: Path) -> None:
        """Write the library as safetensors, in full or not at all."""
        donors = self.donors
        tensors: dict[str, NDArray[Any]] = {
            "pixels": np.stack([d.pixels for d in donors]),
            "top": np.stack([d.top for d in donors]).astype(np.float16),
            "arc": np.stack([d.arc for d in donors]).astype(np.float16),
            "colours": np.stack([np.stack([d.enamel, d.skin]) for d in donors]).astype(np.float32),
            "age": np.array([d.age for d in donors], np.float32),
        }
        about = self.about | {"format": FORMAT, "names": ",".join(d.name for d in donors)}
        with replacing(path) as part:
            save_file(tensors, part, about)

    def choose(self, brown: float, age: float = math.nan, turn: int = 0) -> Donor:
        """The donor for a person whose skin has the brightness `brown` in units of the teeth's,
        which tells complexion in any light: whose own is most like it, and whose age is nearest if
        both are known.

        Among the `ALIKE` nearest `turn` decides, so that not all who are alike share their teeth.
        """
        far = [abs(math.log(max(brown, 0.01) / max(d.brown, 0.01))) for d in self.donors]
        for i, one in enumerate(self.donors):
            if math.isfinite(age) and math.isfinite(one.age):
                far[i] += abs(age - one.age) / YEARS
        near = sorted(range(len(far)), key=far.__getitem__)[:ALIKE]
        return self.donors[near[turn % len(near)]]


def donor(name: str, photo: UInt8, landmarks: Real, skin: Float, age: float) -> Donor | None:
    """The donor that a photograph (H, W, 3) RGB with landmarks (68, 2) px makes, or None if it
    shows too little of its teeth; `skin` (3,), the colour of its cheeks."""
    row = cut(photo, landmarks, FLAT)
    if row is None or not _shows(row, LEAST_SHOWN, LEAST_OPEN):
        return None
    return Donor(name, row.pixels, row.top, row.arc, row.enamel, skin, age)


def own(photo: UInt8, landmarks: Real, skin: Float) -> tuple[Donor, Row] | None:
    """The donor that a smiling person is to itself, and the row that was cut, which says where in
    the photograph it is; None if it shows too little of its teeth.

    `photo` (H, W, 3) RGB, `landmarks` (68, 2) px, `skin` (3,) the colour of the cheeks.
    """
    row = cut(photo, landmarks, FLAT)
    if row is None or not _shows(row, LEAST_OWN, LEAST_OPEN):
        return None
    return Donor("", row.pixels, row.top, row.arc, row.enamel, skin, math.nan), row


def _shows(row: Row, height: float, opening: float) -> bool:
    """Whether a row shows enough to stand in another mouth, or in another opening of its own."""
    seen = height <= row.shown < FLAT.above - 0.1 and row.opening >= opening
    return seen and row.clean >= LEAST_CLEAN


@cache
def _load(path: Path) -> MouthLibrary:
    try:
        with safe_open(path, framework="np") as file:
            about: dict[str, str] = file.metadata() or {}
            tensors: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path} is not a library of mouths ({error})") from None
    if about.pop("format", "") != FORMAT:
        raise DataError(f"{path} is not a library of mouths: make one by `mien mouths build`")
    names = about.pop("names", "").split(",")
    try:
        rows = [_row(name, i, tensors) for i, name in enumerate(names)]
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(f"{path} is not a whole library of mouths ({error})") from None
    if any(row.pixels.shape != (*FLAT.shape, 4) for row in rows):
        raise DataError(f"{path} holds rows of teeth of another size: build it again")
    return MouthLibrary(rows, about)


def _row(name: str, index: int, tensors: dict[str, Any]) -> Donor:
    one = {key: np.asarray(value[index]) for key, value in tensors.items()}
    enamel, skin = one["colours"].astype(np.float32)
    top, arc = (one[key].astype(np.float32) for key in ("top", "arc"))
    return Donor(name, one["pixels"], top, arc, enamel, skin, float(one["age"]))

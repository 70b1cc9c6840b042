"""A library of real lips at rest, laid flat, and the choice of one for a person.

A smile shows a stretched lower lip, a few pixels of the upper one and nothing of where they meet.
What a closed mouth shows beyond that is somebody's real lips, as opened mouths have real teeth. The
file holds neutral photographs of training people of the Face Research Lab London Set (DeBruine &
Jones 2017, CC BY 4.0); `python -m mien.tables.lips` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from mien.face_model.arrays import Float, UInt8
from mien.face_model.lip_chart import DENSITY, LipChart
from mien.files import replacing

TABLE = Path(__file__).with_name("lips.safetensors")
ALIKE = 3
"""Donors of which one is taken."""
DARKNESS = 2.0
"""How much a difference of the skin's brightness counts beside one of the lips' colour."""
HIDDEN = 0.09
"""Height, cm, beside the line between closed lips that shows the line and no lip."""
MEETS = 0.12
"""Over what height, cm, the two lips' insides hand over to one another in the chart."""


@dataclass(frozen=True)
class LipDonor:
    """One person's lips at rest, laid flat by `LipChart`.

    name; pixels uint8 (h, w, 3) RGB; lip (3,) and skin (3,): colours 0..255 of the lower lip and of
    the cheeks; brown: brightness of the skin in units of the teeth's (`Tones.brown`).
    """

    name: str
    pixels: UInt8
    lip: Float
    skin: Float
    brown: float

    @cached_property
    def complexion(self) -> Float:
        """What tells whose lips are alike."""
        return _complexion(self.lip, self.skin, self.brown)


def _complexion(lip: Float, skin: Float, brown: float) -> Float:
    """Logs (4,) of lip over skin by channel, and of the skin's brightness in units of the
    teeth's."""
    ratio = np.log(np.maximum(lip, 4) / np.maximum(skin, 4))
    return np.array([*ratio, DARKNESS * math.log(max(brown, 0.05))], np.float32)


def choose(
    donors: Sequence[LipDonor], lip: Float, skin: Float, brown: float, turn: int = 0
) -> LipDonor:
    """The donor for lips of colour `lip` (3,) in skin of colour `skin` (3,) that has the brightness
    `brown` in units of the teeth's: among the `ALIKE` most alike `turn` decides."""
    wanted = _complexion(lip, skin, brown)
    far = [float(np.abs(d.complexion - wanted).sum()) for d in donors]
    near = sorted(range(len(far)), key=far.__getitem__)[:ALIKE]
    return donors[near[turn % len(near)]]


def unfolded(flat: Float, chart: LipChart) -> Float:
    """Closed lips laid flat (h, w, 3), with what each hides of itself: its mirror image beyond the
    line where they meet."""
    upper, lower = chart.opening
    inset = np.where(lower > upper, np.float32(HIDDEN * DENSITY), np.float32(0))
    top, bottom = upper - inset, lower + inset
    y = np.arange(chart.shape[0], dtype=np.float32)[:, None]
    x = np.broadcast_to(np.arange(chart.shape[1], dtype=np.float32), chart.shape)
    above, below = (
        cv2.remap(
            flat,
            np.ascontiguousarray(x),
            np.ascontiguousarray(rows, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for rows in (np.where(y > top, 2 * top - y, y), np.where(y < bottom, 2 * bottom - y, y))
    )
    meets = (y - (top + bottom) / 2) / np.float32(MEETS * DENSITY)
    share = np.clip(meets + np.float32(0.5), 0, 1)[..., None]
    gap = ((y > top) & (y < bottom) & (lower > upper))[..., None]
    return np.asarray(np.where(gap, above * (1 - share) + below * share, flat), np.float32)


def save(donors: Sequence[LipDonor], path: Path) -> None:
    """Write a library as safetensors."""
    about = {
        "license": "CC-BY-4.0",
        "source": "Face Research Lab London Set, doi 10.6084/m9.figshare.5047666, train people",
        "names": ",".join(d.name for d in donors),
    }
    tensors: dict[str, NDArray[Any]] = {
        "pixels": np.stack([d.pixels for d in donors]),
        "colours": np.stack([np.stack([d.lip, d.skin]) for d in donors]).astype(np.float32),
        "brown": np.array([d.brown for d in donors], np.float32),
    }
    with replacing(path) as part:
        save_file(tensors, part, about)


@cache
def shipped() -> tuple[LipDonor, ...]:
    """The library that comes with mien."""
    with safe_open(TABLE, framework="np") as file:
        names = (file.metadata() or {})["names"].split(",")
        pixels, colours, brown = (file.get_tensor(n) for n in ("pixels", "colours", "brown"))
    return tuple(
        LipDonor(name, one, lip, skin, float(dark))
        for name, one, (lip, skin), dark in zip(names, pixels, colours, brown, strict=True)
    )

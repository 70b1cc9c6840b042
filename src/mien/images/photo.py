"""What is known of a photograph once it is read."""

from __future__ import annotations

from dataclasses import dataclass

from mien.types import UInt8


@dataclass(frozen=True)
class Photo:
    """A photograph, upright: what is in it, and what its file said besides."""

    pixels: UInt8  # (H, W, 3) RGB
    alpha: UInt8 | None = None  # (H, W)
    icc: bytes | None = None  # colour profile of `pixels`
    format: str = "PNG"  # Pillow's name of the file's format
    mode: str = "RGB"  # Pillow's name of the file's pixels: L, LA, P, RGBA, I;16, CMYK, ...
    exif: bytes | None = (
        None  # camera, place, time; the orientation is taken out, for it is applied
    )

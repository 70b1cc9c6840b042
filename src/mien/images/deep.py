"""Pictures deeper than Pillow reads: colour of 16 bits as it is, and TIFFs that it does not know.

Those are floats or 32 bits in colour, doubles, and big-endian words; OpenCV, over the same libtiff,
reads them. Half floats and exotic layouts neither does.
"""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from mien.errors import ImageError, PictureTooLarge
from mien.images.levels import eight_bits, white_of
from mien.images.photo import Photo

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _ICC = 256, 257, 258, 277, 34675
_DEPTH = 8  # bytes of a pixel at which `max_pixels` is meant; deeper ones may be fewer


def tags(data: bytes) -> dict[int, Any]:
    """The first directory of a TIFF, its values as Pillow gives them."""
    head = data[: 16 if b"+" in data[2:4] else 8]  # the longer one is BigTIFF's
    directory = TiffImagePlugin.ImageFileDirectory_v2(head)
    stream = io.BytesIO(data)
    stream.seek(directory.next)
    directory.load(stream)
    return dict(directory)


def tiff(data: bytes, name: str, max_pixels: int) -> Photo:
    """A TIFF that Pillow does not identify, upright. ImageError where OpenCV cannot either;
    PictureTooLarge by the header, deep pixels counting for several.
    """
    said = tags(data)
    width, height = int(said.get(_WIDTH, 0)), int(said.get(_HEIGHT, 0))
    bits = max(said.get(_BITS, (8,)))
    bytes_each = int(said.get(_SAMPLES, 1)) * bits / 8
    most = max_pixels * min(1.0, _DEPTH / max(bytes_each, 1))
    if width * height > most:
        raise PictureTooLarge(
            f"{name} is {width} x {height} at {bits} bits: shrink it to {most / 1e6:g} megapixels"
        )
    levels = decoded(data)
    if levels is None:
        raise ImageError(f"{name} is a TIFF of a kind that mien does not read: save it at 8 bits")
    alpha = None
    if levels.ndim == 3 and levels.shape[2] in (2, 4):  # opacity is linear, white at its full range
        whole = levels.dtype.kind in "iu"
        full = float(np.iinfo(levels.dtype).max) if whole else 1.0
        alpha, levels = eight_bits(levels[..., -1], full), levels[..., :-1]
    grey = levels.ndim == 2 or levels.shape[2] == 1
    shown = eight_bits(np.atleast_3d(levels), white_of(levels))
    pixels = np.repeat(shown, 3, axis=-1) if grey else np.ascontiguousarray(shown[..., :3])
    icc = said.get(_ICC)
    return Photo(
        pixels, alpha, icc if isinstance(icc, bytes) else None, "TIFF", "F" if grey else "RGB"
    )


def decoded(data: bytes) -> NDArray[Any] | None:
    """Every level of a picture as it is stored, (H, W) or (H, W, C) in RGB order, a TIFF upright;
    None where OpenCV cannot.
    """
    logging = cv2.utils.logging
    before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # it would speak past us on stderr
    try:
        levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        logging.setLogLevel(before)
    if levels is None or levels.ndim != 3 or levels.shape[2] < 3:
        return levels
    order = [2, 1, 0, *range(3, levels.shape[2])]
    return np.ascontiguousarray(levels[..., order])

"""A sheet: pictures in rows and columns with their names, on white. It knows nothing of faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.types import UInt8

GAP = 6
"""White between the pictures, px."""

_INK, _PAPER = (40, 40, 40), (255, 255, 255)


def sheet(
    rows: Sequence[Sequence[UInt8]], columns: Sequence[str] = (), names: Sequence[str] = ()
) -> UInt8:
    """Pictures of one size, uint8 (h, w, 3), row by row, as one picture uint8 (H, W, 3).

    `columns` are written above, `names` to the left of their rows, all shrunk to fit; either may be
    empty, and short rows end in white.
    """
    height, width = rows[0][0].shape[:2]
    size = max(11, round(width / 10))
    head = round(size * 1.8) if columns else 0
    left = min(width, max(4 * size, _widest(names, size) + 2 * GAP)) if names else 0
    count = max(len(row) for row in rows)
    shape = (left + count * (width + GAP) + GAP, head + len(rows) * (height + GAP) + GAP)
    page = Image.new("RGB", shape, _PAPER)
    draw = ImageDraw.Draw(page)
    for i, row in enumerate(rows):
        for k, picture in enumerate(row):
            place = (left + GAP + k * (width + GAP), head + GAP + i * (height + GAP))
            page.paste(Image.fromarray(np.ascontiguousarray(picture)), place)
    for k, title in enumerate(columns):
        middle = left + GAP + k * (width + GAP) + width / 2
        _write(draw, title, (middle, (head + GAP) / 2), width, size)
    for i, name in enumerate(names):
        middle = head + GAP + i * (height + GAP) + height / 2
        _write(draw, name, (left / 2, middle), left - GAP, size)
    return np.asarray(page, dtype=np.uint8)


def stack(pictures: Sequence[UInt8]) -> UInt8:
    """Pictures one below the other, white to the right of the narrower ones."""
    width = max(p.shape[1] for p in pictures)
    padded = [
        np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures
    ]
    return np.concatenate(padded)


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(6, size))


def _widest(texts: Sequence[str], size: float) -> int:
    return max(int(_font(size).getlength(text)) for text in texts)


def _write(
    draw: ImageDraw.ImageDraw, text: str, middle: tuple[float, float], room: float, size: float
) -> None:
    """`text` centred, smaller if it would be wider than `room`."""
    fits = min(1.0, 0.96 * room / max(1.0, _font(size).getlength(text)))
    draw.text(middle, text, fill=_INK, font=_font(size * fits), anchor="mm")

"""Levels of more than 8 bits are read at their brightness, whatever word they are stored in."""

from __future__ import annotations

import io
import struct
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien import images
from mien.errors import ImageError, PictureTooLarge


def tiff(levels: NDArray[Any], *, big: bool = False, **more: int) -> io.BytesIO:
    """An uncompressed TIFF of an array (H, W) or (H, W, C) of any type; `more`: tags, `t274=6`."""
    order: Literal["<", ">"] = ">" if big else "<"
    height, width, channels = np.atleast_3d(levels).shape
    form = {"u": 1, "i": 2, "f": 3}[levels.dtype.kind]
    data = levels.astype(levels.dtype.newbyteorder(order)).tobytes()
    said = {
        256: width,
        257: height,
        258: 8 * levels.itemsize,
        259: 1,
        262: 2 if channels > 1 else 1,
    }
    said |= {273: 0, 277: channels, 278: height, 279: len(data), 284: 1, 339: form}
    said |= {int(name[1:]): value for name, value in more.items()}
    count = len(said)
    at = 8 + 2 + 12 * count + 4
    extra, rows = b"", b""
    for tag in sorted(said):
        values = [said[tag]] * (channels if tag in (258, 339) else 1)
        if tag == 273:
            values = [at + 2 * 2 * channels]
        if len(values) > 2:  # these do not fit into the row
            cell = struct.pack(f"{order}I", at + len(extra))
            extra += struct.pack(f"{order}{len(values)}H", *values)
            rows += struct.pack(f"{order}HHI", tag, 3, len(values)) + cell
        else:
            rows += struct.pack(f"{order}HHII", tag, 4, 1, values[0])
    extra = extra.ljust(2 * 2 * channels, b"\0")
    head = (b"MM\0*" if big else b"II*\0") + struct.pack(f"{order}IH", 8, count)
    return io.BytesIO(head + rows + struct.pack(f"{order}I", 0) + extra + data)


@pytest.fixture(scope="module")
def shades() -> NDArray[np.float64]:
    """Grey from 0 to 1, (12, 16)."""
    return np.linspace(0, 1, 192).reshape(12, 16)


def close(read: images.Photo, shades: NDArray[np.floating[Any]]) -> bool:
    wanted = shades * 255 if shades.ndim == 3 else np.repeat(shades[..., None] * 255, 3, 2)
    return read.pixels.shape == wanted.shape and bool(np.abs(read.pixels - wanted).max() < 2)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_grey_of_fewer_bits_than_its_word(shades: NDArray[np.float64], bits: int) -> None:
    levels = np.rint(shades * (2**bits - 1)).astype(np.uint16)
    assert close(images.read(tiff(levels)), shades)
    assert close(images.read(tiff(levels, big=True)), shades)
    png = io.BytesIO()
    Image.fromarray(levels).save(png, "PNG")
    assert close(images.read(png), shades)


@pytest.mark.parametrize("most", [2**12 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1])
def test_grey_of_32_bits(shades: NDArray[np.float64], most: int) -> None:
    levels = np.rint(shades * most).astype(np.uint32)
    assert close(images.read(tiff(levels)), shades)
    assert close(images.read(tiff(levels, big=True)), shades)
    if most < 2**31:
        assert close(images.read(tiff(levels.astype(np.int32))), shades)


def test_white_is_0_where_the_file_says_so(shades: NDArray[np.float64]) -> None:
    levels = np.rint((1 - shades) * 65535).astype(np.uint16)
    assert close(images.read(tiff(levels, t262=0)), shades)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 255, 65535])
@pytest.mark.parametrize("big", [False, True])
def test_floats_in_colour(shades: NDArray[np.float64], kind: Any, scale: int, big: bool) -> None:
    colour = np.stack([shades, shades[::-1], shades[:, ::-1]], axis=2)
    assert close(images.read(tiff((colour * scale).astype(kind), big=big)), colour)
    assert close(images.read(tiff((shades * scale).astype(kind), big=big)), shades)


def test_highlights_beyond_white_do_not_darken_the_rest(shades: NDArray[np.float64]) -> None:
    lit = shades.astype(np.float32)
    lit[0, 0], lit[0, 1] = 40, np.nan
    read = images.read(tiff(lit)).pixels[..., 0]
    assert read[0, :2].tolist() == [255, 0]
    assert np.abs(read[1:] - shades[1:] * 255).max() < 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_colour_of_twelve_bits_in_sixteen(shades: NDArray[np.float64], kind: str) -> None:
    import cv2

    colour = np.stack([shades, shades[::-1], shades[:, ::-1]], axis=2)
    levels = np.rint(colour * 4095).astype(np.uint16)
    if kind == "TIFF":
        assert close(images.read(tiff(levels)), colour)
        turned = images.read(tiff(np.rot90(levels).copy(), t274=6))
        assert close(turned, colour)
    else:
        data = cv2.imencode(".png", levels[..., ::-1])[1].tobytes()
        assert close(images.read(io.BytesIO(data)), colour)


def test_floats_are_upright_once(shades: NDArray[np.float64]) -> None:
    colour = np.stack([shades] * 3, axis=2).astype(np.float32)
    assert close(images.read(tiff(np.rot90(colour).copy(), t274=6)), colour)


def test_what_neither_library_reads_is_said_in_a_line(shades: NDArray[np.float64]) -> None:
    half = np.stack([shades] * 3, axis=2).astype(np.float16)
    with pytest.raises(ImageError, match="a TIFF of a kind that mien does not read") as error:
        images.read(tiff(half))
    assert "\n" not in str(error.value)
    whole = np.stack([shades] * 3, axis=2).astype(np.float64)
    with pytest.raises(PictureTooLarge, match="shrink it"):
        images.read(tiff(whole, t256=9000, t257=9000), max_pixels=10_000_000)
    with pytest.raises(ImageError, match="raw file"):
        images.read(tiff((shades * 255).astype(np.uint8), t254=1))

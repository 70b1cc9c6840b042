"""A picture in a file, or opened by Pillow, as a `Photo`."""

from __future__ import annotations

import contextlib
import io
import logging
import mimetypes
import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from mien.errors import ImageError, MienError, PictureTooLarge
from mien.images import deep, exif, formats
from mien.images.levels import eight_bits
from mien.images.photo import Photo
from mien.images.statement import stated

MAX_PIXELS = 100_000_000
"""Largest photograph that is opened unless the caller says otherwise."""
PathLike: TypeAlias = str | os.PathLike[str]

_LOG = logging.getLogger("PIL.TiffImagePlugin")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PHOTOMETRIC, _SAMPLE_FORMAT, _REDUCED, _DNG = 262, 339, 254, 50706
_DARK = 16  # of 256: a picture of 16 bits below this holds 12 bits or fewer
_FULL = {"PPM": 65535.0, "JPEG2000": 65535.0}  # readers that bring every depth to 16 bits


def read(source: PathLike | BinaryIO, max_pixels: int = MAX_PIXELS) -> Photo:
    """The picture in a file, or in an open binary stream: upright, RGB, 8 bits; of several pages or
    frames the first.

    ImageError says in one line what is wrong: no such file, not a picture, cut short, or more than
    `max_pixels` (judged by the header, before anything is decoded). Metadata that cannot be read
    are left out.
    """
    name = _name(source)
    try:
        with _opened(source, max_pixels) as image:
            return photo_of(image, name, lambda: _bytes(source))
    except _Unknown:
        data = _bytes(source)
        if (kind := formats.of_head(data)) is None or kind.name != "TIFF":
            raise
        with _fenced(name):
            return deep.tiff(data, name, max_pixels)


def statement(source: PathLike | BinaryIO) -> dict[str, str]:
    """What a file says about itself that mien wrote or could have written, which may be nothing.

    `DigitalSourceType` (IPTC) and the plain keys that `write` was given. Anyone can write or remove
    it. ImageError as in `read`; the pixels are not decoded.
    """
    with _opened(source, sys.maxsize) as image:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return stated(packet.encode() if isinstance(packet, str) else bytes(packet))


class _Unknown(ImageError):
    """A file that Pillow does not identify."""


@contextlib.contextmanager
def _opened(source: PathLike | BinaryIO, max_pixels: int) -> Iterator[Image.Image]:
    """The picture in a file, its header read; ImageError for what goes wrong then or later."""
    name = _name(source)
    with _fenced(name):
        if isinstance(source, (str, os.PathLike)):
            _check_kind(Path(source))
        else:
            source.seek(0)
        image = Image.open(source, formats=formats.READABLE)
    with image:
        _check_size(name, image.size, max_pixels)
        yield image


@contextlib.contextmanager
def _fenced(name: str) -> Iterator[None]:
    """Where Pillow parses. Its parsers meet broken data with whatever exception Python has for it,
    so all of them are damage here; little of mien's own runs inside. What it would say besides, by
    warnings and its log, is not for the user.
    """
    before, _LOG.disabled = _LOG.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MienError:
        raise
    except FileNotFoundError:
        raise ImageError(f"no such file: {name}") from None
    except IsADirectoryError:
        raise ImageError(f"{name} is a folder, not a picture") from None
    except PermissionError:
        raise ImageError(f"{name} may not be read: check its permissions") from None
    except Image.DecompressionBombError:
        raise PictureTooLarge(
            f"{name} has too many pixels: shrink it to {_mega(MAX_PIXELS)}"
        ) from None
    except UnidentifiedImageError:
        if (mimetypes.guess_type(name)[0] or "").startswith("video/"):
            raise _Unknown(f"{name} is a film, not a picture: `mien video` changes it") from None
        raise _Unknown(
            f"{name} is not a picture that mien reads: give JPEG, PNG, WebP or TIFF"
        ) from None
    except MemoryError:
        raise PictureTooLarge(f"{name} does not fit into memory: shrink it") from None
    except Exception as error:
        raise ImageError(f"{name} is damaged or cut short: {_line(error)}") from None
    finally:
        _LOG.disabled = before


def _check_kind(path: Path) -> None:
    """ImageError for what would not end (a pipe, a device), what is a raw file, or no file."""
    mode = path.stat().st_mode if path.exists() or not path.is_symlink() else None
    if mode is None:
        raise ImageError(f"{path} is a link to nothing: mend it or leave it out")
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise ImageError(f"{path} is a pipe or a device: give a file")
    if not path.stat().st_size:
        raise ImageError(f"{path} is empty: copy it anew")
    kind = formats.of_name(path)
    if kind is not None and not kind.read:
        with path.open("rb") as file:
            true = formats.of_head(file.read(formats.HEAD))
        if true is None or not true.read or true.name == "TIFF":  # raw files begin as TIFFs do
            raise ImageError(f"{path}: mien does not read {kind.name}: convert it to JPEG or PNG")


def _check_size(name: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(f"{name} is {width} x {height}: shrink it to {_mega(max_pixels)}")


def photo_of(image: Image.Image, name: str, data: Callable[[], bytes] | None = None) -> Photo:
    """Everything that mien keeps of a picture that Pillow opened; ImageError as in `read`.

    data: the bytes of its file, read again where Pillow's levels are too coarse.
    """
    with _fenced(name):
        kind, mode, icc = image.format or "PNG", image.mode, image.info.get("icc_profile")
        words = ";16" in str(getattr(image, "tile", "")) and mode in {"RGB", "RGBA"}
        if kind == "TIFF":
            _refuse_raw(image, name)
            exif.settle(image)
        image.load()
        orientation, block = exif.taken(image)
        if words and data is not None and np.asarray(image)[..., :3].max(initial=0) < _DARK:
            upright = _of_twelve_bits(image, kind, data()) or image
        elif mode in {"CMYK", "LAB", "YCbCr", "HSV"}:
            upright, icc = _to_srgb(image, icc), None
        elif mode in {"F", "I"} or mode.startswith("I;16"):
            upright = _shallow(image, kind)
        else:
            upright = image
        if orientation in _UPRIGHT:
            upright = upright.transpose(_UPRIGHT[orientation])
        alpha = None
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
            alpha = np.array(upright.getchannel("A"))
        pixels = np.array(upright.convert("RGB"))
    # a JPEG with more pictures behind the first is called MPO
    return Photo(pixels, alpha, icc, "JPEG" if kind == "MPO" else kind, mode, block)


def _refuse_raw(image: Image.Image, name: str) -> None:
    """ImageError for a raw file, of which a TIFF's reader sees the thumbnail."""
    tags = getattr(image, "tag_v2", {})
    reduced = tags.get(_REDUCED, 0)
    if _DNG in tags or (isinstance(reduced, int) and reduced & 1):
        raise ImageError(f"{name} is a raw file with a small preview: convert it to JPEG or PNG")


def _of_twelve_bits(image: Image.Image, kind: str, data: bytes) -> Image.Image | None:
    """Colour of 12 bits or fewer stored in 16, of which Pillow keeps the upper eight; None where it
    cannot be had.
    """
    levels = deep.decoded(data)
    if levels is None or levels.dtype != np.uint16 or levels.ndim != 3:
        return None
    colour = eight_bits(levels[..., :3])
    parts = [colour] if levels.shape[2] < 4 else [colour, eight_bits(levels[..., 3:])]
    made = Image.fromarray(np.concatenate(parts, axis=-1))
    return made if made.size == image.size else None


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Inks and other colour spaces as RGB: by the picture's own profile where it has one."""
    if image.mode == "CMYK" and icc:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            made = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if made is not None:
                return made
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    return image.convert("RGB")


def _shallow(image: Image.Image, kind: str) -> Image.Image:
    """Grey of 12, 16 or 32 bits or floating point as grey of 8."""
    levels = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode == "I" and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1 and kind == "TIFF":
        levels = levels.view(np.uint32)  # Pillow has no such mode: the upper half would be black
    shown = eight_bits(levels, _FULL.get(kind) if image.mode != "F" else None)
    if tags.get(_PHOTOMETRIC) == 0:  # 0 is white, which Pillow heeds up to 8 bits only
        shown = np.asarray(255 - shown, dtype=np.uint8)
    return Image.fromarray(shown)


def _name(source: PathLike | BinaryIO) -> str:
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the picture"


def _bytes(source: PathLike | BinaryIO) -> bytes:
    if isinstance(source, (str, os.PathLike)):
        return Path(source).read_bytes()
    source.seek(0)
    return source.read()


def _mega(pixels: int) -> str:
    return f"{pixels / 1e6:g} megapixels or less"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__

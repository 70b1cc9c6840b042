"""A picture as the bytes of a file, and these bytes on disk."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from mien.errors import ImageError
from mien.files import replacing
from mien.images.formats import WRITTEN
from mien.images.photo import Photo
from mien.images.reading import PathLike
from mien.images.statement import SOURCE_TYPE, key, printable, xmp
from mien.types import UInt8

_GREY = {"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


def write(
    path: PathLike,
    photo: Photo | UInt8,
    *,
    like: Photo | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a picture as JPEG, PNG or WebP by the suffix of `path`, complete or not at all.

    Alpha, colour profile and EXIF come from `like` when `photo` is bare pixels. PNG and WebP keep
    every pixel as it is. The file says that a trained model altered it, and carries `metadata` as
    plain keys. ImageError when the suffix is unknown or the place cannot be written.
    """
    store(path, encode(photo, Path(path).suffix, like=like, metadata=metadata))


def store(path: PathLike, data: bytes) -> None:
    """Write the bytes of `encode` to a file, complete or not at all; ImageError if that fails, and
    if its folder is not there. A link is written through.
    """
    path = Path(path)
    if not path.parent.is_dir():  # a mistyped folder is not made
        raise ImageError(f"{path} cannot be written: {path.parent} is not a folder")
    try:
        with replacing(path) as part, part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ImageError(f"{path} cannot be written: {error.strerror or error}") from None


def encode(
    photo: Photo | UInt8,
    suffix: str,
    *,
    like: Photo | None = None,
    metadata: Mapping[str, str] | None = None,
    altered: bool = True,
    quality: int = 95,
) -> bytes:
    """The bytes that `write` puts into a file whose name ends in `suffix` (`.png`, `.jpg`,
    `.webp`); for a picture that is not `altered` they say nothing of a model. JPEG is written by a
    `quality` of 1 to 95, below 90 with half the resolution of colours.
    """
    kind = check_suffix(suffix)
    if not isinstance(photo, Photo):
        photo = replace(like, pixels=photo) if like else Photo(photo)
    written = dict(metadata or {}) if altered else None
    image, options = _image(photo, kind), _options(photo, kind, written, quality)
    if (icc := _fitting(photo.icc, image.mode)) is not None:
        options["icc_profile"] = icc
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **options)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ImageError(f"the picture cannot be written as {kind}: {reason}") from None
    return buffer.getvalue()


def check_suffix(suffix: str) -> str:
    """Pillow's name of the format that is written by a suffix; ImageError if none is."""
    kind = WRITTEN.get(suffix.lower())
    if kind is None:
        raise ImageError(
            f"mien does not write {suffix or 'files without a suffix'}: use .png, .jpg or .webp"
        )
    return kind


def _image(photo: Photo, kind: str) -> Image.Image:
    """Pixels as Pillow wants them: grey stays grey, and JPEG, which has no alpha, gets a white
    ground.
    """
    pixels = np.ascontiguousarray(photo.pixels)
    grey = photo.mode in _GREY and bool((pixels == pixels[..., :1]).all())
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if grey else pixels)
    if photo.alpha is None:
        return image
    alpha = Image.fromarray(photo.alpha)
    if kind == "JPEG":
        return Image.composite(image, Image.new(image.mode, image.size, "white"), alpha)
    image.putalpha(alpha)
    return image


def _fitting(icc: bytes | None, mode: str) -> bytes | None:
    """The profile, if it is for the colours that are written: its header names them."""
    wanted = b"GRAY" if mode in {"L", "LA"} else b"RGB "
    return icc if icc is not None and icc[16:20] == wanted else None


def _options(
    photo: Photo, kind: str, metadata: dict[str, str] | None, quality: int
) -> dict[str, Any]:
    """How Pillow saves each format, with what the file says about itself."""
    options: dict[str, Any] = {"exif": photo.exif} if photo.exif else {}
    if kind == "JPEG":
        options |= {"quality": quality, "subsampling": 0 if quality >= 90 else 2}
    elif kind == "PNG":
        options["compress_level"] = 4  # half the time of 6; photographs are 7 % larger
    elif kind == "WEBP":
        options |= {"lossless": True, "exact": True, "method": 2, "quality": 60}
    if metadata is None:
        return options
    packet = xmp(metadata)
    if kind != "PNG":
        return options | {"xmp": packet}
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    text.add_text("DigitalSourceType", SOURCE_TYPE)
    for name, value in metadata.items():
        text.add_text(key(name), printable(value))
    return options | {"pnginfo": text}

"""Photographs from and to disk, and pixels from and to tensors: the only file that knows formats
and value ranges.

`read` gives every picture the same shape, upright RGB of 8 bits with the alpha apart, and remembers
what is needed to write it back. `write` marks its file as altered by AI and never leaves half a
file behind.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import struct
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from mien.errors import ImageError, PictureTooLarge
from mien.types import UInt8

MAX_PIXELS = 100_000_000
"""Largest photograph that is opened unless the caller says otherwise."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a photograph that a trained model altered in part."""

# What is opened: no format whose reader starts another program.
_READABLE = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
_WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_GREY = {"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}
_NAMESPACE = "https://mien.invalid/ns/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_STANDARD = {
    "method": ("AISystemUsed", "mien {}"),
    "weights": ("AISystemVersionUsed", "{}"),
    "guide": ("AIPromptInformation", "{}"),
}
_PACKET = 1_000_000  # bytes of XMP that are looked into
_ORIENTATION = 0x0112
PathLike: TypeAlias = str | os.PathLike[str]


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


def read(source: PathLike | BinaryIO, max_pixels: int = MAX_PIXELS) -> Photo:
    """The picture in a file, or in an open binary stream: upright, RGB, 8 bits.

    ImageError says in one line what is wrong: no such file, not a picture, cut short, or more than
    `max_pixels` (judged by the header, before anything is decoded).
    """
    with _opened(source, max_pixels) as image:
        image.load()
        return _photo(image)


def statement(source: PathLike | BinaryIO) -> dict[str, str]:
    """What a file says about itself that mien wrote or could have written, which may be nothing.

    `DigitalSourceType` (IPTC) and the plain keys that `write` was given. Anyone can write or remove
    it. ImageError as in `read`; the pixels are not decoded.
    """
    with _opened(source, sys.maxsize) as image:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return stated(packet.encode() if isinstance(packet, str) else bytes(packet))


def stated(packet: bytes) -> dict[str, str]:
    """The part of `statement` that an XMP packet holds; nothing for a packet that is not well made.

    Entities are refused: an XMP packet has none, and a hostile one would have many.
    """
    packet = packet.rstrip(b"\0")
    if not packet or len(packet) > _PACKET or b"<!" in packet:
        return {}
    try:
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError):
        return {}
    found: dict[str, str] = {}
    for element in root.iter():
        named = [*element.attrib.items(), (element.tag, (element.text or "").strip())]
        for name, value in named:
            space, _, key = name.removeprefix("{").rpartition("}")
            if value and (space == _NAMESPACE or (space, key) == (_IPTC, "DigitalSourceType")):
                found[key] = value
    return found


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
    """Write the bytes of `encode` to a file, complete or not at all; ImageError if that fails."""
    path = Path(path)
    part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ImageError(f"{path} cannot be written: {error.strerror or _line(error)}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def encode(
    photo: Photo | UInt8,
    suffix: str,
    *,
    like: Photo | None = None,
    metadata: Mapping[str, str] | None = None,
    altered: bool = True,
) -> bytes:
    """The bytes that `write` puts into a file whose name ends in `suffix` (`.png`, `.jpg`,
    `.webp`); for a picture that is not `altered` they say nothing of a model.
    """
    kind = _WRITABLE.get(suffix.lower())
    if kind is None:
        raise ImageError(
            f"mien does not write {suffix or 'files without a suffix'}: use .png, .jpg or .webp"
        )
    if not isinstance(photo, Photo):
        photo = replace(like, pixels=photo) if like else Photo(photo)
    told = dict(metadata or {}) if altered else None
    image, options = _image(photo, kind), _options(photo, kind, told)
    if (icc := _fitting(photo.icc, image.mode)) is not None:
        options["icc_profile"] = icc
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **options)
    except (OSError, ValueError) as error:
        raise ImageError(f"the picture cannot be written as {kind}: {_line(error)}") from None
    return buffer.getvalue()


def to_tensor(pixels: UInt8) -> Tensor:
    """uint8 (S, S, 3) or (B, S, S, 3) -> float32 (B, 3, S, S) in [-1, 1]."""
    batch = torch.from_numpy(np.ascontiguousarray(pixels if pixels.ndim == 4 else pixels[None]))
    return batch.permute(0, 3, 1, 2).float().div(127.5).sub(1.0).contiguous()


def to_uint8(batch: Tensor) -> UInt8:
    """float (B, 3, S, S) in [-1, 1] -> uint8 (B, S, S, 3), rounded; values outside are clipped."""
    levels = batch.detach().float().add(1.0).mul(127.5).round().clamp(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


@contextlib.contextmanager
def _opened(source: PathLike | BinaryIO, max_pixels: int) -> Iterator[Image.Image]:
    """The picture in a file, its header read; ImageError for what goes wrong then or later."""
    name = str(source) if isinstance(source, (str, os.PathLike)) else "the picture"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=_READABLE) as image:
                _check_size(name, image.size, max_pixels)
                yield image
    except FileNotFoundError:
        raise ImageError(f"no such file: {name}") from None
    except IsADirectoryError:
        raise ImageError(f"{name} is a folder, not a picture") from None
    except PermissionError:
        raise ImageError(f"{name} may not be read: check its permissions") from None
    except Image.DecompressionBombError:
        raise PictureTooLarge(
            f"{name} has too many pixels: shrink it to {_mega(max_pixels)}"
        ) from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not a picture that mien reads: give JPEG, PNG, WebP or TIFF"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(f"{name} is damaged or cut short: {_line(error)}") from None


def _check_size(name: str, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLarge(f"{name} is {width} x {height}: shrink it to {_mega(max_pixels)}")


def _mega(pixels: int) -> str:
    return f"{pixels / 1e6:g} megapixels or less"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _photo(image: Image.Image) -> Photo:
    """Everything that mien keeps of an opened picture."""
    kind, mode, icc = image.format or "PNG", image.mode, image.info.get("icc_profile")
    exif = image.getexif()
    upright = ImageOps.exif_transpose(image)
    exif.pop(_ORIENTATION, None)
    if mode in {"CMYK", "LAB", "YCbCr", "HSV"}:
        upright, icc = _to_srgb(upright, icc), None
    elif mode in {"F", "I"} or mode.startswith("I;16"):
        upright = _eight_bits(upright)
    alpha = None
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        alpha = np.array(upright.getchannel("A"))
    pixels = np.array(upright.convert("RGB"))
    return Photo(pixels, alpha, icc, kind, mode, exif.tobytes() if len(exif) else None)


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Inks and other colour spaces as RGB: by the picture's own profile where it has one."""
    if image.mode == "CMYK" and icc:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
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


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, 32 bits or floating point as grey of 8."""
    levels = np.nan_to_num(np.asarray(image).astype(np.float64))
    top = 65535.0
    if image.mode == "F":
        top = 1.0 if levels.max(initial=0.0) <= 1.0 else 255.0
    elif image.mode == "I":
        top = max(top, float(levels.max(initial=0.0)))
    return Image.fromarray((levels / top * 255 + 0.5).clip(0, 255).astype(np.uint8))


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


def _options(photo: Photo, kind: str, metadata: dict[str, str] | None) -> dict[str, Any]:
    """How Pillow saves each format, with what the file says about itself."""
    options: dict[str, Any] = {"exif": photo.exif} if photo.exif else {}
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
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
    for key, value in metadata.items():
        text.add_text(_key(key), _printable(value))
    return options | {"pnginfo": text}


def xmp(metadata: Mapping[str, str]) -> bytes:
    """An XMP packet: altered by a trained model, how, and the plain keys in mien's own name space.

    Method, weights and guide stand in IPTC's words for them too (Photo Metadata Standard 2025.1).
    """
    plain = "".join(f" mien:{_key(k)}={quoteattr(_printable(v))}" for k, v in metadata.items())
    standard = "".join(
        f" Iptc4xmpExt:{name}={quoteattr(form.format(_printable(metadata[key])))}"
        for key, (name, form) in _STANDARD.items()
        if key in metadata
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}" xmlns:mien="{_NAMESPACE}"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"{standard}{plain}/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def _key(text: str) -> str:
    """A name that XML and PNG both take."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", text)[:60]
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def _printable(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)[:2000]

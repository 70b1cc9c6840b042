"""The pictures of `mien bench hostile`: good ones, and ways to spoil them, of a `Random`."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageCms


class Wrong(Exception):
    """An input was taken for something that it is not, or answered as it must not be."""


def expect(right: bool, what: str) -> None:
    """Raise `Wrong` unless it is right."""
    if not right:
        raise Wrong(what)


FORMATS = ("jpg", "png", "webp", "avif", "tif", "bmp", "gif", "ppm", "jp2", "deep.tif")
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@functools.cache
def scene() -> np.ndarray:
    """A small picture (24, 32, 3) that looks different each way up."""
    y, x = np.mgrid[:24, :32]
    return np.stack([x * 8, y * 10, x + 2 * y], axis=2).clip(0, 255).astype(np.uint8)


@functools.cache
def exif() -> bytes:
    """Metadata as cameras write them."""
    made = Image.Exif()
    made[0x0112], made[0x010F], made[0x0110], made[0x011A] = 6, "Maker", "Model of it", 72.0
    made.get_ifd(0x8769).update({0x829A: 0.01, 0x9003: "2020:01:01 00:00:00", 0xA002: 64})
    made.get_ifd(0x8769)[0x927C] = b"FUJIFILM" + bytes(40)
    made.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0), 29: "2020:01:01"})
    return made.tobytes()


@functools.cache
def icc() -> bytes:
    """A colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@functools.cache
def good(name: str) -> tuple[bytes, ...]:
    """Files of a format: in colour and grey, deep, with a palette, opacity or blocks."""
    colour, grey = Image.fromarray(scene()), Image.fromarray(scene()[..., 0])
    clear = Image.fromarray(np.dstack([scene(), scene()[..., 1]]))
    deep = Image.fromarray(scene()[..., 0].astype(np.uint16) * 16)
    palette = colour.quantize(16)
    if name == "deep.tif":
        return deep_tiffs()
    kind = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(name, name.upper())
    more: dict[str, dict[str, object]] = {
        "jpg": {"exif": exif(), "icc_profile": icc(), "comment": b"hello"},
        "png": {"exif": exif(), "icc_profile": icc()},
        "webp": {"exif": exif(), "icc_profile": icc(), "xmp": b"<x/>"},
        "avif": {"exif": exif(), "icc_profile": icc()},
        "tif": {"compression": "tiff_lzw", "icc_profile": icc()},
    }
    pictures = {
        "jpg": [colour, grey, colour.convert("CMYK")],
        "png": [colour, grey, clear, palette, deep],
        "webp": [colour, clear],
        "avif": [colour, clear],
        "tif": [colour, grey, clear, deep, colour.convert("CMYK"), colour.convert("LAB")],
        "bmp": [colour, grey, palette],
        "gif": [palette, grey],
        "ppm": [colour, grey, grey.convert("1")],
        "jp2": [colour, clear],
    }[name]
    return tuple(
        saved(p, kind, **options) for p in pictures for options in ({}, more.get(name, {}))
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture in a format, as bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def deep_tiffs() -> tuple[bytes, ...]:
    """TIFFs that Pillow does not know: floats and 32 bits in colour."""
    import cv2

    out = []
    for levels in (scene() / 255, scene().astype(np.float64), scene().astype(np.uint16) * 16):
        kind = np.float32 if levels.max() <= 1 else levels.dtype
        out.append(cv2.imencode(".tif", levels.astype(kind))[1].tobytes())
    return tuple(out)


# ---- spoiling ------------------------------------------------------------------------------------


def spoilt(data: bytes, random: Random, hits: int = 12) -> bytes:
    """Bytes overwritten, put in, taken out, cut off or repeated; words set to extremes."""
    out = bytearray(data)
    for _ in range(random.randint(1, hits)):
        if not out:
            break
        at, how = random.randrange(len(out)), random.randrange(8)
        if how < 3:
            out[at] = random.choice((0, 1, 2, 127, 128, 255, random.randrange(256)))
        elif how == 3:
            order = random.choice("<>")
            out[at : at + 4] = struct.pack(f"{order}I", random.choice(EXTREMES))
        elif how == 4:
            out[at:at] = random.randbytes(random.choice((1, 2, 4, 64)))
        elif how == 5:
            del out[at : at + random.choice((1, 2, 4, 64))]
        elif how == 6:
            out[at:at] = out[at : at + random.randrange(1, 200)]
        elif random.random() < 0.3:
            del out[at:]
    return bytes(out)


def picture(random: Random) -> tuple[str, bytes]:
    """A file's suffix and its bytes: of one format, spoilt, or one spliced into another."""
    name = random.choice(FORMATS)
    data = random.choice(good(name))
    how = random.randrange(10)
    if how == 0:
        other = random.choice(good(random.choice(FORMATS)))
        cut = random.randrange(len(data))
        return name, data[:cut] + other[random.randrange(len(other)) :]
    if how == 1:
        return name, data[: random.randrange(len(data))]
    if how < 6:
        by_structure = {"png": png, "jpg": jpeg, "tif": tiff, "deep.tif": tiff, "webp": riff}
        return name, by_structure.get(name, spoilt)(data, random)
    if how == 9:
        return random.choice(FORMATS), data  # good, under another's name
    return name, spoilt(data, random)


def png(data: bytes, random: Random) -> bytes:
    """Chunks left out, doubled, exchanged or changed, their sums made to fit."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + length]])
        at += 12 + length
    for _ in range(random.randint(1, 4)):
        i, how = random.randrange(len(chunks)), random.randrange(5)
        if how == 0 and len(chunks) > 1:
            del chunks[i]
        elif how == 1:
            chunks.insert(random.randrange(len(chunks)), list(chunks[i]))
        elif how == 2:
            chunks[i][1] = spoilt(chunks[i][1], random, 3)
        elif how == 3:
            chunks[i][0] = random.choice((b"IDAT", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"acTL"))
        else:
            bomb = zlib.compress(bytes(200_000))
            chunks.insert(1, [random.choice((b"zTXt", b"iCCP")), b"a\0\0" + bomb])
    body = b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks
    )
    return data[:8] + body


def jpeg(data: bytes, random: Random) -> bytes:
    """Segments left out, doubled, exchanged or changed."""
    parts, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = struct.unpack_from(">H", data, at + 2)[0]
        parts.append(data[at : at + 2 + length])
        at += 2 + length
    rest = data[at:]
    for _ in range(random.randint(1, 4)):
        i, how = random.randrange(len(parts)), random.randrange(5)
        if how == 0 and len(parts) > 1:
            del parts[i]
        elif how == 1:
            parts.insert(random.randrange(len(parts)), parts[i])
        elif how == 2:
            parts[i] = parts[i][:4] + spoilt(parts[i][4:], random, 4)
        elif how == 3:
            parts[i] = (
                parts[i][:2] + struct.pack(">H", random.choice((0, 1, 2, 65535))) + parts[i][4:]
            )
        else:
            rest = spoilt(rest, random, 4)
    return data[:2] + b"".join(parts) + rest


def riff(data: bytes, random: Random) -> bytes:
    """A length or a name of a chunk changed."""
    out = bytearray(data)
    at = random.choice([i for i in range(4, len(out) - 8, 2) if out[i : i + 3].isalnum()])
    out[at : at + 4] = random.choice((b"VP8 ", b"VP8X", b"EXIF", b"ICCP", b"ANIM", b"ALPH"))
    struct.pack_into("<I", out, min(at + 4, len(out) - 4), random.choice(EXTREMES))
    return bytes(out)


def tiff(data: bytes, random: Random) -> bytes:
    """Rows of the directory: tags, types, counts and values changed."""
    out = bytearray(data)
    order = "<" if out[:2] == b"II" else ">"
    start = struct.unpack_from(f"{order}I", out, 4)[0]
    if start + 2 > len(out):
        return spoilt(data, random)
    count = struct.unpack_from(f"{order}H", out, start)[0]
    for _ in range(random.randint(1, 3)):
        at = start + 2 + 12 * random.randrange(max(count, 1))
        if at + 12 > len(out):
            continue
        how = random.randrange(4)
        if how == 0:
            tag = random.choice(
                (254, 256, 257, 258, 259, 262, 274, 277, 338, 339, 34665, 34853, 50706)
            )
            struct.pack_into(f"{order}H", out, at, tag)
        elif how == 1:
            struct.pack_into(f"{order}H", out, at + 2, random.randrange(20))
        else:
            value = random.choice((*EXTREMES, random.randrange(5000)))
            struct.pack_into(f"{order}I", out, at + 4 * how - 4, value)
    return bytes(out)


def block(random: Random) -> tuple[bytes, np.ndarray]:
    """A lossless file with a broken block, and its pixels."""
    which = random.randrange(3)
    options: dict[str, object] = {}
    if which == 0:
        broken = spoilt(exif()[6:], random) if random.random() < 0.5 else tiff(exif()[6:], random)
        options["exif"] = b"Exif\0\0" + broken
    elif which == 1:
        options["icc_profile"] = spoilt(icc(), random)
    image = Image.fromarray(scene())
    kind = random.choice(("PNG", "WEBP", "TIFF"))
    if kind == "WEBP":
        options |= {"lossless": True, "exact": True}
    if which == 2:
        packet = spoilt(
            b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>', random
        )
        kind, options = "WEBP", {"xmp": packet, "lossless": True, "exact": True}
    if kind == "TIFF":
        options.pop("exif", None)
        options["tiffinfo"] = {34665: random.choice(EXTREMES[:7]), 34853: random.randrange(2**31)}
    return saved(image, kind, **options), scene()

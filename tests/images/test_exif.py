"""Damage to a picture's EXIF costs the tag that is damaged, never the picture."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pytest
from PIL import Image

from mien import images
from mien.images.exif import MOST
from mien.types import UInt8

MAKER, MODEL, EXPOSURE = 0x010F, 0x0110, 0x829A


@pytest.fixture(scope="module")
def scene() -> UInt8:
    y, x = np.mgrid[:24, :32]
    return np.stack([x * 8, y * 10, x + 2 * y], axis=2).clip(0, 255).astype(np.uint8)


def block() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[MAKER], exif[MODEL], exif[0x011A] = 6, "Maker", "Model of it", 72.0
    exif.get_ifd(0x8769).update({EXPOSURE: 0.01, 0x9003: "2020:01:01 00:00:00", 0xA002: 64})
    exif.get_ifd(0x8769)[0x927C] = b"FUJIFILM" + bytes(40)
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0), 29: "2020:01:01"})
    return exif.tobytes()


def saved(scene: UInt8, kind: str, exif: bytes) -> io.BytesIO:
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, kind, exif=exif)
    return stream


def test_damaged_blocks_never_refuse_a_picture(scene: UInt8) -> None:
    """Bytes of the block are overwritten at random; the picture reads and writes all the same."""
    chance, whole = random.Random(18), block()
    for i in range(600):
        broken = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 4, 8))):
            broken[chance.randrange(6, len(broken))] = chance.choice(
                (0, 1, 2, 5, 7, 12, 255, i % 256)
            )
        kind = chance.choice(("JPEG", "PNG", "WEBP"))
        photo = images.read(saved(scene, kind, bytes(broken)))
        assert sorted(photo.pixels.shape) == [3, 24, 32]
        again = images.read(io.BytesIO(images.encode(photo, ".jpg")))
        assert again.pixels.shape == photo.pixels.shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("tag", "wrong"),
    [(MAKER, 5), (MAKER, 12), (0x011A, 2), (0x011A, 7)],
    ids=["fractions in a text", "doubles in a text", "text as a fraction", "bytes as a fraction"],
)
def test_one_bad_tag_leaves_the_others(scene: UInt8, kind: str, tag: int, wrong: int) -> None:
    broken = bytearray(block())
    order = "<" if broken[6:8] == b"II" else ">"
    for at in range(16, 16 + 12 * 6, 12):
        if struct.unpack_from(f"{order}H", broken, at)[0] == tag:
            struct.pack_into(f"{order}H", broken, at + 2, wrong)
    photo = images.read(saved(scene, kind, bytes(broken)))
    assert photo.pixels.shape == (32, 24, 3), "turned as the block says"
    with Image.open(io.BytesIO(images.encode(photo, ".jpg"))) as written:
        exif = written.getexif()
        assert exif[MODEL] == "Model of it"
        assert exif.get_ifd(0x8769)[EXPOSURE] == pytest.approx(0.01)
        assert 0x0112 not in exif


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II", b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff"]
)
def test_no_block_at_all(scene: UInt8, exif: bytes) -> None:
    photo = images.read(saved(scene, "JPEG", exif))
    assert photo.pixels.shape == scene.shape
    assert photo.exif is None


def test_tiff_with_another_programs_blocks_becomes_jpeg(scene: UInt8) -> None:
    """Photoshop's blocks are longer than a JPEG's EXIF may be, and hold the unaltered picture."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[MAKER] = "Maker"
    for tag in (34377, 37724, 700):
        tags.tagtype[tag] = 7
        tags[tag] = b"8BIM" + bytes(90_000)
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "TIFF", tiffinfo=tags)
    data = images.encode(images.read(stream), ".jpg")
    with Image.open(io.BytesIO(data)) as written:
        assert written.getexif()[MAKER] == "Maker"
        assert 34377 not in written.getexif()
    assert b"8BIM" not in data


def test_what_is_too_long_is_trimmed_the_longest_first(scene: UInt8) -> None:
    exif = Image.Exif()
    exif[MAKER] = "Maker"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + b"a" * 80_000
    photo = images.read(saved(scene, "PNG", exif.tobytes()))
    assert photo.exif is not None
    assert len(photo.exif) < MOST
    with Image.open(io.BytesIO(images.encode(photo, ".jpg"))) as written:
        assert written.getexif()[MAKER] == "Maker"


def test_tiff_with_a_broken_directory_of_its_own(scene: UInt8) -> None:
    """A pointer to EXIF that leads nowhere: the loader itself would follow it."""
    stream = io.BytesIO()
    Image.fromarray(scene).save(stream, "TIFF", tiffinfo={34665: 0x7FFFFFF0, 34853: 0x7FFFFFF0})
    assert np.array_equal(images.read(stream).pixels, scene)

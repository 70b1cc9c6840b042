"""A thousand uploads that mean no good: none makes the server fail, none leaves a file behind."""

from __future__ import annotations

import io
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from PIL import Image
from starlette.testclient import TestClient

COUNT = 1000
FOLDERS = ("uploads", "here")
NAMES = (
    "../../etc/passwd", "..\\..\\boot.ini", "C:\\con", "/dev/sda", "a.jpg\x00.sh", "%2e%2e%2fa",
    "é" * 300, "", ".", "a\"b;c", "| rm -rf", "photo.png",
)  # fmt: skip
ALIEN = (
    b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><svg>&b;</svg>",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file",
    b"%PDF-1.7\n1 0 obj<</Type/Catalog>>", b"GIF89a\xff\xff\xff\xff", b"II*\x00\xff\xff\xff\xff",
    b"MZ\x90\x00", b"\x7fELF\x02", b"PK\x03\x04", b"#!/bin/sh\nid\n", b"push graphic-context\n",
    b"\x80\x04\x95cos\nsystem\n", b"", b"\x00", b"{}", b"8BPS\x00\x01", b"BM\xff\xff\xff\xff",
)  # fmt: skip


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def head(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def bombs() -> Iterator[bytes]:
    """Small files that would be large: in pixels, in text, in profile, in frames, in EXIF."""
    nothing = zlib.compress(bytes(3_000_000), 9)
    yield png(head(65_000, 65_000), chunk(b"IDAT", nothing))
    yield png(head(2**31 - 1, 2**31 - 1), chunk(b"IDAT", nothing))
    yield png(head(0, 0), chunk(b"IDAT", nothing))
    yield png(head(300, 300), chunk(b"IDAT", nothing * 3))
    yield png(head(9, 9), chunk(b"zTXt", b"a\0\0" + nothing), chunk(b"IDAT", b""))
    yield png(head(9, 9), *[chunk(b"zTXt", b"a\0\0" + nothing)] * 60, chunk(b"IDAT", b""))
    yield png(head(9, 9), chunk(b"iCCP", b"a\0\0" + nothing), chunk(b"IDAT", nothing))
    yield png(head(9, 9), chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), chunk(b"IDAT", b""))
    yield b"\xff\xd8\xff\xe1\xff\xff" + b"Exif\0\0" + b"MM\0*" + bytes(65_000)
    yield b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(99)
    yield b"RIFF\xff\xff\xff\xffWEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff" * 6
    yield b"RIFF\x00\x00\x00\x00WEBP"
    for orientation in (0, 9, 65_535):
        exif = Image.Exif()
        exif[0x0112], exif[0x010E] = orientation, "x" * 60_000
        file = io.BytesIO()
        Image.new("RGB", (40, 30)).save(file, "JPEG", exif=exif)
        yield file.getvalue()


def hostile(good: bytes, seed: int = 8) -> Iterator[tuple[str, bytes]]:
    """Without end: kind and bytes of one upload after the other, the same for the same seed."""
    random = Random(seed)
    large = list(bombs())
    while True:
        cut = random.randrange(1, len(good) - 1)
        yield "truncated", good[: random.choice((cut, 20, 400))]
        yield "alien", random.choice(ALIEN) + random.randbytes(random.randrange(200))
        yield "bomb", random.choice(large)
        dirty = bytearray(good[:4000])
        for _ in range(random.randrange(1, 40)):
            dirty[random.randrange(3, len(dirty))] = random.randrange(256)
        yield "dirty", bytes(dirty)
        yield "noise", random.choice(good[:3].splitlines()) + random.randbytes(300)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The only places where a server that takes a name for a path would write."""
    made = [tmp_path / name for name in FOLDERS]
    for folder in made:
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(made[0]))
    monkeypatch.setattr("tempfile.tempdir", str(made[0]))
    monkeypatch.chdir(made[1])
    return made


def test_a_thousand_uploads(client: TestClient, anna: bytes, folders: list[Path]) -> None:
    random, told = Random(1), Counter[int]()
    uploads = hostile(anna)
    for number in range(COUNT):
        kind, data = next(uploads)
        name = random.choice(NAMES)
        kinds = random.choice(("image/jpeg", "image/svg+xml", "text/html", "image/png"))
        files = {"image": (name, data, kinds)}
        answer = client.post("/v1/edit", files=files, data={"to": "happy"})
        told[answer.status_code] += 1
        assert 400 <= answer.status_code < 500, (number, kind, name, answer.text)
        assert answer.json()["error"]["message"]
        assert not set(FOLDERS) & set(answer.text.split("/")), "a path of the server is told"
    assert set(told) <= {400, 413, 415, 422}
    assert min(told[413], told[415], told[422]) > COUNT // 50, told
    assert [p for folder in folders for p in folder.rglob("*")] == []
    fine = client.post("/v1/edit", files={"image": anna}, data={"to": "happy"})
    assert fine.status_code == 200, "and then it still works"


def test_what_is_too_large_is_not_decoded(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a picture with too many pixels only the header is read."""

    decoded: list[Image.Image] = []

    def load(image: Image.Image) -> None:
        decoded.append(image)
        raise OSError("not today")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    wide = png(head(3000, 3000), chunk(b"IDAT", zlib.compress(bytes(27_003_000))))
    answer = client.post("/v1/edit", files={"image": wide}, data={"to": "happy"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "picture_too_large")
    assert not decoded
    small = png(head(30, 30), chunk(b"IDAT", zlib.compress(bytes(2730))))
    failed = client.post("/v1/edit", files={"image": small}, data={"to": "happy"})
    assert failed.status_code == 422
    assert decoded, "the test would notice"

"""What photographs survive: every format in, the same pixels out, and one clear line when it cannot
be.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngImageFile

from mien import images
from mien.errors import ImageError
from mien.images import Photo, read, write
from mien.nn.tensors import to_tensor, to_uint8
from mien.types import AlignedFace, Faces, UInt8


@pytest.fixture
def scene() -> np.ndarray:
    """A picture that looks different in each of the eight orientations; smooth, so that JPEG keeps
    it.
    """
    y, x = np.mgrid[:48, :64]
    return np.stack([x * 4, y * 5, (x + 2 * y)], axis=2).clip(0, 255).astype(np.uint8)


def _message(error: pytest.ExceptionInfo[ImageError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(tmp_path: Path, scene: np.ndarray, orientation: int) -> None:
    undo: Callable[[UInt8], UInt8] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    stored = Image.fromarray(np.ascontiguousarray(undo(scene)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera maker"
    stored.save(tmp_path / "a.png", exif=exif)
    photo = read(tmp_path / "a.png")
    assert np.array_equal(photo.pixels, scene)
    write(tmp_path / "b.png", photo)
    again = read(tmp_path / "b.png")
    assert np.array_equal(again.pixels, scene)
    with Image.open(tmp_path / "b.png") as file:
        assert 0x0112 not in file.getexif()
        assert file.getexif()[0x010F] == "Camera maker"


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (37, 53, 3), dtype=np.uint8)
    alpha = random.integers(0, 256, (37, 53), dtype=np.uint8)
    alpha[:5] = 0  # what lies under full transparency is kept too
    write(tmp_path / f"a{suffix}", Photo(pixels, alpha))
    back = read(tmp_path / f"a{suffix}")
    assert np.array_equal(back.pixels, pixels)
    assert back.alpha is not None
    assert np.array_equal(back.alpha, alpha)


def test_jpeg_is_close_and_has_full_colour(tmp_path: Path, scene: np.ndarray) -> None:
    write(tmp_path / "a.jpg", scene)
    assert np.abs(read(tmp_path / "a.jpg").pixels.astype(int) - scene).mean() < 1.5
    with Image.open(tmp_path / "a.jpg") as file:
        assert [sampling for _, *sampling, _ in vars(file)["layer"]] == [[1, 1]] * 3  # 4:4:4


def test_jpeg_of_a_transparent_picture_lies_on_white(tmp_path: Path) -> None:
    write(tmp_path / "a.jpeg", Photo(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)))
    assert read(tmp_path / "a.jpeg").pixels.min() > 250


def test_grey_stays_grey_until_colour_is_painted(tmp_path: Path) -> None:
    Image.linear_gradient("L").save(tmp_path / "grey.png")
    photo = read(tmp_path / "grey.png")
    assert photo.pixels.shape == (256, 256, 3)
    write(tmp_path / "same.png", photo.pixels, like=photo)
    tinted = photo.pixels.copy()
    tinted[9, 9] = (200, 10, 10)
    write(tmp_path / "tinted.png", tinted, like=photo)
    assert Image.open(tmp_path / "same.png").mode == "L"
    assert np.array_equal(read(tmp_path / "same.png").pixels, photo.pixels)
    assert np.array_equal(read(tmp_path / "tinted.png").pixels, tinted)


def test_sixteen_bits_grey(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    Image.fromarray(levels).save(tmp_path / "deep.tif")
    for name in ("deep.png", "deep.tif"):
        assert np.array_equal(
            read(tmp_path / name).pixels[..., 1].ravel(), np.arange(256, dtype=np.uint8)
        )


def test_floating_point_tiff(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)).save(tmp_path / "f.tif")
    assert read(tmp_path / "f.tif").pixels[0, :, 0].tolist() == [0, 128, 255]


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.new("P", (4, 2))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1, 0, 1, 1, 1, 1, 1])
    image.save(tmp_path / "p.gif", transparency=0)
    photo = read(tmp_path / "p.gif")
    assert photo.alpha is not None
    assert photo.alpha[0].tolist() == [0, 255, 0, 255]
    assert photo.pixels[1, 0].tolist() == [0, 255, 0]


def test_inks_become_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "c.jpg", quality=95)
    red, green, blue = read(tmp_path / "c.jpg").pixels[8, 8].astype(int)
    assert red > 200
    assert green < 60
    assert blue < 60


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_colour_profile_is_kept(tmp_path: Path, scene: np.ndarray, suffix: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(scene).save(tmp_path / f"a{suffix}", icc_profile=profile)
    photo = read(tmp_path / f"a{suffix}")
    write(tmp_path / f"b{suffix}", photo.pixels, like=photo)
    assert read(tmp_path / f"b{suffix}").icc == profile


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_file_says_that_ai_altered_it(tmp_path: Path, scene: np.ndarray, suffix: str) -> None:
    facts = {"mien method": "mtss", "guide": 'happy & "more" <b>\x00'}
    write(tmp_path / f"a{suffix}", scene, metadata=facts)
    data = (tmp_path / f"a{suffix}").read_bytes()
    assert images.SOURCE_TYPE.encode() in data
    with Image.open(io.BytesIO(data)) as file:
        file.load()
        xmp = file.info["xmp"]
        assert b"Iptc4xmpExt:DigitalSourceType" in xmp
        about = ElementTree.fromstring(xmp.decode())[0][0].attrib
        own = {key.partition("}")[2]: value for key, value in about.items() if "mien" in key}
        assert own == {"mien_method": "mtss", "guide": 'happy & "more" <b>'}
        if suffix == ".png":
            assert isinstance(file, PngImageFile)
            assert file.text["mien_method"] == "mtss"


def test_the_old_thumbnail_does_not_travel(tmp_path: Path, scene: np.ndarray) -> None:
    """A preview inside EXIF would still show the unaltered face."""
    thumbnail = io.BytesIO()
    Image.fromarray(scene[:16, :16]).save(thumbnail, "JPEG")
    ifd1 = struct.pack(
        "<HHHLLHHLLL", 2, 0x0201, 4, 1, 14 + 30, 0x0202, 4, 1, len(thumbnail.getvalue()), 0
    )
    exif = b"Exif\0\0II*\0" + struct.pack("<LHL", 8, 0, 14) + ifd1 + thumbnail.getvalue()
    Image.fromarray(scene).save(tmp_path / "a.jpg", exif=exif)
    assert thumbnail.getvalue() in (tmp_path / "a.jpg").read_bytes()
    write(tmp_path / "b.jpg", read(tmp_path / "a.jpg"))
    assert thumbnail.getvalue() not in (tmp_path / "b.jpg").read_bytes()


def test_a_stream_is_read_like_a_file(scene: np.ndarray) -> None:
    stream = io.BytesIO(images.encode(scene, ".png"))
    assert np.array_equal(read(stream).pixels, scene)


def test_missing_folder_and_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        read(tmp_path / "none.jpg")
    assert "no such file" in _message(error)
    with pytest.raises(ImageError) as error:
        read(tmp_path)
    assert "folder" in _message(error)
    (tmp_path / "text.jpg").write_text("I am a letter, not a picture.\n" * 50)
    with pytest.raises(ImageError) as error:
        read(tmp_path / "text.jpg")
    assert "is not a picture" in _message(error)
    (tmp_path / "text.jpg").rename(tmp_path / "talk.mp4")
    with pytest.raises(ImageError, match=r"talk\.mp4 is a film, .*`mien video` changes it"):
        read(tmp_path / "talk.mp4")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError) as error:
        read(tmp_path / "empty.png")
    assert "is empty" in _message(error)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_cut_short(tmp_path: Path, suffix: str) -> None:
    random = np.random.default_rng(1)
    data = images.encode(random.integers(0, 256, (64, 64, 3), dtype=np.uint8), suffix)
    for share in (0.5, 0.9):
        (tmp_path / f"cut{suffix}").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(ImageError) as error:
            read(tmp_path / f"cut{suffix}")
        assert "cut short" in _message(error)


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))
        )

    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize("side", [10_001, 30_000, 2_000_000])
def test_huge_pictures_are_refused_by_their_header(
    tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(self: Image.Image) -> None:
        raise AssertionError("the picture was decoded")

    (tmp_path / "huge.png").write_bytes(_png_header(side, side))
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", decoded)
    with pytest.raises(ImageError) as error:
        read(tmp_path / "huge.png")
    assert "100 megapixels or less" in _message(error)


def test_the_limit_is_the_callers(tmp_path: Path, scene: np.ndarray) -> None:
    write(tmp_path / "a.png", scene)
    assert read(tmp_path / "a.png", max_pixels=48 * 64).pixels.shape == (48, 64, 3)
    with pytest.raises(ImageError, match="64 x 48"):
        read(tmp_path / "a.png", max_pixels=48 * 64 - 1)


def test_unwritable_places_are_named(tmp_path: Path, scene: np.ndarray) -> None:
    with pytest.raises(ImageError) as error:
        write(tmp_path / "no" / "such" / "folder.png", scene)
    assert "cannot be written" in _message(error)
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(ImageError) as error:
        write(tmp_path / "taken.png", scene)
    assert "cannot be written" in _message(error)
    with pytest.raises(ImageError) as error:
        write(tmp_path / "a.docx", scene)
    assert ".png, .jpg or .webp" in _message(error)
    assert [path.name for path in tmp_path.iterdir()] == [
        "taken.png"
    ]  # nothing half-written is left


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, scene: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.png", scene)
    before = (tmp_path / "a.png").read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ImageError, match="No space left"):
        write(tmp_path / "a.png", scene // 2)
    assert (tmp_path / "a.png").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_programs_are_not_started_for_odd_formats(tmp_path: Path) -> None:
    """Pillow would hand PostScript to another program; mien does not open it."""
    (tmp_path / "a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    )
    with pytest.raises(ImageError, match="is not a picture"):
        read(tmp_path / "a.png")


def test_tensor_and_back_is_exact() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    tensor = to_tensor(levels)
    assert tensor.shape == (1, 3, 16, 16)
    assert tensor.min() == -1
    assert tensor.max() == 1
    assert np.array_equal(to_uint8(tensor), levels)
    assert np.array_equal(to_uint8(to_tensor(levels[0])), levels)
    matrix, points = np.eye(2, 3, dtype=np.float32), np.zeros((68, 2), np.float32)
    batch = Faces.stack([AlignedFace(levels[0], matrix, points)]).pixels
    assert np.array_equal(batch, tensor.numpy())
    assert np.array_equal(images.to_uint8(batch), levels)


def test_values_outside_the_range_are_clipped() -> None:
    assert to_uint8(torch.tensor([-3.0, 3.0]).view(1, 1, 1, 2).expand(1, 3, 1, 2)).tolist() == [
        [[[0, 0, 0], [255, 255, 255]]]
    ]

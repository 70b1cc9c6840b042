"""What a program has in hand works, or is refused in one line of mien's own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import mien
from mien import images
from mien.editor import Editor
from mien.errors import FaceNotFound, ImageError, MienError
from mien.methods.base import Method
from mien.types import UInt8
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def colour() -> UInt8:
    return np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)


def forms(colour: UInt8) -> dict[str, Any]:
    tensor = torch.from_numpy(colour).permute(2, 0, 1)
    return {
        "bytes": colour,
        "not contiguous": np.asfortranarray(colour),
        "upside down and back": np.ascontiguousarray(colour[::-1])[::-1],
        "int64": colour.astype(np.int64),
        "16 bits": colour.astype(np.uint16) * 257,
        "16 bits, big-endian": (colour.astype(np.uint16) * 257).astype(">u2"),
        "float32": (colour / 255).astype(np.float32),
        "float64": colour / 255,
        "float16": (colour / 255).astype(np.float16),
        "tensor of bytes": tensor,
        "tensor of floats": tensor.float() / 255,
        "tensor of a batch": tensor[None].float() / 255,
        "tensor with channels last": tensor.permute(1, 2, 0),
        "tensor that learns": (tensor.float() / 255).requires_grad_(),
        "tensor of half precision": (tensor.double() / 255).to(torch.float32),
        "Pillow": Image.fromarray(colour),
        "stream": io.BytesIO(images.encode(colour, ".png")),
        "Photo": images.Photo(colour),
        "Photo of floats": images.Photo(colour / 255),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("name", forms(np.zeros((12, 16, 3), np.uint8)))
def test_every_form_is_the_same_photograph(colour: UInt8, name: str) -> None:
    photo = images.photograph(forms(colour)[name])
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous or name == "upside down and back"
    assert np.abs(photo.pixels.astype(int) - colour).max() <= (name == "float16")


def test_grey_and_opacity(colour: UInt8) -> None:
    grey = colour[..., 0]
    for given in (grey, grey[..., None], Image.fromarray(grey), torch.from_numpy(grey)):
        photo = images.photograph(given)
        assert np.array_equal(photo.pixels, np.repeat(grey[..., None], 3, 2))
        assert photo.mode == "L"
    clear = np.dstack([colour, grey])
    for given in (clear, Image.fromarray(clear), torch.from_numpy(clear).permute(2, 0, 1)):
        photo = images.photograph(given)
        assert np.array_equal(photo.pixels, colour)
        assert photo.alpha is not None
        assert np.array_equal(photo.alpha, grey)


def test_a_picture_of_pillows_is_read_as_its_file_would_be(tmp_path: Path, colour: UInt8) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colour).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(
            images.photograph(image).pixels, images.read(tmp_path / "a.png").pixels
        )
    for mode in (
        "1",
        "L",
        "LA",
        "P",
        "PA",
        "RGBA",
        "CMYK",
        "YCbCr",
        "HSV",
        "LAB",
        "I",
        "F",
        "I;16",
    ):
        photo = images.photograph(Image.new(mode, (16, 12)))
        assert photo.pixels.shape == (12, 16, 3), mode


REFUSED: dict[str, Any] = {
    "empty": np.zeros((0, 0, 3), np.uint8),
    "no rows": np.zeros((0, 5, 3), np.uint8),
    "empty tensor": torch.zeros(3, 0, 4),
    "a line": np.zeros(9, np.uint8),
    "a number": np.uint8(3),
    "two channels": np.zeros((4, 4, 2), np.uint8),
    "two photographs": np.zeros((2, 4, 4, 3), np.uint8),
    "a batch of tensors": torch.zeros(2, 3, 4, 4),
    "floats beyond 1": np.full((4, 4, 3), 255.0),
    "floats below 0": torch.full((3, 4, 4), -1.0),
    "not a number": np.full((4, 4, 3), np.nan),
    "endless": np.full((4, 4, 3), np.inf),
    "integers beyond 255": np.full((4, 4, 3), 256),
    "integers below 0": np.full((4, 4, 3), -1),
    "complex": np.zeros((4, 4, 3), np.complex64),
    "words": np.full((4, 4, 3), "a"),
    "objects": np.full((4, 4, 3), None),
    "complex tensor": torch.zeros(3, 4, 4, dtype=torch.complex64),
    "sparse tensor": torch.zeros(4, 4).to_sparse(),
    "a list": [[0, 0], [0, 0]],
    "bytes": b"\xff\xd8\xff",
    "a number of Python's": 7,
    "nothing": None,
    "a Photo of nothing": images.Photo(np.zeros((0, 4, 3), np.uint8)),
    "a Photo of words": images.Photo("pixels"),  # type: ignore[arg-type]
    "a closed stream": io.BytesIO(),
    "an empty path": "",
    "a path with a hole": "a\0b.png",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_photograph_is_refused_in_a_line(wide_mouth: Method[Any], name: str) -> None:
    editor = Editor(wide_mouth)
    for call in (
        images.photograph,
        lambda given: editor.edit(given, mien.Label("happy")),
        lambda given: editor.reference(given),
    ):
        with pytest.raises(ImageError) as error:
            call(REFUSED[name])
        assert "\n" not in str(error.value)
        assert type(error.value).__module__.startswith("mien.")


def test_wrong_types_are_type_errors_of_miens_own() -> None:
    for name in ("a list", "complex", "two photographs", "floats beyond 1", "nothing"):
        with pytest.raises(TypeError) as error:
            images.photograph(REFUSED[name])
        assert isinstance(error.value, MienError)


def test_edits_of_other_forms_are_the_same_edit(wide_mouth: Method[Any]) -> None:
    editor, pixels = Editor(wide_mouth), images.read(samples()["anna"]).pixels
    wanted = editor.edit(pixels, mien.Label("happy")).pixels
    for given in (Image.fromarray(pixels), torch.from_numpy(pixels).permute(2, 0, 1), pixels / 255):
        assert np.array_equal(editor.edit(given, mien.Label("happy")).pixels, wanted)
    grey = editor.edit(pixels[..., 1], mien.Label("happy")).pixels
    assert (grey == grey[..., :1]).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2, 3), (7, 3, 4)])
def test_tiny_pictures_show_no_face(wide_mouth: Method[Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(FaceNotFound):
        Editor(wide_mouth).edit(np.zeros(shape, np.uint8), mien.Label("happy"))

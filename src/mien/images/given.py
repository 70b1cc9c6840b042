"""What a program has in hand as a `Photo`: arrays, tensors, Pillow's images, paths, open files."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, TypeGuard, Union, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mien.errors import ImageError, PictureType
from mien.images.levels import eight_bits
from mien.images.photo import Photo
from mien.images.reading import PathLike, photo_of, read
from mien.types import UInt8

if TYPE_CHECKING:
    from torch import Tensor

Given: TypeAlias = Union[Photo, NDArray[Any], "Tensor", Image.Image, PathLike, BinaryIO]
"""A photograph in any form: read already; an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), the
fourth its opacity; a tensor (C, H, W) or (1, C, H, W); an image of Pillow's; the path of a file; an
open binary file.
"""

_CHANNELS = (1, 3, 4)
_KNOWN = "give a path, an array (H, W, 3), a tensor (3, H, W), an image of Pillow's or a Photo"


def photograph(given: Given) -> Photo:
    """What is given as a photograph, RGB (H, W, 3) of 8 bits with the opacity apart.

    Levels of arrays and tensors: bytes as they are; 16 bits and bool over their whole range; other
    whole numbers in 0..255; floats in 0..1, and nothing is guessed from what lies beyond.
    PictureType, which is a TypeError too, or ImageError says in one line what does not fit.
    """
    if isinstance(given, Photo):
        return given if _whole(given.pixels) else _mended(given)
    if isinstance(given, Image.Image):
        return photo_of(given, "the picture")
    if _is_tensor(given):
        return _photo(_last(given))
    if isinstance(given, np.ndarray):
        return _photo(given)
    if isinstance(given, (str, os.PathLike)):
        return read(given)
    if isinstance(given, io.IOBase) or (hasattr(given, "read") and hasattr(given, "seek")):
        return read(cast("BinaryIO", given))
    raise PictureType(f"{type(given).__name__} is not a photograph: {_KNOWN}")


def _is_tensor(given: object) -> TypeGuard[Tensor]:
    """Whether it is a tensor of torch's: whoever has one has imported torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)


def _mended(photo: Photo) -> Photo:
    """A Photo that a program made of levels other than bytes."""
    if not isinstance(photo.pixels, np.ndarray):
        raise PictureType(f"a Photo of {type(photo.pixels).__name__} is none: {_KNOWN}")
    made = _photo(photo.pixels)
    return replace(
        photo, pixels=made.pixels, alpha=photo.alpha if made.alpha is None else made.alpha
    )


def _whole(pixels: object) -> bool:
    """Whether nothing is to be done."""
    return (
        isinstance(pixels, np.ndarray)
        and pixels.dtype == np.uint8
        and pixels.ndim == 3
        and pixels.shape[2] == 3
        and pixels.size > 0
    )


def _last(tensor: Tensor) -> NDArray[Any]:
    """A tensor's picture with its channels last, as arrays have them."""
    if tensor.ndim == 4 and len(tensor) == 1:
        tensor = tensor[0]
    if tensor.ndim == 3 and tensor.shape[0] in _CHANNELS:
        tensor = tensor.permute(1, 2, 0)
    try:
        plain = tensor.detach().cpu()
        narrow = str(plain.dtype) == "torch.bfloat16"
        array: NDArray[Any] = (plain.float() if narrow else plain).numpy()
        return array
    except (TypeError, RuntimeError):  # sparse, quantised, without data
        kind = f"{tensor.layout} of {tensor.dtype}".replace("torch.", "")
        raise PictureType(f"a tensor ({kind}) is not a photograph: {_KNOWN}") from None


def _photo(array: NDArray[Any]) -> Photo:
    """An array (H, W) or (H, W, C) as a photograph."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in _CHANNELS):
        raise PictureType(
            f"an array of shape {array.shape} is not one photograph: {_KNOWN}, one at a time"
        )
    if not array.size:
        raise ImageError(f"the picture has no pixels, its shape is {array.shape}")
    levels = _bytes(np.atleast_3d(array))
    alpha = np.ascontiguousarray(levels[..., 3]) if levels.shape[2] == 4 else None
    grey = levels.shape[2] == 1
    pixels = np.repeat(levels, 3, axis=2) if grey else np.ascontiguousarray(levels[..., :3])
    return Photo(pixels, alpha, mode="L" if grey else "RGB")


def _bytes(levels: NDArray[Any]) -> UInt8:
    kind = levels.dtype.kind
    if levels.dtype == np.uint8:
        return levels
    if kind == "b":
        return eight_bits(levels, 1.0)
    if kind == "u" and levels.dtype.itemsize == 2:
        return eight_bits(levels, 65535.0)
    if kind not in "iuf":
        raise PictureType(f"an array of {levels.dtype} is not a photograph: {_KNOWN}")
    low, high = levels.min(), levels.max()
    top = 1 if kind == "f" else 255
    if not (low >= 0 and high <= top):  # NaN too
        what = "floats" if kind == "f" else f"whole numbers of {levels.dtype}"
        raise PictureType(
            f"{what} must lie in 0..{top}, here they reach from {low:g} to {high:g}: "
            "convert the picture to uint8"
        )
    return eight_bits(levels, float(top))

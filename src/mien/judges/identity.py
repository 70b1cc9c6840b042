"""Who a face is, by somebody else's network: dlib's 128 numbers, which mien never trains on.

Two photographs of one person lie under 0.6 apart for dlib (its own threshold). The weights are in
the public domain and come with the package `face_recognition_models`; they measure here.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from mien.errors import AssetMissing
from mien.nn.tensors import to_levels
from mien.types import Faces, Float, UInt8
from mien.zoo.records import digest

SIZE = 256
"""Crops are enlarged to this side: dlib was taught on faces larger than those of a 128 px crop."""
_LANDMARKS = "shape_predictor_5_face_landmarks.dat"
_NETWORK = "dlib_face_recognition_resnet_model_v1.dat"


class Descriptor:
    """dlib's face descriptor at faces whose place is known."""

    def __init__(self) -> None:
        import dlib

        folder = _folder()
        self._points = dlib.shape_predictor(str(folder / _LANDMARKS))
        self._net = dlib.face_recognition_model_v1(str(folder / _NETWORK))

    def __reduce__(self) -> tuple[Callable[[], Descriptor], tuple[()]]:
        """Loaded anew in another process."""
        return descriptor, ()

    def digest(self) -> str:
        """SHA-256 of the network's weights."""
        return digest(_folder() / _NETWORK)

    def one(self, pixels: UInt8, landmarks: Float) -> Float:
        """Descriptor (128,) of the face at `landmarks` (68, 2) px of `pixels` uint8 (H, W, 3)."""
        import dlib

        x0, _ = landmarks.min(0)
        x1, y1 = landmarks.max(0)
        y0 = landmarks[17:, 1].min()
        box = dlib.rectangle(int(x0), int(y0), int(x1), int(y1))
        pixels = np.ascontiguousarray(pixels)
        shape = self._points(pixels, box)
        return np.array(self._net.compute_face_descriptor(pixels, shape), np.float32)

    def of(self, pixels: Tensor, landmarks: Tensor) -> Tensor:
        """Descriptors (B, 128) of crops (B, 3, S, S) in [-1, 1] with the faces at (B, 68, 2) px."""
        scale = SIZE / pixels.shape[-1]
        faces = to_levels(pixels).byte().permute(0, 2, 3, 1).numpy()
        rows = [
            self.one(_enlarged(face), (points + 0.5) * scale - 0.5)
            for face, points in zip(faces, landmarks.numpy(), strict=True)
        ]
        return torch.from_numpy(np.stack(rows))

    def distance(self, one: Faces[Tensor], other: Faces[Tensor]) -> Tensor:
        """How far apart the people in two batches are, (B,)."""
        a, b = (self.of(faces.pixels, faces.landmarks) for faces in (one, other))
        distances: Tensor = (a - b).norm(dim=1)
        return distances


def _enlarged(face: UInt8) -> Any:
    return cv2.resize(face, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def _folder() -> Path:
    found = [importlib.util.find_spec(name) for name in ("face_recognition_models", "dlib")]
    spec = found[0]
    if spec is None or found[1] is None or not spec.submodule_search_locations:
        raise AssetMissing(
            "identity is judged by dlib: pip install dlib-bin 'face_recognition_models>=0.3'"
        )
    return Path(spec.submodule_search_locations[0]) / "models"


@functools.cache
def descriptor() -> Descriptor:
    """The one descriptor; AssetMissing when its packages are not installed."""
    return Descriptor()

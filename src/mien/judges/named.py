"""Networks that a user names: an emotion classifier and a face embedding, as ONNX, read by OpenCV.

None comes with mien: those taught on real, labelled faces have terms of their own, which their user
has agreed to. Beside `NET.onnx` lies `NET.json`, which says how it sees:

    {"size": 112, "align": "arcface", "channels": "rgb", "mean": 127.5, "std": 127.5,
     "classes": ["neutral", "happy", null, ...]}

`size` is the side of its pictures, px; `align` is `arcface` (five points moved to InsightFace's
template, the default) or `crop` (mien's aligned crop); a level v of 0 to 255 is shown as (v - mean)
/ std, one number or three; `classes`, of a classifier alone, are its answers in order by names of
`mien.facs.EMOTIONS`, null for what has none. Pictures go in as float32 (1, 3, size, size).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import facs
from mien.errors import AssetMissing, ConfigError, WeightsError
from mien.faces.align import resized, similarity, warp
from mien.types import Float, UInt8
from mien.zoo.records import digest

TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]]
)  # fmt: skip
"""Where ArcFace's faces (Deng et al. 2019) have the eyes, nose and mouth corners, px of 112."""
_POINTS = (slice(36, 42), slice(42, 48), slice(30, 31), slice(48, 49), slice(54, 55))
"""The same of 68 landmarks, as means."""
FIELDS = ("size", "align", "channels", "mean", "std", "classes")


@dataclass(frozen=True)
class Sight:
    """How a network sees faces: the fields of its JSON."""

    size: int
    align: str = "arcface"
    channels: str = "rgb"
    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)
    classes: tuple[str | None, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Sight:
        """From a file; AssetMissing where there is none, ConfigError for what it cannot mean."""
        if not path.is_file():
            raise AssetMissing(f"{path} is missing: it says how the network sees (docs/judges.md)")
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            odd = sorted(set(said) - set(FIELDS))
            sight = cls(
                int(said["size"]), str(said.get("align", "arcface")),
                str(said.get("channels", "rgb")), _numbers(said.get("mean", 127.5)),
                _numbers(said.get("std", 127.5)), tuple(said.get("classes", ())),
            )  # fmt: skip
            unknown = sorted(
                {str(c) for c in sight.classes if c is not None and c not in facs.EMOTIONS}
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ConfigError(f"{path} is not as docs/judges.md says: {error!r}") from None
        if odd or unknown or not 16 <= sight.size <= 1024 or 0 in sight.std:
            raise ConfigError(
                f"{path}: unknown {', '.join([*odd, *unknown]) or 'size or std'}; "
                f"fields are {', '.join(FIELDS)}, classes {', '.join(facs.EMOTIONS)} or null"
            )
        if sight.align not in ("arcface", "crop") or sight.channels not in ("rgb", "bgr"):
            raise ConfigError(f"{path}: align is arcface or crop, channels rgb or bgr")
        return sight


def _numbers(value: Any) -> tuple[float, ...]:
    numbers = tuple(map(float, value if isinstance(value, list) else [value]))
    if len(numbers) not in (1, 3) or not np.isfinite(numbers).all():
        raise ValueError("mean and std are one number or three")
    return numbers


class Named:
    """A network of the user's. AssetMissing where it is not, WeightsError where it is no ONNX."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise AssetMissing(f"no network at {path}: name an .onnx file")
        self.path, self.sight = path, Sight.read(path.with_suffix(".json"))
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(path.read_bytes(), np.uint8))
        except cv2.error:
            raise WeightsError(f"OpenCV cannot read {path} as ONNX") from None

    def digest(self) -> str:
        """SHA-256 of the network, and how it sees."""
        return f"{digest(self.path)} {self.sight}"

    def answer(self, pixels: UInt8, landmarks: Float) -> Float:
        """What it says of the face at `landmarks` (68, 2) px of a crop uint8 (S, S, 3), (D,)."""
        sight = self.sight
        face = self._seen(pixels, landmarks).astype(np.float32)
        face = face[..., ::-1] if sight.channels == "bgr" else face
        mean, std = (np.asarray(v, np.float32) for v in (sight.mean, sight.std))
        face = (face - mean) / std
        self._net.setInput(np.ascontiguousarray(face.transpose(2, 0, 1)[None]))
        try:
            out = self._net.forward()
        except cv2.error:
            raise WeightsError(
                f"{self.path} takes no pictures of {sight.size} px: see its .json"
            ) from None
        return np.asarray(out, np.float32).ravel()

    def _seen(self, pixels: UInt8, landmarks: Float) -> UInt8:
        size = self.sight.size
        if self.sight.align == "crop":
            return np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA))
        points = np.stack([landmarks[some].mean(0) for some in _POINTS])
        return warp(pixels, resized(similarity(points, TEMPLATE), 112, size), size)


class Classifier(Named):
    """An emotion classifier; ConfigError where its JSON names no classes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if not any(self.sight.classes):
            raise ConfigError(f"{path.with_suffix('.json')} names no classes of the classifier")

    def scores(self, pixels: UInt8, landmarks: Float) -> Float:
        """Shares of its classes (C,), in their order, 0 to 1, one together: its answer where that
        is such, else the softmax of it."""
        out = self._classes(pixels, landmarks)
        if out.min() >= 0 and abs(float(out.sum()) - 1) < 1e-3:
            return out
        raised = np.exp(out - out.max())
        return np.asarray(raised / raised.sum(), np.float32)

    def emotion(self, pixels: UInt8, landmarks: Float) -> str | None:
        """The emotion that it names; None for a class that has no name here."""
        return self.sight.classes[int(self._classes(pixels, landmarks).argmax())]

    def _classes(self, pixels: UInt8, landmarks: Float) -> Float:
        scores = self.answer(pixels, landmarks)
        if len(scores) != len(self.sight.classes):
            raise WeightsError(
                f"{self.path} answers with {len(scores)} numbers, but {len(self.sight.classes)} "
                "classes stand in its .json"
            )
        return scores


class Embedding(Named):
    """A face embedding, of which the direction counts."""

    @staticmethod
    def similarity(one: Float, other: Float) -> float:
        """Cosine of two answers (D,) of one network, -1 to 1."""
        length = float(np.linalg.norm(one) * np.linalg.norm(other))
        return float(one @ other) / max(length, 1e-12)

"""A judge of other people's making: the face landmarker of Google's MediaPipe, of 2023.

Three networks (a detector, 478 points, 52 blendshapes), trained by Google on data of its own. They
are read from its `face_landmarker.task` as it was published, by OpenCV, so that nothing has to be
installed; the detector is `faces.blazeface`, which holds the same weights. It measures, and neither
trains nor labels anything. It hardly sees AU6, AU9, AU14, AU15 and AU33: a small change of their
shapes is not no change; docs/judges.md has its card.

Differs from MediaPipe's own runtime: the detector's picture is shrunk by whole pixels. On 23
portraits its points lie 0.3 % of the outer eye corners' distance away from MediaPipe 0.10.14's, and
its blendshapes 0.009, both in the mean.
"""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.errors import AssetMissing, FaceNotFound, WeightsError
from mien.faces import blazeface
from mien.types import Float, UInt8
from mien.zoo import data_home
from mien.zoo.records import digest

TASK = Path("mediapipe", "face_landmarker.task")
"""Where the networks are looked for, below `data_home()`."""
SOURCE = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    "face_landmarker.task"
)
SHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft",
    "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft",
    "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft",
    "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen",
    "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""What the last network answers, in its order; left and right are the person's own."""
CLAIMS: Mapping[str, tuple[str, ...]] = {
    "lids": ("eyeBlinkLeft", "eyeBlinkRight"),
    "jaw": ("jawOpen",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "brows": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "frown": ("browDownLeft", "browDownRight"),
    "gaze": (
        "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
        "eyeLookUpLeft", "eyeLookUpRight", "eyeLookDownLeft", "eyeLookDownRight",
    ),
}  # fmt: skip
"""What it is asked about in tables: a claim, and the blendshapes that tell."""

# Points of the mesh of 478; left and right are the person's own.
_LIDS = (((386, 374), (385, 380), (263, 362)), ((159, 145), (158, 153), (33, 133)))
_LIPS, _CORNERS, _JAW = (13, 14), (33, 263), (2, 152)
_STILL = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 127, 356, 10)
"""Eye corners, nose, temples, forehead: what turns with the head and hardly moves on it."""
_READ = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66,
    67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144,
    145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173,
    176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284,
    285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332,
    334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
    474, 475, 476, 477,
)  # fmt: skip
"""The 146 points that the blendshapes are read from."""

_SEEN, _SIDE, _LARGER = 128, 256, 1.5
"""Sides of the pictures that detector and mesh see, px; the crop's side over the detected box's."""
_FACE, _SAME = 0.5, 0.3
"""Score from which a box is a face; overlap from which two are one (MediaPipe's own settings)."""


@dataclass(frozen=True)
class Mesh:
    """What it sees of a face: points (478, 3), x, y, z in px of the picture; shapes (52,) in [0, 1]
    in the order of `SHAPES`."""

    points: Float
    shapes: Float

    def shape(self, *names: str) -> float:
        """The mean of named blendshapes."""
        return float(np.mean([self.shapes[SHAPES.index(name)] for name in names]))

    @property
    def named(self) -> dict[str, float]:
        """All blendshapes but `_neutral`, by name."""
        return {
            name: float(v) for name, v in zip(SHAPES, self.shapes, strict=True) if name[0] != "_"
        }

    @property
    def lids(self) -> tuple[float, float]:
        """Eye aspect ratios, left and right: the lids' gap over the eye's width."""
        left, right = (
            (self._far(a) + self._far(b)) / 2 / self._far(across) for a, b, across in _LIDS
        )
        return left, right

    @property
    def gap(self) -> float:
        """Between the inner lips, in outer eye corners' distances."""
        return self._far(_LIPS) / self._far(_CORNERS)

    @property
    def jaw(self) -> float:
        """From the nose's base to the chin, in outer eye corners' distances."""
        return self._far(_JAW) / self._far(_CORNERS)

    def _far(self, pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(self.points[pair[0], :2] - self.points[pair[1], :2]))


def turned(before: Mesh, after: Mesh) -> float:
    """By how many degrees the head is turned from one picture to another: the rotation that brings
    the still points of one nearest to those of the other (Kabsch 1976)."""
    one, other = (mesh.points[list(_STILL)].astype(np.float64) for mesh in (before, after))
    u, _, v = np.linalg.svd((one - one.mean(0)).T @ (other - other.mean(0)))
    u[:, -1] *= np.sign(np.linalg.det(u @ v))
    cosine = (np.trace(u @ v) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


class Landmarker:
    """The three networks. AssetMissing where the file is not, WeightsError where it is another."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or data_home() / TASK
        if not self.path.is_file():
            raise AssetMissing(
                f"the landmarker's networks are not at {self.path}: download {SOURCE} there, or "
                f"set MIEN_DATA to the folder that holds {TASK.as_posix()}"
            )
        self._mesh = _network(self.path, "face_landmarks_detector.tflite")
        self._shapes = _network(self.path, "face_blendshapes.tflite")

    def __reduce__(self) -> tuple[type[Landmarker], tuple[Path]]:
        """Loaded anew in another process."""
        return type(self), (self.path,)

    def digest(self) -> str:
        """SHA-256 of the file."""
        return digest(self.path)

    def see(self, pixels: UInt8) -> Mesh:
        """The surest face of a picture uint8 (H, W, 3) RGB; FaceNotFound where it sees none."""
        found = _surest(pixels)
        if found is None:
            raise FaceNotFound("MediaPipe finds no face")
        box, (right, left) = found
        (x, y), side = (box[:2] + box[2:]) / 2, _LARGER * float((box[2:] - box[:2]).max())
        angle = np.arctan2(*(left - right)[::-1])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn *= side / _SIDE  # from px of the crop to px of the picture, both from edges
        corner = np.array([x, y]) - turn @ [_SIDE / 2, _SIDE / 2]
        middles = np.c_[turn, corner + turn @ [0.5, 0.5] - 0.5]
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(pixels, middles, (_SIDE, _SIDE), flags=how)
        planes = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 255
        self._mesh.setInput(planes)
        points = self._mesh.forward("Identity").reshape(-1, 3)
        flat = points[:, :2] @ turn.T + corner
        self._shapes.setInput(np.asarray(flat[list(_READ)][None], np.float32))
        shapes = np.asarray(self._shapes.forward().ravel(), np.float32)
        deep = points[:, 2] * side / _SIDE
        return Mesh(np.asarray(np.c_[flat, deep], np.float32), shapes)


@functools.cache
def landmarker(path: Path | None = None) -> Landmarker:
    """The one of this process; AssetMissing where its file is not there."""
    return Landmarker(path)


def _network(path: Path, name: str) -> Any:
    try:
        with zipfile.ZipFile(path) as bundle:
            held = np.frombuffer(bundle.read(name), np.uint8)
        return cv2.dnn.readNetFromTFLite(held)
    except (zipfile.BadZipFile, KeyError, cv2.error):
        raise WeightsError(f"{path} is not MediaPipe's face_landmarker.task") from None


def _surest(pixels: UInt8) -> tuple[Float, tuple[Float, Float]] | None:
    """Box (4,) and the eyes, the person's right and left (2,), px of the picture from its edges."""
    height, width = pixels.shape[:2]
    scale = _SEEN / max(height, width)
    tall, wide = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (_SEEN - tall) // 2, (_SEEN - wide) // 2
    seen = np.zeros((_SEEN, _SEEN, 3), np.uint8)
    small = cv2.resize(pixels, (wide, tall), interpolation=cv2.INTER_LINEAR)
    seen[top : top + tall, left : left + wide] = small
    answers = blazeface.look(seen)
    scores = 1 / (1 + np.exp(-np.clip(answers.logits, -80, 80)))
    best = answers.boxes[int(scores.argmax())]
    one_face = (scores >= _FACE) & (_overlap(answers.boxes, best) >= _SAME)
    if not one_face.any():
        return None
    share = scores[one_face] / scores[one_face].sum()
    border = np.array([left, top])
    box = (share @ answers.boxes[one_face] - np.r_[border, border]) / scale
    eyes = (np.tensordot(share, answers.keypoints[one_face][:, :2], 1) - border) / scale
    return box, (eyes[0], eyes[1])


def _overlap(boxes: Float, one: Float) -> Float:
    """Intersection over union of boxes (N, 4) with one (4,): (N,)."""
    low, high = np.maximum(boxes[:, :2], one[:2]), np.minimum(boxes[:, 2:], one[2:])
    shared = (high - low).clip(0).prod(1)
    out: Float = shared / (_area(boxes) + _area(one[None]) - shared)
    return out


def _area(boxes: Float) -> Float:
    out: Float = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return out

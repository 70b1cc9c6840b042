"""What two outsiders see in a picture before and after: MediaPipe's landmarker and dlib.

    python benchmarks/outside.py BEFORE.png AFTER.png [AFTER.png ...] [-o OUT.json]

Neither may teach or label anything. MediaPipe 0.10.14 (later ones ship less) would bring an OpenCV
of its own over the one that mien draws by, so it comes without what it asks for, into an
environment of its own, mien in it too:

    python -m venv outside
    outside/bin/pip install '.[score]' absl-py attrs flatbuffers matplotlib sounddevice 'protobuf<5'
    outside/bin/pip install --no-deps mediapipe==0.10.14
    outside/bin/python benchmarks/outside.py BEFORE.png AFTER.png

Its network is read from `mediapipe/face_landmarker.task` in the folder of the data (`MIEN_DATA`).
The landmarker hardly sees AU9 and AU15 and knows no contempt: a small change is not no change.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mistakes import told
from numpy.typing import NDArray

from mien import images
from mien.errors import AssetMissing, FaceNotFound
from mien.zoo import data_home

Numbers = NDArray[np.float64]
TASK = Path("mediapipe", "face_landmarker.task")
INSTALL = (
    "the outside judge needs MediaPipe in an environment of its own: python -m venv outside && "
    "outside/bin/pip install '.[score]' absl-py attrs flatbuffers matplotlib sounddevice "
    "'protobuf<5' && outside/bin/pip install --no-deps mediapipe==0.10.14, then run this by "
    "outside/bin/python"
)
SMALL = 600
"""dlib looks at pictures with a shorter long side at twice their size."""

# Points of MediaPipe's mesh of 478; left and right are the person's own.
LIDS = (((386, 374), (385, 380), (263, 362)), ((159, 145), (158, 153), (33, 133)))
LIPS, EYE_CORNERS, NOSE_CHIN = (13, 14), (33, 263), (2, 152)


@dataclass(frozen=True)
class Seen:
    """One face. By MediaPipe: `lids`, eye aspect ratios (left, right); `gap`, between the inner
    lips, and `jaw`, from the nose's base to the chin, both over the outer eye corners' distance;
    `shapes`, its 52 blendshapes without "_neutral", 0..1; `rotation` (3, 3) of the head. By dlib:
    `points` (68, 2) px, `who` (128,), the descriptor."""

    lids: tuple[float, float]
    gap: float
    jaw: float
    shapes: dict[str, float]
    rotation: Numbers
    points: Numbers
    who: Numbers


@dataclass(frozen=True)
class Change:
    """From one face to another. `size`: Euclidean length of the change of all blendshapes;
    `identity`: dlib's distance, under 0.6 for one person; `turn`: of the head, degrees; `shapes`:
    after minus before; `lids`, `gap`, `jaw`: before and after."""

    size: float
    identity: float
    turn: float
    shapes: dict[str, float]
    lids: tuple[tuple[float, float], tuple[float, float]]
    gap: tuple[float, float]
    jaw: tuple[float, float]

    def text(self) -> str:
        """In one line, the six blendshapes that changed most at its end."""
        most = sorted(self.shapes, key=lambda k: -abs(self.shapes[k]))[:6]
        (left, right), (now_left, now_right) = self.lids
        return (
            f"size of change {self.size:.2f}, identity {self.identity:.2f}, "
            f"lids {now_left:.2f} {now_right:.2f} (were {left:.2f} {right:.2f}), "
            f"lips' gap {self.gap[1]:.2f} ({self.gap[0]:.2f}), jaw {self.jaw[1]:.2f} "
            f"({self.jaw[0]:.2f}), turn {self.turn:.1f} deg; "
            + ", ".join(f"{k} {self.shapes[k]:+.2f}" for k in most)
        )


class Outside:
    """Both outsiders. AssetMissing, with what to do, where one of them is not installed."""

    def __init__(self, task: Path | None = None) -> None:
        self._mediapipe, self._landmarker = _landmarker(task or data_home() / TASK)
        self._dlib, folder = _dlib()
        self._find = self._dlib.get_frontal_face_detector()
        self._place = self._dlib.shape_predictor(
            str(folder / "shape_predictor_68_face_landmarks.dat")
        )
        self._describe = self._dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def see(self, pixels: NDArray[np.uint8]) -> Seen:
        """The one face of a picture uint8 (H, W, 3) RGB, the widest by dlib; FaceNotFound where
        either sees none."""
        pixels = np.ascontiguousarray(pixels)
        found, p = self._found(pixels)
        boxes = self._find(pixels, int(max(pixels.shape) < SMALL)) or self._find(pixels, 1)
        if not boxes:
            raise FaceNotFound("dlib finds no face")

        def far(pair: tuple[int, int]) -> float:
            return float(np.linalg.norm(p[pair[0]] - p[pair[1]]))

        left, right = ((far(a) + far(b)) / 2 / far(across) for a, b, across in LIDS)
        shape = self._place(pixels, max(boxes, key=lambda box: box.width()))
        return Seen(
            lids=(left, right),
            gap=far(LIPS) / far(EYE_CORNERS),
            jaw=far(NOSE_CHIN) / far(EYE_CORNERS),
            shapes=_shapes(found),
            rotation=np.array(found.facial_transformation_matrixes[0], np.float64)[:3, :3],
            points=np.array([(q.x, q.y) for q in shape.parts()], np.float64),
            who=np.array(self._describe.compute_face_descriptor(pixels, shape, 1)),
        )

    def shapes(self, pixels: NDArray[np.uint8]) -> dict[str, float]:
        """Its blendshapes alone, as in `Seen`: MediaPipe is fast, dlib is not."""
        return _shapes(self._found(np.ascontiguousarray(pixels))[0])

    def _found(self, pixels: NDArray[np.uint8]) -> tuple[Any, Numbers]:
        """What MediaPipe finds, and its points (478, 2) px."""
        mp = self._mediapipe
        found = self._landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels))
        if not found.face_landmarks:
            raise FaceNotFound("MediaPipe finds no face")
        points = np.array([(q.x, q.y) for q in found.face_landmarks[0]])
        return found, points * pixels.shape[1::-1]


def _shapes(found: Any) -> dict[str, float]:
    shapes = {c.category_name: float(c.score) for c in found.face_blendshapes[0]}
    shapes.pop("_neutral", None)
    return shapes


def change(before: Seen, after: Seen) -> Change:
    """What is another in `after`."""
    shapes = {k: after.shapes[k] - v for k, v in before.shapes.items()}
    cosine = (np.trace(before.rotation.T @ after.rotation) - 1) / 2
    return Change(
        size=float(np.linalg.norm(list(shapes.values()))),
        identity=float(np.linalg.norm(after.who - before.who)),
        turn=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        shapes=shapes,
        lids=(before.lids, after.lids),
        gap=(before.gap, after.gap),
        jaw=(before.jaw, after.jaw),
    )


@functools.cache
def outside() -> Outside:
    """The one pair of outsiders of this process."""
    return Outside()


def _landmarker(task: Path) -> tuple[Any, Any]:
    try:
        import mediapipe as mp
    except ImportError:
        raise AssetMissing(INSTALL) from None
    if not task.is_file():
        raise AssetMissing(
            f"the landmarker's network is not at {task}: set MIEN_DATA to the folder that holds "
            f"{TASK.as_posix()}"
        )
    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=str(task)),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
        num_faces=1,
    )
    return mp, vision.FaceLandmarker.create_from_options(options)


def _dlib() -> tuple[Any, Path]:
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise AssetMissing("dlib's networks are missing: pip install '.[score]'")
    import dlib

    return dlib, Path(spec.submodule_search_locations[0]) / "models"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, help="write the figures as JSON too")
    options = parser.parse_args()
    before = outside().see(images.read(options.before).pixels)
    figures: dict[str, Any] = {}
    for path in options.after:
        try:
            found = change(before, outside().see(images.read(path).pixels))
        except FaceNotFound as error:
            print(f"{path}: {error}")
            continue
        print(f"{path}: {found.text()}")
        figures[str(path)] = vars(found)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    told(main)

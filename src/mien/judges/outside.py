"""What two outsiders see in a picture before and after: MediaPipe's landmarker and dlib.

Neither may teach or label anything. dlib comes with `pip install 'mien[score]'`; the landmarker's
networks are read from Google's file (`judges.landmarker`). It hardly sees AU9 and AU15 and knows no
contempt: a small change is not no change.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import AssetMissing, FaceNotFound
from mien.judges.landmarker import Mesh, landmarker, turned

Numbers = NDArray[np.float64]
SMALL = 600
"""dlib looks at pictures with a shorter long side at twice their size."""


@dataclass(frozen=True)
class Seen:
    """One face: MediaPipe's mesh; by dlib `points` (68, 2) px, `who` (128,), the descriptor."""

    mesh: Mesh
    points: Numbers
    who: Numbers

    @property
    def lids(self) -> tuple[float, float]:
        return self.mesh.lids

    @property
    def gap(self) -> float:
        return self.mesh.gap

    @property
    def jaw(self) -> float:
        return self.mesh.jaw

    @property
    def shapes(self) -> dict[str, float]:
        return self.mesh.named


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
    """Both outsiders. AssetMissing, with what to do, where one of them is not there."""

    def __init__(self) -> None:
        self._landmarker = landmarker()
        self._dlib, folder = _dlib()
        self._find = self._dlib.get_frontal_face_detector()
        self._place = self._dlib.shape_predictor(
            str(folder / "shape_predictor_68_face_landmarks.dat")
        )
        self._describe = self._dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def see(self, pixels: NDArray[np.uint8]) -> Seen:
        """A face of a picture uint8 (H, W, 3) RGB, the surest by the landmarker; FaceNotFound where
        it sees none or dlib sees none there."""
        pixels = np.ascontiguousarray(pixels)
        mesh = self._landmarker.see(pixels)
        boxes = self._find(pixels, int(max(pixels.shape) < SMALL)) or self._find(pixels, 1)
        x, y = mesh.points[:, :2].mean(0)
        there = [b for b in boxes if b.left() < x < b.right() and b.top() < y < b.bottom()]
        if not there:
            raise FaceNotFound("dlib finds no face")
        shape = self._place(pixels, max(there, key=lambda box: box.width()))
        return Seen(
            mesh=mesh,
            points=np.array([(q.x, q.y) for q in shape.parts()], np.float64),
            who=np.array(self._describe.compute_face_descriptor(pixels, shape, 1)),
        )

    def shapes(self, pixels: NDArray[np.uint8]) -> dict[str, float]:
        """Its blendshapes alone, as in `Seen`: MediaPipe is fast, dlib is not."""
        return self._landmarker.see(np.ascontiguousarray(pixels)).named


def change(before: Seen, after: Seen) -> Change:
    """What is another in `after`."""
    shapes = {k: after.shapes[k] - v for k, v in before.shapes.items()}
    return Change(
        size=float(np.linalg.norm(list(shapes.values()))),
        identity=float(np.linalg.norm(after.who - before.who)),
        turn=turned(before.mesh, after.mesh),
        shapes=shapes,
        lids=(before.lids, after.lids),
        gap=(before.gap, after.gap),
        jaw=(before.jaw, after.jaw),
    )


@functools.cache
def outside() -> Outside:
    """The one pair of outsiders of this process."""
    return Outside()


def _dlib() -> tuple[Any, Path]:
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise AssetMissing("dlib's networks are missing: pip install '.[score]'")
    import dlib

    return dlib, Path(spec.submodule_search_locations[0]) / "models"

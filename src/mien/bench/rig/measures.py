"""What the rig benchmarks measure with: the crops, dlib as a judge, and distances on faces.

dlib's points and descriptor only measure here; no product label comes from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from skimage.metrics import structural_similarity

from mien.bench.rig.crops import models
from mien.errors import ConfigError

SIZE = 256
PARTS = {"jaw": (0, 17), "brow": (17, 27), "nose": (27, 36), "eyes": (36, 48), "mouth": (48, 68)}
MEASURES = ("face_ssim", "face_psnr", "mouth_ssim", "mouth_psnr")


@dataclass(frozen=True)
class Crops:
    """A folder of crops and their points, by group."""

    folder: Path

    @cache  # noqa: B019 - one instance, lives as long as the command
    def points(self, group: str) -> dict[str, Any]:
        points: dict[str, Any] = json.loads((self.folder / f"{group}.json").read_text())
        return points

    def names(self, group: str) -> list[str]:
        return sorted(self.points(group))

    def load(self, group: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        path = self.folder / group / f"{name}.jpg"
        image = cv2.imread(str(path))
        if image is None:
            raise ConfigError(f"{path} is no picture")
        return np.ascontiguousarray(image[..., ::-1]), np.array(
            self.points(group)[name], np.float32
        )


class Judge:
    """dlib's 68 points and face descriptor, at the face that is known to be there."""

    def __init__(self) -> None:
        folder = models()
        self.points = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
        self.net = dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def shape(self, image: np.ndarray, at: np.ndarray) -> Any:
        left, _ = at.min(0)
        right, bottom = at.max(0)
        top = at[17:, 1].min()
        box = dlib.rectangle(int(left), int(top), int(right), int(bottom))
        return self.points(np.ascontiguousarray(image), box)

    def landmarks(self, image: np.ndarray, at: np.ndarray) -> np.ndarray:
        return np.array([(p.x, p.y) for p in self.shape(image, at).parts()], float)

    def descriptor(self, image: np.ndarray, at: np.ndarray) -> np.ndarray:
        shape = self.shape(image, at)
        return np.array(self.net.compute_face_descriptor(np.ascontiguousarray(image), shape))


def seen(image: np.ndarray) -> np.ndarray:
    """A crop at the side that is measured."""
    return cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def small(points: np.ndarray) -> np.ndarray:
    """Points of a crop of 320 px at that side."""
    return (points + 0.5) * SIZE / 320 - 0.5


def by_part(distances: np.ndarray) -> dict[str, float]:
    """Mean distance (people, 68) of each part's landmarks."""
    return {name: round(float(distances[:, a:b].mean()), 3) for name, (a, b) in PARTS.items()}


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Least-squares similarity (2, 3) that takes points a to b."""
    ca, cb = a.mean(0), b.mean(0)
    x, y = a - ca, b - cb
    scale = (x**2).sum()
    c, s = (x * y).sum() / scale, (x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum() / scale
    turn = np.array([[c, -s], [s, c]])
    return np.hstack([turn, (cb - turn @ ca)[:, None]])


def compare(image: np.ndarray, truth: np.ndarray, at: np.ndarray) -> list[float]:
    """`MEASURES` of a picture against the truth, whose landmarks are `at`."""
    face = np.zeros((SIZE, SIZE), np.uint8)
    hull = np.vstack([at, at[17:27] - [0, 18]]).astype(np.int32)
    cv2.fillConvexPoly(face, cv2.convexHull(hull), (1,))
    mouth = np.zeros((SIZE, SIZE), np.uint8)
    (x0, y0), (x1, y1) = at[48:].min(0) - 10, at[48:].max(0) + 10
    mouth[int(y0) : int(y1), int(x0) : int(x1)] = 1
    grey = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (image, truth)]
    _, ssim = structural_similarity(
        *grey, full=True, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    error = (image.astype(float) - truth) ** 2
    out = []
    for mask in (face > 0, mouth > 0):
        out += [ssim[mask].mean(), 10 * np.log10(255**2 / error[mask].mean())]
    return out


def mouth_width(p: np.ndarray) -> float:
    """Width of the mouth over the distance of the outer eye corners."""
    return float(np.linalg.norm(p[48] - p[54]) / eye_corners(p))


def eye_corners(p: np.ndarray) -> float:
    """Distance of the outer eye corners."""
    return float(np.linalg.norm(p[36] - p[45]))


def shape(p: np.ndarray) -> dict[str, float]:
    """What an expression does to a face, in distances of the outer eye corners."""
    iod = eye_corners(p)
    corners = p[[36, 39, 42, 45]].mean(0)
    lids = np.mean(
        [p[41, 1] - p[37, 1], p[40, 1] - p[38, 1], p[47, 1] - p[43, 1], p[46, 1] - p[44, 1]]
    )
    return {
        "mouth_width": mouth_width(p),
        "mouth_corners_up": float(p[[51, 57], 1].mean() - p[[48, 54], 1].mean()) / iod,
        "lip_gap": float((p[[67, 66, 65], 1] - p[[61, 62, 63], 1]).mean()) / iod,
        "lid_opening": float(lids) / iod,
        "inner_brows_up": float(corners[1] - p[[21, 22], 1].mean()) / iod,
        "outer_brows_up": float(corners[1] - p[[18, 25], 1].mean()) / iod,
        "upper_lip_up": float(p[33, 1] - p[51, 1]) / iod,
        "chin_down": float(p[8, 1] - p[33, 1]) / iod,
    }


def change(after: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """How the shape of one set of landmarks differs from another's."""
    a, b = shape(after), shape(before)
    return {k: a[k] - b[k] for k in a}


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure."""
    return {k: round(float(np.mean([r[k] for r in rows])), 4) for k in rows[0]}

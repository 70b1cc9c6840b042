"""Where the face stands before the camera: a rigid pose and a mild perspective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face_model.arrays import Double, Float

Number = TypeVar("Number", np.float32, np.float64)

DISTANCE = 180.0
"""Assumed distance of the camera, cm: a portrait lens. Without perspective the nose of a fit comes
out flat."""


def rotation_matrix(vector: Double) -> Double:
    """Rotation (3, 3) of a rotation vector (3,) in radians."""
    turned, _ = cv2.Rodrigues(np.asarray(vector, np.float64).reshape(3, 1))
    return np.asarray(turned, np.float64)


@dataclass(frozen=True)
class Camera:
    """Rotation vector (3,) rad, scale px/cm at depth 0, and where (x, y) px the model's origin
    falls."""

    rotation: Double
    scale: float
    origin: Double

    @property
    def matrix(self) -> Double:
        """Rotation (3, 3) from model to camera axes."""
        return rotation_matrix(self.rotation)

    def to_dict(self) -> dict[str, list[float] | float]:
        """The camera in plain numbers, for a sample's record."""
        return {
            "rotation": [float(value) for value in self.rotation],
            "scale": float(self.scale),
            "origin": [float(value) for value in self.origin],
            "distance": DISTANCE,
        }

    def turn(self, vectors: Float) -> Float:
        """Vectors (N, 3) of the model in camera axes (x right in the picture is the person's left,
        y up)."""
        return vectors @ self.matrix.T.astype(np.float32)

    def project(self, vertices: NDArray[Number]) -> tuple[NDArray[Number], NDArray[Number]]:
        """Picture points (N, 2) px and depths (N,) cm towards the viewer, of vertices (N, 3)."""
        turned = vertices @ self.matrix.T.astype(vertices.dtype)
        near = self.scale / (1 - turned[:, 2] / DISTANCE)
        x, y = self.origin
        points = np.stack([x + near * turned[:, 0], y - near * turned[:, 1]], 1)
        return points.astype(vertices.dtype), turned[:, 2]

"""The sample faces as a pool of sources, and a judge that needs no package."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import mien
from mien.editor import Editor
from mien.face_model.mesh import FaceModel
from mien.people.crowd import Crowd
from mien.people.sources import pool
from mien.types import Float, UInt8


class Sketch:
    """Tells faces apart by their coarse brightness; no judge of people, but it has a distance."""

    def one(self, pixels: UInt8, landmarks: Float) -> Float:
        small = cv2.resize(
            pixels.mean(-1).astype(np.float32), (16, 16), interpolation=cv2.INTER_AREA
        )
        flat = small.ravel() - small.mean()
        return np.asarray(flat / np.linalg.norm(flat), np.float32)


@pytest.fixture(scope="session")
def crowd(model: FaceModel) -> Crowd:
    return Crowd(model, pool(["samples"]), Sketch())


@pytest.fixture(scope="session")
def editor() -> Editor:
    return mien.Editor(mien.load())

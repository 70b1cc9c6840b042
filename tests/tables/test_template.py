"""Where the template lies on the mesh is found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.face_model.camera import Camera
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.template import PLACED, shipped
from mien.tables.template import Example, learn


@pytest.fixture(scope="module")
def model(original: Callable[..., Path]) -> FaceModel:
    return FaceModel.load()


def examples(model: FaceModel, count: int) -> list[Example]:
    """People whose template points lie exactly where the shipped table says."""
    random, places, out = np.random.default_rng(0), shipped(), []
    for _ in range(count):
        mesh = model.shape(random.normal(0, 1, 50).astype(np.float32))
        camera = Camera(random.normal(0, 0.03, 3), 11.0, np.array([160.0, 190.0]))
        skin = camera.project(mesh[FACE].astype(np.float64))[0]
        points = np.zeros((189, 2))
        points[PLACED] = np.einsum("kjc,kj->kc", skin[places.vertices], places.shares)
        facing = camera.turn(model.normals(mesh))[FACE, 2] > 0.1
        out.append(Example(points, skin, facing))
    return out


def test_places_are_found_again(model: FaceModel) -> None:
    found, true = learn(model, examples(model, 12)), shipped()
    a, b = (
        np.einsum("kjc,kj->kc", model.neutral[p.vertices], p.shares.astype(np.float32))
        for p in (found, true)
    )
    assert np.median(np.linalg.norm(a - b, axis=1)) < 0.05  # cm
    assert np.median(found.error) < 0.5  # px at 320
    assert np.allclose(found.shares.sum(1), 1)
    assert found.shares.min() > -1e-9

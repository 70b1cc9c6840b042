"""Light of a moved face, where its skin folds."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.face_model.animate import pose
from mien.face_model.light import Light
from mien.face_model.mesh import FACE
from mien.face_model.render import Rig


@pytest.mark.parametrize("units", [facs.PROTOTYPES["contempt"], {"AU14": 1.0}])
def test_tucked_corners_of_the_mouth_throw_no_smear(rig: Rig, units: dict[str, float]) -> None:
    """A corner that is drawn into the cheek folds the mesh: its normals would make a dark smear
    above it and a pale patch below, a fifth apart."""
    vertices = pose(rig.model, rig.person, rig.weights(facs.vector(units)))
    normals = rig.fit.camera.turn(rig.model.normals(vertices))
    ratio = rig._sitter._light.ratio(normals)
    at = rig.model.neutral[FACE, :2]
    corner = rig.model.neutral[rig.model.landmarks[54], :2]
    near = np.linalg.norm(at - corner, axis=1) < 1.2
    assert normals[FACE][near, 2].min() < 0.3  # it does fold
    assert np.ptp(np.log(ratio[near])) < 0.14


def test_a_smile_still_changes_the_light_of_cheeks(rig: Rig) -> None:
    vertices = pose(rig.model, rig.person, rig.weights(facs.vector({"AU12": 1.0})))
    normals = rig.fit.camera.turn(rig.model.normals(vertices))
    x, y = np.abs(rig.model.neutral[FACE, 0]), rig.model.neutral[FACE, 1]
    cheeks = (x > 2.5) & (x < 5) & (y > -2) & (y < 1)
    assert np.ptp(rig._sitter._light.ratio(normals)[cheeks]) > 0.03


@pytest.mark.parametrize(("skin", "shine"), [(55.0, 45.0), (70.0, 60.0)])
def test_shine_on_dark_skin_is_no_hair(rig: Rig, skin: float, shine: float) -> None:
    """... and hair on it is; light from everywhere, so that skin is of one brightness."""
    model, points, normals = rig.model, rig.source.points, rig.source.normals
    y, x = np.mgrid[:320, :320].astype(np.float32)
    at = points[model.landmarks[27]] - [0, 40]
    spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 14.0**2))
    near = np.linalg.norm(points[FACE] - at, axis=1) < 5

    def bare(change: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> float:
        photo = np.repeat((skin + change * spot)[..., None], 3, 2).astype(np.float32)
        return float(Light.of(model, photo, points, normals).bare[near].mean())

    assert bare(np.full_like(spot, shine)) > 0.7
    assert bare(np.full_like(spot, -0.7 * skin)) < 0.2

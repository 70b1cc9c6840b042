"""A sample face, and the face model on it."""

from __future__ import annotations

import pytest

from mien import images
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces import align
from mien.faces.detect import detect
from mien.types import AlignedFace
from mien.zoo.samples import samples


@pytest.fixture(scope="session")
def anna() -> AlignedFace:
    """The sample face as a rig sees it."""
    pixels = images.read(samples()["anna"]).pixels
    return align.align(pixels, detect(pixels)[0], 320)


@pytest.fixture(scope="session")
def rig(model: FaceModel, anna: AlignedFace) -> Rig:
    return Rig(model, anna.pixels, anna.landmarks, neutral=True)

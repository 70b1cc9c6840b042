"""The face model, a neutral photograph with hand-checked points, and a smiling one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mien import images
from mien.data.adapters.tem import read_tem, to_68
from mien.faces.align import align
from mien.faces.detect import detect
from mien.rig.dataset import Source
from mien.rig.mesh import FaceModel
from mien.rig.render import Rig
from mien.types import AlignedFace, Face

NEUTRAL, SMILING = "neutral_front/003_03", "smiling_front/032_08"


@pytest.fixture(scope="session")
def model(original: Callable[..., Path]) -> FaceModel:
    return FaceModel.load(original("ict_facekit", "ict_facekit.npz"))


@pytest.fixture(scope="session")
def crop(original: Callable[..., Path]) -> Callable[[str], AlignedFace]:
    """A London photograph as a rig sees it: by hand-checked points, or detected if it has none."""

    def load(name: str) -> AlignedFace:
        photo = original("london", f"{name}.jpg")
        pixels, points = images.read(photo).pixels, photo.with_suffix(".tem")
        if points.exists():
            face = Face((0, 0, 0, 0), 1.0, to_68(read_tem(points)))
        else:
            face = detect(pixels)[0]
        return align(pixels, face, 320)

    return load


@pytest.fixture(scope="session")
def neutral(model: FaceModel, crop: Callable[[str], AlignedFace]) -> Rig:
    face = crop(NEUTRAL)
    return Rig(model, face.pixels, face.landmarks, neutral=True)


@pytest.fixture(scope="session")
def smiling(model: FaceModel, crop: Callable[[str], AlignedFace]) -> Rig:
    face = crop(SMILING)
    return Rig(model, face.pixels, face.landmarks, neutral=False)


@pytest.fixture(scope="session")
def sources(crop: Callable[[str], AlignedFace]) -> list[Source]:
    """Two photographs to render: one at rest, one smiling."""
    out = []
    for name in (NEUTRAL, SMILING):
        face, stem = crop(name), name.rpartition("/")[2]
        person, rest = f"london/{stem[:3]}", stem.endswith("03")
        out.append(
            Source(person, f"{person}/{stem}", "train", face.pixels, face.landmarks, rest, "CC")
        )
    return out

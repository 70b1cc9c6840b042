"""The descriptor tells the bundled people apart, and a person from nobody."""

from __future__ import annotations

import importlib.util

import pytest
import torch
from torch import Tensor

from mien import images
from mien.errors import AssetMissing
from mien.faces.align import align
from mien.faces.detect import detect
from mien.judges import identity
from mien.nn.tensors import faces as tensors
from mien.types import Faces
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def faces() -> Faces[Tensor]:
    photos = [images.read(path).pixels for path in samples().values()]
    return tensors(Faces.stack([align(pixels, detect(pixels)[0], 128) for pixels in photos]))


def test_people_lie_further_apart_than_a_person_under_other_light(faces: Faces[Tensor]) -> None:
    who = identity.descriptor()
    one = who.of(faces.pixels, faces.landmarks)
    assert one.shape == (len(faces), 128)
    darker = who.distance(faces, Faces(faces.pixels * 0.8 - 0.1, faces.landmarks))
    apart = torch.cdist(one, one) + 9 * torch.eye(len(one))
    assert bool((darker < apart.amin(1)).all())
    assert darker.max() < 0.4
    assert who.distance(faces, faces).max() == 0


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AssetMissing, match="dlib-bin"):
        identity.Descriptor()

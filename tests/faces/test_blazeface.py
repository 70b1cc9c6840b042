"""The detector's network says what Google's own runtime says, on any size of picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mien import images
from mien.faces import blazeface
from mien.types import UInt8
from mien.zoo.records import digest, records
from mien.zoo.samples import samples

LITERT = json.loads((Path(__file__).parent / "blazeface.json").read_text())
"""LiteRT's answers, written by `tools/convert_blazeface.py`."""


def picture(name: str) -> UInt8:
    """What the file's answers are of: a pattern, or a sample shrunk to 128 px."""
    if name == "pattern":
        y, x = np.mgrid[:128, :128]
        planes = ((x * x + 3 * y) % 256, (x * y) % 256, (5 * x + y * y) % 256)
        return np.stack(planes, 2).astype(np.uint8)
    pixels = images.read(samples()[name]).pixels
    return np.asarray(cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("name", LITERT)
def test_answers_are_those_of_litert(name: str) -> None:
    wanted: dict[str, Any] = LITERT[name]
    answers = blazeface.look(picture(name))
    assert answers.logits.shape == (896,)
    some = wanted["anchors"]
    assert np.allclose(answers.logits[some], wanted["logits"], atol=0.02)  # JPEG decoders differ
    assert np.allclose(answers.boxes[some], wanted["boxes"], atol=0.1)
    assert np.allclose(answers.keypoints[some, 2], wanted["noses"], atol=0.1)


def test_the_record_describes_the_weights() -> None:
    record = records()["blazeface"]
    record.verify()
    assert record.sha256 == digest(record.path)
    assert record.licence == "Apache-2.0"
    assert record.facts["command"].startswith("python tools/convert_blazeface.py")
    assert max(record.facts["check"]["largest_differences"].values()) < 0.001


@pytest.mark.parametrize("shape", [(200, 333), (97, 128), (16, 16), (1, 5)])
def test_pictures_of_any_size(shape: tuple[int, int]) -> None:
    answers = blazeface.look(np.zeros((*shape, 3), np.uint8))
    cells = [-(-side // 16) for side in shape]
    assert len(answers.logits) == len(answers.boxes) == cells[0] * cells[1] * (4 * 2 + 6)
    assert np.isfinite(answers.boxes).all()


def test_a_face_is_found_where_it_lies_in_a_larger_picture() -> None:
    """Moved by whole coarse cells, the same anchors give the same place, far from the borders."""
    face = picture("anna")
    scores, places = [], []
    for x, y in ((96, 96), (160, 128)):
        scene = np.zeros((416, 416, 3), np.uint8)
        scene[y : y + 128, x : x + 128] = face
        answers = blazeface.look(scene)
        best = int(answers.logits.argmax())
        scores.append(answers.logits[best])
        places.append(answers.keypoints[best] - (x, y))
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert np.allclose(places[0], places[1], atol=1e-2)
    assert scores[0] > 1.5

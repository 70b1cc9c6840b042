"""The weights that ship do their work, on the bundled samples, by judges that taught nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import mien
from mien import facs, images
from mien.faces.align import align
from mien.faces.detect import detect
from mien.faces.landmarks import predict
from mien.guides import Guide, Label, Reference
from mien.judges import load
from mien.judges.identity import descriptor
from mien.methods import registry
from mien.methods.base import Method
from mien.nn.tensors import faces as tensors
from mien.nn.tensors import to_uint8
from mien.types import Faces
from mien.zoo.records import records
from mien.zoo.samples import samples

ROOT = Path(__file__).parents[2]
SHIPPED = [name for name in registry.METHODS if name in records()]
MOVES = {
    "happy": ("AU12",),
    "surprise": ("AU26", "AU27", "AU1", "AU2"),
    "anger": ("AU4",),
}
"""What each label must move."""


@pytest.fixture(scope="module", params=SHIPPED)
def method(request: pytest.FixtureRequest) -> Method[Any]:
    return mien.load(request.param)


@pytest.fixture(scope="module")
def faces() -> Faces[Tensor]:
    photos = [images.read(path).pixels for path in samples().values()]
    return tensors(Faces.stack([align(pixels, detect(pixels)[0], 128) for pixels in photos]))


def who(faces: Faces[Tensor]) -> Tensor:
    """dlib's descriptors (B, 128)."""
    return descriptor().of(faces.pixels, faces.landmarks)


@pytest.fixture(scope="module")
def people(faces: Faces[Tensor]) -> Tensor:
    """Who the faces are, for all tests: dlib takes its time."""
    return who(faces)


def made(method: Method[Any], faces: Faces[Tensor], guide: Guide, intensity: float = 1.0) -> Tensor:
    """What the method makes of faces, as tensors whatever its own arrays are."""
    return torch.as_tensor(method.generate(method.seen(faces), guide, intensity))


@pytest.fixture(scope="module")
def happy(method: Method[Any], faces: Faces[Tensor]) -> Tensor:
    """What the method makes of the label that most is asked about."""
    return made(method, faces, Label("happy"))


def seen(pixels: Tensor, *units: str) -> Tensor:
    """The strongest of some units in each face, mean of both judges and both sides, (B,)."""
    read = torch.stack([load(name).read(pixels).units for name in "ab"]).mean(0)
    return torch.stack([read[:, list(facs.columns(u))].mean(1) for u in units]).amax(0)


def test_every_method_ships() -> None:
    assert list(registry.METHODS) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_records_say_what_anyone_may_ask(name: str) -> None:
    record = records()[name]
    record.verify()
    assert record.path.stat().st_size < 12_000_000
    assert {
        "training_sets",
        "training_people",
        "command",
        "scores",
        "limits",
    } <= record.facts.keys()
    assert all({"name", "licence", "source"} <= s.keys() for s in record.facts["training_sets"])
    named = re.findall(r"recipes/\S+?\.yaml", record.facts["command"])
    if any(not (ROOT / path).is_file() for path in named):  # older than today's recipes
        assert re.search(r"commit [0-9a-f]{7}", record.facts["recipes"])


@pytest.mark.parametrize("label", MOVES)
def test_a_label_moves_what_it_names_and_leaves_the_person(
    method: Method[Any], faces: Faces[Tensor], people: Tensor, happy: Tensor, label: str
) -> None:
    result = happy if label == "happy" else made(method, faces, Label(label))
    before, after = seen(faces.pixels, *MOVES[label]), seen(result, *MOVES[label])
    assert bool((after > before + 0.15).all())
    apart = (who(Faces(result, faces.landmarks)) - people).norm(dim=1)
    assert apart.max() < 0.6  # up to there dlib takes two photographs for one person


def test_a_quarter_of_an_expression_shows(method: Method[Any], faces: Faces[Tensor]) -> None:
    """The networks hardly answer to it by themselves: the strengths are part of what ships."""
    if not registry.entry(method.name).task:  # the face model answers in proportion
        quarter = seen(made(method, faces, Label("happy"), 0.25), "AU12").mean()
        assert quarter > seen(faces.pixels, "AU12").mean() + 0.02
        return
    assert {"happy", "any"} <= method.strengths.keys()
    for nodes in method.strengths.values():
        assert len(nodes) == 4
        assert 0 < nodes[0] < nodes[1] < nodes[2] < nodes[3] < 1
    before, with_them = seen(faces.pixels, "AU12").mean(), method.strengths
    quarter = seen(made(method, faces, Label("happy"), 0.25), "AU12").mean()
    method.strengths = {}
    try:
        alone = seen(made(method, faces, Label("happy"), 0.25), "AU12").mean()
    finally:
        method.strengths = with_them
    assert quarter > before + 0.05
    assert quarter > alone + 0.03


def test_more_intensity_shows_more(
    method: Method[Any], faces: Faces[Tensor], happy: Tensor
) -> None:
    none, half = (made(method, faces, Label("happy"), k) for k in (0.0, 0.5))
    read = [seen(pixels, "AU12").mean() for pixels in (none, half, happy)]
    assert read[0] < read[1] - 0.05
    assert read[1] < read[2] - 0.05


def test_a_reference_lends_its_expression_and_not_its_person(
    method: Method[Any], faces: Faces[Tensor], people: Tensor, happy: Tensor
) -> None:
    points = torch.from_numpy(predict(to_uint8(happy)))  # a smile moves them
    reference = Faces(happy.roll(1, 0), points.roll(1, 0))
    result = Faces(made(method, faces, Reference(reference)), faces.landmarks)
    assert seen(result.pixels, "AU12").mean() > seen(faces.pixels, "AU12").mean() + 0.15
    shown, lender = who(result), who(reference)
    assert bool(((shown - people).norm(dim=1) < (shown - lender).norm(dim=1)).all())

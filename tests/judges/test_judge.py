"""Judges: what they answer, whose weights they take, and that the shipped ones can tell faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mien import facs, images
from mien.errors import WeightsError
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces.align import align, mirrored
from mien.faces.detect import detect
from mien.judges import NAMES, Judge, Reading, load
from mien.judges.judge import NETWORKS
from mien.judges.networks import SIZE, expected_place
from mien.nn.tensors import faces
from mien.training.judge_data import Photograph, photographs
from mien.training.judge_scores import photograph_scores
from mien.types import AlignedFace, Faces
from mien.zoo.records import records
from mien.zoo.samples import samples as bundled


@pytest.fixture(scope="module", params=NAMES)
def judge(request: pytest.FixtureRequest) -> Judge:
    return load(request.param)


@pytest.fixture(scope="module")
def samples() -> Faces[Tensor]:
    photos = [images.read(path).pixels for path in bundled().values()]
    return faces(Faces.stack([align(pixels, detect(pixels)[0], SIZE) for pixels in photos]))


@pytest.fixture(scope="module")
def moved(original: Callable[..., Path]) -> Rig:
    """A rig of a bundled sample: a face that belongs to nobody, of no split."""
    model = FaceModel.load()
    pixels = images.read(bundled()["ben"]).pixels
    face = align(pixels, detect(pixels)[0], 320)
    return Rig(model, face.pixels, face.landmarks, neutral=True)


@pytest.fixture(scope="module")
def unseen(original: Callable[..., Path]) -> list[Photograph]:
    original("london")
    return photographs("test", found=True)


def shown(rig: Rig, *states: dict[str, float]) -> Faces[Tensor]:
    renders = [rig.render(facs.vector(units), SIZE) for units in states]
    matrix = np.eye(2, 3, dtype=np.float32)
    return faces(Faces.stack([AlignedFace(r.image, matrix, r.landmarks) for r in renders]))


@pytest.mark.parametrize("name", NAMES)
def test_reading_has_its_shapes_and_ranges(name: str) -> None:
    torch.manual_seed(0)
    reading = Judge(name, NETWORKS[name]()).read(torch.rand(3, 3, SIZE, SIZE) * 2 - 1)
    assert reading.units.shape == (3, len(facs.UNITS))
    assert reading.units.min() >= 0
    assert reading.units.max() <= 1
    assert reading.emotions.shape == (3, len(facs.EMOTIONS))
    assert torch.allclose(reading.emotions.sum(1), torch.ones(3))
    assert reading.landmarks.shape == (3, 68, 2)


def test_the_judges_are_two_networks() -> None:
    one, other = (
        {tuple(v.shape) for v in NETWORKS[name]().state_dict().values() if v.ndim > 1}
        for name in NAMES
    )
    assert one & other <= {(len(facs.EMOTIONS), 256), (len(facs.UNITS), 256)}


@pytest.mark.parametrize("size", [64, 256])
def test_another_size_is_refused(size: int) -> None:
    judge = Judge("a", NETWORKS["a"]())
    with pytest.raises(ValueError, match="128"):
        judge.read(torch.zeros(1, 3, size, size))


def test_no_gradient_passes() -> None:
    pixels = torch.zeros(1, 3, SIZE, SIZE, requires_grad=True)
    assert not Judge("b", NETWORKS["b"]()).read(pixels).units.requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_a_mirrored_face_reads_mirrored(name: str) -> None:
    torch.manual_seed(0)
    pixels = torch.rand(2, 3, SIZE, SIZE) * 2 - 1
    judge = Judge(name, NETWORKS[name]())
    plain, turned = judge.read(pixels), judge.read(pixels.flip(3))
    assert torch.allclose(plain.emotions, turned.emotions, atol=1e-5)
    assert np.allclose(facs.mirror(plain.units.numpy()), turned.units.numpy(), atol=1e-5)
    assert np.allclose(mirrored(plain.landmarks.numpy(), SIZE), turned.landmarks, atol=1e-3)


def test_the_expected_place_is_where_the_map_is_high() -> None:
    maps = torch.full((1, 1, 8, 8), -50.0)
    maps[0, 0, 6, 1] = 50.0
    assert torch.allclose(expected_place(maps), torch.tensor([1.5, 6.5]) / 8)


def test_unknown_judges_and_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="choose from a, b"):
        load("c")
    path = tmp_path / "judge.safetensors"
    save_file(NETWORKS["b"]().state_dict(), path)
    with pytest.raises(WeightsError, match="judge a"):
        load("a", path)
    assert load("b", path).name == "b"


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_small_and_described(name: str) -> None:
    record = records()[f"judge_{name}"]
    record.verify()
    assert record.path.stat().st_size < 5_200_000
    assert {"training_sets", "training_people", "labels", "command"} <= record.facts.keys()


def test_a_sample_at_rest_is_neutral(judge: Judge, samples: Faces[Tensor]) -> None:
    reading = judge.read(samples.pixels)
    assert _emotions(reading) == ["neutral"] * len(samples)
    assert reading.units.mean() < 0.05


def test_landmarks_lie_where_the_landmark_network_puts_them(
    judge: Judge, samples: Faces[Tensor]
) -> None:
    reading = judge.read(samples.pixels)
    eyes = (samples.landmarks[:, 36] - samples.landmarks[:, 45]).norm(dim=-1)
    apart = (reading.landmarks - samples.landmarks)[:, 17:].norm(dim=-1).mean(1) / eyes
    assert apart.max() < 0.04


def test_prototypes_are_told_apart(judge: Judge, moved: Rig) -> None:
    reading = judge.read(shown(moved, *(facs.PROTOTYPES[e] for e in facs.EMOTIONS)).pixels)
    right = [told == meant for told, meant in zip(_emotions(reading), facs.EMOTIONS, strict=True)]
    assert sum(right) >= 7


def test_more_of_a_unit_reads_as_more(judge: Judge, moved: Rig) -> None:
    for unit in ("AU12", "AU4", "AU26"):
        read = judge.read(shown(moved, *({unit: v} for v in (0.0, 0.4, 0.8))).pixels)
        low, middle, high = read.units[:, list(facs.columns(unit))].mean(1).tolist()
        assert low < 0.15, unit
        assert low < middle < high, unit
        assert high > low + 0.15, unit


def test_sides_are_told_apart(judge: Judge, moved: Rig) -> None:
    read = judge.read(shown(moved, {"AU12L": 0.9}, {"AU12R": 0.9}).pixels).units
    left, right = facs.INDEX["AU12L"], facs.INDEX["AU12R"]
    assert read[0, left] > read[0, right] + 0.2
    assert read[1, right] > read[1, left] + 0.2


def test_smiling_people_are_told_from_the_same_at_rest(
    judge: Judge, unseen: list[Photograph]
) -> None:
    """The test people's photographs, as `mien bench judge-accuracy` measures them."""
    scores = photograph_scores(judge, unseen)
    assert scores["pairs_right"] >= 0.9
    assert scores["smile_or_neutral_accuracy"] >= 0.8
    assert scores["au12_auc"] >= 0.9


def test_a_judge_has_nothing_left_to_learn() -> None:
    net = nn.Linear(1, 1)
    assert not any(p.requires_grad for p in Judge("a", net).net.parameters())


def _emotions(reading: Reading) -> list[str]:
    return [facs.EMOTIONS[int(i)] for i in reading.emotions.argmax(1)]


@pytest.mark.parametrize("name", NAMES)
def test_features_tell_faces_apart_and_repeat(name: str) -> None:
    pixels = torch.rand(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    seen = load(name).features(pixels)
    assert seen.shape == (3, {"a": 160, "b": 176}[name])
    assert torch.equal(seen, load(name).features(pixels))
    assert torch.allclose(seen[1:2], load(name).features(pixels[1:2]), atol=1e-4)
    assert not torch.allclose(seen[0], seen[1], atol=1e-3)
    with pytest.raises(ValueError, match="expected"):
        load(name).features(pixels[:, :, :64])

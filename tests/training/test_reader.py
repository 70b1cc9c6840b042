"""The reader of expressions: what it is taught with, and that it runs as it was taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mien.face_model.mesh import FaceModel
from mien.methods.morphable import reader
from mien.training import reader as training
from mien.training.landmark_views import Example
from mien.training.reader_data import Shown, expression, speaking


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel.load()


def test_expressions_are_what_the_mesh_stands_and_cover_its_shapes(model: FaceModel) -> None:
    random = np.random.default_rng(0)
    drawn = np.stack([expression(model, random) for _ in range(600)])
    assert drawn.min() >= 0
    assert drawn.max() < 2
    often = (drawn > 0.2).mean(0)
    rare = [n for n, share in zip(model.names, often, strict=True) if share < 0.005]
    assert rare == [], "shapes that are hardly ever drawn are not learnt"


def test_speech_opens_the_mouth_and_closes_lips_over_an_open_jaw(model: FaceModel) -> None:
    random = np.random.default_rng(0)
    drawn = np.stack([speaking(model, random) for _ in range(400)])
    jaw, close = (drawn[:, model.index[n]] for n in ("jawOpen", "mouthClose"))
    assert 0.15 < np.median(jaw) < 0.4
    assert (close <= jaw + 1e-6).all()
    assert (close > 0.1).any()


def test_the_mirror_of_a_wink_is_the_other_wink(model: FaceModel) -> None:
    at = training.mirror(model.names)
    weights = np.zeros(len(model.names), np.float32)
    for name in ("eyeBlink_L", "jawLeft", "eyeLookOut_R"):
        weights[model.index[name]] = 1
    shown = {model.names[i] for i in np.flatnonzero(weights[at])}
    assert shown == {"eyeBlink_R", "jawRight", "eyeLookOut_L"}
    assert (weights[at][at] == weights).all()


def test_errors_count_by_what_they_move(model: FaceModel) -> None:
    moves = training.metric(model)
    nothing = torch.zeros(1, len(model.names))

    def loss(name: str) -> float:
        off = nothing.clone()
        off[0, model.index[name]] = 0.5
        return float(training.reader_loss(off, nothing, moves))

    assert loss("jawOpen") > 2 * loss("eyeWide_L")
    assert torch.linalg.matrix_rank(moves) == len(model.names)
    # a dimple pulls the corner of the mouth as a smile does: taking one for the other is less wrong
    other = nothing.clone()
    other[0, model.index["mouthSmile_L"]], other[0, model.index["mouthDimple_L"]] = 0.5, -0.5
    mistaken = float(training.reader_loss(other, nothing, moves))
    assert mistaken < 0.8 * (loss("mouthSmile_L") + loss("mouthDimple_L"))


def test_numpy_runs_what_torch_was_taught(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = training.ReaderNet(53)
    net.weights.weight.data.mul_(30)  # as far apart as answers of a taught one
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (12, 8, 8, 3), np.uint8)
    crops = coarse.repeat(16, 1).repeat(16, 2)
    x = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1
    net.train()(x)  # the normalisations get statistics
    net.eval()
    training.save(net, tmp_path, {"name": "reader"})
    layers = reader.load(tmp_path / "reader.safetensors")
    with torch.no_grad():
        wanted = net(x[:3]).clamp_min(0).numpy()
    got = np.stack([reader.answer(crop, layers) for crop in crops[:3]])
    assert got == pytest.approx(wanted, abs=0.03 * float(np.ptp(wanted)))  # of half precision
    assert np.ptp(wanted, axis=0).max() > 0.05, "the answer must depend on the picture"


def test_a_few_steps_learn(model: FaceModel, tmp_path: Path) -> None:
    """Two pictures that differ in brightness, and in what is said of them."""
    random = np.random.default_rng(0)
    points = np.asarray(reader.goal() * 2 + 0.5, np.float32)
    shown = []
    for level in (40, 210):
        picture = random.integers(level - 20, level + 20, (256, 256, 3)).astype(np.uint8)
        weights = np.zeros(len(model.names), np.float32)
        weights[model.index["jawOpen"]] = float(level > 100)
        shown.append(Shown(Example.of(picture, points), weights))
    config = training.ReaderConfig(images=480, batch=16, half_life=30)
    net = training.fit(shown, model, config, tmp_path)
    told = training.score(net, shown * 8, model, 1)
    assert told["off"] < 0.8 * told["off_of_nothing"]

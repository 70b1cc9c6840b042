"""The landmark network: what ships, and how well it does on people whom it never saw."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mien.errors import AssetMissing, WeightsError
from mien.faces.detect import detect
from mien.faces.landmark_maps import folded
from mien.faces.landmarks import SIZE, predict
from mien.training.landmark_net import LandmarkNet, load
from mien.zoo.records import digest, records


def test_the_record_describes_the_weights() -> None:
    record = records()["landmarks"]
    record.verify()
    assert record.sha256 == digest(record.path)
    assert record.path.stat().st_size < 3_000_000
    assert record.licence == "Apache-2.0"
    assert {"Face Research Lab London Set"} <= {s["name"] for s in record.facts["training_sets"]}


def test_weights_that_are_not_there_or_not_these(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing):
        load(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(WeightsError):
        load(tmp_path / "text.safetensors")
    save_file({"other": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="landmark network"):
        load(tmp_path / "other.safetensors")


def test_places_are_the_means_of_the_maps() -> None:
    """A single hot cell is answered with its own centre, in crop units."""
    maps = torch.full((1, 68, 32, 32), -50.0)
    maps[0, :, 3, 30] = 50.0
    units = LandmarkNet().places(maps)
    assert units.shape == (1, 68, 2)
    assert units[0, 0].tolist() == pytest.approx([30.5 / 32, 3.5 / 32], abs=1e-5)


def test_answers_stay_in_the_crop_and_do_not_depend_on_the_batch() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    points = predict(crops)
    assert points.shape == (3, 68, 2)
    assert points.min() > -0.5
    assert points.max() < SIZE - 0.5
    assert np.array_equal(predict(crops[1:2])[0], points[1])


def test_what_works_is_what_was_learnt() -> None:
    """The network without torch answers as torch does."""
    crops = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    assert np.abs(predict(crops) - predict(crops, load().look)).max() < 0.002  # px


def test_tensors_that_are_not_this_networks() -> None:
    with pytest.raises(WeightsError, match=r"landmark network: no stem\.1\.weight"):
        folded({"stem.0.weight": np.zeros((20, 3, 3, 3), np.float32)})


@pytest.mark.slow
def test_unseen_people(original: Callable[..., Path]) -> None:
    """London and Canada people of the test split, against their hand-checked points."""
    from mien.training.landmark_scores import scores

    original("london")
    found = scores(load(), "test")
    assert found["missed"] == 0
    assert found["inner"] < 1.9  # percent of the distance of the outer eye corners
    assert found["eyes"] < 1.4
    assert found["mouth"] < 1.75
    assert found["jaw"] < 2.6


@pytest.mark.slow
def test_smiles_are_seen_as_wide_as_they_are(original: Callable[..., Path]) -> None:
    """Unseen people's mouths, in distances of the outer eye corners: wider when they smile, by
    what the hand-checked mouth at rest and dlib's 68 points agree on (1.14).
    """
    from mien import images
    from mien.data.adapters import DATASETS

    root = original("london")
    pairs: dict[str, dict[str | None, Path]] = {}
    for record in DATASETS["london"].records(root):
        if record.split != "train":
            pairs.setdefault(record.person, {})[record.emotion] = root / record.file_name
    wider = []
    for pair in pairs.values():
        widths = []
        for emotion in ("neutral", "happy"):
            pixels = images.read(pair[emotion]).pixels
            points = detect(pixels)[0].landmarks
            corners, eyes = points[54] - points[48], points[45] - points[36]
            widths.append(np.linalg.norm(corners) / np.linalg.norm(eyes))
        wider.append(widths[1] / widths[0])
    assert len(wider) > 15
    assert 1.12 < np.median(wider) < 1.17
    assert np.mean(np.array(wider) > 1.0) > 0.85


def test_speed() -> None:
    """Loose, for a busy machine: a crop is a matter of milliseconds, not of seconds."""
    crop = np.full((1, SIZE, SIZE, 3), 90, np.uint8)
    predict(crop)
    started = time.perf_counter()
    for _ in range(5):
        predict(crop)
    assert (time.perf_counter() - started) / 5 < 0.5

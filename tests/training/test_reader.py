"""The reader of action units as a task like others: it learns what the rig's faces show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien import facs
from mien.data.loading import RigFaces
from mien.methods import reader
from mien.methods.registry import READER
from mien.nn.reader import Architecture, UnitReader
from mien.training import recipe as recipes
from mien.training.reader import ReaderConfig, ReaderTask, Training
from mien.training.stages import train
from mien.zoo.records import read_weights

RECIPE = Path(__file__).parents[2] / "recipes" / "reader.yaml"


def agreement(net: UnitReader, data: Path) -> float:
    """Correlation of AU12L as a network reads it with what the made faces show, where it moves."""
    faces, at = RigFaces(data, "train", size=32, augment=False), facs.INDEX["AU12L"]
    pixels, units = (torch.stack([faces[i][k] for i in range(len(faces))]) for k in (0, 1))
    with torch.no_grad():
        read = net(pixels)
    return float(np.corrcoef(read[:, at], units[:, at])[0, 1])


def test_a_short_training_learns_to_read(shards: Path, tmp_path: Path) -> None:
    """And one command makes weights and record."""
    (stage,) = recipes.read(RECIPE)
    small = stage.config.small()
    budget = replace(small.training, images=1600, batch=16, lr=3e-3, ema_images=100.0)
    stage = replace(
        stage, config=replace(small, training=budget), run=replace(stage.run, workers=0)
    )
    weights = train([stage], shards, tmp_path / "run", command="mien train recipes/reader.yaml")
    learnt, untaught = (UnitReader(small.architecture).eval() for _ in range(2))
    arrays, said = read_weights(weights)
    learnt.load_state_dict({k: torch.from_numpy(v).float() for k, v in arrays.items()})
    assert agreement(learnt, shards) > max(0.4, agreement(untaught, shards) + 0.3)
    assert said["method"] == "reader"
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["what"] == f"{READER.makes} at 32 px"
    assert record["command"] == "mien train recipes/reader.yaml"
    assert record["validation"]["units_mae"] > 0


def test_units_that_are_not_known_teach_nothing(shards: Path) -> None:
    task = ReaderTask(ReaderConfig().small(), shards)
    batch = task.dataset("train", 0)[0].map(lambda t: t[None])
    none = replace(batch, source=replace(batch.source, exact=torch.zeros(1)))
    assert float(task.learn(batch, 0).total) > 0
    assert float(task.learn(none, 0).total) == 0


def test_a_file_of_its_weights_is_what_numpy_reads_by(tmp_path: Path) -> None:
    net = UnitReader(Architecture())
    names = reader.tensors_of({k: v.numpy() for k, v in net.state_dict().items()})
    assert names["to_units.weight"].shape == (47, 128)


@pytest.mark.parametrize("field", ["images", "batch", "lr"])
def test_a_recipe_of_the_reader_is_read_strictly(field: str) -> None:
    (stage,) = recipes.read(RECIPE, (f"training.{field}=3",))
    assert getattr(stage.config.training, field) == 3
    assert isinstance(stage.config.training, Training)

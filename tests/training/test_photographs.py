"""From photographs as a user has them to weights: no rig, no pairs, no truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.data.adapters import KNOWN
from mien.data.aligning import align_photographs
from mien.data.photographs import NamedPhotographs, Photographs
from mien.errors import DataError
from mien.faces.align import template
from mien.methods import registry
from mien.training import recipe as recipes
from mien.training.journal import LOG
from mien.training.recipe import Stage
from mien.training.stages import train
from mien.types import Face

RECIPE = Path(__file__).parents[2] / "recipes" / "mtss" / "paper_128.yaml"
LETTERS = "ABCDEFGHIJKL"
NAMES = {
    "rafd": ("Rafd090_{n:02d}_Caucasian_female_{e}_frontal.jpg", ("angry", "happy", "neutral")),
    "kdef": ("AF{n:02d}AF{e}S.JPG", ("AN", "HA", "NE")),
    "cfd": ("CFD-BF-{n:03d}-001-{e}.jpg", ("A", "HO", "N")),
    "nimstim": ("{n:02d}F_{e}_C.BMP", ("AN", "HA", "NE")),
    "faces": ("{n:03d}_y_f_{e}_a.jpg", ("a", "h", "n")),
    "jaffe": ("K{l}.{e}1.39.tiff", ("AN", "HA", "NE")),
}


def photographs(name: str, folder: Path) -> Path:
    """A set of twelve people with three emotions, noise in which somebody sees faces."""
    folder.mkdir()
    pattern, emotions = NAMES[name]
    for n in range(12):
        for k, e in enumerate(emotions):
            noise = np.random.default_rng((n, k)).integers(0, 256, (40, 40, 3), dtype=np.uint8)
            file = pattern.format(n=n, e=e, l=LETTERS[n]).replace(f"AF{n:02d}AF", f"AF{n:02d}")
            Image.fromarray(noise).save(folder / file)
    return folder


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    face = Face((0, 0, 40, 40), 1.0, template(40))
    monkeypatch.setattr("mien.data.aligning.detect", lambda pixels: [face])
    monkeypatch.setattr("mien.training.journal.CHECKED", 4)


def small() -> Stage:
    (stage,) = recipes.read(RECIPE)
    return replace(
        stage, config=stage.config.small(), run=replace(stage.run, workers=0, precision="32-true")
    )


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_set_feeds_unpaired_training(name: str, tmp_path: Path) -> None:
    aligned = tmp_path / "aligned"
    records = align_photographs(photographs(name, tmp_path / name), aligned, size=40)
    assert len(records) == 36
    people = [set(Photographs(aligned, s).people) for s in ("train", "validation", "test")]
    assert all(people)
    assert len(set.union(*people)) == sum(map(len, people)) == 12
    drawn = NamedPhotographs(Photographs(aligned, "train", size=32), 4)
    batch = [drawn[i] for i in range(4)]
    assert len({int(one.source.label) for one in batch}) == 1
    assert all(int(one.wanted) != int(one.source.label) for one in batch)
    assert all(float(one.source.exact) == 0 for one in batch)  # nobody coded units
    assert batch[0].source.pixels.shape == (3, 32, 32)


def test_photographs_to_weights_and_what_these_may_be_used_for(tmp_path: Path) -> None:
    aligned = tmp_path / "aligned"
    align_photographs(photographs("rafd", tmp_path / "rafd"), aligned, size=40)
    weights = train([small()], aligned, tmp_path / "run", command="mien train it")
    last = json.loads((tmp_path / "run" / LOG).read_text().splitlines()[-1])
    assert all(np.isfinite(v) for v in last.values())
    assert last["style disentanglement, ends"] < 0.5
    assert registry.load("mtss", weights).size == 32
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["may_be_used_for"] == "non-commercial research"
    assert [s["name"] for s in record["training_sets"]] == [KNOWN["rafd"].title]
    assert set(record["people"]) == set(Photographs(aligned, "train").people)


def test_photographs_as_downloaded_are_to_be_aligned(tmp_path: Path) -> None:
    folder = photographs("rafd", tmp_path / "rafd")
    with pytest.raises(DataError, match="mien data align"):
        train([small()], folder, tmp_path / "run")
    assert not (tmp_path / "run").exists()

"""From photographs as a user has them to weights: no rig, no pairs, no truth."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mien import facs
from mien.data.adapters import KNOWN
from mien.data.aligning import align_photographs
from mien.data.manifest import read_manifest
from mien.data.photographs import NamedPhotographs, Photographs, StrangePhotographs
from mien.errors import ConfigError, DataError
from mien.faces.align import template
from mien.methods import registry
from mien.training import recipe as recipes
from mien.training.log import LOG
from mien.training.recipe import Stage
from mien.training.stages import train, train_stage
from mien.types import Face

RECIPES = Path(__file__).parents[2] / "recipes"
METHODS = ("mtss", "auswap", "aipgan", "decoupling")
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
    monkeypatch.setattr("mien.faces.detect.detect", lambda pixels: [face])


@pytest.fixture(scope="module")
def aligned_sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every set, aligned, by name."""
    face, found = Face((0, 0, 40, 40), 1.0, template(40)), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mien.faces.detect.detect", lambda pixels: [face])
        for name in NAMES:
            home = tmp_path_factory.mktemp(name)
            found[name] = home / "aligned"
            records = align_photographs(photographs(name, home / name), found[name], size=40)
            assert len(records) == 36
    return found


def small(method: str = "mtss", **training: Any) -> Stage:
    """The paper's recipe of a method, small."""
    (stage,) = recipes.read(RECIPES / method / "paper_128.yaml")
    config = stage.config.small()
    config = replace(config, training=replace(config.training, **training))
    return replace(stage, config=config, run=replace(stage.run, workers=0, precision="32-true"))


def test_aligned_sets_differ_in_names_alone(aligned_sets: dict[str, Path]) -> None:
    """So one of them tells of all how a method learns from it."""
    named = {"file_name": "", "person": "", "licence": "", "source": "", "split": ""}

    def rows(name: str) -> list[str]:
        records = read_manifest(aligned_sets[name])
        assert {r.split for r in records} == {"train", "validation", "test"}
        return sorted(repr(replace(r, **named)) for r in records)  # type: ignore[arg-type]

    for name in NAMES:
        assert rows(name) == rows("rafd")


@pytest.mark.parametrize(
    ("name", "method"),
    [*((name, "mtss") for name in sorted(NAMES)), *(("rafd", method) for method in METHODS[1:])],
)
def test_a_set_feeds_every_papers_recipe(
    name: str, method: str, aligned_sets: dict[str, Path], tmp_path: Path
) -> None:
    people = {"people": 12} if method == "aipgan" else {}
    stage = small(method, images=8 * (1 + (method == "decoupling")), **people)
    train_stage(stage, aligned_sets[name], tmp_path / "run")
    last = json.loads((tmp_path / "run" / LOG).read_text().splitlines()[-1])
    assert last["seen"] == stage.config.training.images
    assert all(np.isfinite(v) for v in last.values())
    asked = {k.split("/")[1] for k in last if k.startswith(("generator/", "picture_32/"))}
    off = {"smooth"} | ({"warp_smooth"} if method != "aipgan" else set())
    wanted = {f.name for f in fields(stage.config.weights) if getattr(stage.config.weights, f.name)}
    assert asked == wanted - off - {"r1"} - ({"choice"} if method == "aipgan" else set())
    sheet = np.asarray(Image.open(next((tmp_path / "run" / "sheets").glob("*.png"))))
    assert sheet.std() > 1
    assert registry.load(method, tmp_path / "run" / f"{method}.safetensors").size == 32


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_set_feeds_unpaired_training(name: str, aligned_sets: dict[str, Path]) -> None:
    aligned = aligned_sets[name]
    people = [set(Photographs(aligned, s).people) for s in ("train", "validation", "test")]
    assert all(people)
    assert len(set.union(*people)) == sum(map(len, people)) == 12
    drawn = NamedPhotographs(Photographs(aligned, "train", size=32), alike=4)
    batch = [drawn[i] for i in range(4)]
    assert len({int(one.source.label) for one in batch}) == 1
    assert all(int(one.wanted) != int(one.source.label) for one in batch)
    assert all(float(one.source.exact) == 0 for one in batch)  # nobody coded units
    assert batch[0].source.pixels.shape == (3, 32, 32)


def test_strangers_are_two_people_and_what_is_known_of_them(aligned_sets: dict[str, Path]) -> None:
    found = Photographs(aligned_sets["rafd"], "train", size=32, augment=False)
    drawn = StrangePhotographs(found)
    apart = 0
    for i in range(12):
        one = drawn[i]
        assert one.source_person is not None
        assert one.donor_person is not None
        assert int(one.source_person.index) != int(one.donor_person.index)
        apart += int(one.source.label) != int(one.donor.label)
        # nobody coded units: the emotion's prototype is suggested, and told to be no truth
        assert float(one.source.exact) == 0
        assert one.source.coded is not None
        assert bool((one.source.coded == 1).all())
        wanted = facs.prototype(facs.EMOTIONS[int(one.source.label)])
        assert np.allclose(one.source.units.numpy(), wanted)
        # everybody has a photograph at rest, and it is theirs
        assert float(one.source_person.has_neutral) == 1
        if int(one.source.label) == facs.EMOTIONS.index("neutral"):
            shrunk = one.source.pixels[None]
            assert torch.allclose(
                one.source_person.neutral,
                torch.nn.functional.interpolate(shrunk, 64, mode="area")[0],
            )
    assert apart > 6
    assert torch.equal(drawn[3].source.pixels, StrangePhotographs(found)[3].source.pixels)


PARTS: list[dict[str, object]] = [
    {"emotion": "happy"},
    {"emotion": "neutral"},
    {"units": {"AU12": 0.8}},
    {"units": [0.1] * 47, "emotion": "happy"},
    {},
]
"""What the lines of a manifest say beside the file and the person."""


@pytest.mark.parametrize("method", ["auswap", "aipgan", "decoupling"])
def test_much_may_be_missing(method: str, tmp_path: Path) -> None:
    """Photographs with an emotion, with one unit, with all, with nothing; people shown once and
    twice: every term is finite, and what is not known is not made up."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    lines: list[dict[str, object]] = []
    for n in range(10):
        noise = np.random.default_rng(n).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{n}.png")
        person = {"person": f"p{n // 2}"} if n < 6 else {}
        split = {"split": "train" if n < 8 else "validation"}
        lines.append({"file_name": f"{n}.png"} | person | split | PARTS[n % 5])
    (folder / "metadata.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    align_photographs(folder, tmp_path / "aligned", size=40)
    drawn = StrangePhotographs(Photographs(tmp_path / "aligned", "train", size=32))
    faces = [one for i in range(40) for one in (drawn[i].source, drawn[i].donor)]
    coded = [one.coded for one in faces if one.coded is not None]
    assert len(coded) == len(faces)
    assert {int(one.sum()) for one in coded} == {0, 2, 47}
    people = [drawn[i].source_person for i in range(40)]
    assert {int(p.index) for p in people if p is not None} > {-1}
    assert {float(p.has_neutral) for p in people if p is not None} == {0.0, 1.0}
    train_stage(small(method, images=24), tmp_path / "aligned", tmp_path / "run")
    last = json.loads((tmp_path / "run" / LOG).read_text().splitlines()[-1])
    assert last["seen"] == 24
    assert all(np.isfinite(v) for v in last.values())


@pytest.mark.parametrize(
    ("method", "field", "value"),
    [
        ("auswap", "same", 1.0), ("decoupling", "transfer", 1.0), ("aipgan", "pixel", 1.0),
        ("mtss", "flow", 1.0),
    ],
)  # fmt: skip
def test_what_photographs_cannot_answer_is_one_line(
    method: str, field: str, value: float, aligned_sets: dict[str, Path], tmp_path: Path
) -> None:
    stage = small(method)
    weights = replace(stage.config.weights, **{field: value})
    made = replace(stage, config=replace(stage.config, weights=weights))
    with pytest.raises(ConfigError, match=rf"weights\.{field} needs the rig's truth") as error:
        train_stage(made, aligned_sets["rafd"], tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("method", "data"), [("auswap", "pairs"), ("aipgan", "faces")])
def test_the_rigs_kinds_of_data_are_not_photographs(
    method: str, data: str, aligned_sets: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"training.data is {data}: train recipes/{method}"):
        train_stage(small(method, data=data), aligned_sets["rafd"], tmp_path / "run")


def test_photographs_to_weights_and_what_these_may_be_used_for(
    aligned_sets: dict[str, Path], tmp_path: Path
) -> None:
    aligned = aligned_sets["rafd"]
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

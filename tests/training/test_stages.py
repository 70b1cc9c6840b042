"""Every recipe, made small, from its first stage to weights that load and a record of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import Tensor

from mien.cli.train import command
from mien.editor import Editor
from mien.errors import ConfigError, WeightsError
from mien.guides import Label
from mien.methods import registry
from mien.methods.learnt import Learnt
from mien.training import recipe as recipes
from mien.training.log import LOG
from mien.training.recipe import Stage
from mien.training.stages import folder_of, make_task, train
from mien.types import Faces
from mien.zoo.records import digest
from mien.zoo.samples import samples

ROOT = Path(__file__).parents[2]
RECIPES = sorted(
    path
    for path in ROOT.glob("recipes/**/*.yaml")
    if {path.stem, path.parent.name} & registry.METHODS.keys()
)
"""Those of methods."""
Commanded = Callable[[Path], tuple[list[Stage], Path]]


def small(path: Path) -> list[Stage]:
    """The stages of a recipe, small, and half as long: what is learnt is looked at nowhere here."""
    out = []
    for stage in recipes.read(path):
        config, run = stage.config.small(), replace(stage.run, workers=0, precision="32-true")
        if (stage.method, stage.name) != ("decoupling", "rig"):  # whose every size needs a batch
            training = replace(config.training, images=config.training.images // 2)
            config = replace(config, training=training)
        out.append(replace(stage, config=config, run=run))
    return out


@pytest.fixture(scope="module")
def commanded(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Commanded:
    """The stages of a recipe, small, and the folder in which the command went through them, once
    for all tests."""

    @cache
    def made(path: Path) -> tuple[list[Stage], Path]:
        stages, out = small(path), tmp_path_factory.mktemp(path.stem) / "run"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(recipes, "read", lambda *_: tuple(stages))
            command(path, data=shards, out=out)
        return stages, out

    return made


@pytest.fixture(scope="module")
def rig_stage(commanded: Commanded) -> tuple[Stage, Path]:
    """mtss' first stage, small, and the weights that it ends with."""
    stages, out = commanded(ROOT / "recipes" / "mtss.yaml")
    return stages[0], folder_of(stages[0], out) / "mtss.safetensors"


def phases(stage: Stage, data: Path) -> set[str]:
    """The phases of a stage that have a batch."""
    t = stage.config.training
    starts = range(0, t.images, t.batch)
    found = make_task(stage, data).phases()
    return {p.name for p in found if any(p.runs(s) and s // t.batch % p.every == 0 for s in starts)}


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_the_command_takes_every_recipe_to_its_weights(
    shards: Path, tmp_path: Path, commanded: Commanded, path: Path
) -> None:
    stages, out = commanded(path)
    weights = folder_of(stages[-1], out) / f"{stages[-1].method}.safetensors"
    for stage in stages:
        folder = folder_of(stage, out)
        last = json.loads((folder / LOG).read_text().splitlines()[-1])
        assert last["seen"] == stage.config.training.images
        assert {k.split("/")[0] for k in last if "/" in k} == phases(stage, shards)
        assert all(np.isfinite(v) for v in last.values())
        assert list((folder / "sheets").glob("*.png"))
    method = stages[0].method
    assert registry.load(method, weights).size == 32
    save_file({"units": np.zeros(47, np.float32)}, tmp_path / "0.safetensors")
    with pytest.raises(WeightsError, match=f"holds no {method} weights"):
        registry.load(method, tmp_path / "0.safetensors")
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["sha256"] == digest(weights)
    assert record["command"] == f"mien train {Path(*path.parts[-2:])}"
    assert [row["name"] for row in record["stages"]] == [s.name for s in stages]
    assert record["images"] == sum(s.config.training.images for s in stages)
    assert record["licence"] == "Apache-2.0"
    assert record["people"] == [f"train/{k}" for k in range(6)]
    assert record["stages"][-1]["validation"] == record["validation"] != {}
    if path.parent.name == "recipes":  # what ships: it edits a photograph, and says what by
        photo = samples()["anna"]
        editor = Editor(registry.load(method, weights, head="own"))
        edited = editor.edit(photo, Label("surprise"), 2)  # such a small network moves little
        assert edited.heads == ("own",)
        assert not np.array_equal(edited.pixels, edited.source.pixels)


def test_stages_follow_one_another_and_are_not_run_again(
    shards: Path, tmp_path: Path, commanded: Commanded
) -> None:
    stages, whole = commanded(ROOT / "recipes" / "auswap.yaml")
    last = (whole / "parts" / "auswap.safetensors").read_bytes()
    out = shutil.copytree(whole, tmp_path / "run", ignore=shutil.ignore_patterns("parts"))
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}
    assert before
    assert train(stages, shards, out).read_bytes() == last
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())
    # what the last stage begins with is what the one before ended with
    init = out / "rig" / "auswap.safetensors"
    lone = train(stages, shards, tmp_path / "lone", only="parts", init=init)
    assert lone.read_bytes() == last
    with pytest.raises(
        ConfigError, match="no stage 'part': did you mean 'parts'\\? choose from units, rig, parts"
    ):
        train(stages, shards, tmp_path, only="part")


def test_a_record_names_the_sets_it_learnt_from(rig_stage: tuple[Stage, Path]) -> None:
    _, weights = rig_stage
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["people"] == [f"train/{k}" for k in range(6)]
    assert [row["licence"] for row in record["training_sets"]] == ["unknown", "MIT"]
    assert record["licence"] == "Apache-2.0"
    assert {"psnr_nothing", "psnr_units"} <= record["validation"].keys()


def test_strengths_are_fitted_on_validation_people_and_kept_with_the_weights(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []
    found: dict[str, tuple[float, ...]] = {"happy": (0.2, 0.3, 0.6, 0.8)}

    def fit(method: object, faces: Faces[Tensor]) -> dict[str, tuple[float, ...]]:
        shown.append(len(faces))
        return found

    monkeypatch.setattr("mien.training.stages.fit", fit)
    weights = train(small(ROOT / "recipes" / "mtss.yaml")[:1], shards, tmp_path / "run")
    assert shown == [2]
    assert registry.load("mtss", weights).strengths == found


def test_more_people_than_there_is_room_for(shards: Path, tmp_path: Path) -> None:
    stage = small(ROOT / "recipes" / "aipgan.yaml")[1]
    crowded = replace(stage.config.training, people=5)
    made = replace(stage, config=replace(stage.config, training=crowded))
    with pytest.raises(ConfigError, match=r"6 training people.*--set training.people=6"):
        train([made], shards, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_old_names_of_weights_are_known(
    shards: Path, tmp_path: Path, rig_stage: tuple[Stage, Path]
) -> None:
    """mtss' file calls its map from units `to_style`."""
    stage, weights = rig_stage
    from safetensors import safe_open
    from safetensors.torch import save_file as save

    with safe_open(weights, "pt") as file:
        facts = file.metadata()
    tensors = load_file(weights)
    old = {k.replace("to_code", "to_style"): v for k, v in tensors.items()}
    assert old.keys() != tensors.keys()
    save(old, tmp_path / "old.safetensors", facts)
    made, again = (
        registry.load("mtss", weights),
        registry.load("mtss", tmp_path / "old.safetensors"),
    )
    assert isinstance(made, Learnt)
    assert isinstance(again, Learnt)
    both = zip(made.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(bool((a == b).all()) for a, b in both)
    train([stage], shards, tmp_path / "next", init=tmp_path / "old.safetensors")

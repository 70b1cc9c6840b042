"""Fields by the names that they had before 0.1.0 go on working, with a note in one line."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import ConfigError
from mien.methods.aipgan.config import AIPGANConfig
from mien.methods.decoupling.generator import Layer
from mien.methods.renamed import (
    RenamedField,
    arrays_today,
    fields_today,
    recipe_today,
    setting_today,
)
from mien.training import checkpoint, recipe, stages
from mien.training.run import RECIPE
from mien.zoo.samples import samples

OLD = """
method: decoupling
architecture: {hedge: 0.2, checks: 1}
weights: {lent: 3.0, cover: 0.5}
training: {lent: 0.25}
"""
NEW = """
method: decoupling
architecture: {occlusion_threshold: 0.2, refinement_steps: 1}
weights: {transfer: 3.0, occlusion: 0.5}
training: {reference_share: 0.25}
"""


def test_a_recipe_by_old_names_is_the_same_recipe(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(OLD)
    new.write_text(NEW)
    with pytest.warns(
        RenamedField, match=r"^(hedge|checks|lent|cover) is called \w+ now$"
    ) as notes:
        (made,) = recipe.read(old)
    assert len(notes) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (wanted,) = recipe.read(new)
    assert made == wanted
    # a run that was begun by the old names is the same run
    (tmp_path / RECIPE).write_text(OLD)
    same = {
        n for n in stages.changed_in(tmp_path, wanted) if "lent" in n or "occlusion_threshold" in n
    }
    assert not same
    assert "weights.transfer" not in stages.changed_in(tmp_path, wanted)


def test_an_old_name_overrules_todays_in_what_it_is_said_on_top_of(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        f"{NEW}stages: {{a: {{weights: {{cover: 0.75}}}}, b: {{}}}}\n"
    )
    own = tmp_path / "own.yaml"
    own.write_text("extends: base.yaml\narchitecture: {hedge: 0.3}\n")
    with pytest.warns(RenamedField, match="is called") as notes:
        first, second = recipe.read(own, ("training.lent=0.5", "stages.b.weights.lent=7"))
    assert len(notes) == 4
    for stage, occlusion, transfer in ((first, 0.75, 3), (second, 0.5, 7)):
        config: Any = stage.config
        assert config.architecture.occlusion_threshold == 0.3
        assert config.training.reference_share == 0.5
        assert (config.weights.occlusion, config.weights.transfer) == (occlusion, transfer)


def test_the_neutral_face_was_called_at_rest() -> None:
    with pytest.warns(RenamedField, match="^at_rest is called neutral now$"):
        assert setting_today("weights.at_rest=2") == "weights.neutral=2"
    assert recipe_today({"weights": {"at_rest": 2.0}}, note=False) == {"weights": {"neutral": 2.0}}
    assert hasattr(AIPGANConfig().weights, "neutral")


def test_of_an_old_and_a_new_name_the_new_one_counts() -> None:
    assert fields_today({"checks": 1, "refinement_steps": 2}) == {"refinement_steps": 2}


def test_an_old_name_of_another_section_is_still_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("method: mtss\ntraining: {hedge: 0.1}\n")
    with pytest.raises(ConfigError, match="hedge"):
        recipe.read(path)


def test_set_takes_an_old_name_with_a_note(tmp_path: Path) -> None:
    asked = [
        "edit",
        str(samples()["anna"]),
        "--to",
        "neutral",
        "--method",
        "mtss",
        "--set",
        "hedge=many",
    ]
    said = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "out.png")])
    assert said.exit_code == 2
    assert "mien: hedge is called occlusion_threshold now\n" in said.output
    assert "occlusion_threshold is float, not 'many'" in said.output


def test_arrays_of_older_files_are_read_by_todays_names() -> None:
    assert arrays_today({"layers.0.told1.x": 1, "unit_map.to_style.bias": 2, "start": 3}) == {
        "layers.0.modulation1.x": 1,
        "unit_map.to_code.bias": 2,
        "start": 3,
    }


def test_the_state_of_an_older_training_is_gone_on_from(tmp_path: Path) -> None:
    """A state whose arrays have the old names is checked and loaded as one of today."""
    torch.manual_seed(0)
    layer, into = (Layer(4, 4, 2, 3, 8, 1) for _ in range(2))
    kept = {
        f"{part}.layers.0.{name}".replace("modulation", "told"): value
        for part in ("task", "average")
        for name, value in layer.state_dict().items()
    }
    assert any("told2" in name for name in kept)
    path = tmp_path / "state.safetensors"
    meta = {"counters": '{"seen": 8}', "extra": "{}", "plan": ""}
    checkpoint.save_tensors(path, kept, meta)
    task, average = (torch.nn.ModuleDict({"layers": torch.nn.ModuleList([into])}) for _ in "ab")
    checkpoint.check(path, task, "")
    counters, _ = checkpoint.load(path, task, average, [])
    assert counters.seen == 8
    for name, value in layer.state_dict().items():
        assert torch.equal(into.state_dict()[name], value)

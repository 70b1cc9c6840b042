"""Recipes: what they may say, what they extend, their stages, and mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.errors import ConfigError
from mien.training import recipe as recipes

ROOT = Path(__file__).parents[2]
MTSS = ROOT / "recipes" / "mtss.yaml"


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("training.image=3", "unknown field 'image'; did you mean images"),
        ("training.batch=many", r"training\.batch: input should be a valid integer, found 'many'"),
        ("training.batch=true", "valid integer"),
        ("training.batch=2.5", "valid integer"),
        ("training.betas=[1]", "training.betas"),
        ("architecture.head=both", "should be 'compose' or 'picture'"),
        ("run.precision=64", "should be '32-true' or 'bf16-mixed'"),
        ("run.devices=0", r"run\.devices: input should be greater than or equal to 1, found 0"),
        ("weights=3", "weights: input should be an object"),
        ("method=nothing", "choose from mtss"),
        ("training", "field=value"),
        ("stages.rig.training.image=3", "unknown field 'image'"),
        ("stages.rig=3", "expected fields"),
        ("stages.rigs.training.images=3", "has no stage 'rigs': choose from rig, parts"),
        ("training.images=[1", "cannot read 'training.images=.1'.*line 1, column"),
    ],
)
def test_mistakes_are_one_line(setting: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as error:
        recipes.read(MTSS, (setting,))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("text", "rate"), [("7e-4", 7e-4), ("1.5E-3", 1.5e-3), ("1", 1.0)])
def test_rates_as_one_writes_them(text: str, rate: float) -> None:
    for stage in recipes.read(MTSS, (f"training.lr={text}", "training.images=1e5")):
        assert stage.config.training.lr == rate
        assert stage.config.training.images == 100_000
    with pytest.raises(ConfigError, match="valid number"):
        recipes.read(MTSS, (f"training.lr='{text} or so'",))


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/**/*.yaml")), ids=lambda p: p.stem)
def test_a_stage_survives_its_own_dump(tmp_path: Path, path: Path) -> None:
    for stage in recipes.read(path):
        again = tmp_path / "again.yaml"
        again.write_text(recipes.dump(stage))
        (found,) = recipes.read(again)
        assert (found.method, found.config, found.run) == (stage.method, stage.config, stage.run)


def test_a_stage_says_what_it_changes_and_a_setting_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("method: mtss\ntraining: {batch: 2, lr: 1e-3}\n")
    path = tmp_path / "more.yaml"
    path.write_text(
        "extends: base.yaml\ntraining: {lr: 2e-3}\n"
        "stages: {one: {}, two: {training: {images: 50}, run: {workers: 3}}}\n"
    )
    one, two = recipes.read(path, ("training.seed=4", "stages.two.training.batch=6"))
    assert (one.name, two.name) == ("one", "two")
    a, b = one.config.training, two.config.training
    assert (a.batch, a.lr, a.seed, one.run.workers) == (2, 2e-3, 4, 1)
    assert (b.batch, b.images, b.seed, two.run.workers) == (6, 50, 4, 3)


def test_what_is_extended_must_be_there_and_end(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    for text, says in (
        ("extends: b.yaml", "no recipe .*b.yaml: name a file"),
        ("extends: a.yaml", "circle"),
        ("method: mtss\nmethod: auswap", "found duplicate key"),
        ("method: mtss\narchitecture: &a {size: *a}", "recursive aliases"),
        ("extends: 3", "expected the name of a recipe"),
        ("method: mtss\nstages: []", "expected names"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=says):
            recipes.read(path)

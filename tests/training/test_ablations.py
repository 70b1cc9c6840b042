"""The command that switches the papers' mechanisms off, one at a time."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import ConfigError, DataError
from mien.judges.identity import Descriptor
from mien.metrics import compared
from mien.metrics.compared import MEASURES
from mien.training import ablations
from mien.training.ablations import (
    WHOLE,
    Ablations,
    Job,
    in_markdown,
    jobs,
    known_runs,
    over_seeds,
    summed,
)
from mien.training.stages import make_task
from mien.zoo.records import digest

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
METHODS = ("mtss", "auswap", "aipgan", "decoupling")


def paper(method: str) -> Path:
    return RECIPES / method / "paper_64.yaml"


@pytest.mark.parametrize("method", METHODS)
def test_each_mechanism_can_be_switched_off_and_changes_the_recipe(method: str) -> None:
    """In the paper's recipe it is on; without it something is missing, and nothing else."""
    todo = jobs([paper(method)], 1, 800)
    whole = todo[0].stage
    assert len(todo) == 1 + len(whole.config.without) > 5
    for job in todo[1:]:
        changes(job, whole)


def changes(job: Job, whole: Any) -> None:
    here = job.stage
    assert here.config.training.images == 800
    assert here.config != whole.config
    for setting in whole.config.without[job.row]:
        name, value = setting.split("=")
        part, field = name.split(".")
        now, before = (getattr(getattr(s.config, part), field) for s in (here, whole))
        assert now != before, setting
        assert before, f"{name} is off in the paper's recipe already"
        assert str(now).lower().replace(".0", "") in (
            value,
            value.replace("[", "(").replace("]", ")"),
        )
    make_task(here, Path("nowhere"))  # and there is such a method


def test_seeds_come_one_after_the_other_and_have_folders_of_their_own(tmp_path: Path) -> None:
    todo = jobs([paper("auswap"), paper("mtss")], 3)
    assert len(todo) == 3 * 17
    assert [j.seed for j in todo] == sorted(j.seed for j in todo)
    assert len({j.folder(tmp_path) for j in todo}) == len(todo)


def test_some_mechanisms_alone() -> None:
    todo = jobs([paper("aipgan"), paper("mtss")], 2, only=["attention", "adversary"])
    assert [(j.method, j.row) for j in todo if j.seed == 1] == [
        ("aipgan", WHOLE), ("aipgan", "attention"), ("aipgan", "adversary"),
        ("mtss", WHOLE), ("mtss", "adversary"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"no mechanism 'atention': choose from .*, attention, "):
        jobs([paper("mtss"), paper("aipgan")], 1, only=["atention"])


def test_mistakes_are_one_line() -> None:
    with pytest.raises(ConfigError, match="has stages: an ablation is one run"):
        jobs([RECIPES / "mtss.yaml"], 1)
    with pytest.raises(ConfigError, match="two recipes are of mtss"):
        jobs([paper("mtss"), RECIPES / "mtss" / "paper_128.yaml"], 1)


def test_what_a_recipe_does_without_is_not_switched_off_again() -> None:
    gate = "identity gate that chooses"
    assert gate in {j.row for j in jobs([paper("aipgan")], 1)}
    rows = {j.row for j in jobs([RECIPES / "aipgan" / "ablation_64.yaml"], 1)}
    assert gate not in rows
    assert WHOLE in rows


def measures(value: float) -> dict[str, float]:
    return dict.fromkeys(MEASURES, value)


def test_intervals_over_seeds() -> None:
    found = {}
    for seed, (whole, without) in enumerate([(1.0, 0.5), (2.0, 1.4), (3.0, 2.6)]):
        for row, value in ((WHOLE, whole), ("adversary", without)):
            job = Job(paper("mtss"), "mtss", row, seed)
            found[job] = {"measures": measures(value), "images": 8, "settings": []}
    rows = summed(found)["mtss"]
    assert rows[WHOLE]["psnr_gain"]["mean"] == 2
    # Student's t of two degrees of freedom: 4.303 standard errors
    assert rows[WHOLE]["psnr_gain"]["high"] == pytest.approx(2 + 4.3027 / 3**0.5, abs=1e-3)
    apart = rows["adversary"][f"psnr_gain, above {WHOLE}"]
    assert apart["mean"] == pytest.approx(-0.5)
    assert apart["high"] == pytest.approx(-0.5 + 4.3027 * 0.1 / 3**0.5, abs=1e-3)
    assert over_seeds([1.0])["low"] is None
    table = in_markdown({"mtss": rows}).splitlines()
    assert table[4].startswith("| nothing (the whole method) | 3 | 2.00 (-0.48..4.48) |")
    assert table[5].startswith("| adversary | 3 | -0.50 (-0.75..-0.25) |")


class Runs:
    """In place of training and measuring: says what was trained and measured."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
        self.trained: list[Path] = []
        self.measured: list[Path] = []
        self.stop, self.out = 99, out
        monkeypatch.setattr(ablations, "train_stage", self.train_stage)
        monkeypatch.setattr(
            ablations, "finished", lambda stage, folder: (folder / "auswap.safetensors").exists()
        )

    def train_stage(
        self, stage: Any, data: Path, folder: Path, minutes: float | None = None
    ) -> int:
        if len(self.trained) >= self.stop:
            return 0  # killed at its beginning
        self.trained.append(folder)
        folder.mkdir(parents=True)
        (folder / "auswap.safetensors").write_bytes(str(folder).encode())
        (folder / "log.jsonl").write_text(
            '{"seen": 8, "seconds": 1.0, "gate, ends": 0.1, "a/b": 2}\n'
        )
        return int(stage.config.training.images)

    def measure(self, method: str, weights: Path) -> dict[str, float]:
        self.measured.append(weights)
        return measures(float(len(self.measured)))

    def go(self, todo: list[Job], facts: dict[str, Any]) -> bool:
        return Ablations(self.out, self.out, self.measure, facts, {"command": "mien"}).go(todo)

    def rows(self) -> list[str]:
        report = json.loads((self.out / "ablations.json").read_text())
        assert report["command"] == "mien"
        return list(report["table"]["auswap"])


def test_it_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are finished are neither trained nor measured again, and the table grows."""
    runs = Runs(monkeypatch, tmp_path)
    runs.stop, todo = 2, jobs([paper("auswap")], 1, 8)[:4]
    assert not runs.go(todo, {"a": 1})
    assert runs.rows() == [j.row for j in todo[:2]]
    runs.stop = 99
    assert runs.go(todo, {"a": 1})
    assert len(runs.trained) == len(runs.measured) == 4
    assert runs.rows() == [j.row for j in todo]
    assert (tmp_path / "ablations.md").read_text().count("\n") == 4 + 4
    kept = json.loads((todo[1].folder(tmp_path) / "measured.json").read_text())
    assert kept["log"] == {"gate, ends": 0.1}
    assert kept["sha256"] == digest(todo[1].folder(tmp_path) / "auswap.safetensors")
    # other weights of the same name are measured again
    (todo[0].folder(tmp_path) / "auswap.safetensors").write_bytes(b"new")
    assert runs.go(todo, {"a": 1})
    assert (len(runs.trained), len(runs.measured)) == (4, 5)
    # and so is what was measured otherwise: by other renders, another split, more triples
    assert runs.go(todo, {"a": 2})
    assert (len(runs.trained), len(runs.measured)) == (4, 9)
    assert todo[0] != replace(todo[0], images=9)


def test_what_another_machine_ran_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what it measured lost; but what it ran or measured otherwise is."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    first = Runs(monkeypatch, there)
    todo = jobs([paper("auswap")], 2, 8)[:4]
    first.go(todo[:2], {"a": 1})
    report = there / "ablations.json"
    second = Runs(monkeypatch, here)
    lot = Ablations(here, here, second.measure, {"a": 1}, {"command": "mien"},
                    known=known_runs([report], {"a": 1}))  # fmt: skip
    here.mkdir()
    assert lot.go(todo)
    assert [job.folder(here) for job in todo[2:]] == second.trained
    assert second.rows() == [j.row for j in todo]
    own = json.loads((here / "ablations.json").read_text())
    assert own["runs"][:2] == json.loads(report.read_text())["runs"]
    assert own["table"]["auswap"][WHOLE]["psnr_gain"]["each"] == [1.0]
    # measured otherwise, or of another budget, or another seed
    assert not known_runs([report], {"a": 2})
    assert (
        len({job.mark for job in [*todo, replace(todo[0], images=16), replace(todo[0], seed=1)]})
        == 6
    )
    report.write_text("{}")
    with pytest.raises(DataError, match=r"expected an ablations\.json"):
        known_runs([report], {"a": 1})


SMALL = """
method: mtss
architecture: {size: 32, stem: 2, width: 8, middle: 8, blocks: 1, style: 16, latent: 4, mapper: 8,
               extractor: 8, extractor_max: 16, sdu: 16, discriminator: 8, discriminator_max: 16}
training: {images: 8, batch: 4}
run: {workers: 0}
"""


class Grey(Descriptor):
    """Who somebody is stands in the picture's brightness; dlib wants faces."""

    def __init__(self) -> None:
        pass

    def of(self, pixels: Tensor, landmarks: Tensor) -> Tensor:
        return pixels.mean((1, 2, 3), keepdim=True).flatten(1).expand(-1, 128)


def test_the_command_trains_and_measures(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rows of a small mtss; killed after the first, it goes on with the second."""
    recipe, out = tmp_path / "small.yaml", tmp_path / "out"
    recipe.write_text(SMALL)
    monkeypatch.setattr(compared, "descriptor", Grey)
    two = {"orthogonality": ("weights.orthogonality=0",)}
    monkeypatch.setattr("mien.methods.mtss.config.MTSSConfig.without", two)
    asked = ["bench", "ablations", "--recipe", str(recipe), "--data", str(shards), "--renders",
             str(shards), "--split", "validation", "--count", "32", "--seeds", "1",
             "-o", str(out)]  # fmt: skip
    stopped = CliRunner().invoke(app, [*asked, "--minutes", "1e-9"])
    assert "the same command goes on" in stopped.output, stopped.output
    done = CliRunner().invoke(app, asked)
    assert "all done" in done.output, done.output
    report = json.loads((out / "ablations.json").read_text())
    rows = report["table"]["mtss"]
    assert list(rows) == [WHOLE, "orthogonality"]
    assert report["split"] == "validation"
    for row in rows.values():
        assert row["images"] == 8
        assert all(math.isfinite(row[name]["mean"]) for name in MEASURES)
    here = rows[WHOLE]
    assert 0 <= here["code_by_person"]["mean"] + here["code_by_expression"]["mean"] <= 1
    assert (out / "ablations.md").read_text().startswith("**mtss**")

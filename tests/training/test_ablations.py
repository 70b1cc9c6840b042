"""The command that switches the papers' mechanisms off, one at a time."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from mien.errors import ConfigError
from mien.training.stages import make_task
from mien.zoo.records import digest

METHODS = ("mtss", "auswap", "aipgan", "decoupling")


@pytest.fixture
def ablations() -> Any:
    return importlib.import_module("ablations")


@pytest.mark.parametrize("method", METHODS)
def test_each_mechanism_can_be_switched_off_and_changes_the_recipe(
    ablations: Any, method: str
) -> None:
    """In the paper's recipe it is on; without it something is missing, and nothing else."""
    todo = ablations.jobs([method], 1)
    assert len(todo) == 1 + len(ablations.OFF[method]) > 5
    whole = todo[0].stage("paper_64", 800)
    for job in todo[1:]:
        changes(ablations, job, whole)


def changes(ablations: Any, job: Any, whole: Any) -> None:
    here = job.stage("paper_64", 800)
    assert here.config.training.images == 800
    assert here.config != whole.config
    for setting in ablations.OFF[job.method][job.row]:
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


def test_seeds_come_one_after_the_other_and_have_folders_of_their_own(
    ablations: Any, tmp_path: Path
) -> None:
    todo = ablations.jobs(["auswap", "mtss"], 3)
    assert len(todo) == 3 * 14
    assert [j.seed for j in todo] == sorted(j.seed for j in todo)
    assert len({j.folder(tmp_path) for j in todo}) == len(todo)


def test_a_recipe_that_is_not_there_is_one_line(ablations: Any) -> None:
    with pytest.raises(ConfigError, match=r"there is no .*mtss/ablation_64\.yaml"):
        ablations.Job("mtss", ablations.WHOLE, 0).stage("ablation_64", None)


def test_what_a_recipe_does_without_is_not_switched_off_again(ablations: Any) -> None:
    gate = ablations.Job("aipgan", "identity gate that chooses", 0)
    assert ablations.changes(gate, "paper_64", None)
    assert not ablations.changes(gate, "ablation_64", None)
    assert ablations.changes(ablations.Job("aipgan", ablations.WHOLE, 0), "ablation_64", None)


def measures(value: float) -> dict[str, float]:
    return dict.fromkeys(importlib.import_module("ablations").MEASURES, value)


def test_intervals_over_seeds(ablations: Any) -> None:
    found = {}
    for seed, (whole, without) in enumerate([(1.0, 0.5), (2.0, 1.4), (3.0, 2.6)]):
        found[ablations.Job("mtss", ablations.WHOLE, seed)] = {"measures": measures(whole)}
        found[ablations.Job("mtss", "adversary", seed)] = {"measures": measures(without)}
    rows = ablations.table(found)["mtss"]
    assert rows[ablations.WHOLE]["psnr_gain"]["mean"] == 2
    # Student's t of two degrees of freedom: 4.303 standard errors
    assert rows[ablations.WHOLE]["psnr_gain"]["high"] == pytest.approx(
        2 + 4.3027 / 3**0.5, abs=1e-3
    )
    apart = rows["adversary"][f"psnr_gain, above {ablations.WHOLE}"]
    assert apart["mean"] == pytest.approx(-0.5)
    assert apart["high"] == pytest.approx(-0.5 + 4.3027 * 0.1 / 3**0.5, abs=1e-3)
    assert ablations.over_seeds([1.0])["low"] is None


def test_it_goes_on_where_it_stopped(
    ablations: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that are finished are neither trained nor measured again, and the table grows."""
    trained: list[Path] = []
    measured: list[Path] = []
    stop = {"after": 2}

    def train_stage(stage: Any, data: Path, folder: Path, minutes: float | None = None) -> int:
        if len(trained) >= stop["after"]:
            return 0  # killed at its beginning
        trained.append(folder)
        folder.mkdir(parents=True)
        (folder / "auswap.safetensors").write_bytes(str(folder).encode())
        (folder / "log.jsonl").write_text(
            '{"seen": 8, "seconds": 1.0, "gate, ends": 0.1, "a/b": 2}\n'
        )
        return int(stage.config.training.images)

    def measure(method: str, weights: Path) -> dict[str, float]:
        measured.append(weights)
        return measures(float(len(measured)))

    monkeypatch.setattr("ablations.train_stage", train_stage)
    monkeypatch.setattr(
        "ablations.finished", lambda stage, folder: (folder / "auswap.safetensors").exists()
    )
    todo = ablations.jobs(["auswap"], 1)[:4]
    how: dict[str, Any] = {"recipe": "paper_64", "images": 8, "minutes": None, "facts": {"a": 1}}
    assert not ablations.go(todo, tmp_path, tmp_path, measure, **how)
    report = json.loads((tmp_path / "ablations.json").read_text())
    assert list(report["table"]["auswap"]) == [j.row for j in todo[:2]]
    stop["after"] = 99
    assert ablations.go(todo, tmp_path, tmp_path, measure, **how)
    assert len(trained) == len(measured) == 4
    report = json.loads((tmp_path / "ablations.json").read_text())
    assert list(report["table"]["auswap"]) == [j.row for j in todo]
    kept = json.loads((todo[1].folder(tmp_path) / "measured.json").read_text())
    assert kept["log"] == {"gate, ends": 0.1}
    assert kept["sha256"] == digest(todo[1].folder(tmp_path) / "auswap.safetensors")
    # other weights of the same name are measured again
    (todo[0].folder(tmp_path) / "auswap.safetensors").write_bytes(b"new")
    assert ablations.go(todo, tmp_path, tmp_path, measure, **how)
    assert len(trained) == 4
    assert len(measured) == 5
    # and so is what was measured otherwise: by other renders, another split, more triples
    assert ablations.go(todo, tmp_path, tmp_path, measure, **how | {"facts": {"a": 2}})
    assert len(trained) == 4
    assert len(measured) == 9

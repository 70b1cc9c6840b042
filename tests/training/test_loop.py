"""The loop on shards made here: learns, resumes to the bit, guards against NaN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

from mien import facs
from mien.errors import ConfigError, TrainingError
from mien.methods import registry
from mien.rig.shards import Sample, write_shard
from mien.training import recipe as recipes
from mien.training.run import changed_in, make_task, train
from mien.types import Faces

COMMON = (
    "architecture.size=32", "training.batch=4", "run.workers=0", "run.precision=32-true",
)  # fmt: skip
STEMMED = ("architecture.stem=2", "architecture.width=8", "architecture.discriminator=8")
SMALL = {
    "mtss": (
        *STEMMED,
        "architecture.middle=8", "architecture.blocks=1", "architecture.style=16",
        "architecture.latent=4", "architecture.mapper=8", "architecture.extractor=8",
        "architecture.extractor_max=16", "architecture.sdu=16", "architecture.discriminator_max=16",
    ),
    "auswap": (
        *STEMMED,
        "architecture.middle=8", "architecture.blocks=1", "architecture.width=16",
        "architecture.encoder=8", "architecture.encoder_max=16", "architecture.reader=8",
    ),
    "aipgan": (
        *STEMMED,
        "architecture.width=16", "architecture.width_max=16", "architecture.code=16",
        "architecture.features=8", "architecture.features_max=16", "architecture.decoder=8",
        "architecture.decoder_max=16", "architecture.rank=8", "training.people=6",
    ),
    "decoupling": (
        "architecture.trunk=8", "architecture.pyramid=8", "architecture.mapping=8",
        "architecture.depth=2", "architecture.generator=256", "architecture.generator_max=16",
        "architecture.discriminator=256", "architecture.discriminator_max=16",
        "architecture.feedback=8", "architecture.reader=8", "architecture.composer=16",
        "architecture.blocks=1", "architecture.people=4", "training.warmup=0",
        "training.growth=[1,1,1,1]",
    ),
}  # fmt: skip
BUDGET = {"decoupling": 64}
"""Images in which every stage has a batch; 32 where there are no stages."""
PHASES = {
    "mtss": {"generator", "discriminator"}, "auswap": {"reader", "judges", "generator"},
    "aipgan": {"discriminator", "generator"},
    "decoupling": {
        "codes", "edits", "judge_edits", "critic", "reader",
        *(f"{what}_{side}" for what in ("picture", "judge") for side in (4, 8, 16, 32)),
    },
}  # fmt: skip
HEAD = {"edits", "judge_edits", "critic"}
UNGROWN = {f"{what}_{side}" for what in ("picture", "judge") for side in (4, 8, 16)}
WITHOUT = {
    "paper_128": HEAD | {"codes"}, "ablation_64": HEAD, "ablation_64_no_feedback": HEAD,
    "ablation_64_no_growth": HEAD | UNGROWN, "ablation_64_no_uniform": HEAD | {"reader"},
    "ablation_64_no_adversary": {"reader"}, "ablation_64_no_separation": {"reader"},
}  # fmt: skip
"""Recipes that leave phases out."""
OWN = {
    "units_128": {"units"}, "expression_128": {"expression"}, "mouth_128": {"generator", "critic"},
    "parts_128": {"generator", "critic"}, "auswap-parts_128": PHASES["auswap"] | {"critic"},
    "decoupling-parts_128": {"edits", "judge_edits", "critic", "reader"},
}  # fmt: skip
"""First and last stages, which have phases of their own."""
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight invented people, eight emotions each: coloured squares that move with AU12."""
    out = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    units = np.stack([facs.prototype("neutral"), *(facs.prototype(n) for n in facs.EMOTIONS)])
    still, half = [0.0, 0.0, 0.0], (80, 80)
    for split, people in (("train", 6), ("validation", 2)):
        for p in range(people):
            images = rng.integers(0, 255, (1, 20, 20, 3)).repeat(9, 0)
            images = images.repeat(8, 1).repeat(8, 2).astype(np.uint8)
            samples = []
            for k in range(9):
                images[k, 90:110, 60 : 80 + int(40 * units[k, facs.INDEX["AU12L"]])] = 255
                facts: dict[str, Any] = {
                    "person": f"{split}/{p}", "photo": f"{split}/{p}", "neutral": True,
                    "size": 160, "units": units[k].tolist(), "expression": k - 1,
                    "landmarks": [[0.0, 0.0]] * 68, "turn": still, "light": still,
                }  # fmt: skip
                flow, seen = np.zeros((*half, 2), np.float32), np.full(half, 255, np.uint8)
                samples.append(Sample(f"{p}-{k}", facts, images[k], flow, seen, 0 * seen))
            write_shard(out / split / f"{p}.tar", samples)
    return out


def recipe(name: str, *settings: str, method: str = "mtss") -> recipes.Recipe:
    path = ROOT / "recipes" / method / f"{name}.yaml"
    return recipes.read(path, (*COMMON, *SMALL[method], *settings))


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("recipes/*/*.yaml")), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_every_recipe_runs_with_every_phase(shards: Path, tmp_path: Path, path: Path) -> None:
    name = path.parent.name
    images = BUDGET.get(name, 32)
    settings = [f"training.images={images}"]
    settings += ["training.adversary_from=0.0"] if name != "decoupling" else []
    made = recipe(path.stem, *settings, method=name)
    weights = train(made, shards, tmp_path / "run", progress=False)
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert last["seen"] == images
    own = OWN.get(f"{name}-{path.stem}") or OWN.get(path.stem)
    phases = own or PHASES[name] - WITHOUT.get(path.stem, set())
    assert {k.split("/")[0] for k in last if "/" in k} == phases
    assert all(np.isfinite(v) for v in last.values())
    assert list((tmp_path / "run" / "sheets").glob("*.png"))
    save_file({"units": np.zeros(47, np.float32)}, tmp_path / "0.safetensors")
    with pytest.raises(Exception, match=f"holds no {name} weights"):
        registry.load(name, tmp_path / "0.safetensors")
    assert registry.load(name, weights).size == 32


def test_strengths_are_fitted_on_validation_people_and_kept_with_the_weights(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, found = [], {"happy": (0.2, 0.3, 0.6, 0.8)}

    def fit(method: object, faces: Faces) -> dict[str, tuple[float, ...]]:
        shown.append(len(faces))
        return found

    monkeypatch.setattr("mien.training.run.fit", fit)
    made = recipe("rig_128", "training.images=16", "training.adversary_from=0.0")
    weights = train(made, shards, tmp_path / "run", progress=False)
    assert shown == [2]
    assert registry.load("mtss", weights).strengths == found


def test_more_people_than_there_is_room_for(shards: Path, tmp_path: Path) -> None:
    made = recipe("rig_128", "training.people=5", method="aipgan")
    with pytest.raises(ConfigError, match=r"6 training people.*--set training.people=6"):
        train(made, shards, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("method", "settings", "images", "half"),
    [
        ("mtss", ("training.adversary_from=0.0", "training.decay=none"), 48, 24),
        ("decoupling", (), 64, 40),
    ],
)
def test_resume_is_exact(
    shards: Path, tmp_path: Path, method: str, settings: tuple[str, ...], images: int, half: int
) -> None:
    """Stopped in the middle and resumed, the weights are those of a run in one go, to the bit."""
    made = recipe("rig_128", *settings, f"training.images={images}", method=method)
    whole = train(made, shards, tmp_path / "whole", progress=False)
    stopped = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, half)
        train(made, shards, stopped, progress=False)
    assert json.loads((stopped / "log.jsonl").read_text().splitlines()[-1])["seen"] == half
    resumed = train(made, shards, stopped, progress=False)
    a, b = load_file(whole), load_file(resumed)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("images", [40, 128])
def test_resumed_with_other_stages_is_one_line(shards: Path, tmp_path: Path, images: int) -> None:
    """Stages are shares of `training.images`: another number moves them under the optimisers."""
    out, made = tmp_path / "run", recipe("rig_128", "training.images=64", method="decoupling")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 40)
        train(made, shards, out, progress=False)
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    other = recipe("rig_128", f"training.images={images}", method="decoupling")
    with pytest.raises(TrainingError, match=r"other stages.*training\.images") as error:
        train(other, shards, out, progress=False)
    assert "\n" not in str(error.value)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    assert changed_in(out, other) == ["training.images"]
    assert changed_in(out, made) == []


def test_resumed_with_another_architecture_changes_nothing(shards: Path, tmp_path: Path) -> None:
    train(recipe("rig_128", "training.images=8"), shards, tmp_path, progress=False)
    before = (tmp_path / "recipe.yaml").read_bytes()
    with pytest.raises(TrainingError, match="another architecture"):
        train(recipe("rig_128", "architecture.style=8"), shards, tmp_path, progress=False)
    assert (tmp_path / "recipe.yaml").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_state_is_one_line(shards: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(TrainingError, match="damaged or no state"):
        train(recipe("rig_128", "training.images=8"), shards, tmp_path, progress=False)


def test_a_phase_that_is_over_runs_no_more_and_keeps_nothing(shards: Path, tmp_path: Path) -> None:
    made = recipe("rig_128", "training.images=64", method="decoupling")
    phases = make_task(made, shards).phases()
    train(made, shards, tmp_path / "run", progress=False)
    state = load_file(tmp_path / "run" / "state.safetensors")
    kept = {int(name.split(".")[1]) for name in state if name.startswith("optimizer.")}
    assert kept == {k for k, phase in enumerate(phases) if phase.runs(63)}
    assert not phases[0].runs(63)


def stop_after(patch: pytest.MonkeyPatch, images: int) -> None:
    from mien.training.journal import Journal

    patch.setattr(Journal, "__call__", lambda _, trainer: trainer.counters.seen >= images)


def test_training_learns(shards: Path, tmp_path: Path) -> None:
    # the squares change colour and do not move: the rig's flow and visibility would forbid it
    settings = ("training.images=1200", "training.batch=8", "training.warmup=0",
                "weights.mask=0", "weights.flow=0", "architecture.hedge=0")  # fmt: skip
    train(recipe("rig_128", *settings, "training.adversary_from=2.0"), shards, tmp_path / "run",
          progress=False)  # fmt: skip
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert last["psnr_units"] > last["psnr_nothing"]


def test_nan_keeps_the_last_good_state(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    train(recipe("rig_128", "training.images=8"), shards, out, progress=False)
    good = (out / "state.safetensors").read_bytes()
    from mien.nn import losses

    monkeypatch.setattr(losses, "pixel", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(TrainingError, match="last good state"):
        train(recipe("rig_128", "training.images=400"), shards, out, progress=False)
    assert (out / "state.safetensors").read_bytes() == good


def test_a_run_is_not_overwritten(shards: Path, tmp_path: Path) -> None:
    train(recipe("rig_128", "training.images=8"), shards, tmp_path / "run", progress=False)
    with pytest.raises(TrainingError, match="another --out"):
        train(recipe("rig_128"), shards, tmp_path / "run", resume=False, progress=False)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("training.image=3", "unknown field 'image'"),
        ("training.batch=many", "expected int"),
        ("architecture.head=both", "none of compose, picture"),
        ("method=nothing", "choose from mtss"),
        ("training", "field=value"),
    ],
)
def test_recipe_mistakes(setting: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        recipe("rig_128", setting)


@pytest.mark.parametrize(("text", "rate"), [("7e-4", 7e-4), ("1.5E-3", 1.5e-3), ("1", 1.0)])
def test_rates_as_one_writes_them(text: str, rate: float) -> None:
    assert recipe("rig_128", f"training.lr={text}").config.training.lr == rate
    with pytest.raises(ConfigError, match="expected float"):
        recipe("rig_128", f"training.lr='{text} or so'")


def test_recipe_survives_its_own_dump(tmp_path: Path) -> None:
    first = recipe("rig_128")
    path = tmp_path / "again.yaml"
    path.write_text(recipes.dump(first))
    assert recipes.read(path) == first

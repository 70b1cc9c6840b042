"""`mien people` and `--set`: what is refused before anything is loaded, and a whole run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

import mien
from mien.cli.main import app
from mien.errors import ConfigError
from mien.methods.decoupling.config import Architecture
from mien.methods.decoupling.method import Decoupling

SMALL = Architecture(
    size=32, trunk=8, trunk_norm="group", pyramid=8, mapping=8, depth=2,
    layers=((8, 0), (4, 6), (2, 6), (0, 6)), generator=256, generator_max=16, feedback=8,
    people=4, composer=16, blocks=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    made = Decoupling(SMALL)
    made.crowd.fit(torch.randn(9, sum(made.layout.lengths)))
    path = tmp_path_factory.mktemp("weights") / "decoupling.safetensors"
    facts = {"method": "decoupling", "architecture": json.dumps(dataclasses.asdict(SMALL))}
    save_file({k: v.contiguous() for k, v in made.state_dict().items()}, path, facts)
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["people", *map(str, arguments)])
    return result.exit_code, " ".join(result.output.split())


def test_people_are_invented(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "folder"
    code, says = run(
        "-o", out, "--by", "decoupling", "--count", 2, "-e", "neutral,happy", "--seed", 1,
        "--weights", weights,
        "--set", "head=picture", "--device", "cpu",
    )  # fmt: skip
    assert code == 0, says
    assert "2 people, 4 pictures" in says
    assert len(list(out.rglob("*.png"))) == 4
    assert len((out / "metadata.jsonl").read_text().splitlines()) == 4
    code, says = run(
        "-o", out, "--by", "decoupling", "--count", 2, "--seed", 1, "--weights", weights
    )
    assert code == 2
    assert "other settings" in says


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--by", "mtss"), "mtss invents nobody: choose from decoupling"),
        (("--by", "decoupling", "-e", "bored"), "unknown expression 'bored'"),
        (("--by", "decoupling", "--set", "passes"), "write NAME=VALUE"),
        (("--by", "decoupling", "--set", "passes=many"), "passes is int, not 'many'"),
        (("--by", "decoupling", "--set", f"passes={'[' * 100_000}"), "passes is int"),
        (("--by", "decoupling", "--set", f"passes={'9' * 5000}"), "passes is int"),
        (("--by", "decoupling", "--set", "trunk=3"), "no choice 'trunk'"),
        (("--by", "decoupling", "--set", "head=both"), "head is compose or picture, not 'both'"),
        (("--by", "decoupling", "--weights", "nothing.safetensors"), "no weights at"),
        (("--by", "decoupling", "--weights", __file__), "is not a safetensors file"),
        (("-e", "bored"), "unknown expression 'bored'"),
        (("--asks", "nothing.csv"), "nothing.csv cannot be read"),
        (("--draw", "moods:3"), "cannot draw 'moods': choose from emotions, units"),
        (("--draw", "units"), "write KIND:N of emotions, units"),
        (("--vary", "hair"), "cannot vary 'hair': choose from turn, light, noise"),
        (("--balance", "shoes"), "cannot balance 'shoes'"),
        (("--only", "gender"), "cannot read --only 'gender'"),
        (("--by", "decoupling", "--draw", "units:2"), "are of --by mixing"),
    ],
)
def test_mistakes_are_said_first(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    code, output = run("-o", tmp_path / "folder", *arguments)
    assert code == 2
    assert says in output
    assert not (tmp_path / "folder").exists()


def test_what_is_chosen_reaches_the_method(weights: Path) -> None:
    method = mien.load("decoupling", weights, passes=5, occlusion_threshold=0)
    assert isinstance(method, Decoupling)
    assert method.architecture.passes == 5
    with pytest.raises(ConfigError, match="no choice 'size'"):
        mien.load("decoupling", weights, size=64)

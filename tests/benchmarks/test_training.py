"""Every adapter against a checkout of these tests' own: it trains, goes on exactly, and is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import CliRunner

from mien.cli import main
from mien.errors import AssetMissing, ConfigError, TrainingError, WeightsError
from mien.faces.align import template
from mien.guides import Label
from mien.types import Faces

NAMES = ("stargan", "starganv2", "ganimation", "hisd")
SIDE, BATCH, STEPS = 16, 4, 6


def asked(name: str, fakes: Path, renders: Path, **facts: Any) -> Any:
    from mien.bench.peers.base import Plan
    from mien.bench.peers.run import PEERS, Training

    plan = Plan(SIDE, facts.pop("images", STEPS * BATCH), BATCH)
    return Training(name, fakes / PEERS[name].facts.folder, renders, plan, **facts)


def faces() -> Faces[Tensor]:
    pixels = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Faces(pixels, torch.from_numpy(template(SIDE)).expand(3, -1, -1))


def test_every_peer_is_tried() -> None:
    from mien.bench.peers.run import PEERS, peer_named

    assert tuple(PEERS) == NAMES
    with pytest.raises(ConfigError, match="choose from stargan, starganv2"):
        peer_named("cyclegan")


@pytest.mark.parametrize("name", NAMES)
def test_a_training_that_was_stopped_ends_where_one_that_was_not(
    name: str, fakes: Path, renders: Path, tmp_path: Path
) -> None:
    from mien.bench.peers.run import train

    heard: list[tuple[int, int]] = []
    straight = train(asked(name, fakes, renders), tmp_path / "a", lambda *s: heard.append(s), 2)
    assert heard == [(2, STEPS), (4, STEPS), (6, STEPS)]
    for k in range(STEPS):
        torch.manual_seed(k)  # what came before must not matter
        stopped = train(asked(name, fakes, renders, minutes=0), tmp_path / "b")
        assert stopped["steps"] == k + 1
    assert stopped["seen"] == straight["seen"] == STEPS * BATCH
    assert straight["milliseconds_an_image"]["steps"] == STEPS - 1
    whole, parts = (load_file(tmp_path / run / "state.safetensors") for run in "ab")
    assert whole.keys() == parts.keys()
    for key, value in whole.items():
        assert torch.allclose(value.double(), parts[key].double(), rtol=1e-5, atol=1e-7), key
    fresh = train(asked(name, fakes, renders, images=BATCH), tmp_path / "c")
    first = load_file(tmp_path / "c" / "weights.safetensors")
    last = load_file(tmp_path / "a" / "weights.safetensors")
    assert fresh["steps"] == 1
    assert any(not torch.equal(first[key], last[key]) for key in first)
    again = train(asked(name, fakes, renders), tmp_path / "a")  # there is nothing left to do
    assert again["weights"] == straight["weights"]


@pytest.mark.parametrize("name", NAMES)
def test_a_trained_peer_is_read_as_it_was(
    name: str, fakes: Path, renders: Path, tmp_path: Path
) -> None:
    from mien.bench.peers.run import PEERS, read, train

    record = train(asked(name, fakes, renders), tmp_path / name)
    assert record["licence"] == PEERS[name].facts.licence
    assert json.loads((tmp_path / name / "run.json").read_text()) == record
    row, sha256 = read(tmp_path / name, fakes)
    assert sha256 == record["weights"]
    torch.manual_seed(3)
    other, _ = read(tmp_path / name, fakes)
    result = row.generate(faces(), Label("happy"))
    assert torch.equal(result, other.generate(faces(), Label("happy")))
    assert result.shape == (3, 3, SIDE, SIDE)
    assert bool((result != faces().pixels).any())
    saved = torch.cat(
        [v.flatten() for v in load_file(tmp_path / name / "state.safetensors").values()]
    )
    assert bool(saved.isfinite().all())


def test_one_command_trains_all_and_goes_on(fakes: Path, photographs: Path, tmp_path: Path) -> None:
    def records(peer: str) -> dict[str, Any]:
        words = ["--checkouts", fakes, "--data", photographs, "--images", 8, "--size", SIDE]
        words += ["--batch", BATCH, "--minutes", 0, "-o", tmp_path]
        line = ["bench", "train-peer", peer, *map(str, words)]
        done = CliRunner().invoke(main.app, line, prog_name="mien")
        if done.exit_code:
            raise ConfigError(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    first = records("all")
    assert tuple(first) == NAMES
    assert {record["steps"] for record in first.values()} == {1}
    last = records("all")
    assert {record["seen"] for record in last.values()} == {8}
    assert records("all")["hisd"]["weights"] == last["hisd"]["weights"]
    with pytest.raises(ConfigError, match="choose from stargan"):
        records("cyclegan")


def test_stargan_v2_begins_narrow_at_small_sides(
    fakes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.bench.peers import starganv2
    from mien.bench.peers.base import Plan
    from mien.bench.peers.checkout import as_is, opened

    ports = []

    def counted(root: Path, folder: str = ".", port: Any = as_is) -> Any:
        ports.append(port)
        return opened(root, folder, port)

    monkeypatch.setattr(starganv2, "opened", counted)
    for size in (SIDE, 128):
        starganv2.StarGANv2(fakes / "stargan-v2", Plan(size, 4, 2))
    assert ports == [starganv2.begun_narrow, as_is]
    assert starganv2.begun_narrow("dim_in = 2**14 // img_size\n") == "dim_in = 64\n"


def test_a_folder_holds_one_training(fakes: Path, renders: Path, tmp_path: Path) -> None:
    from mien.bench.peers.run import train

    train(asked("hisd", fakes, renders, images=BATCH), tmp_path)
    with pytest.raises(ConfigError, match="holds a training with images 4, not 8"):
        train(asked("hisd", fakes, renders, images=2 * BATCH), tmp_path)
    with pytest.raises(ConfigError, match="with peer hisd, not stargan"):
        train(asked("stargan", fakes, renders, images=BATCH), tmp_path)


def test_lost_numbers_are_not_kept(
    fakes: Path, renders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.bench.peers import hisd
    from mien.bench.peers.run import train

    def lose(self: Any, clock: Any, *_: Any) -> None:
        for _ in clock:
            for net in self.nets.values():
                for p in net.parameters():
                    p.data.fill_(torch.nan)

    monkeypatch.setattr(hisd.HiSD, "train", lose)
    with pytest.raises(TrainingError, match="not finite"):
        train(asked("hisd", fakes, renders), tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_weights_that_do_not_fit_are_refused(fakes: Path, renders: Path, tmp_path: Path) -> None:
    from mien.bench.peers.run import read, train

    train(asked("hisd", fakes, renders, images=BATCH), tmp_path / "run")
    with pytest.raises(AssetMissing, match="right checkout"):
        read(tmp_path / "run", tmp_path)
    other = tmp_path / "HiSD"
    shutil.copytree(fakes / "HiSD", other)
    config = other / "configs" / "celeba-hq.yaml"
    config.write_text(config.read_text().replace("style_dim: 5", "style_dim: 6"))
    with pytest.raises(WeightsError, match="does not fit the checkout of hisd"):
        read(tmp_path / "run", tmp_path)


def test_a_wrong_folder_is_told(fakes: Path, renders: Path, tmp_path: Path) -> None:
    from mien.bench.peers.base import Plan
    from mien.bench.peers.run import Training, train

    for name in NAMES:
        plan = Plan(SIDE, BATCH, BATCH)
        with pytest.raises(AssetMissing):
            train(Training(name, tmp_path / "none", renders, plan), tmp_path / name)

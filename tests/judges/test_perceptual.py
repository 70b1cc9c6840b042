"""EfficientNet-Lite0's distance: nothing from itself, more of more, and only by its own weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mien.errors import AssetMissing, WeightsError
from mien.judges.perceptual import STAGES, Lite0, Perceptual, load


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Perceptual:
    """With weights drawn at random: the arithmetic is what is tested."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "lite0.safetensors"
    save_file({k: v.contiguous() for k, v in Lite0().state_dict().items()}, path)
    return load(path)


def test_it_is_a_distance_at_every_pixel(judge: Perceptual) -> None:
    picture = torch.rand(2, 3, 80, 80, generator=torch.Generator().manual_seed(1)) * 2 - 1
    noise = torch.randn(2, 3, 80, 80, generator=torch.Generator().manual_seed(2))
    assert float(judge.map(picture, picture).abs().max()) == 0
    little, more = (judge.map(picture, picture + a * noise) for a in (0.05, 0.4))
    assert little.shape == (2, 1, 80, 80)
    assert 0 < float(little.mean()) < float(more.mean()) <= 4


def test_a_change_is_felt_where_it_is(judge: Perceptual) -> None:
    picture = torch.zeros(1, 3, 128, 128)
    changed = picture.clone()
    changed[..., 8:24, 8:24] = 1
    felt = judge.map(picture, changed)[0, 0]
    assert float(felt[8:24, 8:24].mean()) > 10 * float(felt[100:, 100:].mean())


def test_maps_halve_from_stage_to_stage(judge: Perceptual) -> None:
    sides = [x.shape[-1] for x in judge.net(torch.zeros(1, 3, 100, 100))]
    assert sides == [50, 25, 13, 7]
    assert len(sides) == len(STAGES)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing):
        load(tmp_path / "none.safetensors")
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="mien bench features lite0"):
        load(tmp_path / "other.safetensors")

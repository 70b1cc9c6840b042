"""Inception by torch-fidelity, which is stood in for: its constructor reads a pickle as well."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mien.errors import AssetMissing, WeightsError
from mien.judges.inception import load


class Extractor(nn.Module):
    """As `FeatureExtractorInceptionV3` is called and answers."""

    def __init__(
        self, name: str, features_list: list[str], feature_extractor_weights_path: str
    ) -> None:
        super().__init__()
        assert features_list == ["2048"], name
        self.fc = nn.Linear(3, 8)
        self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=True))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        assert x.dtype == torch.uint8
        return (self.fc(x.float().mean((2, 3))),)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = "torch_fidelity.feature_extractor_inceptionv3"
    module = ModuleType(place)
    module.FeatureExtractorInceptionV3 = Extractor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_fidelity", ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, place, module)
    path = tmp_path / "inception.safetensors"
    save_file({"fc.weight": torch.ones(8, 3), "fc.bias": torch.arange(8.0)}, path)
    return path


def test_pictures_reach_it_as_bytes(weights: Path) -> None:
    net = load(weights)
    seen = net.features(torch.tensor([-1.0, 0.0, 3.0])[:, None, None, None].expand(3, 3, 4, 4))
    assert seen[:, 0].tolist() == [0.0, 3 * 128.0, 3 * 255.0]
    assert seen.shape == (3, 8)
    assert len(net.digest()) == 64
    assert not any(p.requires_grad for p in net.net.parameters())


def test_what_is_missing_is_said(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssetMissing, match="no weights at"):
        load(weights.with_name("none.safetensors"))
    other = weights.with_name("other.safetensors")
    save_file({"fc.weight": torch.ones(8, 3)}, other)
    with pytest.raises(WeightsError, match="does not hold torch-fidelity's Inception"):
        load(other)
    other.write_bytes(b"a pickle")
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load(other)
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(AssetMissing, match="pip install"):
        load(weights)

"""What decoupling is built from: trunk, equalised layers, fading, deviation."""

from __future__ import annotations

import pytest
import torch

from mien.nn.progressive import (
    EqualConv,
    EqualLinear,
    PixelNorm,
    deviation,
    faded,
    stages,
)
from mien.nn.resnet import ResNet50


def test_the_trunk_is_a_resnet50() -> None:
    trunk = ResNet50(64, "batch")
    # the paper's 25.56 M less the 2.05 M of the classifier that is not here
    assert sum(p.numel() for p in trunk.parameters()) == 23_508_032
    with torch.no_grad():
        maps = trunk.eval()(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (256, 16, 16), (512, 8, 8), (1024, 4, 4), (2048, 2, 2),
    ]  # fmt: skip


@torch.no_grad()
def test_equalised_layers_keep_the_scale_whatever_the_fan_in() -> None:
    torch.manual_seed(0)
    for width in (4, 256):
        linear, conv = EqualLinear(width, 64, gain=1), EqualConv(width, 64, 3, gain=1)
        inside = conv(torch.randn(8, width, 16, 16))[..., 1:-1, 1:-1]
        assert linear.weight.std() == pytest.approx(1, rel=0.2)
        assert linear(torch.randn(512, width)).std() == pytest.approx(1, rel=0.2)
        assert inside.std() == pytest.approx(1, rel=0.3)


def test_pixel_norm() -> None:
    normed = PixelNorm()(7 * torch.randn(2, 16, 4, 4))
    assert torch.allclose(normed.square().mean(1), torch.ones(2, 4, 4), atol=1e-3)


@pytest.mark.parametrize(
    ("grown", "says"),
    [(0.0, (0, 0, 1.0)), (0.25, (0, 1, 0.25)), (2.0, (2, 2, 1.0)), (2.995, (3, 3, 1.0))],
)
def test_how_far_it_has_grown(grown: float, says: tuple[int, int, float]) -> None:
    assert stages(grown) == pytest.approx(says)


def test_photographs_fade_with_the_generator() -> None:
    x = torch.rand(2, 3, 32, 32)
    assert faded(x, 3.0) is x
    assert faded(x, 0.0).shape[-1] == 4
    halfway = faded(x, 2.5)
    blurred = torch.nn.functional.avg_pool2d(x, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(halfway, (x + blurred) / 2, atol=1e-6)


def test_deviation_tells_a_batch_of_one_face_from_many() -> None:
    one = torch.randn(1, 8, 4, 4).expand(4, -1, -1, -1)
    assert deviation(one, 4).max() < 1e-3
    assert deviation(torch.randn(4, 8, 4, 4), 4).min() > 0.5
    assert deviation(torch.randn(6, 8, 4, 4), 4).shape == (6, 1, 4, 4)

"""Blocks that several methods are built from."""

from __future__ import annotations

import pytest
import torch

from mien.nn.blocks import AdaIN, Departure, Quiet, Refine, ResBlock, halved, initialise
from mien.nn.heads import ComposeHead


def test_adain_sets_mean_and_unbiased_deviation() -> None:
    x = torch.randn(2, 3, 16, 16) * 5 + 7
    gamma, beta = torch.full((2, 3), 0.5), torch.full((2, 3), -2.0)
    out = AdaIN()(x, gamma, beta)
    assert out.mean((2, 3)) == pytest.approx(-2.0, abs=1e-4)
    assert out.std((2, 3), unbiased=True) == pytest.approx(1.5, abs=1e-3)


@pytest.mark.parametrize(("scale", "side"), [(-1, 8), (0, 16), (1, 32)])
def test_residual_blocks_change_size_and_channels(scale: int, side: int) -> None:
    assert ResBlock(8, 16, scale, "group")(torch.randn(2, 8, 16, 16)).shape == (2, 16, side, side)


def test_halving_is_an_average_pool_with_gradients_and_without() -> None:
    x = torch.randn(2, 3, 8, 12, requires_grad=True)
    said = torch.nn.functional.avg_pool2d(x, 2)
    wanted = torch.autograd.grad(said.square().sum(), x)[0]
    assert torch.allclose(halved(x), said, atol=1e-6)
    assert torch.allclose(torch.autograd.grad(halved(x).square().sum(), x)[0], wanted, atol=1e-6)
    with torch.no_grad():
        assert torch.equal(halved(x), said)


def test_a_shortcut_may_be_pooled_first() -> None:
    block, x = ResBlock(4, 8, -1), torch.randn(2, 4, 8, 8)
    own = block.resample(block.shortcut(x))
    assert torch.allclose(block.shortcut(block.resample(x)), own, atol=1e-6)
    bare = ResBlock(4, 8, -1)
    bare.load_state_dict(block.state_dict())
    torch.nn.init.zeros_(bare.conv2.weight)
    assert bare.conv2.bias is not None
    torch.nn.init.zeros_(bare.conv2.bias)
    assert torch.allclose(bare(x) * 2**0.5, own, atol=1e-5)


def test_quiet_parts_add_nothing_until_they_learn() -> None:
    parts = torch.nn.ModuleList([Refine(8, 4), Departure(4, 6), ComposeHead(8, 2)])
    for p in parts.parameters():
        torch.nn.init.ones_(p)
    initialise(parts)
    assert all(isinstance(part, Quiet) for part in parts)
    refine, departure, head = parts
    x, style = torch.randn(2, 8, 8, 8), torch.randn(2, 4)
    assert torch.allclose(refine(x, style), x, atol=1e-6)
    assert not departure(style).any()
    assert not head(x, torch.rand(2, 3, 16, 16)).flow.any()
    with torch.no_grad():
        next(p for p in reversed(list(departure.parameters()))).fill_(1.0)
    assert departure(style).any()

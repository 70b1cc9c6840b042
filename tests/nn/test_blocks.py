"""Blocks that several methods are built from."""

from __future__ import annotations

import pytest
import torch

from mien.nn.blocks import AdaIN, Departure, Quiet, Refine, ResBlock, initialise
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

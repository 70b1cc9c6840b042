"""aipgan's pieces by themselves: attention, heat-maps, the warp of a texture, consistency."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mien.methods.aipgan import losses, networks
from mien.nn.blocks import initialise
from mien.nn.encoder import Attention


def test_attention_gates_channels_then_places() -> None:
    torch.manual_seed(0)
    attention = Attention(8)
    x = torch.randn(2, 8, 16, 16)
    seen, where = attention(x)
    assert where.shape == (2, 1, 16, 16)
    which = seen / (x * where)  # one factor for each channel, between 0 and 1
    assert torch.allclose(which, which.mean((2, 3), keepdim=True), atol=1e-4)
    assert float(which.detach().min()) > 0
    assert float(which.detach().max()) < 1


def test_soft_argmax_is_exact_on_a_delta() -> None:
    logits = torch.full((1, 2, 8, 8), -1e4)
    logits[0, 0, 2, 5] = logits[0, 1, 7, 0] = 1e4
    wanted = torch.tensor([[[5.5, 2.5], [0.5, 7.5]]]) / 8
    assert torch.allclose(networks.soft_argmax(logits), wanted, atol=1e-6)


def test_a_warp_stretches_and_never_folds() -> None:
    torch.manual_seed(0)
    deform = networks.Deformation(4)
    maps = torch.randn(2, 4, 8, 8)
    assert (deform(maps) == 0).all()
    initialise(deform)
    assert (deform(maps) == 0).all()
    nn.init.normal_(deform.out.weight, std=3.0)
    places = deform(maps).detach() * 64 + torch.arange(64.0)  # where along x each pixel looks
    steps = places[:, 0, :, 1:] - places[:, 0, :, :-1]
    assert float(steps.min()) >= -1e-4
    assert float(steps.max()) <= 2 + 1e-4
    assert float(steps.std()) > 0.1


def test_warp_penalties() -> None:
    warp = torch.zeros(2, 2, 8, 8)
    assert losses.rough(warp) == losses.drift(warp) == 0
    warp[0, 0] = 1 / 8  # one face a px aside: smooth, and half of it is the mean
    assert losses.rough(warp) == 0
    assert losses.drift(warp) == pytest.approx(0.5 * 0.25)
    warp[0, 0, :, 4:] = 2 / 8
    assert losses.rough(warp) == pytest.approx(8 / 2)


def test_consistency_cannot_be_bought_by_shrinking() -> None:
    a, b = torch.randn(2, 4, 8).unbind()
    assert losses.relative_l1(0.01 * a, 0.01 * b) == pytest.approx(
        losses.relative_l1(a, b).item(), rel=1e-4
    )
    b = b.requires_grad_()
    assert not losses.relative_l1(a, b).requires_grad

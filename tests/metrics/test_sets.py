"""Distances between sets, against scipy, torchmetrics and what is known of Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torchmetrics.image.kid import poly_mmd

from mien.metrics.sets import frechet, kernel_distance


def pair(count: int = 60, width: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    mix = torch.randn(width, width)
    return torch.randn(count, width) @ mix, torch.randn(count, width) @ mix.T + 0.5


@pytest.mark.parametrize("count", [60, 8])  # 8: fewer pictures than features
def test_frechet_is_the_formula_with_scipys_root(count: int) -> None:
    a, b = (x.double().numpy() for x in pair(count))
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(first @ second).real
    theirs = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert frechet(*pair(count)) == pytest.approx(theirs, rel=1e-3)


def test_frechet_of_a_shift_is_its_square() -> None:
    a, _ = pair()
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet(a, a + 3) == pytest.approx(9 * a.shape[1], rel=1e-6)


def test_kernel_distance_is_torchmetrics() -> None:
    a, b = pair()
    theirs = float(poly_mmd(a.double(), b.double(), degree=3, gamma=None, coef=1.0))
    assert kernel_distance(a, b) == pytest.approx(theirs, rel=1e-9)


def test_kernel_distance_grows_and_may_be_negative() -> None:
    torch.manual_seed(1)
    a, b, c = torch.randn(40, 6), torch.randn(40, 6), torch.randn(40, 6) + 1
    assert abs(kernel_distance(a, b)) < 0.2 < kernel_distance(a, c)
    assert min(kernel_distance(torch.randn(9, 6), torch.randn(9, 6)) for _ in range(20)) < 0
    with pytest.raises(ValueError, match="two pictures"):
        kernel_distance(a[:1], b)

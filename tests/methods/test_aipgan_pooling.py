"""aipgan's poolings against slow ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mien.methods.aipgan import pooling


def test_low_rank_is_a_sum_over_ranks() -> None:
    torch.manual_seed(0)
    made = pooling.LowRank(3, 5, 2, 4)
    e, i = torch.randn(1, 3, 1, 1), torch.randn(1, 5, 1, 1)
    u = torch.tanh(made.u.weight[..., 0, 0] @ e[0, :, 0, 0] + made.get_parameter("u.bias"))
    v = torch.tanh(made.v.weight[..., 0, 0] @ i[0, :, 0, 0] + made.get_parameter("v.bias"))
    bias = made.get_parameter("p.bias")
    wanted = [
        sum(made.p.weight[o, r].item() * u[r].item() * v[r].item() for r in range(4))
        + bias[o].item()
        for o in range(2)
    ]
    assert made(e, i).flatten().tolist() == pytest.approx(wanted, abs=1e-5)


def test_outer_product_has_every_pair() -> None:
    torch.manual_seed(0)
    made = pooling.Outer(3, 5, 2, 4)
    e, i = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 4, 4)
    u, v = made.u(e), made.v(i)
    product = made.product(e, i)
    for a in range(4):
        for b in range(4):
            assert torch.allclose(product[:, 4 * a + b], u[:, a] * v[:, b], atol=1e-6)
    unit = pooling.normalised(product)
    assert torch.allclose(unit.norm(dim=1), torch.ones(2, 4, 4), atol=1e-5)
    assert torch.equal(unit.sign(), product.sign())


def test_sketch_is_the_sketch_of_the_outer_product() -> None:
    """By FFT what a loop over every pair of channels gives, hash by hash."""
    made = pooling.Sketch(3, 5, 2, 8)
    e, i = torch.randn(1, 3, 1, 1), torch.randn(1, 5, 1, 1)
    wanted = torch.zeros(8)
    for a in range(3):
        for b in range(5):
            place = int(made.hash_e[a] + made.hash_i[b]) % 8
            wanted[place] += made.sign_e[a] * made.sign_i[b] * e[0, a, 0, 0] * i[0, b, 0, 0]
    assert torch.allclose(made.product(e, i).flatten(), wanted, atol=1e-5)


def test_sketch_estimates_inner_products() -> None:
    """<sketch(e, i), sketch(f, j)> is <e, f> <i, j> on average, the nearer the longer."""
    torch.manual_seed(0)
    e, i = torch.randn(1, 12, 1, 1), torch.randn(1, 12, 1, 1)
    f, j = e + 0.5 * torch.randn_like(e), i + 0.5 * torch.randn_like(i)
    truth = float((e * f).sum() * (i * j).sum())

    def errors(length: int) -> Tensor:
        out = []
        for seed in range(200):
            made = pooling.Sketch(12, 12, 1, length)
            draw = torch.Generator().manual_seed(seed)
            for side in ("e", "i"):
                getattr(made, f"hash_{side}").random_(0, length, generator=draw)
                getattr(made, f"sign_{side}").random_(0, 2, generator=draw).mul_(2).sub_(1)
            out.append(float((made.product(e, i) * made.product(f, j)).sum()) - truth)
        return torch.tensor(out)

    short, long = errors(16), errors(256)
    assert abs(float(long.mean())) < 3 * float(long.std()) / 200**0.5 + 1e-3
    assert float(long.std()) < 0.5 * float(short.std())


def test_hashes_are_fixed_and_kept() -> None:
    one, two = (pooling.Sketch(6, 4, 2, 8) for _ in range(2))
    assert torch.equal(one.hash_e, two.hash_e)
    assert {"hash_e", "hash_i", "sign_e", "sign_i"} <= set(one.state_dict())
    assert set(one.sign_e.tolist()) <= {-1.0, 1.0}

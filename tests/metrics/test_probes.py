"""The attacks find what is there, and find nothing where nothing is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mien.metrics.probes import Attack, explained, read_people, read_units, ridge


def people(count: int, each: int) -> tuple[Tensor, Tensor, Tensor]:
    """Units (N, 5), who (N,), and a vector per person (N, 16)."""
    torch.manual_seed(1)
    who = torch.arange(count).repeat_interleave(each)
    return torch.rand(count * each, 5), who, torch.randn(count, 16)[who]


def read(codes: Tensor, units: Tensor, passes: int = 12) -> Attack:
    """Half of the people teach, 20 pictures each."""
    n = len(codes) // 2
    owners = [str(k // 20) for k in range(n)]
    return read_units((codes[:n], units[:n]), owners, (codes[n:], units[n:]), passes=passes)


def test_units_that_are_there_are_read_by_both_probes() -> None:
    units, _, face = people(40, 20)
    codes = torch.cat([face, units @ torch.randn(5, 12)], 1)
    attack = read(codes, units, 40)
    assert attack.linear > 0.99
    assert attack.network > 0.7


def test_the_network_reads_what_no_line_can() -> None:
    units, _, _ = people(40, 40)
    codes = torch.cat([torch.cos(6 * units), torch.sin(6 * units)], 1)
    attack = read(codes, units, 30)
    assert attack.network > attack.linear + 0.05
    assert attack.best == attack.network


def test_units_that_are_not_there_are_not_read() -> None:
    units, _, face = people(40, 20)
    attack = read(face, units)
    assert attack.best < 0.05


def test_maps_are_read_too() -> None:
    units, _, _ = people(30, 20)
    maps = torch.randn(600, 4, 8, 8)
    maps[:, :, 2:4, 2:4] += 4 * units[:, :4, None, None]
    seen = units[:, :4]
    assert read(maps, seen, 8).best > 0.5


def test_people_are_told_apart_when_the_code_has_them() -> None:
    units, who, face = people(20, 20)
    even = torch.arange(400) % 2 == 0
    open_code = torch.cat([face, units], 1)
    assert read_people((open_code[even], who[even]), (open_code[~even], who[~even])).best > 0.95
    closed = read_people((units[even], who[even]), (units[~even], who[~even]), passes=20)
    assert closed.best < 4 / 20


@pytest.mark.parametrize("shape", [(50, 10), (10, 50)])
def test_both_gram_matrices_solve_the_same(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(*shape, dtype=torch.float64), torch.randn(shape[0], 3, dtype=torch.float64)
    weights, bias = ridge(x, y, 0.0001)
    centred = x - x.mean(0)
    n = min(shape)
    scale = (centred.square().sum() / n) * 0.0001
    direct = torch.linalg.solve(
        centred.T @ centred + scale * torch.eye(shape[1], dtype=x.dtype),
        centred.T @ (y - y.mean(0)),
    )
    assert torch.allclose(weights, direct, atol=1e-6)
    assert torch.allclose(bias, y.mean(0) - x.mean(0) @ weights)


def test_chance_explains_nothing() -> None:
    truth = torch.rand(100, 3)
    assert explained(truth.mean(0).expand(100, 3), truth, truth.mean(0)) == pytest.approx(
        0, abs=1e-6
    )


def test_few_codes_are_enough_to_try() -> None:
    torch.manual_seed(0)
    codes, who = torch.randn(20, 8), torch.arange(4).repeat(5)
    named = read_people((codes, who), (codes, who), passes=2)
    assert 0 <= named.network <= 1

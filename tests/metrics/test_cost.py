"""Parameters, arithmetic, time and memory of an edit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mien.guides import Label
from mien.metrics.cost import arithmetic, cost, peak_mb
from mien.types import Faces


def test_arithmetic_is_counted() -> None:
    class One(torch.nn.Module):
        size = 32

        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 5, 3, padding=1, bias=False)

        def generate(self, source: Faces[Tensor], _: Label) -> Tensor:
            made: Tensor = self.conv(source.pixels)
            return made

    parameters, gmac = arithmetic(One())  # type: ignore[arg-type]
    assert parameters == 3 * 5 * 9
    assert gmac == pytest.approx(3 * 5 * 9 * 32 * 32 / 1e9, abs=1e-4)


def test_cost_of_a_method_that_ships() -> None:
    weight = bytearray(b"x") * 400_000_000  # what this process holds must not count
    found = cost("mtss", None)
    assert found.peak_mb < peak_mb() - 1e-6 * len(weight) / 2
    assert found.parameters > 1e6
    assert found.gmac > 0.1
    assert 0 < found.milliseconds <= found.slowest
    assert found.peak_mb > 50

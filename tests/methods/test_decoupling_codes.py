"""decoupling's codes: their layout, their scale, and how people's are spread."""

from __future__ import annotations

import pytest
import torch

from mien.errors import WeightsError
from mien.methods.decoupling.codes import Codes, Layout
from mien.methods.decoupling.config import Architecture
from mien.methods.decoupling.generator import Generator, Modulation
from mien.nn.spread import Crowd, Spread

SMALL = Architecture(
    size=32, layers=((8, 0), (4, 6), (2, 6), (0, 6)), grain=16, generator=256, generator_max=16
)
LAYOUT = Layout.of(SMALL)


def test_each_layer_takes_the_codes_that_the_list_gives_it() -> None:
    """A change of one layer's part changes no layer before it."""
    torch.manual_seed(0)
    generator = Generator(SMALL, LAYOUT)
    codes = Codes(torch.randn(1, sum(LAYOUT.lengths)), torch.randn(1, sum(LAYOUT.numbers)))
    before = generator.features(codes, 3)
    how = codes.expression.clone()
    how[:, 6:12] += 1  # the part of the layer at 16 px
    after = generator.features(Codes(codes.identity, how), 3)
    same = [torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert same == [True, True, False, False]


def test_an_expression_has_places() -> None:
    """Silent at first; once learnt, what an expression code says differs from place to place."""
    torch.manual_seed(0)
    told = Modulation(6, 0, 5, side=8, places=3)
    x, how = torch.ones(1, 6, 8, 8), torch.randn(1, 5)
    spread = told(x, torch.empty(1, 0, 8, 8), how)
    assert torch.allclose(spread, spread[..., :1, :1].expand_as(spread))
    assert told.spot is not None
    with torch.no_grad():
        told.spot.weight.normal_()
    placed = told(x, torch.empty(1, 0, 8, 8), how)
    assert placed.std((2, 3)).min() > 0.1
    assert Modulation(6, 0, 5, side=8, places=0).spot is None


def test_the_centre_stays_where_the_first_batches_were() -> None:
    torch.manual_seed(0)
    spread, raw = Spread(LAYOUT.lengths), torch.randn(16, sum(LAYOUT.lengths))
    for _ in range(60):
        spread(2 + raw)
    for _ in range(200):
        spread(5 + raw)
    assert spread.mean.mean().item() == pytest.approx(2, abs=0.1)


def test_making_people_alike_is_no_way_out() -> None:
    """Shrunk to a tenth and moved, codes of people are as far apart as before; so they are when
    all run ahead of their slow mean together.
    """
    torch.manual_seed(0)
    raw = torch.randn(64, sum(LAYOUT.lengths))
    code, shrunk = Spread(LAYOUT.lengths)(raw), Spread(LAYOUT.lengths)(3 + 0.1 * raw)
    assert torch.allclose(code, shrunk, atol=1e-4)
    ahead = Spread(LAYOUT.lengths)
    for step in range(4):
        running = ahead(step + 0.1 * raw)
    for some in (code, running):
        for part in torch.split(some, LAYOUT.lengths, 1):
            if part.shape[1]:
                assert (part - part.mean(0)).square().mean().item() == pytest.approx(1, rel=1e-2)


def test_a_code_does_not_depend_on_who_else_is_asked() -> None:
    torch.manual_seed(0)
    spread = Spread(LAYOUT.lengths)
    for _ in range(200):
        spread(2 + 3 * torch.randn(16, sum(LAYOUT.lengths)))
    spread.eval()
    raw = 2 + 3 * torch.randn(200, sum(LAYOUT.lengths))
    assert torch.allclose(spread(raw)[:1], spread(raw[:1]))
    assert spread(raw).mean().item() == pytest.approx(0, abs=0.1)
    assert spread(raw).std().item() == pytest.approx(1, rel=0.1)


def test_a_crowd_draws_people_spread_as_those_it_met() -> None:
    torch.manual_seed(0)
    codes = torch.randn(400, 8) @ torch.randn(8, 8) / 3 + 2
    crowd = Crowd(8, 8)
    with pytest.raises(WeightsError, match="know no people"):
        crowd.draw(torch.zeros(1, 8))
    crowd.fit(codes)
    drawn = crowd.draw(torch.randn(4000, 8))
    assert (drawn.mean(0) - codes.mean(0)).abs().max() < 0.1
    assert (torch.cov(drawn.T) - torch.cov(codes.T)).abs().max() < 0.15
    average = crowd.draw(torch.randn(2, 8), spread=0.0)
    assert torch.allclose(average[0], average[1])

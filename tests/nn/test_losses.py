"""Losses that several methods share, against what can be said of them on paper."""

from __future__ import annotations

import pytest
import torch

from mien.nn import losses
from mien.types import Composition


def test_r1_of_a_linear_critic_is_its_squared_slope() -> None:
    x = torch.randn(4, 3, 8, 8, requires_grad=True)
    weight = torch.randn(3, 8, 8)
    assert losses.r1((x * weight).sum((1, 2, 3)), x) == pytest.approx(
        float(weight.square().sum()), rel=1e-5
    )


def test_hinge() -> None:
    logits = torch.tensor([-2.0, 0.0, 2.0])
    assert losses.hinge_real(logits) == pytest.approx((3 + 1 + 0) / 3)
    assert losses.hinge_fake(logits) == pytest.approx((0 + 1 + 3) / 3)


def test_flow_loss_counts_pixels_where_the_truth_is_known() -> None:
    truth = torch.zeros(2, 2, 8, 8)
    edit = Composition(truth + 2 / 128, torch.ones(2, 1, 8, 8), torch.zeros(2, 3, 8, 8))
    visible = torch.ones(2, 1, 8, 8)
    assert losses.flow(edit, truth, visible, torch.tensor([1.0, 1.0])) == pytest.approx(4.0)
    assert losses.flow(edit, truth, visible, torch.tensor([0.0, 0.0])) == 0
    hidden = visible.clone()
    hidden[..., 4:] = 0
    edit.flow[..., 4:] = 9
    assert losses.flow(edit, truth, hidden, torch.tensor([1.0, 1.0])) == pytest.approx(4.0)


def test_emphasis_is_where_the_faces_differ() -> None:
    a = torch.zeros(1, 3, 16, 16)
    b = a.clone()
    b[..., 8:, :] = 1
    weight = losses.emphasis(a, b, 4.0)
    assert weight[0, 0, 2].mean() == pytest.approx(1.0)
    assert weight[0, 0, 12, 8] == pytest.approx(5.0)


def test_edges_cost_what_is_blurred_and_not_what_is_shifted_in_brightness() -> None:
    sharp = torch.zeros(1, 3, 16, 16)
    sharp[..., 8:] = 1
    one = torch.ones(1, 1, 16, 16)
    assert losses.edges(sharp + 0.3, sharp, one) == pytest.approx(0.0, abs=1e-6)
    assert losses.edges(torch.nn.functional.avg_pool2d(sharp, 3, 1, 1), sharp, one) > 0.05


def test_mask_loss_asks_for_paint_only_where_nothing_can_be_seen() -> None:
    visible = torch.ones(1, 1, 8, 8)
    visible[..., 4:] = 0
    fields = torch.zeros(1, 2, 8, 8), visible.clone(), torch.zeros(1, 3, 8, 8)
    known = torch.ones(1)
    assert losses.mask(Composition(*fields), visible, known) == 0
    assert losses.mask(Composition(fields[0], 1 - visible, fields[2]), visible, known) == 1
    assert losses.mask(Composition(fields[0], 1 - visible, fields[2]), visible, 0 * known) == 0


def test_a_mask_that_is_sure_still_learns_to_paint() -> None:
    """Where L1 has no slope left in the sigmoid, the cover's logarithm has; elsewhere it asks for
    nothing."""
    visible = torch.ones(1, 1, 8, 8)
    visible[..., 4:] = 0
    logits = torch.full((1, 1, 8, 8), 9.0, requires_grad=True)  # moves everything in
    edit = Composition(torch.zeros(1, 2, 8, 8), logits.sigmoid(), torch.zeros(1, 3, 8, 8))
    (plain,) = torch.autograd.grad(losses.mask(edit, visible, torch.ones(1)), logits)
    edit = Composition(edit.flow, logits.sigmoid(), edit.paint)
    (steep,) = torch.autograd.grad(losses.occlusion(edit, visible, torch.ones(1)), logits)
    assert steep[..., 4:].min() > 1000 * plain[..., 4:].max() > 0
    assert (steep[..., :4] == 0).all()
    painted = Composition(edit.flow, visible.clone(), edit.paint)
    assert losses.occlusion(painted, visible, torch.ones(1)) == 0
    assert losses.occlusion(edit, visible, torch.zeros(1)) == 0


def test_heat_is_1_at_a_landmark_and_falls_off() -> None:
    points = torch.full((1, 68, 2), 5.0)  # far outside
    points[0, 0] = torch.tensor([4.5, 10.5]) / 16
    seen = losses.heat(points, 16)[0, 0]
    assert float(seen[10, 4]) == pytest.approx(1.0)
    assert float(seen[10, 5]) == pytest.approx(2.718281828 ** -(0.5 * (1 / 16 / 0.04) ** 2))
    assert float(seen[0].max()) < 1e-3
    points[0, :30] = points[0, 0]
    assert float(losses.heat(points, 16).max()) == 1

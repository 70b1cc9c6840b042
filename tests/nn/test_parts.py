"""The critics of mouths and eyes: where they look, and that learning from them sharpens."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from mien.nn.parts import PARTS, PartCritic, PartCritics, unlike, windows


def lips_at(x: float, y: float) -> torch.Tensor:
    points = torch.full((1, 68, 2), -1000.0)  # nothing but the outer lips may count
    angle = torch.linspace(0, 2 * torch.pi, 13)[:-1]
    points[0, list(PARTS["mouth"][0])] = torch.stack(
        [x + 12 * angle.cos(), y + 4 * angle.sin()], -1
    )
    return points


def test_a_window_is_centred_on_the_lips() -> None:
    picture = torch.zeros(1, 3, 128, 128)
    picture[..., 89:92, 59:62] = 1  # the middle of the lips, (60, 90)
    (mouth,) = windows(picture, lips_at(60, 90))
    assert mouth.shape == (3, 48, 48)
    rows, columns = mouth[0].nonzero(as_tuple=True)
    assert rows.float().mean().item() == pytest.approx(23.5, abs=0.6)
    assert columns.float().mean().item() == pytest.approx(23.5, abs=0.6)


def test_eyes_have_a_window_each() -> None:
    picture = torch.zeros(1, 3, 128, 128)
    points = torch.full((1, 68, 2), -1000.0)
    for indices, x in zip(PARTS["eyes"], (40.0, 84.0), strict=True):
        points[0, list(indices)] = torch.tensor([x, 50.0])
        points[0, indices[0]] = torch.tensor([x, 40.0])  # a brow: the middle is 5 px above the eye
        picture[..., 44:47, int(x) - 1 : int(x) + 2] = 1
    seen = windows(picture, points, "eyes")
    assert seen.shape == (2, 3, 48, 48)
    for eye in seen:
        rows, columns = eye[0].nonzero(as_tuple=True)
        assert rows.float().mean().item() == pytest.approx(23.5, abs=0.6)
        assert columns.float().mean().item() == pytest.approx(23.5, abs=0.6)


def test_a_window_stays_inside_and_takes_the_crops_own_size() -> None:
    assert windows(torch.rand(1, 3, 64, 64), lips_at(2, 63)).shape == (1, 3, 24, 24)


def test_results_are_learnt_through_a_window() -> None:
    picture = torch.rand(1, 3, 128, 128, requires_grad=True)
    answers, _ = PartCritic(8)(windows(picture, lips_at(60, 90)))
    answers.sum().backward()
    assert picture.grad is not None
    assert picture.grad[..., 66:114, 36:84].abs().sum() > 0
    assert picture.grad[..., :60, :].abs().sum() == 0


def test_the_truth_is_like_itself_and_a_blur_is_not() -> None:
    torch.manual_seed(0)
    critic = PartCritic(8).eval()
    true = torch.rand(4, 3, 48, 48)
    blurred = F.avg_pool2d(true, 5, 1, 2)
    _, wanted = critic(true)
    assert unlike(critic(true)[1], wanted) == 0
    assert unlike(critic(blurred)[1], wanted) > 0.1


def test_the_truth_stands_still() -> None:
    made, true = (torch.rand(2, 3, requires_grad=True) for _ in range(2))
    unlike([made], [true]).backward()
    assert made.grad is not None
    assert true.grad is None


def weights(**some: float) -> SimpleNamespace:
    none = {f"{part}_{term}": 0.0 for part in PARTS for term in ("realism", "match")}
    return SimpleNamespace(**none | some)


def test_only_parts_with_a_weight_have_a_critic() -> None:
    assert not PartCritics(weights()).active
    same = torch.rand(2, 3, 64, 64)
    assert not PartCritics(weights()).terms(same, same, torch.zeros(2, 68, 2))
    assert [w.part for w in PartCritics(weights(eyes_match=1.0)).active] == ["eyes"]
    everything = weights(mouth_realism=1.0, eyes_realism=1.0)
    assert not PartCritics(everything, paired=False).active
    part_critics, points = PartCritics(everything), 64 * torch.rand(2, 68, 2)
    made, true = torch.rand(2, 2, 3, 64, 64).unbind()
    seen = part_critics.terms(made, true, points)
    assert set(seen) == set(vars(everything))
    assert set(part_critics.critic_loss()) == {"mouth_realism", "eyes_realism"}

"""Disentanglement measured by attack: fresh probes that try to read from a code what it must not
hold (or must).

A probe never saw the method in training, learns from codes of one group of people, and is judged
on people (or, where it tells people apart, on expressions) that it did not learn from. A claim that
a code holds nothing is as good as the best attack, so there are two: a linear one, solved exactly,
and a small network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Attack:
    """What the two probes reached on what they did not learn from; the better one counts."""

    linear: float
    network: float

    @property
    def best(self) -> float:
        """The stronger of the two."""
        return max(self.linear, self.network)


def explained(read: Tensor, truth: Tensor, mean: Tensor) -> float:
    """Explained variance over all units: 1 - squared error / that of always answering `mean`.

    0 is chance; below 0 a probe is worse than that. Units that vary more weigh more.

    >>> truth = torch.tensor([[0.0], [1.0]])
    >>> explained(truth, truth, truth.mean(0)), explained(truth * 0 + 0.5, truth, truth.mean(0))
    (1.0, 0.0)
    """
    return float(1 - (read - truth).square().sum() / (truth - mean).square().sum())


def ridge(codes: Tensor, truth: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Weights (D, K) and bias (K,) of linear least squares with `strength` times the mean squared
    code as penalty; through the smaller of the two Gram matrices, in float64.
    """
    codes, truth = codes.double(), truth.double()
    middle, goal = codes.mean(0), truth.mean(0)
    x, y = codes - middle, truth - goal
    wide = x.shape[0] < x.shape[1]
    gram = x @ x.T if wide else x.T @ x
    gram.diagonal().add_(strength * gram.diagonal().mean())
    weights = x.T @ torch.linalg.solve(gram, y) if wide else torch.linalg.solve(gram, x.T @ y)
    return weights, goal - middle @ weights


STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def read_units(
    learn: tuple[Tensor, Tensor], people: Sequence[str], test: tuple[Tensor, Tensor], *,
    seed: int = 0, passes: int = 12,
) -> Attack:  # fmt: skip
    """Explained variance of units (N, K) read from codes (N, D) or (N, C, H, W).

    learn, test: codes and units of different people; people: whose the ones to learn from are. A
    fifth of these people teaches nothing: it chooses the ridge's strength and when to stop.
    """
    codes, units = learn
    held = fifth(people)
    middle, scale = codes.float().mean(0), codes.float().std(0) + 1e-6
    flat, flat_test = (((c.float() - middle) / scale).flatten(1) for c in (codes, test[0]))

    def score(strength: float) -> float:
        weights, bias = ridge(flat[~held], units[~held], strength)
        read = flat[held].double() @ weights + bias
        return explained(read, units[held], units.mean(0))

    weights, bias = ridge(flat, units, max(STRENGTHS, key=score))
    linear = explained(flat_test.double() @ weights + bias, test[1], test[1].mean(0))
    net = fit(codes, units, nn.functional.mse_loss, units.shape[1], seed, passes, held)
    with torch.no_grad():
        read = torch.cat([net(part.float()) for part in torch.split(test[0], 256)])
    return Attack(round(linear, 4), round(explained(read, test[1], test[1].mean(0)), 4))


def fifth(people: Sequence[str]) -> Tensor:
    """Whether each of these is one of every fifth of the people, in order of name: bool (N,)."""
    chosen = set(sorted(set(people))[::5])
    return torch.tensor([person in chosen for person in people])


def read_people(
    learn: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], *, seed: int = 0, passes: int = 60
) -> Attack:
    """Share of codes (N, D) whose person (N,) int64 is named, the same people in other expressions.

    The linear probe is least squares to one-hot, that is a linear discriminant; chance is 1 over
    the number of people.
    """
    codes, people = learn
    count = int(people.max()) + 1
    flat, flat_test = codes.flatten(1).float(), test[0].flatten(1).float()
    scale = flat.std(0).clamp_min(1e-6)
    weights, bias = ridge(flat / scale, F.one_hot(people, count), 1e-2)
    predicted = ((flat_test / scale).double() @ weights + bias).argmax(1)
    held = torch.zeros(len(codes), dtype=torch.bool)
    held[::10] = True
    net = fit(codes, people, nn.functional.cross_entropy, count, seed, passes, held)
    with torch.no_grad():
        named = torch.cat([net(part.float()).argmax(1) for part in torch.split(test[0], 256)])
    right = [(answer == test[1]).float().mean().item() for answer in (predicted, named)]
    return Attack(round(right[0], 4), round(right[1], 4))


def small_network(shape: torch.Size, answers: int) -> nn.Module:
    """A probe for codes (D,) or (C, H, W), about half a million weights."""
    if len(shape) == 1:
        return nn.Sequential(
            nn.BatchNorm1d(shape[0]), nn.Linear(shape[0], 256), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, answers),
        )  # fmt: skip
    return nn.Sequential(
        nn.BatchNorm2d(shape[0]), nn.Conv2d(shape[0], 64, 3, 1, 1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(4),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, answers),
    )  # fmt: skip


def fit(
    codes: Tensor, goal: Tensor, loss: object, answers: int, seed: int, passes: int, held: Tensor
) -> nn.Module:
    """A small network for codes (N, ...) after the pass at which it was best, by `loss`, on the
    `held` part (N,)."""
    assert callable(loss)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = small_network(codes.shape[1:], answers)
        learn, check = (~held).nonzero()[:, 0], held.nonzero()[:, 0]
        size = min(64, len(learn))
        batches = len(learn) // size
        optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, passes * batches)
        best, kept = torch.inf, {k: v.clone() for k, v in net.state_dict().items()}
        for _ in range(passes):
            net.train()
            for part in learn[torch.randperm(len(learn))][: batches * size].view(-1, size):
                optimiser.zero_grad()
                cost: Tensor = loss(net(codes[part].float()), goal[part])
                cost.backward()
                optimiser.step()
                rate.step()
            net.eval()
            with torch.no_grad():
                predicted = torch.cat(
                    [net(codes[part].float()) for part in torch.split(check, 256)]
                )
                score = float(loss(predicted, goal[check]))
            if score < best:
                best, kept = score, {k: v.clone() for k, v in net.state_dict().items()}
        net.load_state_dict(kept)
    return net.eval()

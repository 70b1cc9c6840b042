"""The losses of auswap as their equations. Pure functions; weights are applied by the task.

Multi-class adversary and least squares are ADLD's (Shao et al., public code of the same first
author), taken for this paper's (Inferred). Those that need the rig's truth are in `nn/losses.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def tell(
    answers: tuple[Tensor, Tensor], units: Tensor, known: Tensor, emotion: Tensor, present: float
) -> Tensor:
    """The adversary's own loss: squared error of its raw answers to the one-hot truth, about each
    unit (B, 47, 2), whether it reaches `present`, where it is `known` (B, 47), and about the
    emotion (B, 8), where there is one (not -1).
    """
    there, named = answers
    truth = F.one_hot((units >= present).long(), 2).to(there)
    errors = (there - truth).square().mean(2)
    one = F.one_hot(emotion.clamp_min(0), named.shape[1]).to(named)
    sure = (emotion >= 0).to(named)
    missed = (named - one).square().mean(1)
    by_unit = (errors * known).sum() / known.sum().clamp_min(1)
    return by_unit + (missed * sure).sum() / sure.sum().clamp_min(1)


def cannot_tell(answers: tuple[Tensor, Tensor]) -> Tensor:
    """What the encoder wants of the adversary: squared error of its answers to the uniform ones."""
    each = [(a - 1 / a.shape[-1]).square().mean() for a in answers]
    return each[0] + each[1]


def passes(answers: Tensor) -> Tensor:
    """Least squares: the answers of a discriminator that takes a face for what it looks for."""
    return (answers - 1).square().mean()


def discriminator_loss(wanted: Tensor, other: Tensor) -> Tensor:
    """The discriminator's least squares: 1 for what it looks for, 0 for the other."""
    return (wanted - 1).square().mean() + other.square().mean()


def agree(a: Tensor, b: Tensor) -> Tensor:
    """L1 between two AU-free features, in units of their spread, so that shrinking them is no way
    out.
    """
    spread = torch.cat([a, b]).detach().std().clamp_min(1e-3)
    return (a - b).abs().mean() / spread

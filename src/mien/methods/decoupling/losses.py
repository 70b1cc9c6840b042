"""The losses of decoupling as their equations. Pure functions; weights are applied by the task.

Inferred: logistic adversary with gradient penalty and latent reconstruction are ALAE's (Pidhorskyi
et al., CVPR 2020), which joins an encoder to a progressive GAN. Adversary, penalty and those that
need the rig's truth are in `nn/losses.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.nn import losses as shared


def read_out(
    answers: tuple[Tensor, Tensor], emotion: Tensor, units: Tensor, known: Tensor, present: float
) -> Tensor:
    """The adversary's own loss: cross-entropy of the emotion, and of each unit (B, 47) that reaches
    `present` or does not, where units are `known` (B, 47).
    """
    emotions, there = answers
    each = F.binary_cross_entropy_with_logits(there, (units >= present).to(there), reduction="none")
    return shared.classification(emotions, emotion) + (each * known).sum() / known.sum().clamp_min(
        1
    )


def cannot_read(answers: tuple[Tensor, Tensor]) -> Tensor:
    """What the identity mapping wants of it: the uniform answer to every question. Cross-entropy to
    it, less its own entropy, so that 0 is reached.
    """
    emotions, there = answers
    log = emotions.log_softmax(1)
    divergence = -log.mean() - torch.log(log.new_tensor(log.shape[1]))
    half = F.binary_cross_entropy_with_logits(there, torch.full_like(there, 0.5))
    return divergence + half - torch.log(half.new_tensor(2.0))


def missed(step: Tensor, truth: Tensor, spread: Tensor) -> Tensor:
    """Squared error of a step in codes (B, D), in units of the codes' spread (a scalar)."""
    return (step - truth).square().mean() / spread.square().clamp_min(1e-4)

"""Losses that more than one method minimises. Pure functions; weights are applied by the tasks.

Hinge and R1 are HiSD's (Li et al., CVPR 2021, public trainer); the others, but for the logistic
adversary, need a truth: a target, where its pixels come from, and which of them can be seen in the
source.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.nn.blocks import halved
from mien.nn.compose import resize
from mien.types import Composition

EYES = slice(36, 48)
"""The eyes among the 68 landmarks."""


def hinge_real(logits: Tensor) -> Tensor:
    """max(0, 1 - D(x)), mean."""
    return F.relu(1 - logits).mean()


def hinge_fake(logits: Tensor) -> Tensor:
    """max(0, 1 + D(x)), mean."""
    return F.relu(1 + logits).mean()


def logistic_real(logits: Tensor) -> Tensor:
    """softplus(-D(x)), mean: of photographs for the discriminator, of results for who makes them
    (non-saturating).
    """
    return F.softplus(-logits).mean()


def logistic_fake(logits: Tensor) -> Tensor:
    """softplus(D(x)), mean: of results, for the discriminator."""
    return F.softplus(logits).mean()


def r1(logits: Tensor, real: Tensor) -> Tensor:
    """||grad_x D(x)||^2 summed over each image, batch mean; no factor 1/2 (HiSD)."""
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def classification(logits: Tensor, emotion: Tensor) -> Tensor:
    """Cross-entropy of emotions (B,) int64 where one is known (not -1)."""
    known = (emotion >= 0).to(logits)
    each = F.cross_entropy(logits.float(), emotion.clamp_min(0), reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1)


def absolute(made: Tensor, truth: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """L1 of each picture, (B,), under a weight (B, 1, s, s)."""
    return (weight * (made - truth).abs()).mean((1, 2, 3))


def emphasis(source: Tensor, target: Tensor, extra: float) -> Tensor:
    """Weight map (B, 1, S, S): 1, and 1 + extra where the two expressions differ visibly."""
    changed = ((source - target).abs().mean(1, keepdim=True) - 0.05).div(0.1).clamp(0, 1)
    return 1 + extra * F.avg_pool2d(changed, 3, 1, 1)


def heat(points: Tensor, side: int, spread: float = 0.04) -> Tensor:
    """The sum of Gaussians at landmarks (B, N, 2) in crop units, 1 at most: (B, 1, side, side).

    spread: standard deviation in crop units.
    """
    line = (torch.arange(side, device=points.device) + 0.5) / side
    near = torch.exp(-((points[..., None] - line).square()) / (2 * spread**2))  # (B, N, 2, side)
    return torch.einsum("bnx,bny->byx", near[:, :, 0], near[:, :, 1]).clamp(max=1)[:, None]


def pixel(result: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1, plus half the L1 at half size, which forgives a misplaced hair."""
    fine = (weight * (result - target).abs()).mean()
    coarse = (halved(result) - halved(target)).abs().mean()
    return fine + 0.5 * coarse


def edges(result: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1 between horizontal and vertical differences: a blurred lip line costs."""
    d = result - target
    horizontal = (weight[..., 1:] * (d[..., 1:] - d[..., :-1]).abs()).mean()
    vertical = (weight[..., 1:, :] * (d[..., 1:, :] - d[..., :-1, :]).abs()).mean()
    return horizontal + vertical


def structure(made: Tensor, truth: Tensor, window: int = 5) -> Tensor:
    """1 - SSIM's contrast and structure over square windows, mean of up to three sizes, (B,).

    L1 alone makes soft pictures: it does not miss the contrast that it averages away (Zhao et al.,
    "Loss functions for image restoration", 2017).
    """
    values: list[Tensor] = []
    while len(values) < 3 and made.shape[-1] >= window:
        a, b = (x - _local_mean(x, window) for x in (made, truth))
        aa, bb, ab = (F.avg_pool2d(x, window, 2) for x in (a * a, b * b, a * b))
        same = (2 * ab + 0.0036) / (aa + bb + 0.0036)
        values.append(1 - same.mean((1, 2, 3)))
        made, truth = halved(made), halved(truth)
    return torch.stack(values).mean(0) if values else made.new_zeros(len(made))


def _local_mean(x: Tensor, window: int) -> Tensor:
    return F.avg_pool2d(x, window, 1, window // 2, count_include_pad=False)


def flow(edit: Composition[Tensor], truth: Tensor, visible: Tensor, known: Tensor) -> Tensor:
    """L1 in pixels at 128 between the flow and the rig's, where the pixel is visible in the source.

    truth (B, 2, h, h) crop units at any size, visible (B, 1, h, h), known (B,) 0 or 1. Most of a
    crop stands still: pixels that move by a pixel or more count five times.
    """
    predicted = resize(edit.flow, truth.shape[-1])
    moves = (truth * 128).abs().amax(1, keepdim=True).clamp(max=1)
    weight = visible * known[:, None, None, None] * (1 + 4 * moves)
    error = (predicted - truth).abs().sum(1, keepdim=True) * 128
    return (weight * error).sum() / weight.sum().clamp_min(1)


def mask(edit: Composition[Tensor], visible: Tensor, known: Tensor) -> Tensor:
    """L1 of the mask to the visibility: what can be moved in is not painted."""
    predicted = F.interpolate(edit.mask, visible.shape[-2:], mode="area")
    return ((predicted - visible).abs() * known[:, None, None, None]).mean()


def occlusion(edit: Composition[Tensor], visible: Tensor, known: Tensor) -> Tensor:
    """-log of the share painted where the source does not show what is asked for: a network that is
    sure it can move everything in, as lids over eyes, learns nothing from an L1 there.
    """
    painted = 1 - F.interpolate(edit.mask.float(), visible.shape[-2:], mode="area")
    hidden = (1 - visible) * known[:, None, None, None]
    return (hidden * -painted.clamp_min(1e-6).log()).mean()


def smoothness(edit: Composition[Tensor]) -> Tensor:
    """Total variation of the flow, pixels at 128 per pixel."""
    f = edit.flow * 128
    return (f[..., 1:] - f[..., :-1]).abs().mean() + (f[..., 1:, :] - f[..., :-1, :]).abs().mean()

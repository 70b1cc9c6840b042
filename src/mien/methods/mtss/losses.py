"""The losses of mtss as their equations. Pure functions; weights are applied by the task.

HiSD's (Li et al., CVPR 2021, public trainer): hinge, R1, style, reconstruction. MTSS adds
classification and orthogonality, whose formulas were not found (Inferred). The last group needs the
rig's truth (Differs).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.nn.compose import resize
from mien.types import Composition


def pick(logits: Tensor, label: Tensor) -> Tensor:
    """The logit of each image's own expression: (B, 8), (B,) -> (B,)."""
    return logits.gather(1, label[:, None]).squeeze(1)


def hinge_real(logits: Tensor) -> Tensor:
    """max(0, 1 - D(x)), mean."""
    return F.relu(1 - logits).mean()


def hinge_fake(logits: Tensor) -> Tensor:
    """max(0, 1 + D(x)), mean."""
    return F.relu(1 + logits).mean()


def r1(logits: Tensor, real: Tensor) -> Tensor:
    """||grad_x D(x)||^2 summed over each image, batch mean; no factor 1/2 (HiSD)."""
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def orthogonality_cosine(style: Tensor, content: Tensor) -> Tensor:
    """Squared cosine of the flattened parts of the skip. Inferred, first reading; in [0, 1]."""
    return F.cosine_similarity(style.flatten(1), content.flatten(1)).square().mean()


def orthogonality_gram(style: Tensor, content: Tensor) -> Tensor:
    """Frobenius norm of the channels' cross-Gram, over positions. Inferred, second reading;
    unbounded.

    The weight 0.001 of the public config suggests this one: an un-normalised quantity.
    """
    s, c = style.flatten(2), content.flatten(2)
    return (s @ c.transpose(1, 2) / s.shape[-1]).square().sum((1, 2)).sqrt().mean()


def classification(
    classifier: nn.Module, styles: tuple[Tensor, ...], labels: tuple[Tensor, ...]
) -> Tensor:
    """Sum of cross-entropies of styles to labels; entries labelled -1 do not count."""
    return torch.stack(
        [
            F.cross_entropy(classifier(s), y, ignore_index=-1)
            for s, y in zip(styles, labels, strict=True)
            if bool((y >= 0).any())
        ]
        or [styles[0].new_zeros(())]
    ).sum()


def emphasis(source: Tensor, target: Tensor, extra: float) -> Tensor:
    """Weight map (B, 1, S, S): 1, and 1 + extra where the two expressions differ visibly."""
    changed = ((source - target).abs().mean(1, keepdim=True) - 0.05).div(0.1).clamp(0, 1)
    return 1 + extra * F.avg_pool2d(changed, 3, 1, 1)


def pixel(result: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1, plus half the L1 at half size, which forgives a misplaced hair."""
    fine = (weight * (result - target).abs()).mean()
    coarse = (F.avg_pool2d(result, 2) - F.avg_pool2d(target, 2)).abs().mean()
    return fine + 0.5 * coarse


def edges(result: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted L1 between horizontal and vertical differences: a blurred lip line costs."""
    d = result - target
    horizontal = (weight[..., 1:] * (d[..., 1:] - d[..., :-1]).abs()).mean()
    vertical = (weight[..., 1:, :] * (d[..., 1:, :] - d[..., :-1, :]).abs()).mean()
    return horizontal + vertical


def flow(edit: Composition, truth: Tensor, visible: Tensor, known: Tensor) -> Tensor:
    """L1 in pixels at 128 between the flow and the rig's, where the pixel is visible in the source.

    truth (B, 2, h, h) crop units at any size, visible (B, 1, h, h), known (B,) 0 or 1. Most of a
    crop stands still: pixels that move by a pixel or more count five times.
    """
    predicted = resize(edit.flow, truth.shape[-1])
    moves = (truth * 128).abs().amax(1, keepdim=True).clamp(max=1)
    weight = visible * known[:, None, None, None] * (1 + 4 * moves)
    error = (predicted - truth).abs().sum(1, keepdim=True) * 128
    return (weight * error).sum() / weight.sum().clamp_min(1)


def mask(edit: Composition, visible: Tensor, known: Tensor) -> Tensor:
    """L1 of the mask to the visibility: what can be moved in is not painted."""
    predicted = F.interpolate(edit.mask, visible.shape[-2:], mode="area")
    return ((predicted - visible).abs() * known[:, None, None, None]).mean()


def smoothness(edit: Composition) -> Tensor:
    """Total variation of the flow, pixels at 128 per pixel."""
    f = edit.flow * 128
    return (f[..., 1:] - f[..., :-1]).abs().mean() + (f[..., 1:, :] - f[..., :-1, :]).abs().mean()

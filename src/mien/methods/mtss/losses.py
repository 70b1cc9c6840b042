"""The losses of mtss as their equations. Pure functions; weights are applied by the task.

HiSD's (Li et al., CVPR 2021, public trainer) are hinge, R1, style and reconstruction; those that
other methods share are in `nn/losses.py`. MTSS adds classification and orthogonality, whose
formulas were not found (Inferred).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def pick(logits: Tensor, label: Tensor) -> Tensor:
    """The logit of each image's own expression: (B, 8), (B,) -> (B,)."""
    return logits.gather(1, label[:, None]).squeeze(1)


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

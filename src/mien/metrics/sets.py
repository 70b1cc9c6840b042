"""How far apart two sets of pictures are, by the features that a net sees in them.

Neither distance is called FID or KID here: those names belong to one net, Inception, and to tens of
thousands of pictures. What they are is named with the net that made the features.
"""

from __future__ import annotations

import torch
from torch import Tensor


def frechet(one: Tensor, other: Tensor) -> float:
    """Fréchet distance of the Gaussians fitted to features (N, D) and (M, D): |m1 - m2|^2 +
    tr(C1 + C2 - 2 (C1 C2)^(1/2)) (Dowson and Landau 1982; Heusel et al. 2017).

    With few pictures it is too large: compare sets of equal size only.
    """
    a, b = one.double(), other.double()
    middle = (a.mean(0) - b.mean(0)).square().sum()
    first, second = _root(a), _root(b)
    # C = R' R: tr (C1 C2)^(1/2) is the sum of singular values of R1 R2', with no complex numbers,
    # and no larger than the pictures are many
    cross = torch.linalg.svdvals(first @ second.T).sum()
    return float((middle + first.square().sum() + second.square().sum() - 2 * cross).clamp_min(0))


def _root(features: Tensor) -> Tensor:
    """R with R' R the covariance of features (N, D): (min(N, D), D)."""
    away: Tensor = (features - features.mean(0)) / max(1, len(features) - 1) ** 0.5
    if len(away) > away.shape[1]:
        away = torch.linalg.qr(away, mode="r")[1]
    return away


def kernel_distance(one: Tensor, other: Tensor) -> float:
    """Squared maximum mean discrepancy of features (N, D) and (M, D) under the kernel
    (x y / D + 1)^3, unbiased (Binkowski et al. 2018, all pictures as one block): may be below 0.
    """
    a, b = one.double(), other.double()
    n, m, width = len(a), len(b), a.shape[1]
    if min(n, m) < 2:
        raise ValueError(f"a kernel distance needs two pictures a set, not {n} and {m}")
    own, their, cross = ((x @ y.T / width + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    inside = (own.sum() - own.trace()) / (n * (n - 1))
    outside = (their.sum() - their.trace()) / (m * (m - 1))
    return float(inside + outside - 2 * cross.mean())

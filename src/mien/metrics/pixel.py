"""How alike two pictures are, whole or inside the face. Pictures are (B, 3, S, S) in [-1, 1]."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

CEILING = 80.0
"""PSNR of equal pictures, dB: infinity has no mean."""
BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the scales of MS-SSIM (Wang, Simoncelli and Bovik 2003)."""


def psnr(a: Tensor, b: Tensor, mask: Tensor | None = None) -> Tensor:
    """10 log10(4 / MSE), (B,) dB, `CEILING` at most; inside `mask` (B, 1, S, S) if given."""
    error = (a - b).square().mean(1, keepdim=True)
    mask = torch.ones_like(error) if mask is None else mask
    mse = (error * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)
    return (10 * torch.log10(4 / mse.clamp_min(1e-12))).clamp_max(CEILING)


def ssim(a: Tensor, b: Tensor, mask: Tensor | None = None) -> Tensor:
    """Structural similarity (Wang et al. 2004), Gaussian window of 11 px, (B,); its mean inside
    `mask`.
    """
    result = structural_similarity_index_measure(
        a, b, data_range=2.0, reduction="none", return_full_image=True
    )
    assert isinstance(result, tuple)
    whole = result[1].mean(1, keepdim=True)
    mask = torch.ones_like(whole) if mask is None else mask
    return (whole * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale SSIM, (B,): the five scales of the paper, fewer where the picture is too small
    for its window (four at 128 px), weights scaled to sum 1.
    """
    count = len(BETAS)
    while count > 1 and a.shape[-1] // max(1, count - 1) ** 2 < 11:
        count -= 1
    betas = BETAS[:count]
    total = sum(betas)
    return multiscale_structural_similarity_index_measure(
        a, b, data_range=2.0, reduction="none", normalize="relu",
        betas=tuple(beta / total for beta in betas),
    )  # fmt: skip


def face_mask(landmarks: Tensor, size: int) -> Tensor:
    """Where the faces are: hulls of (B, 68, 2) px with some forehead, float (B, 1, S, S) of 0 and
    1.
    """
    masks = np.zeros((len(landmarks), 1, size, size), np.uint8)
    for mask, points in zip(masks, landmarks.numpy(), strict=True):
        brows = points[17:27]
        # the forehead moves too: as much above the brows as the brows are above the eyes' corners
        lift = points[[36, 39, 42, 45]].mean(0) - brows.mean(0)
        hull = cv2.convexHull(np.vstack([points, brows - lift]).round().astype(np.int32))
        cv2.fillConvexPoly(mask[0], hull, (1,))
    return torch.from_numpy(masks).float()

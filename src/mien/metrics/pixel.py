"""How alike two pictures are, whole or inside the face. Pictures are (B, 3, S, S) in [-1, 1]."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

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
    return inside(ssim_map(a, b), mask)


def ssim_map(a: Tensor, b: Tensor) -> Tensor:
    """The same at every pixel, mean over the colours, (B, 1, S, S)."""
    structure, light = _windows(a, b)
    return (structure * light).mean(1, keepdim=True)


def inside(values: Tensor, mask: Tensor | None = None) -> Tensor:
    """The mean of values (B, 1, S, S) in `mask` (B, 1, S, S) of 0 and 1, or everywhere: (B,)."""
    if mask is None:
        return values.mean((1, 2, 3))
    return (values * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale SSIM, (B,): the five scales of the paper, fewer where the picture is too small
    for its window (four at 128 px), weights scaled to sum 1.
    """
    betas = BETAS[: _scales(a.shape[-1])]
    total = sum(betas)
    return multiscale_structural_similarity_index_measure(
        a, b, data_range=2.0, reduction="none", normalize="relu",
        betas=tuple(beta / total for beta in betas),
    )  # fmt: skip


def _scales(size: int) -> int:
    """How many scales a picture of `size` px has room for."""
    count = len(BETAS)
    while count > 1 and size // max(1, count - 1) ** 2 < 11:
        count -= 1
    return count


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


def ms_ssims(a: Tensor, b: Tensor, *masks: Tensor) -> list[Tensor]:
    """Multi-scale SSIM inside each of several masks (B, 1, S, S), (B,) each, at little more than
    the cost of one: at each scale the mean is taken over the windows whose centres lie in the mask.

    In a mask of ones it is `ms_ssim`.
    """
    count, where = _scales(a.shape[-1]), list(masks)
    values = [torch.ones(len(a), dtype=a.dtype, device=a.device) for _ in where]
    for scale in range(count):
        structure, light = (each.mean(1) for each in _windows(a, b))  # (B, S, S)
        # the coarsest scale alone has too few windows to leave the padded ones out
        edge = slice(None) if scale == count - 1 else slice(5, -5)
        structure = structure * light if scale == count - 1 else structure[:, edge, edge]
        for i, mask in enumerate(where):
            inside = mask[:, 0, edge, edge]
            mean = (structure * inside).sum((1, 2)) / inside.sum((1, 2)).clamp_min(1e-6)
            values[i] = values[i] * mean.clamp_min(0) ** (BETAS[scale] / sum(BETAS[:count]))
        a, b, *where = (functional.avg_pool2d(x, 2) for x in (a, b, *where))
    return values


_KERNELS = ((1, 1, 11, 1), (1, 1, 1, 11))


def _windows(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Contrast and structure, and luminance, of the Gaussian window at every pixel of pictures
    mirrored at their borders: (B, 3, S, S) each, whose product is SSIM.
    """
    a, b = (functional.pad(x, (5, 5, 5, 5), mode="reflect") for x in (a, b))
    line = torch.arange(-5.0, 6.0, dtype=a.dtype, device=a.device)
    bell = torch.exp(-(line**2) / (2 * 1.5**2))
    bell = bell / bell.sum()
    down, across = (bell.reshape(shape).expand(15, *shape[1:]) for shape in _KERNELS)
    every = torch.cat(
        [a, b, a * a, b * b, a * b], 1
    )  # a bell in two passes is 22 products, not 121
    smooth = functional.conv2d(functional.conv2d(every, down, groups=15), across, groups=15)
    mean_a, mean_b, aa, bb, ab = smooth.split(3, 1)
    c1, c2 = (0.01 * 2.0) ** 2, (0.03 * 2.0) ** 2
    spread = (aa - mean_a**2) + (bb - mean_b**2)
    structure = (2 * (ab - mean_a * mean_b) + c2) / (spread + c2)
    light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return structure, light


REGIONS: dict[str, tuple[tuple[int, int], ...]] = {
    "eyes": ((36, 42), (42, 48)),
    "mouth": ((48, 68),),
    "left_eye": ((42, 48),),
    "right_eye": ((36, 42),),
    "left_brow": ((22, 27),),
    "right_brow": ((17, 22),),
}
"""Landmarks whose hulls, with a border, are a region that expressions change most; left and right
are the person's own."""
PARTS = ("mouth", "left_eye", "right_eye", "left_brow", "right_brow")
"""The regions that are distinguished where faces are measured at their own size."""


def region_mask(landmarks: Tensor, size: int, region: str) -> Tensor:
    """Where one of `REGIONS` is, float (B, 1, S, S) of 0 and 1: hulls of its landmarks of (B, 68,
    2) px, each apart, widened by a sixth of the outer eye corners' distance.
    """
    masks = hull_mask(landmarks, size, region).numpy().astype(np.uint8)
    for mask, points in zip(masks, landmarks.numpy(), strict=True):
        border = max(1, round(float(np.linalg.norm(points[36] - points[45])) / 6))
        round_brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * border + 1,) * 2)
        mask[0] = cv2.dilate(mask[0], round_brush)
    return torch.from_numpy(masks).float()


def hull_mask(landmarks: Tensor, size: int, region: str) -> Tensor:
    """The same without the border: eye openings, lips."""
    masks = np.zeros((len(landmarks), 1, size, size), np.uint8)
    for mask, points in zip(masks, landmarks.numpy(), strict=True):
        for start, end in REGIONS[region]:
            hull = cv2.convexHull(points[start:end].round().astype(np.int32))
            cv2.fillConvexPoly(mask[0], hull, (1,))
    return torch.from_numpy(masks).float()


def sharpness(pixels: Tensor, mask: Tensor) -> Tensor:
    """Variance of the Laplacian of the grey picture inside `mask` (B, 1, S, S), (B,)."""
    weights = pixels.new_tensor([0.299, 0.587, 0.114])[None, :, None, None]
    grey = functional.pad((pixels * weights).sum(1, keepdim=True), (1, 1, 1, 1), "replicate")
    cross = pixels.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(grey, cross[None, None])
    area = mask.sum((1, 2, 3)).clamp_min(1)
    mean = (edges * mask).sum((1, 2, 3)) / area
    return ((edges - mean[:, None, None, None]).square() * mask).sum((1, 2, 3)) / area

"""The composing head's arithmetic: a result is the source, moved, with paint where nothing can be
moved in.

Parents: GANimation's colour mask (Pumarola et al., ECCV 2018, sec. 4.1) and warping-based animation
(Siarohin et al., FOMM, NeurIPS 2019). The same three fields apply to a crop of any size.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.types import Composition


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Sample `image` (B, C, H, W) at each pixel displaced by `flow` (B, 2, H, W) in crop units.

    Bilinear; beyond the border the nearest pixel is repeated. Returns (B, C, H, W).
    """
    height, width = flow.shape[-2:]
    ys = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=flow.device)
    xs = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=flow.device)
    grid = torch.stack(torch.meshgrid(xs, ys, indexing="xy")).to(flow.dtype)
    # grid_sample counts in half crops, a crop unit is the whole side
    where = (grid + 2 * flow).permute(0, 2, 3, 1)
    return F.grid_sample(image, where, align_corners=False, padding_mode="border")


def resize(field: Tensor, size: int) -> Tensor:
    """Bring a field (B, C, S, S) to side `size`, smoothly; the same field when it already fits."""
    if field.shape[-1] == size:
        return field
    return F.interpolate(field, size=(size, size), mode="bicubic", align_corners=False)


def compose(source: Tensor, edit: Composition[Tensor]) -> Tensor:
    """`mask * warp(source, flow) + (1 - mask) * paint` at the source's own size, the light of the
    source multiplied by `gain` where there is one.

    source (B, 3, T, T) in [-1, 1] at any side T; the fields are resampled to it. Returns (B, 3, T,
    T).
    """
    size = source.shape[-1]
    mask = resize(edit.mask, size).clamp(0, 1)
    moved = warp(source, resize(edit.flow, size))
    if edit.gain is not None:
        moved = (moved + 1) * resize(edit.gain, size).clamp_min(0) - 1
    return mask * moved + (1 - mask) * resize(edit.paint, size)


def decisive(edit: Composition[Tensor], occlusion_threshold: float) -> Composition[Tensor]:
    """The same edit without thin paint: occlusion (1 - mask) up to `occlusion_threshold`, from 0,
    with which it stays as it is, to below 1, becomes none.

    Where a network is unsure how far a lip moves, a pixel loss makes it put a thin blur over the
    moved photograph. That wins a tenth of a decibel and costs the picture its sharpness.
    """
    if not occlusion_threshold:
        return edit
    occlusion = ((1 - edit.mask - occlusion_threshold) / (1 - occlusion_threshold)).clamp(0, 1)
    return Composition(edit.flow, 1 - occlusion, edit.paint, edit.gain)


def picture(paint: Tensor) -> Composition[Tensor]:
    """The composition of a paper-true head, which repaints every pixel: mask 0, no flow."""
    batch, _, height, width = paint.shape
    return Composition(
        flow=paint.new_zeros(batch, 2, height, width),
        mask=paint.new_zeros(batch, 1, height, width),
        paint=paint,
    )

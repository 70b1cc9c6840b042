"""Pixel metrics against scikit-image, and what they must say of trivial pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from mien.faces.align import template
from mien.metrics.pixel import (
    CEILING,
    face_mask,
    ms_ssim,
    ms_ssims,
    psnr,
    region_mask,
    sharpness,
    ssim,
    ssim_map,
)


def pair(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    a = torch.rand(3, 3, size, size) * 2 - 1
    return a, (a + 0.2 * torch.randn(a.shape)).clamp(-1, 1)


def test_psnr_is_scikit_images() -> None:
    a, b = pair()
    theirs = [
        peak_signal_noise_ratio(x.numpy(), y.numpy(), data_range=2.0)
        for x, y in zip(a, b, strict=True)
    ]
    assert psnr(a, b).tolist() == pytest.approx(theirs, abs=1e-3)


def test_psnr_of_equal_pictures_is_the_ceiling() -> None:
    a, _ = pair()
    assert psnr(a, a).tolist() == [CEILING] * 3


def test_psnr_sees_the_mask_alone() -> None:
    a, _ = pair()
    b = a.clone()
    b[..., :32] = 0.0
    mask = torch.zeros(3, 1, 64, 64)
    mask[..., 32:] = 1
    assert psnr(a, b, mask).tolist() == [CEILING] * 3
    assert psnr(a, b, 1 - mask).max() < 12


def test_ssim_is_scikit_images() -> None:
    a, b = pair()
    theirs = [
        structural_similarity(
            x.numpy(), y.numpy(), data_range=2.0, channel_axis=0, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )
        for x, y in zip(a, b, strict=True)
    ]  # fmt: skip
    assert ssim(a, b).tolist() == pytest.approx(theirs, abs=0.02)  # borders are padded otherwise


@pytest.mark.parametrize("size", [64, 128, 192])
def test_ms_ssim_falls_with_noise(size: int) -> None:
    a, b = pair(size)
    c = (b + 0.4 * torch.randn(b.shape)).clamp(-1, 1)
    assert ms_ssim(a, a).tolist() == pytest.approx([1.0] * 3, abs=1e-5)
    assert bool((ms_ssim(a, c) < ms_ssim(a, b)).all())


def test_face_mask_holds_the_landmarks_and_the_forehead() -> None:
    t = torch.linspace(0, 2 * torch.pi, 69)[:68]
    points = torch.stack([64 + 30 * t.cos(), 64 + 30 * t.sin()], 1)
    points[17:27] = torch.stack([torch.linspace(45, 83, 10), torch.full((10,), 48.0)], 1)
    points[[36, 39, 42, 45], 1] = 58.0
    mask = face_mask(points[None], 128)
    assert mask.shape == (1, 1, 128, 128)
    assert mask[0, 0, 40, 64] == 1  # as far above the brows as these are above the eyes
    assert mask[0, 0, 10, 64] == 0
    assert mask[0, 0, 64, 64] == 1


@pytest.mark.parametrize("size", [64, 128, 192])
def test_ms_ssim_of_the_whole_picture_as_a_face_is_torchmetrics(size: int) -> None:
    a, b = pair(size)
    whole = torch.ones(3, 1, size, size)
    (inside,) = ms_ssims(a, b, whole)
    assert inside.tolist() == pytest.approx(ms_ssim(a, b).tolist(), abs=1e-4)


def test_ms_ssim_sees_the_face_alone() -> None:
    a, _ = pair(128)
    b = a.clone()
    b[..., :20] = 0.0
    mask = torch.zeros(3, 1, 128, 128)
    mask[..., 70:110] = 1  # beyond what the coarsest window reaches
    inside, outside = ms_ssims(a, b, mask, 1 - mask)
    assert inside.tolist() == pytest.approx([1.0] * 3, abs=0.02)
    assert outside.max() < 0.9


def test_regions_lie_at_eyes_and_mouth() -> None:
    points = torch.from_numpy(template(128))[None]
    eyes, mouth = (region_mask(points, 128, name)[0, 0] for name in ("eyes", "mouth"))
    left, bridge, lips = points[0, 36:42].mean(0), points[0, 29], points[0, 48:68].mean(0)
    for mask, inside, outside in ((eyes, left, bridge), (eyes, left, lips), (mouth, lips, left)):
        assert mask[int(inside[1]), int(inside[0])] == 1
        assert mask[int(outside[1]), int(outside[0])] == 0


def test_sharpness_is_opencvs() -> None:
    a, _ = pair()
    mask = torch.zeros(3, 1, 64, 64)
    mask[..., 8:40, 8:50] = 1
    grey = torch.einsum("bchw,c->bhw", a, torch.tensor([0.299, 0.587, 0.114])).numpy()
    theirs = [
        cv2.Laplacian(g.astype(np.float64), cv2.CV_64F, borderType=cv2.BORDER_REPLICATE)[
            m[0].numpy() > 0
        ].var()
        for g, m in zip(grey, mask, strict=True)
    ]
    assert sharpness(a, mask).tolist() == pytest.approx(theirs, rel=1e-3)
    blurred = torch.nn.functional.avg_pool2d(a, 3, 1, 1)
    assert bool((sharpness(blurred, mask) < 0.5 * sharpness(a, mask)).all())


def test_several_masks_at_once_are_each_by_itself() -> None:
    a, b = torch.rand(2, 2, 3, 128, 128) * 2 - 1
    b = 0.6 * a + 0.4 * b
    left = torch.zeros(2, 1, 128, 128)
    left[..., :64] = 1
    whole, half = ms_ssims(a, b, torch.ones_like(left), left)
    assert torch.equal(whole, ms_ssims(a, b, torch.ones_like(left))[0])
    assert torch.equal(half, ms_ssims(a, b, left)[0])
    assert not torch.equal(whole, half)


def test_ssim_is_torchmetrics() -> None:
    a = torch.rand(2, 3, 96, 96) * 2 - 1
    b = 0.7 * a + 0.3 * (torch.rand(2, 3, 96, 96) * 2 - 1)
    result = structural_similarity_index_measure(
        a, b, data_range=2.0, reduction="none", return_full_image=True
    )
    assert isinstance(result, tuple)
    right = result[1].mean(1, keepdim=True)
    # its full image ends with zeros where the window leaves the picture
    inner = (..., slice(5, -5), slice(5, -5))
    assert torch.allclose(ssim_map(a, b)[inner], right[inner], atol=1e-5)

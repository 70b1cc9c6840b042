"""mien's own 68 landmarks: a small network that was trained on hand-checked points and rig renders.

The network sees an aligned crop of 128 px and answers where the landmarks lie in it. It starts from
the detector's eyes and mouth, which tell place, size and roll; its answer aligns the crop better.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import WeightsError
from mien.faces import landmark_maps
from mien.faces.align import STABLE, inverse, mirrored, similarity, template, transform, warp
from mien.faces.convolution import Layers
from mien.types import Float, UInt8
from mien.zoo.records import read_arrays, read_weights, records

SIZE = 128
"""Side of the crop that the network sees, px."""
DOUBT = 0.02
"""Crop units up to which `follow` is believed."""
_FOLLOWING = 2
_MOVED = 1.5  # px of the crop: a face off by more is looked at again, in the middle
_SEEN = [0, 1, 3]  # of the detector's points: eyes and mouth; a turned head's nose and ears stray
_PLACES = np.array([[0.3628, 0.3750], [0.6372, 0.3750], [0.5, 0.6572]], np.float32)
"""Where they lie in the crop, in crop units: means over the hand-checked training people, made
symmetric (`benchmarks/detection.py` measures them).
"""


class LandmarkNet(nn.Module):
    """Heat maps at a quarter of the crop and the mean place of each: crops (B, 3, 128, 128) in [-1,
    1] -> (B, 68, 2).

    The answer is in crop units, that is 0 to 1 from edge to edge. An hourglass gives each heat map
    the sight of the whole face; the expected place under the map is finer than its cells (integral
    regression, Sun et al. 2018).
    """

    def __init__(self, widths: tuple[int, int, int, int] = (20, 40, 72, 112)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = conv(3, a, 3, 2)
        self.down1 = nn.Sequential(conv(a, b, 3, 2), Block(b))
        self.down2 = nn.Sequential(conv(b, c, 3, 2), Block(c), Block(c))
        self.down3 = nn.Sequential(conv(c, d, 3, 2), Block(d), Block(d), Block(d))
        self.up2 = nn.Sequential(conv(d + c, c, 1, 1), Block(c))
        self.up1 = conv(c + b, b, 1, 1)
        # Lids and lips are finer than a cell of the maps: the stem's cells, four to one, see them.
        self.fine = nn.Conv2d(4 * a, b, 1)
        self.last = nn.Sequential(Block(b), Block(b))
        self.heat = nn.Conv2d(b, 68, 1)

    def maps(self, crops: Tensor) -> Tensor:
        """Logits of where each landmark is, (B, 68, 32, 32)."""
        half = self.stem(crops)  # (B, 20, 64, 64)
        quarter = self.down1(half)  # (B, 40, 32, 32)
        eighth = self.down2(quarter)  # (B, 72, 16, 16)
        low = self.down3(eighth)  # (B, 112, 8, 8)
        low = F.interpolate(low, scale_factor=2.0, mode="bilinear", align_corners=False)
        low = self.up2(torch.cat([low, eighth], dim=1))
        low = F.interpolate(low, scale_factor=2.0, mode="bilinear", align_corners=False)
        low = self.up1(torch.cat([low, quarter], dim=1)) + self.fine(F.pixel_unshuffle(half, 2))
        heat: Tensor = self.heat(self.last(low))
        return heat

    def places(self, maps: Tensor) -> Tensor:
        """Expected place under each map, (B, 68, 2) in crop units."""
        side = maps.shape[-1]
        share = maps.flatten(2).softmax(dim=2).view(maps.shape)
        place = (torch.arange(side, device=maps.device, dtype=maps.dtype) + 0.5) / side
        x = (share.sum(dim=2) * place).sum(dim=2)
        y = (share.sum(dim=3) * place).sum(dim=2)
        return torch.stack([x, y], dim=2)

    def forward(self, crops: Tensor) -> Tensor:
        """Landmarks (B, 68, 2) in crop units of crops (B, 3, 128, 128)."""
        return self.places(self.maps(crops))


class Block(nn.Module):
    """Two 3x3 convolutions and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width, 3, 1)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, C, H, W) -> the same shape."""
        return F.relu(x + self.second(self.first(x)))


def conv(into: int, out: int, kernel: int, stride: int) -> nn.Sequential:
    """A convolution, its normalisation, and what rectifies it."""
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


def landmarks_in(
    pictures: Sequence[UInt8], keypoints: Sequence[Float], net: LandmarkNet | None = None
) -> list[tuple[Float, float]]:
    """Landmarks (68, 2) px of a face in each picture (H, W, 3), whose six points (6, 2) px the
    detector gave (`blazeface.KEYPOINTS`), and a doubt as in `follow`.
    """
    if not keypoints:
        return []
    matrices = [starting(points) for points in keypoints]
    answers = predict(_crops(pictures, matrices), net)
    first = [transform(inverse(m), a) for m, a in zip(matrices, answers, strict=True)]
    matrices = [aligning(points) for points in first]
    answers, doubts = _twice(_crops(pictures, matrices), net)
    return [
        (transform(inverse(matrix), answer), float(doubt))
        for matrix, answer, doubt in zip(matrices, answers, doubts, strict=True)
    ]


def _crops(pictures: Sequence[UInt8], matrices: Sequence[Float]) -> UInt8:
    return np.stack([warp(p, m, SIZE) for p, m in zip(pictures, matrices, strict=True)])


def starting(keypoints: Float) -> Float:
    """The similarity (2, 3) to the crop of 128 px, as the detector's six points px tell it."""
    return similarity(keypoints[_SEEN], _PLACES * SIZE - np.float32(0.5))


def aligning(points: Float) -> Float:
    """The similarity (2, 3) from the photograph of landmarks (68, 2) px to their crop of 128 px."""
    return similarity(points[list(STABLE)], template(SIZE)[list(STABLE)])


def _twice(crops: UInt8, net: LandmarkNet | None) -> tuple[Float, Float]:
    """Landmarks (B, 68, 2), crop px, the mirror image giving a second opinion, and the doubts
    (B,): how far the two lie apart on average, in crop units.
    """
    straight, turned = np.split(predict(np.concatenate([crops, crops[:, :, ::-1]]), net), 2)
    second = mirrored(turned, SIZE)
    apart = np.linalg.norm(straight - second, axis=2).mean(axis=1) / SIZE
    return (straight + second) / np.float32(2), np.asarray(apart, np.float32)


def follow(pixels: UInt8, landmarks: Float, net: LandmarkNet | None = None) -> tuple[Float, float]:
    """Landmarks (68, 2) px of a face that was at `landmarks` (68, 2) px a moment ago, and a doubt.

    No detector: the crop is aligned by where the face was, and once more if it has moved on. The
    doubt is how far the answers for the crop and for its mirror image lie apart, on average, in
    crop units: under `DOUBT` on a face, several times that where there is none.
    """
    stable = list(STABLE)
    points, doubt = landmarks, 1.0
    for _ in range(_FOLLOWING):
        matrix = aligning(points)
        (answer,), (apart,) = _twice(warp(pixels, matrix, SIZE)[None], net)
        points, doubt = transform(inverse(matrix), answer), float(apart)
        if np.abs(answer[stable].mean(0) - template(SIZE)[stable].mean(0)).max() < _MOVED:
            break
    return points, doubt


def predict(crops: UInt8, net: LandmarkNet | None = None) -> Float:
    """Landmarks (B, 68, 2), crop px, of aligned crops uint8 (B, 128, 128, 3): by the weights that
    ship, without torch and the same to the bit for any number of threads, or by another network.
    """
    if net is None:
        units = np.stack([landmark_maps.places(crop, _shipped()) for crop in crops])
    else:
        pixels = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2)
        with torch.inference_mode():
            units = net(pixels.float().div(127.5).sub(1.0)).numpy()
    return np.asarray(units * SIZE - 0.5, dtype=np.float32)


@functools.cache
def _shipped() -> Layers:
    record = records()["landmarks"]
    record.verify()
    return landmark_maps.folded(read_arrays(record.path))


@functools.cache
def load(path: Path | None = None) -> LandmarkNet:
    """The network in eval mode, with the weights that ship or those at `path`.

    AssetMissing when they are not there, WeightsError when they are not this network's.
    """
    if path is None:
        record = records()["landmarks"]
        record.verify()
        path = record.path
    tensors, _ = read_weights(path)
    net = LandmarkNet()
    try:
        net.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError:
        raise WeightsError(f"{path} does not hold the weights of the landmark network") from None
    return net.eval()

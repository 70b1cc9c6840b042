"""A critic that sees mouths alone: lips, teeth and the dark between them are few pixels of a face,
and no loss on pixels draws them sharp where a network is a pixel unsure of the lip.

Patches of a window are judged (PatchGAN: Isola et al., CVPR 2017); results are led by what its
layers see in the truth (feature matching: pix2pixHD, Wang et al., CVPR 2018, sec. 3.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mien.nn.losses import hinge_fake, hinge_real

LIPS = slice(48, 60)
"""The outer lips among the 68 landmarks."""
PART = 0.375
"""Side of a window over the crop's: an open mouth and what its corners pull along."""


def windows(pictures: Tensor, landmarks: Tensor) -> Tensor:
    """The mouths (B, 3, w, w) of pictures (B, 3, S, S), around the middle of the lips' extent by
    landmarks (B, 68, 2) px; whole pixels, inside the picture, w = 3/8 S.
    """
    size = pictures.shape[-1]
    side = round(PART * size)
    lips = landmarks[:, LIPS]
    middle = (lips.amin(1) + lips.amax(1)) / 2
    corner = (middle + 0.5 - side / 2).round().long().clamp(0, size - side)
    return torch.stack(
        [
            p[:, y : y + side, x : x + side]
            for p, (x, y) in zip(pictures, corner.tolist(), strict=True)
        ]
    )


class MouthCritic(nn.Module):
    """Windows (B, 3, w, w) -> realism of patches (B, 1, w / 4, w / 4) and every layer's map.

    Spectral norm wherever it plays against the generator.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        shapes = ((3, width, 4, 2), (width, 2 * width, 4, 2), (2 * width, 2 * width, 3, 1))
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(*shape, 1)) for shape in shapes)
        self.realism = spectral_norm(nn.Conv2d(2 * width, 1, 3, 1, 1))

    def forward(self, mouths: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps, h = [], mouths
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            maps.append(h)
        return self.realism(h), maps


def unlike(made: list[Tensor], true: list[Tensor]) -> Tensor:
    """L1 between the critic's maps of results and of the truth, in units of the truth's, mean over
    layers; the truth's stand still.
    """
    each = [
        (a - b).abs().float().mean() / b.abs().float().mean().clamp_min(1e-4)
        for a, b in zip(made, (t.detach() for t in true), strict=True)
    ]
    return torch.stack(each).mean()


class MouthWatch(nn.Module):
    """The critic and its two sides of the game, for a task that knows the true picture."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = MouthCritic()
        self.last: tuple[Tensor, Tensor] | None = None

    def terms(self, result: Tensor, truth: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
        """What the critic says of the mouths of results (B, 3, S, S) beside the true ones, whose
        landmarks (B, 68, 2) px are given: `mouth_realism`, `mouth_match`.
        """
        true, made = windows(truth, landmarks), windows(result, landmarks)
        self.last = (true, made.detach())
        answers, seen = self.critic(made)
        with torch.no_grad():
            _, wanted = self.critic(true)
        return {"mouth_realism": -answers.mean(), "mouth_match": unlike(seen, wanted)}

    def apart(self) -> Tensor:
        """The critic's own loss on the mouths of the last `terms`, by the hinge."""
        assert self.last is not None
        true, made = (self.critic(mouths)[0] for mouths in self.last)
        return hinge_real(true) + hinge_fake(made)

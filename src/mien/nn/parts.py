"""Critics that see a part of the face alone. Lips, teeth and lids are few pixels of a face, and no
loss on pixels draws them sharp, or closes them, where a network is a pixel unsure of their edge.

Patches of a window are judged (PatchGAN: Isola et al., CVPR 2017); results are led by what its
layers see in the truth (feature matching: pix2pixHD, Wang et al., CVPR 2018, sec. 3.3).
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from mien.nn.losses import hinge_fake, hinge_real

Part = Literal["mouth", "eyes"]
PARTS: dict[Part, tuple[tuple[int, ...], ...]] = {
    "mouth": (tuple(range(48, 60)),),
    "eyes": ((*range(17, 22), *range(36, 42)), (*range(22, 27), *range(42, 48))),
}
"""The landmarks, of 68, around whose extent a window lies: the outer lips; each eye with brow."""
WIDE = 0.375
"""Side of a window over the crop's: an open mouth and what its corners pull along, or an eye with
brow and cheek."""


def windows(pictures: Tensor, landmarks: Tensor, part: Part = "mouth") -> Tensor:
    """A part (n B, 3, w, w) of pictures (B, 3, S, S), around the middle of the extent of its
    landmarks, of (B, 68, 2) px; whole pixels, inside the picture, w = 3/8 S; n is 2 for eyes.
    """
    size = pictures.shape[-1]
    side = round(WIDE * size)
    found = []
    for indices in PARTS[part]:
        points = landmarks[:, list(indices)]
        middle = (points.amin(1) + points.amax(1)) / 2
        corner = (middle + 0.5 - side / 2).round().long().clamp(0, size - side)
        found += [
            p[:, y : y + side, x : x + side]
            for p, (x, y) in zip(pictures, corner.tolist(), strict=True)
        ]
    return torch.stack(found)


class PartCritic(nn.Module):
    """Windows (B, 3, w, w) -> realism of patches (B, 1, w / 4, w / 4) and every layer's map.

    Spectral norm wherever it plays against the generator.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        shapes = ((3, width, 4, 2), (width, 2 * width, 4, 2), (2 * width, 2 * width, 3, 1))
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(*shape, 1)) for shape in shapes)
        self.realism = spectral_norm(nn.Conv2d(2 * width, 1, 3, 1, 1))

    def forward(self, seen: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps, h = [], seen
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


class PartLoss(nn.Module):
    """The critic of a part and its two sides of the game, for a task that knows the true picture.

    Its terms are called `mouth_realism`, `mouth_match` or `eyes_realism`, `eyes_match`.
    """

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part: Part = part
        self.critic = PartCritic()
        self.last: tuple[Tensor, Tensor] | None = None

    def terms(self, result: Tensor, truth: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
        """What the critic says of the part in results (B, 3, S, S) beside the true ones, whose
        landmarks (B, 68, 2) px are given.
        """
        true, made = (windows(p, landmarks, self.part) for p in (truth, result))
        self.last = (true, made.detach())
        answers, seen = self.critic(made)
        with torch.no_grad():
            _, wanted = self.critic(true)
        return {
            f"{self.part}_realism": -answers.mean(),
            f"{self.part}_match": unlike(seen, wanted),
        }

    def critic_loss(self) -> dict[str, Tensor]:
        """The critic's own loss on the windows of the last `terms`, by the hinge."""
        assert self.last is not None
        true, made = (self.critic(seen)[0] for seen in self.last)
        return {f"{self.part}_realism": hinge_real(true) + hinge_fake(made)}


class PartCritics(nn.ModuleDict):
    """The critics of every part; those whose terms have a weight take part in the game.

    weights: has a field per term; paired: whether the truth is known, without which none plays.
    """

    def __init__(self, weights: object, paired: bool = True) -> None:
        super().__init__({part: PartLoss(part) for part in PARTS})
        terms = ("realism", "match")
        self.wanted = [
            p for p in PARTS if paired and any(getattr(weights, f"{p}_{t}") for t in terms)
        ]

    @property
    def active(self) -> list[PartLoss]:
        """Those that take part."""
        return [cast(PartLoss, self[part]) for part in self.wanted]

    def terms(self, result: Tensor, truth: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
        """Of all that play: see `PartLoss.terms`."""
        every = [critic.terms(result, truth, landmarks) for critic in self.active]
        return {name: value for terms in every for name, value in terms.items()}

    def critic_loss(self) -> dict[str, Tensor]:
        """The losses of those that play, on what the last `terms` saw."""
        every = [critic.critic_loss() for critic in self.active]
        return {name: value for losses in every for name, value in losses.items()}

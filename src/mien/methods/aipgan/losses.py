"""The losses of aipgan as their equations. Pure functions; weights are applied by the task.

Landmark, attention and warp terms are inferred from the abstract and from Deforming Autoencoders
(Shu et al., ECCV 2018); consistency from TER-GAN and the discriminator's heads from DE-GAN (same
authors). Those that need the rig's truth are in `nn/losses.py`.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from mien.nn.alive import entropy
from mien.nn.losses import heat


def misplaced(points: Tensor, truth: Tensor) -> Tensor:
    """Mean L1 distance between landmarks (B, 68, 2) in crop units, in px at 128."""
    return 128 * (points - truth).abs().sum(-1).mean()


def attends(gate: Tensor, points: Tensor) -> Tensor:
    """Squared error of a spatial gate (B, 1, h, h) to the landmarks' heat."""
    return (gate.float() - heat(points, gate.shape[-1])).square().mean()


def relative_l1(a: Tensor, b: Tensor) -> Tensor:
    """L1 of `a` to `b`, in units of b's spread; `b` stands still, so that neither can shrink."""
    b = b.detach()
    return (a - b).abs().mean() / b.float().std().clamp_min(1e-3)


def undecided(gate: Tensor) -> Tensor:
    """Mean entropy of a gate in [0, 1], bits: 0 where it is open or shut everywhere."""
    return entropy(gate).mean()


def unlike(made: Tensor, truth: Tensor, there: Tensor) -> Tensor:
    """L1 between pictures (B, 3, s, s) where there is a true one, (B,) 0 or 1; 0 where none is."""
    each = (made - truth).abs().mean((1, 2, 3))
    return (each * there).sum() / there.sum().clamp_min(1)


def somebody_else(logits: Tensor, person: Tensor) -> Tensor:
    """Cross-entropy of people (B,) int64 where they are known (not -1); 0 where none is."""
    wrong = F.cross_entropy(logits, person, ignore_index=-1, reduction="sum")
    return wrong / (person >= 0).sum().clamp_min(1)


def rough(warp: Tensor) -> Tensor:
    """Total variation of a warp (B, 2, h, h) in crop units, summed over its px, mean of the
    batch.
    """
    f = warp * warp.shape[-1]
    across, down = f[..., 1:] - f[..., :-1], f[..., 1:, :] - f[..., :-1, :]
    return (across.abs().sum() + down.abs().sum()) / len(f)


def drift(warp: Tensor) -> Tensor:
    """Squared distance, px, of the batch's mean warp from none: textures stay where faces are."""
    return (warp.mean(0) * warp.shape[-1]).square().mean()

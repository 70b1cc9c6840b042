"""Cross-encoder bilinear pooling: expression and identity maps of one scale -> a joined map.

All read (B, E, h, w) and (B, I, h, w) and answer (B, o, h, w), place by place. The abstract says
bilinear; which kind is inferred: low rank is the default, the others are for comparison.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.methods.aipgan.config import Architecture

ROOT_FLOOR = 1e-6
"""Added under the signed root, whose slope at 0 has no bound."""


class LowRank(nn.Module):
    """`P(tanh(U e) * tanh(V i))` (Kim et al., ICLR 2017, eq. 9): a bilinear form of rank
    `rank`.
    """

    def __init__(self, e: int, i: int, o: int, rank: int) -> None:
        super().__init__()
        self.u, self.v = nn.Conv2d(e, rank, 1), nn.Conv2d(i, rank, 1)
        self.p = nn.Conv2d(rank, o, 1)

    def forward(self, expression: Tensor, identity: Tensor) -> Tensor:
        out: Tensor = self.p(torch.tanh(self.u(expression)) * torch.tanh(self.v(identity)))
        return out


class Outer(nn.Module):
    """The full outer product of both maps, each reduced to `reduced` channels first; normalised."""

    def __init__(self, e: int, i: int, o: int, reduced: int) -> None:
        super().__init__()
        self.u, self.v = nn.Conv2d(e, reduced, 1), nn.Conv2d(i, reduced, 1)
        self.p = nn.Conv2d(reduced**2, o, 1)

    def product(self, expression: Tensor, identity: Tensor) -> Tensor:
        """(B, reduced ** 2, h, w), the expression's channel first."""
        u: Tensor = self.u(expression).float()
        v: Tensor = self.v(identity).float()
        return (u[:, :, None] * v[:, None]).flatten(1, 2)

    def forward(self, expression: Tensor, identity: Tensor) -> Tensor:
        out: Tensor = self.p(normalised(self.product(expression, identity)))
        return out


class Sketch(nn.Module):
    """The outer product's count sketch of length `length`: the circular convolution of both maps'
    own sketches (Pham and Pagh, KDD 2013; Gao et al., CVPR 2016, alg. 2).

    Hashes and signs are drawn once, from a fixed seed, and kept with the weights.
    """

    hash_e: Tensor
    hash_i: Tensor
    sign_e: Tensor
    sign_i: Tensor

    def __init__(self, e: int, i: int, o: int, length: int) -> None:
        super().__init__()
        self.length = length
        draw = torch.Generator().manual_seed(1000 * e + i)
        for name, channels in (("e", e), ("i", i)):
            where = torch.randint(length, (channels,), generator=draw)
            sign = 2.0 * torch.randint(2, (channels,), generator=draw) - 1
            self.register_buffer(f"hash_{name}", where)
            self.register_buffer(f"sign_{name}", sign)
        self.p = nn.Conv2d(length, o, 1)

    def sketch(self, x: Tensor, where: Tensor, sign: Tensor) -> Tensor:
        """Channels (B, C, h, w), each added with its sign where its hash says: (B, length, h,
        w).
        """
        x = x.float() * sign[:, None, None]
        return x.new_zeros(x.shape[0], self.length, *x.shape[2:]).index_add_(1, where, x)

    def product(self, expression: Tensor, identity: Tensor) -> Tensor:
        """The sketch (B, length, h, w) of the outer product."""
        e = self.sketch(expression, self.hash_e, self.sign_e)
        i = self.sketch(identity, self.hash_i, self.sign_i)
        both = torch.fft.rfft(e, dim=1) * torch.fft.rfft(i, dim=1)
        out: Tensor = torch.fft.irfft(both, n=self.length, dim=1)
        return out

    def forward(self, expression: Tensor, identity: Tensor) -> Tensor:
        out: Tensor = self.p(normalised(self.product(expression, identity)))
        return out


class Concatenation(nn.Module):
    """Both maps side by side, mixed by one 1x1 convolution: the ablation."""

    def __init__(self, e: int, i: int, o: int) -> None:
        super().__init__()
        self.p = nn.Conv2d(e + i, o, 1)

    def forward(self, expression: Tensor, identity: Tensor) -> Tensor:
        out: Tensor = self.p(torch.cat([expression, identity], 1))
        return out


class Alone(nn.Module):
    """The identity's map without the expression's: a scale where nothing is joined."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.p = nn.Conv2d(i, o, 1)

    def forward(self, expression: Tensor, identity: Tensor) -> Tensor:
        out: Tensor = self.p(identity)
        return out


def normalised(product: Tensor) -> Tensor:
    """Signed square root, then length 1 at each place (B, C, h, w), as bilinear pooling is used."""
    root = product.sign() * (product.abs() + ROOT_FLOOR).sqrt()
    return F.normalize(root, dim=1)


def pool(a: Architecture, e: int, i: int, o: int) -> nn.Module:
    """The pooling that the architecture asks for."""
    match a.pooling:
        case "low_rank":
            return LowRank(e, i, o, a.rank)
        case "outer":
            return Outer(e, i, o, a.reduced)
        case "sketch":
            return Sketch(e, i, o, a.rank)
        case "concatenation":
            return Concatenation(e, i, o)

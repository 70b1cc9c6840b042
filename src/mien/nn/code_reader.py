"""The adversary that reads codes."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mien import facs


class CodeReader(nn.Module):
    """Codes (B, D) -> logits of emotions (B, 8) and of units present (B, 47).

    Spectral norm bounds its answers: without it encoder and adversary drive each other up without
    end (auswap's lesson).
    """

    def __init__(self, length: int, width: int) -> None:
        """length: D; width: of its two inner layers."""
        super().__init__()
        self.layers = nn.Sequential(
            spectral_norm(nn.Linear(length, width)), nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(width, width)), nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(width, len(facs.EMOTIONS) + len(facs.UNITS))),
        )  # fmt: skip

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        answers: Tensor = self.layers(codes).float()
        return answers[:, : len(facs.EMOTIONS)], answers[:, len(facs.EMOTIONS) :]

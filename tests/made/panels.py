"""A panel of judges that takes no time: those that ship, and nobody of other people's."""

from __future__ import annotations

import torch

from mien.judges import NAMES, load
from mien.judges.identity import Descriptor
from mien.metrics.bench import JudgePanel


class Colour(Descriptor):
    """Knows people by their mean colour: dlib takes its time."""

    def __init__(self) -> None:
        pass

    def of(self, pixels: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        return pixels.mean((2, 3))

    def digest(self) -> str:
        return "colour"


def quick_panel() -> JudgePanel:
    """Both judges, people told by their colour, nobody looked for in results."""
    return JudgePanel([load(name) for name in NAMES], Colour(), lambda _: True)

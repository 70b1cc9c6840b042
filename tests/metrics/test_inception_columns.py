"""Inception on the bench: its columns beside the judges', where its weights can be had."""

from __future__ import annotations

import torch
from torch import Tensor

from mien import facs
from mien.faces.align import template
from mien.guides import Label
from mien.judges import Judge, Reading
from mien.judges.identity import Descriptor
from mien.judges.inception import Inception
from mien.metrics.bench import JudgePanel, SectionBench
from mien.metrics.scorecard import panel_facts, summary
from mien.metrics.table import quality
from mien.metrics.trials import Section, Trial, nothing
from mien.types import Faces, Float


class Calm(Judge):
    """Reads nothing, and sees the mean colour."""

    def __init__(self, name: str) -> None:
        super().__init__(name, torch.nn.Identity())

    def read(self, pixels: Tensor | Float) -> Reading:
        pixels = torch.as_tensor(pixels)
        empty = torch.zeros(len(pixels), len(facs.UNITS))
        return Reading(empty, torch.zeros(len(pixels), 8), torch.zeros(len(pixels), 68, 2))

    def features(self, pixels: Tensor) -> Tensor:
        return pixels.mean((2, 3))


class Nobody(Descriptor):
    """Knows nobody."""

    def __init__(self) -> None:
        pass

    def of(self, pixels: Tensor, landmarks: Tensor) -> Tensor:
        return torch.zeros(len(pixels), 128)

    def digest(self) -> str:
        return "nobody"


class Mean(Inception):
    """Sees the mean colour too."""

    def __init__(self) -> None:
        pass

    def features(self, pixels: Tensor) -> Tensor:
        return pixels.mean((2, 3))

    def digest(self) -> str:
        return "mean"


def test_inception_sees_beside_the_judges() -> None:
    draw = torch.Generator().manual_seed(0)
    points = torch.from_numpy(template(64)).expand(4, -1, -1)
    source, truth = (Faces(torch.rand(4, 3, 64, 64, generator=draw), points) for _ in range(2))
    section = Section("s", [Trial(source, tuple("abcd"), ("happy",) * 4, Label("happy"), 1, truth)])

    def line(inception: Inception | None) -> tuple[dict[str, float], str, dict[str, str]]:
        panel = JudgePanel([Calm("a")], Nobody(), lambda _: True, inception)
        measured = SectionBench(section, panel).measure(nothing)
        row = summary(measured, measured, False)
        shown = {"s": {"people": [], "without_face": [], "lines": {"nothing": row}}}
        return measured.sets, quality(shown), panel_facts(panel)

    sets, table, facts = line(Mean())
    alone, short, known = line(None)
    assert sets["frechet_inception"] == sets["frechet_judge_a"] > 0
    assert sets["kernel_inception"] == sets["kernel_judge_a"]
    assert set(sets) - set(alone) == {"frechet_inception", "kernel_inception"}
    assert "| Fréchet, Inception |" in table
    assert "Inception" not in short
    assert facts == known | {"inception": "mean"}  # kept lines are told apart

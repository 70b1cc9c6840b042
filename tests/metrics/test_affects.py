"""Deliberately broken ways of mixing land where they should in the 28 directions of affect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import facs
from mien.guides import ActionUnits
from mien.judges import Judge, Reading
from mien.judges.identity import Descriptor
from mien.metrics import protocols
from mien.metrics.bench import JudgePanel, SectionBench
from mien.metrics.circumplex import ANCHORS, ANGLES
from mien.metrics.protocols import AMOUNTS, PROTOCOLS, Setting
from mien.metrics.scorecard import followed
from mien.metrics.trials import Editing, Section, Trial, nothing
from mien.types import Faces, Float

COUNT = len(facs.UNITS)


class Written(Judge):
    """Reads units off the first line of a picture, where these tests write them."""

    def __init__(self, name: str) -> None:
        super().__init__(name, torch.nn.Identity())

    def read(self, pixels: Tensor | Float) -> Reading:
        pixels = torch.as_tensor(pixels)
        units = (pixels[:, 0, 0, :COUNT] + 1) / 2
        return Reading(units, torch.eye(8)[[0] * len(pixels)], torch.zeros(len(pixels), 68, 2))


def write(trial: Trial, units: Tensor) -> Tensor:
    made = trial.source.pixels.clone()
    made[:, 0, 0, :COUNT] = 2 * units - 1
    return made


def asked(trial: Trial) -> Tensor:
    assert isinstance(trial.ask, ActionUnits)
    return torch.from_numpy(facs.apply(trial.ask.settings, np.zeros(COUNT, np.float32)))


def right(trial: Trial) -> Tensor:
    return write(trial, asked(trial))


def mean_face(trial: Trial) -> Tensor:
    every = [facs.vector(units) for units in ANCHORS.values()]
    return write(trial, torch.from_numpy(np.mean(every, 0)))


def random_expression(trial: Trial) -> Tensor:
    drawn = np.random.default_rng([int(100 * trial.amount), *trial.names[0].encode()])
    label = facs.EMOTIONS[1 + drawn.integers(len(facs.EMOTIONS) - 1)]
    return write(trial, torch.from_numpy(facs.prototype(label)))


def nearest_prototype(trial: Trial) -> Tensor:
    """Somebody who knows labels alone, at every intensity, and cannot mix them."""
    angle = ANGLES[trial.names[0]]
    off = {word: abs((ANGLES[word] - angle + 180) % 360 - 180) for word in ANCHORS}
    return write(
        trial, trial.amount * torch.from_numpy(facs.vector(ANCHORS[min(off, key=off.__getitem__)]))
    )


@pytest.fixture
def section(monkeypatch: pytest.MonkeyPatch) -> Section:
    """Section `affects` of three people at rest."""

    class Photo:
        neutral, still, expression, size = True, (0,), (0,), 128

        def __init__(self, person: str) -> None:
            self.person, self.units = person, np.zeros((1, COUNT), np.float32)

    def faces_of(chosen: Any, size: int) -> Faces[Tensor]:
        return Faces(-torch.ones(len(chosen), 3, size, size), torch.zeros(len(chosen), 68, 2))

    monkeypatch.setattr(protocols, "open_renders", lambda *_: [Photo(p) for p in "abc"])
    monkeypatch.setattr(protocols, "faces_of", faces_of)
    found = PROTOCOLS["control"](Setting(Path(), Path())).sections
    return next(one for one in found if one.name == "affects at 4 intensities")


@pytest.fixture
def panel() -> JudgePanel:
    return JudgePanel([Written("a"), Written("b")], Descriptor.__new__(Descriptor))


def measured(section: Section, panel: JudgePanel, edit: Editing) -> dict[str, Any]:
    return followed(SectionBench(section, panel).measure(edit))


def crosstalk(line: dict[str, Any]) -> float:
    return float(line["columns"]["crosstalk"]["mean"])


def test_the_right_mixtures_are_perfect(section: Section, panel: JudgePanel) -> None:
    line = measured(section, panel, right)
    assert list(line["by_name"]) == list(ANGLES)
    assert sum(map(len, section.trials)) == len(ANGLES) * len(AMOUNTS) * 3
    assert [line[k] for k in ("r2", "r2_worst", "own_r2", "slope", "slope_least")] == [1.0] * 5
    assert crosstalk(line) == 0


def test_doing_nothing_follows_nothing(section: Section, panel: JudgePanel) -> None:
    line = measured(section, panel, nothing)
    assert (line["r2"], line["slope"], crosstalk(line)) == (0.0, 0.0, 0.0)


def test_a_mean_face_is_the_same_for_every_asking(section: Section, panel: JudgePanel) -> None:
    line = measured(section, panel, mean_face)
    assert line["r2"] == pytest.approx(0.5, abs=0.01)  # that something moved, not how far
    assert line["slope_least"] < 0.3
    assert crosstalk(line) > 0.05


def test_random_expressions_are_not_straight(section: Section, panel: JudgePanel) -> None:
    line = measured(section, panel, random_expression)
    assert line["r2"] < 0.6
    assert crosstalk(line) > 0.05


def test_who_cannot_mix_is_told_by_the_slopes(section: Section, panel: JudgePanel) -> None:
    line = measured(section, panel, nearest_prototype)
    assert line["by_name"]["happy"]["mean"]["slope"] == 1.0
    assert line["r2_worst"] == 1.0  # straight, but not what was asked
    slopes = [one["mean"]["slope"] for one in line["by_name"].values()]
    assert line["slope_least"] == min(slopes) < 0.85
    assert max(slopes) > 1.15

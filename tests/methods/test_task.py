"""What the tasks of all methods share: the terms beside the rig's truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from batches import made_pairs
from torch import Tensor

from mien.data.batch import Pairs
from mien.methods.auswap.config import Architecture, AUSwapConfig, Training
from mien.methods.auswap.task import AUSwapTask
from mien.types import Composition

SMALL = Architecture(size=32, stem=2, width=16, middle=8, blocks=1, encoder=8, encoder_max=16)


def terms(
    edit: Composition[Tensor], result: Tensor, batch: Pairs, **training: Any
) -> dict[str, Tensor]:
    made = AUSwapTask(AUSwapConfig(SMALL, training=Training(data="pairs", **training)), Path())
    return made.truth_terms(edit, result, batch)


def standing(pixels: Tensor) -> Composition[Tensor]:
    """All source, nothing moved."""
    maps = torch.ones_like(pixels[:, :1])
    return Composition(torch.zeros_like(pixels[:, :2]), maps, pixels)


def test_the_truth_itself_costs_nothing() -> None:
    batch = made_pairs(32, 2)
    edit, target = standing(batch.target.pixels), batch.target.pixels
    found = terms(edit, target, batch, mouth=10.0)
    assert set(found) == {"pixel", "edges", "flow", "mask", "occlusion", "smooth"}
    assert all(float(value) == 0 for value in found.values())
    assert float(terms(edit, batch.source.pixels, batch, mouth=10.0)["pixel"]) > 0.1


def test_eyes_count_more_where_they_are() -> None:
    batch = made_pairs(32, 2)
    points = torch.full((2, 68, 2), -500.0)
    points[:, 36:48] = 8.0
    batch = replace(batch, target=replace(batch.target, landmarks=points))
    edit = standing(batch.target.pixels)

    def cost(x: int, eyes: float) -> float:
        result = batch.target.pixels.clone()
        result[..., x : x + 3, x : x + 3] += 0.3
        return float(terms(edit, result, batch, emphasis=0.0, eyes=eyes)["pixel"])

    assert cost(7, 10.0) > 5 * cost(7, 0.0)  # on the eyes
    assert cost(24, 10.0) == pytest.approx(cost(24, 0.0), rel=1e-4)  # far from them

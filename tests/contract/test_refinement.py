"""Closing the loop: a result is read, and what it lacks is asked for on top."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from mien import facs
from mien.errors import ConfigError
from mien.guides import ActionUnits, Label
from mien.methods import registry
from mien.methods.learnt import Learnt
from mien.nn.compose import picture
from mien.types import Composition, Expression, Faces, Identity


class Sluggish(Learnt):
    """Faces whose brightness is their one expression; each answers by its own share of what it is
    asked, told in its first pixel.
    """

    name: ClassVar[str] = "sluggish"
    native: ClassVar[tuple[type, ...]] = ()

    def __init__(self, refinement_steps: int) -> None:
        super().__init__()
        self.size, self.refinement_steps, self.weight = (
            8,
            refinement_steps,
            nn.Parameter(torch.ones(())),
        )
        self.asked: list[Tensor] = []

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        return Identity(source, (source.pixels[:, 0, 0, 0],))

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        return Expression(faces.pixels[:, 1].mean((1, 2))[:, None])

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        return Expression(0.6 * (index[:, None] > 0))

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(units[:, :1])

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return expression.code.clamp(0, 1).expand(-1, len(facs.UNITS))

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        self.asked.append(expression.code)
        level = identity.features[0][:, None, None, None] * expression.code[..., None, None]
        return picture(level.expand(-1, 3, 8, 8))


def two() -> Faces[Tensor]:
    """One who answers by half, one by four fifths; both at rest."""
    pixels = torch.zeros(2, 3, 8, 8)
    pixels[:, 0, 0, 0] = torch.tensor([0.5, 0.8])
    return Faces(pixels, torch.zeros(2, 68, 2))


def reached(refinement_steps: int) -> Tensor:
    method = Sluggish(refinement_steps)
    return method.encode(Faces(method.generate(two(), Label("happy")), two().landmarks)).code[:, 0]


def test_unrefined_everyone_answers_by_their_own_share() -> None:
    assert reached(0).tolist() == pytest.approx([0.3, 0.48])


def test_each_step_brings_everyone_nearer_to_what_was_asked() -> None:
    errors = [(0.6 - reached(refinement_steps)).abs() for refinement_steps in range(5)]
    for before, after in pairwise(errors):
        assert (after < before).all()
    assert errors[4].max() < 0.15  # of 0.3
    spread = [float(e.max() - e.min()) for e in errors]
    assert spread[4] < 0.6 * spread[0]  # people answer more alike


def test_a_step_costs_one_composing() -> None:
    method = Sluggish(2)
    method.generate(two(), Label("happy"))
    assert len(method.asked) == 3


def test_an_own_expression_is_not_refined() -> None:
    method = Sluggish(2)
    edit = method.edit(two().mapped(method.numbers), ActionUnits(()))
    assert not method.asked
    assert edit.mask.min() == 1


@pytest.mark.parametrize("name", [name for name, row in registry.METHODS.items() if row.task])
def test_every_method_can_be_asked_to_refine(name: str) -> None:
    registry.check_chosen(name, {"refinement_steps": 1})
    architecture = registry.resolve(registry.entry(name).architecture)
    assert architecture().refinement_steps == 0
    with pytest.raises(ConfigError, match=r"refinement_steps is 0 or 1 or 2 or 3 or 4, not 9"):
        registry.check_chosen(name, {"refinement_steps": 9})

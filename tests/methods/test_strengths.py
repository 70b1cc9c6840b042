"""Weak expressions are asked for more strongly, so that they show as strong as they are meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from mien import facs
from mien.errors import WeightsError
from mien.guides import ActionUnits, Label, Reference
from mien.methods import registry
from mien.methods.fitting import fit
from mien.methods.learnt import Learnt
from mien.methods.strengths import ANY, NODES, stronger
from mien.metrics.report import Entrant, contestants
from mien.nn.compose import picture
from mien.types import Composition, Expression, Faces, Identity
from mien.zoo.records import read_weights, records

CURVE = (0.3, 0.4, 0.6, 0.8)


class Deaf(Learnt):
    """Faces whose brightness is their one expression, from 0 to 1; nothing below `deaf` is heard,
    and sadness is heard later than the others.
    """

    name: ClassVar[str] = "deaf"
    native: ClassVar[tuple[type, ...]] = ()
    drawn_by: str = registry.OWN

    def __init__(self, deaf: float = 0.2) -> None:
        super().__init__()
        self.size, self.deaf, self.weight = 8, deaf, nn.Parameter(torch.ones(()))
        self.asked: list[Tensor] = []

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        return Identity(source, ())

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        bright = faces.pixels[:, 1].mean((1, 2))
        return Expression(torch.stack([bright, torch.zeros_like(bright)], 1))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        sad = index == facs.EMOTIONS.index("sad")
        return Expression(torch.stack([(index > 0).float(), 0.3 * sad], 1))

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(torch.stack([units[:, 0], torch.zeros_like(units[:, 0])], 1))

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return expression.code[:, :1].clamp(0, 1).expand(-1, len(facs.UNITS))

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        self.asked.append(expression.code[:, 0])
        deaf = self.deaf + expression.code[:, 1]
        heard = (expression.code[:, 0] - deaf).clamp(min=0) / (1 - deaf).clamp(min=1e-3)
        return picture(heard.clamp(max=1)[:, None, None, None].expand(-1, 3, 8, 8))


def at_rest(count: int = 3) -> Faces[Tensor]:
    return Faces(torch.zeros(count, 3, 8, 8), torch.zeros(count, 68, 2))


def shown(method: Deaf, guide: Label | ActionUnits | Reference, intensity: float) -> float:
    return float(method.generate(at_rest(), guide, intensity)[:, 1].mean())


@pytest.mark.parametrize("name", ["happy", "sad"])
def test_a_fit_straightens_what_shows(name: str) -> None:
    method = Deaf()
    assert shown(method, Label(name), 0.2) == 0
    method.strengths = fit(method, at_rest())
    for meant in NODES:
        assert shown(method, Label(name), meant) == pytest.approx(meant, abs=0.02)
    assert shown(method, Label(name), 0.0) == 0
    assert shown(method, Label(name), 1.0) == pytest.approx(1.0)


def test_units_rise_as_emotions_do() -> None:
    method, first = Deaf(), facs.UNITS[0]
    method.strengths = {ANY: fit(method, at_rest())["happy"]}
    for text, intensity in ((f"{first}=0.25", 1.0), (f"{first}=+0.5", 0.5), (f"{first}=1", 0.25)):
        guide = ActionUnits.parse(text)
        assert shown(method, guide, intensity) == pytest.approx(0.25, abs=0.02)


def test_a_reference_is_followed_as_it_is_and_less_of_it_is_less() -> None:
    method = Deaf()
    method.strengths = {ANY: CURVE}
    reference = Reference(Faces(torch.full((1, 3, 8, 8), 0.5), torch.zeros(1, 68, 2)))
    for intensity, asked in ((1.0, 0.5), (0.5, 0.6 * 0.5), (2.0, 1.0)):
        method.generate(at_rest(), reference, intensity)
        assert method.asked[-1].tolist() == pytest.approx([asked] * 3)


def test_refinement_finds_out_itself_what_is_missing() -> None:
    method = Deaf()
    method.strengths, method.refinement_steps = {ANY: CURVE}, 1
    method.generate(at_rest(), Label("happy"), 0.25)
    assert method.asked[0].tolist() == pytest.approx([0.25] * 3)
    assert method.asked[1].tolist() > method.asked[0].tolist()


def test_labels_of_a_batch_have_each_their_own() -> None:
    method = Deaf()
    method.strengths = {"happy": CURVE, ANY: (0.2, 0.3, 0.5, 0.75)}
    method.generate(at_rest(2), Label(("happy", "fear")), 0.25)
    assert method.asked[-1].tolist() == pytest.approx([0.4, 0.3])


def test_nothing_all_and_more_stay_as_they_are() -> None:
    amounts = np.array([0.0, 1.0, 1.5, -1.0, -2.0])
    assert stronger({ANY: CURVE}, amounts).tolist() == amounts.tolist()
    assert stronger({ANY: CURVE}, -0.25) == -0.4
    assert stronger({}, 0.25) == 0.25
    rising = stronger({ANY: CURVE}, np.linspace(-1.2, 1.2, 200))
    assert bool((np.diff(rising) > 0).all())


def test_shipped_strengths_are_loaded_and_told_apart() -> None:
    """A scorecard keeps finished lines for the same weights: strengths are part of them."""
    method = registry.load("aipgan")
    assert method.strengths[ANY][0] > 1.5 * NODES[0]
    (one,), _ = contestants([Entrant("aipgan", "aipgan", None)])
    assert json.dumps(dict(method.strengths), sort_keys=True) in one.weights


@pytest.mark.parametrize("nodes", [f"[1{'0' * 400}, 0.5, 0.75, 1]", "[NaN, 0.5, 0.75, 1]", '"a"'])
def test_strengths_that_are_no_numbers_are_refused(tmp_path: Path, nodes: str) -> None:
    arrays, facts = read_weights(records()["mtss"].path)
    wrong = tmp_path / "wrong.safetensors"
    save_file(arrays, wrong, metadata=facts | {"strengths": f'{{"any": {nodes}}}'})
    with pytest.raises(WeightsError, match="does not fit"):
        registry.load("mtss", wrong)


def test_what_answers_nothing_has_no_strengths() -> None:
    assert fit(Deaf(deaf=1.0), at_rest()) == {}

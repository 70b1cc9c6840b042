"""Whether the mechanisms of mtss' paper live, on labelled photographs, without the rig."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from batches import made_pairs
from torch import Tensor

from mien.data.batch import Named
from mien.methods.mtss import losses
from mien.methods.mtss.config import Architecture, LossWeights, MTSSConfig, Training
from mien.methods.mtss.task import MTSSTask
from mien.nn.alive import heard, vitals

PAPER = Architecture(
    size=64, stem=2, width=8, middle=8, blocks=1, style=16, latent=4, mapper=8, extractor=8,
    extractor_max=16, sdu=32, discriminator=8, discriminator_max=16,
)  # fmt: skip
TERMS = {
    "reconstruction", "style", "adversarial", "classification", "style_part", "orthogonality",
}  # fmt: skip


def unpaired(weights: LossWeights = LossWeights(), **changes: Any) -> MTSSTask:  # noqa: B008
    torch.manual_seed(0)
    architecture = replace(PAPER, **changes)
    return MTSSTask(MTSSConfig(architecture, weights, Training(batch=4)), Path())


def photographs() -> Named:
    """Four photographs of one emotion, and another to give them."""
    pairs = made_pairs(64)
    label = torch.full((4,), 1)
    return Named(replace(pairs.source, label=label), torch.full((4,), 3))


def slope(loss: Tensor, module: torch.nn.Module) -> float:
    parameters = list(module.parameters())
    grads = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
    return sum(float(g.abs().sum()) for g in grads if g is not None)


@pytest.mark.parametrize(
    ("part", "network"),
    [
        ("orthogonality", "sdu"), ("style_part", "sdu"), ("classification", "extractor"),
        ("classification", "mapper"), ("reconstruction", "sdu"), ("reconstruction", "decoder"),
        ("style", "mapper"), ("style", "translator"), ("adversarial", "decoder"),
    ],
)  # fmt: skip
def test_every_mechanism_teaches_the_network_it_is_for(part: str, network: str) -> None:
    made = unpaired()
    parts = made.unpaired(photographs(), 0).parts
    assert set(parts) == TERMS
    assert slope(parts[part], getattr(made.method, network)) > 1e-6


def test_the_style_part_teaches_the_unit_in_the_readers_terms() -> None:
    made = unpaired()
    part = made.unpaired(photographs(), 0).parts["style_part"]
    assert slope(part, made.method.sdu) > 1e-6
    assert slope(part, made.method.extractor) == slope(part, made.classifier) == 0
    assert all(p.requires_grad for p in made.method.extractor.parameters())


def test_taking_the_unit_out_changes_what_is_drawn() -> None:
    """The lesion: with the style left in the skip another picture comes out."""
    made, data = unpaired().eval(), photographs()
    m, x = made.method, data.source.pixels
    with torch.no_grad():
        content, skip, style = m.separate(x)
        own = m.extractor(x)
        cleaned = m.translate(x, content, skip, own, own).paint
        left = m.translate(x, content, skip + style, own, own).paint
    assert float((cleaned - left).abs().mean()) > 0.01 * float(cleaned.std())


def test_style_and_content_of_the_skip_come_apart() -> None:
    """A few steps of the orthogonality alone: the parts' cosine falls."""
    made, data = unpaired(), photographs()
    step = torch.optim.Adam(made.method.sdu.parameters(), 6e-3)
    far = []
    for _ in range(8):
        _, skip, style = made.method.separate(data.source.pixels)
        loss = losses.orthogonality_gram(style, skip)
        far.append(float(losses.orthogonality_cosine(style, skip).detach()))
        step.zero_grad()
        loss.backward()
        step.step()
    assert far[-1] < 0.7 * far[0]


def test_dead_mechanisms_are_noticed() -> None:
    made, data = unpaired().eval(), photographs()
    _, alarms = heard(made.answers(made.method, data))
    assert not alarms
    assert not vitals(made.method, data.source.pixels)[1]
    with torch.no_grad():
        made.discriminator.out.weight.zero_()
        made.classifier[-1].get_parameter("weight").zero_()
        made.method.sdu.get_parameter("out.bias").fill_(40.0)
    _, alarms = heard(made.answers(made.method, data))
    assert [a.partition(" is dead")[0] for a in alarms] == ["discriminator", "style classifier"]
    assert "style disentanglement is dead" in vitals(made.method, data.source.pixels)[1][0]
    assert not unpaired(LossWeights(adversarial=0, classification=0)).answers(made.method, data)

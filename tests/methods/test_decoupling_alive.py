"""decoupling on photographs, without the rig, and whether the mechanisms of its paper live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from batches import made_strangers
from torch import nn

import mien
from mien.data.batch import Strangers
from mien.methods.decoupling import losses
from mien.methods.decoupling.codes import Codes
from mien.methods.decoupling.config import Architecture, DecouplingConfig, LossWeights, Training
from mien.methods.decoupling.method import Decoupling
from mien.methods.decoupling.task import DecouplingTask
from mien.nn.alive import heard
from mien.nn.phases import Loss
from mien.types import Faces

PAPER = Architecture(
    size=64, trunk=8, trunk_norm="group", pyramid=8, mapping=16, depth=2,
    layers=((8, 0), (4, 6), (2, 6), (0, 6), (0, 6)), grain=16, generator=512, generator_max=16,
    discriminator=512, discriminator_max=16, feedback=8, passes=3, reader=16, people=4,
    composer=16, blocks=1,
)  # fmt: skip
TERMS = {
    "units", "mapped", "classification", "uniform", "reconstruction", "structure", "refined",
    "latent", "swap", "realism",
}  # fmt: skip


def unpaired(weights: LossWeights = LossWeights(), **changes: Any) -> DecouplingTask:  # noqa: B008
    torch.manual_seed(0)
    made = Training(images=800, batch=4, share=0.5)
    architecture = replace(PAPER, **changes)
    task = DecouplingTask(DecouplingConfig(architecture, weights, made), Path())
    task.grow(799)
    speak(task.method)
    return task


def speak(method: Decoupling) -> None:
    """A feedback network that has begun to say something."""
    for part in (*method.feedback.identity, method.feedback.expression):
        for p in part.parameters():
            nn.init.normal_(p, std=0.01)


def step(made: DecouplingTask, seen: int = 799) -> Loss:
    return made.picture(made_strangers(64), seen)


def photographs(count: int = 4) -> Faces[torch.Tensor]:
    torch.manual_seed(5)
    return Faces(torch.rand(count, 3, 64, 64) * 2 - 1, torch.zeros(count, 68, 2))


def test_photographs_feed_every_term_of_the_paper() -> None:
    made, data = unpaired(), made_strangers(64)
    for seen in (0, 200, 799):  # at 16, 32 and 64 px
        parts = made.picture(data, seen).parts
        assert set(parts) == TERMS
        assert all(bool(torch.isfinite(v)) for v in parts.values())
        assert set(made.judge(data, seen).parts) >= {"apart"}
        assert bool(torch.isfinite(made.read_identity(data, seen).total))
    assert set(made.validate(made.method.eval(), data)) == {"psnr_codes", "psnr_refined"}
    names = [name for name, _ in made.preview(made.method, data)]
    assert {"donor", "like donor", "nobody"} <= set(names)


def test_of_strangers_the_judge_sees_faces_with_anothers_expression() -> None:
    made = unpaired()
    step(made)
    assert made.fakes.shape == (6, 3, 64, 64)  # rebuilt, of nobody, and with another's: two each
    assert not torch.allclose(made.fakes[4:6], made.fakes[0:2], atol=1e-3)


@pytest.mark.parametrize(
    ("part", "network"),
    [
        ("uniform", "encoder"), ("latent", "feedback"), ("swap", "feedback"),
        ("latent", "generator"), ("refined", "feedback"), ("realism", "generator"),
        ("classification", "encoder"), ("structure", "generator"),
    ],
)  # fmt: skip
def test_every_mechanism_teaches_the_network_it_is_for(part: str, network: str) -> None:
    made = unpaired()
    parameters = list(getattr(made.method, network).parameters())
    grads = torch.autograd.grad(step(made).parts[part], parameters, allow_unused=True)
    assert sum(float(g.abs().sum()) for g in grads if g is not None) > 1e-6


# ---- growth --------------------------------------------------------------------------------------


def test_growth_begins_where_a_face_has_a_mouth_and_takes_few_long_stages() -> None:
    made = unpaired()
    assert [s.name for s in made.stages] == ["16", "32", "64"]
    assert [s.fades for s in made.stages] == [False, True, True]
    lengths = [s.stop - s.start for s in made.stages]
    assert lengths == sorted(lengths)
    assert made.grow(0) == 2  # all below is there from the start, nothing is faded in
    assert made.method.generator(made.method.encoder(photographs().pixels)).shape[-1] == 16
    assert made.grow(made.stages[1].start) < 2.1
    assert made.grow(799) == 4


# ---- the feedback network ------------------------------------------------------------------------


def test_the_codes_of_the_feedback_network_are_what_is_transferred() -> None:
    made, faces = unpaired().method.eval(), photographs()
    with torch.no_grad():
        first = made.encoder(faces.pixels)
        after = made.refined(faces.pixels, first)
        assert torch.equal(made.encode(faces).code, after.expression)
        assert not torch.allclose(after.expression, first.expression, atol=1e-4)
        other = made.encode(photographs(5))
        like = made.decode(made.identity(faces), mien.types.Expression(other.code[:4]))
        wanted = made.drawn(Codes(after.identity, other.code[:4])).clamp(-1, 1)
        assert torch.allclose(like, wanted, atol=1e-5)
        for p in made.feedback.parameters():  # the lesion: without it another picture comes out
            p.zero_()
        assert not torch.allclose(made.decode(made.identity(faces), made.encode(faces)), like)


def test_what_is_transferred_teaches_the_feedback_network() -> None:
    """What a code after its passes must say reaches it; where it does not drive, nothing does."""
    for driven in (True, False):
        made = unpaired(driven=driven)
        parameters = list(made.method.feedback.parameters())
        loss = step(made).parts["units"]
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        assert any(g is not None and float(g.abs().sum()) > 0 for g in grads) == driven


def test_weights_that_ship_are_older_than_that() -> None:
    shipped = mien.load("decoupling")
    assert isinstance(shipped, Decoupling)
    assert not shipped.architecture.driven
    assert Architecture().driven


# ---- the separation adversary --------------------------------------------------------------------


def alarms(made: DecouplingTask, data: Strangers) -> tuple[dict[str, float], list[str]]:
    made.eval()
    return heard(made.answers(made.method, data))


def test_a_dead_adversary_or_feedback_network_is_noticed() -> None:
    made, data = unpaired(), made_strangers(64)
    numbers, said = alarms(made, data)
    assert {"separation adversary, spread", "discriminator, spread"} <= numbers.keys()
    assert not [a for a in said if "dead" in a]
    with torch.no_grad():
        for p in made.method.feedback.parameters():
            p.zero_()
        made.discriminator.answer[-1].get_parameter("weight").zero_()
    dead = [a.partition(" is dead")[0] for a in alarms(made, data)[1] if "dead" in a]
    assert dead == ["discriminator", "feedback"]


def test_an_adversary_that_reads_what_it_must_not_is_noticed() -> None:
    """One that has learnt the codes of a few faces; and then an encoder that heeds it."""
    made, data = unpaired(), made_strangers(64)
    made.meet(made.method.encoder(data.source.pixels).identity)
    reader = torch.optim.Adam(made.reader.parameters(), 2e-2)
    for _ in range(60):
        reader.zero_grad()
        made.read_identity(data, 0).total.backward()
        reader.step()
    numbers, said = alarms(made, data)
    assert numbers["separation adversary, read"] > 0.9
    assert any("separation adversary is not heeded" in a for a in said)
    made.train()
    encoder = torch.optim.Adam(made.method.encoder.parameters(), 1e-2)

    def uniform() -> torch.Tensor:
        codes = made.method.encoder(data.source.pixels).identity
        return losses.cannot_read(made.reader(codes))

    before = float(uniform().detach())
    for _ in range(30):
        encoder.zero_grad()
        uniform().backward()
        encoder.step()
    assert float(uniform().detach()) < 0.5 * before
    assert (
        alarms(made, data)[0]["separation adversary, read"] < numbers["separation adversary, read"]
    )

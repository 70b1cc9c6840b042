"""aipgan on photographs, without the rig, and whether the mechanisms of its paper live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from batches import made_strangers
from torch import Tensor

from mien.methods.aipgan import losses, networks
from mien.methods.aipgan.config import AIPGANConfig, Architecture, LossWeights, Training
from mien.methods.aipgan.method import AIPGAN
from mien.methods.aipgan.task import AIPGANTask
from mien.nn.alive import vitals
from mien.nn.encoder import rationed
from mien.types import Faces

PAPER = Architecture(
    size=64, stem=2, width=16, width_max=32, code=24, identity=16, features=8, features_max=16,
    decoder=8, decoder_max=16, rank=12, reduced=4, discriminator=8, norm="group",
)  # fmt: skip
JUDGED = {"realism", "judged_units", "judged_person"}
TERMS = JUDGED | {
    "landmarks", "attention", "units", "mapped", "intrinsic", "neutral", "warp_smooth",
    "warp_mean", "expression_again", "identity_again", "reconstruction",
}  # fmt: skip


def unpaired(weights: LossWeights = LossWeights(), **changes: object) -> AIPGANTask:  # noqa: B008
    torch.manual_seed(0)
    made = Training(data="unpaired", share=0.5, people=5)
    return AIPGANTask(AIPGANConfig(replace(PAPER, **changes), weights, made), Path())  # type: ignore[arg-type]


def method(architecture: Architecture = PAPER) -> AIPGAN:
    torch.manual_seed(0)
    return AIPGAN(architecture).eval()


def faces(count: int = 2) -> Faces[Tensor]:
    torch.manual_seed(3)
    return Faces(torch.rand(count, 3, 64, 64) * 2 - 1, torch.zeros(count, 68, 2))


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_rationed_gate_lets_its_share_through_and_no_more(share: float) -> None:
    torch.manual_seed(0)
    logits = (3 * torch.randn(4, 1, 16, 16) + 5).requires_grad_()
    gate = rationed(logits, share)
    assert gate.detach().mean((1, 2, 3)) == pytest.approx(torch.full((4,), share), abs=1e-4)
    # what opens a place shuts the others: raised everywhere, nothing changes
    (slope,) = torch.autograd.grad(gate[:, :, 2, 3].sum(), logits)
    assert bool((slope[:, 0, 2, 3] > 0).all())
    assert slope.sum((1, 2, 3)) == pytest.approx(torch.zeros(4), abs=1e-5)
    assert torch.allclose(rationed(logits + 7, share), gate, atol=1e-4)
    step = logits.detach().clone()
    step[:, :, 2, 3] += 1e-2
    moved = (rationed(step, share) - gate)[:, 0, 5, 5]
    (wanted,) = torch.autograd.grad(rationed(logits, share)[:, 0, 5, 5].sum(), logits)
    assert torch.allclose(moved, 1e-2 * wanted[:, 0, 2, 3], atol=1e-5)


def test_the_identity_gate_chooses_what_rebuilds_the_intrinsic_image() -> None:
    """It has a phase of its own, in which the intrinsic image teaches it; no other phase moves it;
    and without an intrinsic image it learns nothing."""
    made = unpaired(LossWeights(warp_mean=0, warp_smooth=0), identity_gate=0.5)
    names = [p.name for p in made.phases()]
    assert names == ["discriminator", "gate", "generator"]
    gate = made.phases()[1]
    own = {id(p) for p in gate.parameters}
    chooses = made.method.identity_encoder.gate()
    assert chooses is not None
    assert own == {id(p) for p in chooses.parameters()}
    assert not own & {id(p) for p in made.phases()[2].parameters}
    loss = gate.loss(made_strangers(64), 0)
    assert {"intrinsic", "choice", "neutral"} <= set(loss.parts)
    for part in ("intrinsic", "choice", "neutral"):
        grads = torch.autograd.grad(loss.parts[part], gate.parameters, retain_graph=True)
        assert sum(float(g.abs().sum()) for g in grads) > 0
    assert "gate" not in [p.name for p in unpaired(LossWeights(intrinsic=0)).phases()]
    assert "gate" not in [p.name for p in unpaired(identity_gate=0.0).phases()]


def test_the_gate_goes_where_the_person_is() -> None:
    """Pictures whose right half alone differs from person to person: taught by the intrinsic image
    a gate that may open for a quarter opens there, and one that is not taught does not."""
    opened = {}
    for taught in (True, False):
        torch.manual_seed(0)
        encoder = networks.IdentityEncoder(replace(PAPER, intrinsic="neutral", identity_gate=0.25))
        x = torch.zeros(8, 3, 64, 64)
        coarse = torch.rand(8, 3, 4, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
        x[..., 32:] = coarse.repeat_interleave(16, 2).repeat_interleave(16, 3)
        chooses = encoder.gate()
        assert chooses is not None
        modules = [*encoder.others(), *([chooses] if taught else [])]
        step = torch.optim.Adam([p for m in modules for p in m.parameters()], 5e-3)
        for _ in range(30):
            maps, _, gate = encoder(x)
            step.zero_grad()
            (encoder.intrinsic(maps[-1]) - x).abs().mean().backward()
            step.step()
        assert gate is not None
        opened[taught] = float(gate.detach()[..., 8:].mean() / gate.detach().mean())
    assert opened[True] > 1.2
    assert opened[True] > opened[False] + 0.1


def test_what_the_gate_shuts_out_does_not_reach_the_result() -> None:
    made = method(PAPER)
    encoder, pixels = made.identity_encoder, faces().pixels
    maps, _, _ = encoder(pixels)
    attention = encoder.trunk.attention
    assert attention is not None
    attention.let = 0.0  # every place by itself
    with torch.no_grad():
        attention.get_parameter("where.weight").zero_()
        attention.get_parameter("where.bias").fill_(-30.0)
    shut, _, _ = encoder(pixels)
    other, _, _ = encoder(pixels.flip(3) * 0.3)
    assert not torch.allclose(maps[-1], shut[-1])
    assert torch.allclose(other[-1], shut[-1], atol=1e-5)


@pytest.mark.parametrize("gate", ["where", "shared.2"])
def test_a_gate_that_is_shut_changes_the_code(gate: str) -> None:
    """The lesion: an attention whose gate, of places or of channels, is never applied says the same
    with it shut; one that is applied lets nothing of the face through."""
    encoder, pixels = method().expression_encoder, faces().pixels
    attention = encoder.trunk.attention
    assert attention is not None
    with torch.no_grad():
        code, _ = encoder(pixels)
        attention.get_parameter(f"{gate}.weight").zero_()
        attention.get_parameter(f"{gate}.bias").fill_(-30.0)
        shut, _ = encoder(pixels)
    assert not torch.allclose(code[0], code[1], atol=1e-4)
    assert not torch.allclose(code, shut, atol=1e-3)
    assert torch.allclose(shut[0], shut[1], atol=1e-5)


def test_the_gate_cannot_be_open_everywhere_and_undecided_ones_cost() -> None:
    numbers, alarms = vitals(method(PAPER), faces().pixels)
    assert not [a for a in alarms if "end of its range" in a]
    assert numbers["identity attention, ends"] < 0.6
    half, chosen = torch.full((1, 1, 4, 4), 0.5), torch.eye(4)[None, None]
    assert losses.undecided(half) == pytest.approx(1)
    assert losses.undecided(chosen) == pytest.approx(0, abs=1e-3)
    dead = method(replace(PAPER, identity_gate=0.0))
    with torch.no_grad():
        dead.identity_encoder.get_parameter("trunk.attention.where.bias").fill_(9.0)
    assert "identity attention is dead" in vitals(dead, faces().pixels)[1][0]


def test_photographs_feed_every_term_of_the_paper() -> None:
    made, photographs = unpaired(), made_strangers(64)
    assert set(made.make(photographs, 0).parts) == TERMS
    assert set(made.judge(photographs, 0).parts) == JUDGED
    assert set(made.validate(made.method, photographs)) >= {"psnr_intrinsic", "units_mae"}
    for parts in (made.make(photographs, 0).parts, made.judge(photographs, 0).parts):
        assert all(bool(torch.isfinite(v)) for v in parts.values())


def test_the_person_at_rest_is_asked_for_where_there_is_such_a_photograph() -> None:
    data = made_strangers(64)
    assert data.source_person is not None
    for made, name in ((unpaired(), "neutral"), (unpaired(intrinsic="neutral"), "intrinsic")):
        maps, bottom, _ = made.method.identity_encoder(data.source.pixels)
        nowhere = replace(data.source_person, has_neutral=torch.zeros(4))
        none = replace(data, source_person=nowhere, donor_person=nowhere)
        assert made.intrinsic_terms(maps, bottom, data)[name].item() > 0
        assert made.intrinsic_terms(maps, bottom, none)[name].item() == 0


def test_people_of_one_photograph_are_nobody_to_the_discriminator() -> None:
    logits = torch.randn(3, 5, requires_grad=True)
    assert losses.somebody_else(logits, torch.full((3,), -1)) == 0
    (slope,) = torch.autograd.grad(losses.somebody_else(logits, torch.tensor([-1, 2, -1])), logits)
    assert (slope.abs().sum(1) > 0).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("part", "network"),
    [
        ("attention", "expression_encoder"), ("landmarks", "expression_encoder"),
        ("intrinsic", "identity_encoder"), ("neutral", "identity_encoder"),
        ("realism", "decoder"), ("judged_person", "decoder"), ("judged_units", "decoder"),
        ("expression_again", "decoder"), ("identity_again", "decoder"),
    ],
)  # fmt: skip
def test_every_mechanism_teaches_the_network_it_is_for(part: str, network: str) -> None:
    made = unpaired()
    loss = made.make(made_strangers(64), 0)
    parameters = list(getattr(made.method, network).parameters())
    grads = torch.autograd.grad(loss.parts[part], parameters, allow_unused=True)
    assert sum(float(g.abs().sum()) for g in grads if g is not None) > 1e-6


def test_both_sides_of_the_bilinear_pooling_are_heard() -> None:
    """Of every scale: another map of either encoder changes the result, and so does a gradient."""
    made = method(PAPER)
    identity = made.identity(faces())
    maps = [m.detach().requires_grad_() for m in identity.features[:-1]]
    donor = [m.detach().requires_grad_() for m in made.expression_features(identity.features[-1])]
    h = made.decoder(maps, donor, None, faces().pixels, torch.zeros(2, 24))
    for slope in torch.autograd.grad(h.square().sum(), [*maps, *donor]):
        assert float(slope.abs().sum()) > 1e-6

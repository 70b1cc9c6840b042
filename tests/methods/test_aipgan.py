"""aipgan: attention and landmarks, every pooling against a slow one, the one way through the code,
every term and its switch.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from batches import made_pairs, sources
from torch import Tensor, nn

from mien.data.batch import Pairs
from mien.faces.align import template
from mien.methods.aipgan import losses, networks
from mien.methods.aipgan.config import (
    AIPGANConfig,
    Architecture,
    LossWeights,
    Pooling,
    Scales,
    Training,
)
from mien.methods.aipgan.method import AIPGAN, dotted, lit
from mien.methods.aipgan.task import AIPGANTask
from mien.nn.encoder import ExpressionEncoder
from mien.nn.phases import Loss
from mien.types import Faces

SMALL = Architecture(
    size=64, stem=2, width=16, width_max=32, code=24, identity=0, features=8, features_max=16,
    decoder=8, decoder_max=16, intrinsic="neutral", rank=12, reduced=4, discriminator=8,
    head="compose", relative=True, look=True, norm="group",
)  # fmt: skip
PAPER = replace(SMALL, intrinsic="deforming", identity=16, head="picture", relative=False)
ALL = LossWeights(pixel=1, edges=1, flow=1, mask=1, smooth=1)
TRUTH = {"pixel", "edges", "flow", "mask", "smooth"}
WARP = {"warp_smooth", "warp_mean", "neutral"}
JUDGED = {"realism", "judged_units", "judged_person"}
COMMON = JUDGED | {
    "landmarks", "attention", "units", "mapped", "intrinsic", "expression_again",
    "identity_again", "reconstruction",
}  # fmt: skip


def batch(count: int = 4) -> Pairs:
    return made_pairs(64, count)


def task(
    weights: LossWeights = ALL, architecture: Architecture = SMALL, **training: object
) -> AIPGANTask:
    torch.manual_seed(0)
    made = Training(**{"share": 0.5, "people": 5, "data": "pairs"} | training)  # type: ignore[arg-type]
    return AIPGANTask(AIPGANConfig(architecture, weights, made), Path())


def made_parts(made: AIPGANTask, seen: int = 0) -> Loss:
    return made.phases()[-1].loss(batch(), seen)


def method(architecture: Architecture = SMALL) -> AIPGAN:
    """Off the start, where a composing head changes nothing."""
    torch.manual_seed(0)
    out = AIPGAN(architecture)
    with torch.no_grad():
        for p in out.parameters():
            p.add_(0.02 * torch.randn_like(p))
    return out.eval()


def faces(count: int = 2) -> Faces[Tensor]:
    torch.manual_seed(3)
    return Faces(torch.rand(count, 3, 64, 64) * 2 - 1, torch.zeros(count, 68, 2))


# ---- shapes ------------------------------------------------------------------------------------


def test_shapes_of_the_defaults() -> None:
    a = Architecture()
    face = torch.zeros(1, 3, 128, 128)
    with torch.no_grad():
        code, gate = ExpressionEncoder(a)(face)
        assert code.shape == (1, 128)
        assert gate.shape == (1, 1, 16, 16)
        features = networks.ExpressionFeatures(a)
        other_maps = features(code)
        assert [m.shape[1:] for m in other_maps] == [(256, 8, 8), (128, 16, 16), (64, 32, 32)]
        assert features.landmarks(other_maps[-1]).shape == (1, 68, 2)
        encoder = networks.IdentityEncoder(a)
        maps, bottom, _ = encoder(face)
        assert [m.shape for m in maps] == [m.shape for m in other_maps]
        assert encoder.intrinsic(maps[-1]).shape == (1, 3, 64, 64)
        assert encoder.deform is not None
        assert encoder.deform(bottom).shape == (1, 2, 64, 64)
        assert networks.Decoder(a)(maps, other_maps, None, face, code).shape == (1, 64, 128, 128)
        patches, units, person = networks.Discriminator(a, 9)(face)
        assert patches.shape == (1, 1, 8, 8)
        assert units.shape == (1, 47)
        assert person.shape == (1, 9)


# ---- attention and landmarks -------------------------------------------------------------------


def test_without_attention_there_is_no_gate_and_no_term() -> None:
    bare = replace(SMALL, attention=False)
    assert method(bare).expression_encoder(faces().pixels)[1] is None
    assert "attention" not in made_parts(task(architecture=bare)).parts
    names = [n for n, _ in method(bare).explain(faces(), method(bare).encode(faces()))]
    assert names == ["landmarks", "intrinsic", "result"]


def test_landmarks_begin_at_the_template() -> None:
    features = networks.ExpressionFeatures(SMALL)
    nn.init.zeros_(features.heat.weight)
    seen = features.landmarks(torch.randn(1, 8, 32, 32))[0]
    wanted = (torch.from_numpy(template(64)) + 0.5) / 64
    assert float((seen - wanted).detach().abs().max()) < 0.02


def test_supervision_moves_the_gate_to_the_landmarks() -> None:
    made = task()
    data = batch(2)
    points = ((torch.from_numpy(template(64)) + 0.5) / 64).expand(2, 68, 2)
    encoder = made.method.expression_encoder
    steps = torch.optim.Adam(encoder.parameters(), 1e-2)
    errors = []
    for _ in range(20):
        steps.zero_grad()
        error = losses.attends(encoder(data.source.pixels)[1], points)
        error.backward()
        steps.step()
        errors.append(error.item())
    assert errors[-1] < 0.7 * errors[0]


def test_pictures_of_attention_and_landmarks() -> None:
    face, gate = torch.zeros(1, 3, 32, 32), torch.zeros(1, 1, 8, 8)
    gate[..., 2, 6] = 1
    red = lit(face, gate)[0, 0]
    assert divmod(int(red.argmax()), 32)[0] // 4 == 2
    assert divmod(int(red.argmax()), 32)[1] // 4 == 6
    points = torch.full((1, 68, 2), 8.5 / 32)
    points[..., 0] = 20.5 / 32
    green = dotted(face, points)[0]
    assert torch.allclose(green[:, 8, 20], torch.tensor([-0.6, 1.0, -0.2]))
    assert float(green[:, 20].abs().max()) < 1e-6


@pytest.mark.parametrize("kind", get_args(Pooling))
@pytest.mark.parametrize("scales", get_args(Scales))
def test_every_pooling_joins_where_it_should(kind: Pooling, scales: Scales) -> None:
    """The code reaches the result through exactly the scales that are joined."""
    made = method(replace(SMALL, pooling=kind, scales=scales))
    source = faces()
    identity = made.identity(source)
    other_maps = [
        m.detach().requires_grad_() for m in made.expression_features(identity.features[-1])
    ]
    h = made.decoder(
        list(identity.features[:-1]), other_maps, other_maps, source.pixels, torch.zeros(2, 24)
    )
    gradients = torch.autograd.grad(h.square().sum(), other_maps, allow_unused=True)
    reached = [g is not None and bool((g != 0).any()) for g in gradients]
    assert reached == ([True] * 3 if scales == "all" else [False, False, True])
    assert all(torch.isfinite(g).all() for g in gradients if g is not None)


# ---- what stays and what is transferred ----------------------------------------------------------


def test_of_the_reference_nothing_but_the_code_reaches_the_result() -> None:
    made, source = method(), faces()
    reference = faces().pixels.flip(0).requires_grad_()
    code = made.encode(Faces(reference, source.landmarks))
    result = made.decode(made.identity(source), code)
    (whole,) = torch.autograd.grad(result.sum(), reference, retain_graph=True)
    (through,) = torch.autograd.grad(result.sum(), code.code, retain_graph=True)
    (by_code,) = torch.autograd.grad(code.code, reference, through)
    assert whole.abs().sum() > 0
    assert torch.allclose(whole, by_code, atol=1e-6)


def test_code_is_bounded() -> None:
    code, _ = method().expression_encoder(100 * faces().pixels)
    assert float(code.detach().abs().max()) <= 1


def test_projected_codes_hold_units_alone() -> None:
    plain, projected = method(), method(replace(SMALL, project=True))
    projected.load_state_dict(plain.state_dict())
    with torch.no_grad():
        units = plain.units(plain.encode(faces()))
        assert torch.equal(projected.encode(faces()).code, plain.from_units(units).code)
        own = projected.identity(faces()).features[-1]
        assert torch.equal(own, projected.encode(faces()).code)


def test_intrinsic_image_is_the_face_at_rest_or_rebuilds_the_photograph() -> None:
    data = batch()
    assert data.source_person is not None
    blank = replace(data.source, pixels=0 * data.source.pixels)
    nobody = replace(data.source_person, neutral=0 * data.source_person.neutral)
    for made, other in (
        (task(), replace(data, source_person=nobody)),
        (task(architecture=PAPER), replace(data, source=blank)),
    ):
        maps, bottom, _ = made.method.identity_encoder(data.source.pixels)
        before = made.intrinsic_terms(maps, bottom, data)["intrinsic"]
        assert made.intrinsic_terms(maps, bottom, other)["intrinsic"] != before


# ---- the terms -----------------------------------------------------------------------------------


def test_every_term_is_named_and_can_be_switched_off() -> None:
    assert set(made_parts(task()).parts) == COMMON | TRUTH
    for name in sorted(COMMON | TRUTH):
        parts = made_parts(task(replace(ALL, **{name: 0.0}))).parts
        assert set(parts) == (COMMON | TRUTH) - {name}


def test_terms_of_the_paper() -> None:
    parts = made_parts(task(LossWeights(), PAPER, data="unpaired")).parts
    assert set(parts) == COMMON | WARP
    for name in WARP:
        fewer = made_parts(task(replace(ALL, **{name: 0.0}), PAPER, data="unpaired")).parts
        assert set(fewer) == (COMMON | WARP) - {name}


def test_phases_follow_the_terms() -> None:
    assert [p.name for p in task().phases()] == ["discriminator", "gate", "generator"]
    quiet = replace(ALL, **dict.fromkeys(JUDGED, 0.0))
    assert [p.name for p in task(quiet).phases()] == ["gate", "generator"]
    for name in JUDGED:
        alone = replace(quiet, **{name: 1.0})
        assert set(task(alone).judge(batch(), 0).parts) == {name}


def test_the_discriminator_joins_late() -> None:
    made = task(images=100, adversary_from=0.5)
    assert made.phases()[0].start == 50
    assert JUDGED.isdisjoint(made_parts(made, 49).parts)
    assert set(made_parts(made, 50).parts) >= JUDGED


def test_the_discriminator_learns_people_and_units_of_photographs() -> None:
    made, data = task(share=1.0), batch(2)
    steps = torch.optim.Adam(made.discriminator.parameters(), 3e-3)
    first = made.judge(data, 0).parts
    for _ in range(20):
        steps.zero_grad()
        made.judge(data, 0).total.backward()
        steps.step()
    last = made.judge(data, 0).parts
    assert all(last[k] < 0.7 * first[k] for k in ("judged_units", "judged_person"))


def test_answers_on_realism_are_bounded_by_its_norm() -> None:
    """However far its weights grow, realism is as steep as spectral norm lets it be."""
    torch.manual_seed(0)
    made = networks.Discriminator(SMALL, 3)
    with torch.no_grad():
        for name, p in made.named_parameters():
            if "original" in name:
                p.mul_(1000)
        for _ in range(20):
            made(faces().pixels)
    answers = made.eval()(faces().pixels)[0]
    assert float(answers.detach().abs().max()) < 20


@pytest.mark.parametrize("part", ["mouth", "eyes"])
def test_parts_have_a_critic_where_the_truth_is_known(part: str) -> None:
    terms = {f"{part}_realism": 0.1, f"{part}_match": 1.0}
    with_critics = replace(ALL, **terms)
    made = task(with_critics)
    assert [p.name for p in made.phases()] == ["discriminator", "gate", "generator", "critic"]
    parts = made.phases()[2].loss(batch(), 0).parts
    assert set(parts) == COMMON | TRUTH | set(terms)
    critic = made.phases()[3].loss(batch(), 0)
    critic.total.backward()
    assert any(p.grad is not None and p.grad.any() for p in made.part_critics[part].parameters())
    assert all(p.grad is None for p in made.method.parameters())
    alone = (
        task(replace(with_critics, **{f"{part}_realism": 0.0})).phases()[2].loss(batch(), 0).parts
    )
    assert set(parts) - set(alone) == {f"{part}_realism"}
    assert not task(with_critics, data="unpaired").part_critics.active


def test_refining_adds_nothing_at_first_and_then_what_the_change_of_code_says() -> None:
    plain, made = AIPGAN(SMALL).eval(), AIPGAN(replace(SMALL, refine=True)).eval()
    fits = made.load_state_dict(plain.state_dict(), strict=False)
    assert fits.missing_keys
    assert all(name.startswith("decoder.refine.") for name in fits.missing_keys)
    start, change = torch.zeros(1, 24), torch.rand(2, 24)
    with torch.no_grad():
        source = faces()
        identity = made.identity(source)
        maps, other_maps = (
            list(identity.features[:-1]),
            made.expression_features(start.expand(2, -1)),
        )

        def features(by: AIPGAN, change: Tensor) -> Tensor:
            last: Tensor = by.decoder(maps, other_maps, other_maps, source.pixels, change)
            return last

        assert torch.allclose(features(made, change), features(plain, change), atol=1e-5)
        nn.init.normal_(made.decoder.get_parameter("refine.block.conv2.weight"), std=0.1)
        assert not torch.allclose(features(made, change), features(made, 0 * change), atol=1e-3)


@pytest.mark.parametrize("data", ["pairs", "unpaired"])
def test_beside_the_truth_the_encoder_does_not_learn_to_look_away(data: str) -> None:
    made = task(replace(ALL, identity_again=0), data=data)
    x = torch.rand(2, 3, 64, 64, requires_grad=True)
    code, _ = made.method.expression_encoder(batch().donor.pixels[:2])
    parts = made.again(x, [], code.detach(), batch())
    parts["expression_again"].backward()
    gathered = [p.grad is not None for p in made.method.expression_encoder.parameters()]
    assert x.grad is not None
    assert x.grad.any()
    assert any(gathered) == (data == "unpaired")


def test_unknown_units_of_a_photograph_teach_nothing() -> None:
    """The second source's units are a guess: another guess changes no term."""
    made, data = task(data="unpaired", reference_share=0.0), batch()
    other = replace(data, source=data.source.map(torch.clone))
    other.source.units[1] = 0
    seen = []
    for given in (data, other):
        torch.manual_seed(2)
        seen.append({**made.make(given, 0).parts, **made.judge(given, 0).parts})
    assert all(seen[0][k].item() == pytest.approx(seen[1][k].item(), rel=1e-3) for k in seen[0])


def test_reference_share_says_how_often_the_references_code_is_drawn() -> None:
    for share in (0.0, 1.0):
        made, data = task(reference_share=share), batch()
        codes = torch.randn(8, 24)
        own, other_maps = made.draw(codes, data)
        mapped = made.method.unit_map.to_code(data.target.units)
        assert torch.allclose(other_maps, codes[4:] if share else mapped)
        assert torch.equal(own[1], codes[1])  # its units are not known


def test_the_first_stage_teaches_reading_alone() -> None:
    made = task(data="faces", noise=0.03)
    (phase,) = made.phases()
    single = sources(batch())
    loss = phase.loss(single, 0)
    assert set(loss.parts) == {"landmarks", "attention", "units", "mapped"}
    loss.total.backward()
    m = made.method
    taught: list[nn.Module] = [m.expression_encoder, m.expression_features.heat, m.unit_map]
    untaught: list[nn.Module] = [m.identity_encoder, m.decoder, m.head]
    assert all(p.grad is not None for module in taught for p in module.parameters())
    assert all(p.grad is None for module in untaught for p in module.parameters())
    assert set(made.validate(m, single)) == {"landmarks_percent", "units_mae"}
    assert made.preview(m, single)[-2][0] == "landmarks"


def test_explain_ends_in_the_result() -> None:
    made, source = method(), faces()
    pictures = dict(made.explain(source, made.from_labels(torch.tensor([1, 1]))))
    assert list(pictures) == [
        "expression looks", "identity looks", "landmarks", "intrinsic", "result",
    ]  # fmt: skip
    assert all(p.shape[:2] == (2, 3) and p.abs().max() <= 1 for p in pictures.values())
    assert pictures["intrinsic"].shape[-1] == 64

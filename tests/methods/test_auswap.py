"""auswap: the adversary's two sides, the feature's order, every term and its switch."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from batches import made_pairs, made_strangers, sources
from torch import nn

from mien.data.batch import Pairs
from mien.methods.auswap import losses
from mien.methods.auswap.config import Architecture, AUSwapConfig, LossWeights, Training
from mien.methods.auswap.method import AUSwap
from mien.methods.auswap.networks import FreeEncoder, Generator, PatchDiscriminator, UnitEncoder
from mien.methods.auswap.task import AUSwapTask
from mien.nn.alive import heard
from mien.nn.phases import Loss
from mien.types import Faces

SMALL = Architecture(
    size=64, stem=2, width=16, middle=16, blocks=2, encoder=8, encoder_max=32, reader=16,
    discriminator=8, head="compose", relative=True, look=True, refine=True,
)  # fmt: skip
PICTURE = replace(SMALL, head="picture", relative=False, look=False, refine=False)
ALL = LossWeights(pixel=1, edges=1, flow=1, mask=1, smooth=1, same=1)
TRUTH = {"pixel", "edges", "flow", "mask", "smooth", "same"}
PAPER = {
    "units", "units_again", "free", "swap_consistency", "realism", "reconstruction", "cycle",
    "mapped",
}  # fmt: skip


def batch(count: int = 4) -> Pairs:
    return made_pairs(64, count)


def task(weights: LossWeights = ALL, **training: object) -> AUSwapTask:
    torch.manual_seed(0)
    made = Training(share=0.5, **training)  # type: ignore[arg-type]
    return AUSwapTask(AUSwapConfig(SMALL, weights, made), Path())


def generator_parts(made: AUSwapTask) -> Loss:
    return made.phases()[-1].loss(batch(), 0)


def test_shapes_of_the_defaults() -> None:
    a = Architecture()
    with torch.no_grad():
        face = torch.zeros(1, 3, 128, 128)
        feature, free = UnitEncoder(a)(face), FreeEncoder(a)(face)
        assert feature.shape == (1, 188)
        assert free.shape == (1, 256, 32, 32)
        assert Generator(a)(free, feature, feature, face).shape == (1, 64, 128, 128)
        assert PatchDiscriminator(a)(face).shape == (1, 1, 8, 8)


def test_each_unit_is_read_from_its_own_numbers() -> None:
    encoder = UnitEncoder(SMALL)
    feature = torch.zeros(1, 47 * 4, requires_grad=True)
    encoder.read(feature)[0, 5].backward()
    assert feature.grad is not None
    touched = feature.grad.view(47, 4).abs().sum(1) > 0
    assert touched.nonzero().flatten().tolist() == [5]


def test_a_line_in_features_is_a_line_in_intensities() -> None:
    encoder = UnitEncoder(SMALL)
    a, b = torch.rand(2, 1, 188).unbind()
    middle = encoder.read((a + b) / 2)
    assert torch.allclose(middle, (encoder.read(a) + encoder.read(b)) / 2, atol=1e-5)


def test_adversary_wants_the_truth_and_encoder_the_uniform_answer() -> None:
    units = torch.tensor([[0.0, 0.6]])
    right = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    happy, sure = torch.nn.functional.one_hot(torch.tensor([1]), 8).float(), torch.ones(1, 2)
    one = torch.tensor([1])
    assert losses.tell((right, happy), units, sure, one, 0.2) == 0
    assert losses.tell((1 - right, happy), units, sure, one, 0.2) == 1
    assert losses.tell((right, 1 - happy), units, sure, one, 0.2) == 1
    uniform = torch.full((1, 2, 2), 0.5), torch.full((1, 8), 1 / 8)
    assert losses.cannot_tell(uniform) == 0
    assert losses.cannot_tell((right, uniform[1])) == pytest.approx(0.25)
    assert losses.cannot_tell((uniform[0], happy)) == pytest.approx((7 / 8) / 8)


def test_adversary_learns_nothing_from_what_is_not_known() -> None:
    answers = (torch.randn(2, 3, 2), torch.randn(2, 8))
    units, known = torch.rand(2, 3), torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    label = torch.tensor([-1, 4])
    before = losses.tell(answers, units, known, label, 0.2)
    units[0, 1], units[1] = 1 - units[0, 1], 1 - units[1]
    answers[1][0] = 9.0
    assert torch.equal(losses.tell(answers, units, known, label, 0.2), before)
    answers[1][1, 4] += 1.0
    assert not torch.equal(losses.tell(answers, units, known, label, 0.2), before)


def test_adversary_and_encoder_pull_against_each_other() -> None:
    """A few steps of each: the reader learns; then the encoder makes its answers uniform."""
    made, data = task(), batch()
    reader = torch.optim.Adam(made.reader.parameters(), 1e-2)
    first = made.read_free(data, 0).total.item()
    for _ in range(30):
        reader.zero_grad()
        made.read_free(data, 0).total.backward()
        reader.step()
    assert made.read_free(data, 0).total.item() < 0.5 * first
    encoder = torch.optim.Adam(made.method.free_encoder.parameters(), 1e-2)
    before = made.free_term(made.method.free_encoder(data.source.pixels)).item()
    for _ in range(30):
        encoder.zero_grad()
        made.free_term(made.method.free_encoder(data.source.pixels)).backward()
        encoder.step()
    assert made.free_term(made.method.free_encoder(data.source.pixels)).item() < 0.5 * before


def test_agreement_cannot_be_bought_by_shrinking() -> None:
    a, b = torch.randn(2, 4, 8, 4, 4).unbind()
    assert losses.agree(0.01 * a, 0.01 * b) == pytest.approx(losses.agree(a, b).item(), rel=1e-4)
    assert losses.agree(a, a) == 0


def test_every_term_is_named_and_can_be_switched_off() -> None:
    assert set(generator_parts(task(data="pairs")).parts) == PAPER | TRUTH
    assert set(generator_parts(task(LossWeights(), data="unpaired")).parts) == PAPER
    for name in sorted(PAPER | TRUTH):
        parts = generator_parts(task(replace(ALL, **{name: 0.0}), data="pairs")).parts
        assert set(parts) == (PAPER | TRUTH) - {name}


def test_phases_follow_the_terms() -> None:
    assert [p.name for p in task().phases()] == ["reader", "judges", "generator"]
    assert [p.name for p in task(replace(ALL, free=0)).phases()] == ["judges", "generator"]
    quiet = replace(ALL, realism=0, swap_consistency=0)
    assert [p.name for p in task(quiet).phases()] == ["reader", "generator"]
    assert set(task(replace(ALL, realism=0)).judge(batch(), 0).parts) == {"swap_consistency"}


def test_image_discriminators_join_late() -> None:
    made = task(data="pairs", images=100, adversary_from=0.5)
    step = made.phases()[-1].loss
    assert {"realism", "swap_consistency"}.isdisjoint(step(batch(), 49).parts)
    assert {"realism", "swap_consistency"} <= set(step(batch(), 50).parts)


def test_unknown_units_of_a_photograph_teach_nothing() -> None:
    """The second source's units are a guess: another guess changes no term."""
    made, data = task(data="unpaired"), batch()
    torch.manual_seed(2)
    a = made.unpaired(data, 0).parts
    data.source.units[1] = 0
    torch.manual_seed(2)
    b = made.unpaired(data, 0).parts
    assert a["units"].item() == pytest.approx(b["units"].item())
    assert a["units_again"].item() == pytest.approx(b["units_again"].item())


def test_projected_features_hold_units_alone() -> None:
    torch.manual_seed(0)
    plain, projected = (AUSwap(replace(SMALL, project=p)).eval() for p in (False, True))
    projected.load_state_dict(plain.state_dict())
    pixels = torch.rand(3, 3, 64, 64) * 2 - 1
    faces = Faces(pixels, torch.zeros(3, 68, 2))
    with torch.no_grad():
        units = plain.units(plain.encode(faces))
        assert torch.equal(projected.encode(faces).code, plain.from_units(units).code)
        own = projected.identity(faces).features[1]
        assert torch.equal(own, projected.encode(faces).code)
        assert not torch.allclose(plain.encode(faces).code, own)


def test_weak_readings_rest() -> None:
    torch.manual_seed(0)
    plain = AUSwap(replace(SMALL, project=True)).eval()
    resting = AUSwap(replace(SMALL, project=True, unit_floor=0.3)).eval()
    resting.load_state_dict(plain.state_dict())
    faces = Faces(torch.rand(3, 3, 64, 64) * 2 - 1, torch.zeros(3, 68, 2))
    with torch.no_grad():
        units = plain.unit_encoder.read(plain.unit_encoder(faces.pixels)).clamp(0, 1)
        assert bool(((units > 0) & (units < 0.3)).any())
        kept = torch.where(units < 0.3, torch.zeros_like(units), units)
        assert torch.equal(resting.encode(faces).code, resting.from_units(kept).code)


def test_the_first_stage_teaches_reading_alone() -> None:
    made = task(data="faces")
    (phase,) = made.phases()
    single = sources(batch())
    loss = phase.loss(single, 0)
    assert set(loss.parts) == {"units", "mapped"}
    loss.total.backward()
    m = made.method
    taught: list[nn.Module] = [m.unit_encoder, m.unit_map]
    untaught: list[nn.Module] = [m.free_encoder, m.generator, m.head]
    assert all(p.grad is not None for module in taught for p in module.parameters())
    assert all(p.grad is None for module in untaught for p in module.parameters())
    assert set(made.validate(m, single)) == {"units_mae"}


@pytest.mark.parametrize("part", ["mouth", "eyes"])
def test_parts_have_a_critic_where_the_truth_is_known(part: str) -> None:
    terms = {f"{part}_realism": 0.1, f"{part}_match": 1.0}
    with_critics = replace(ALL, **terms)
    made, data = task(with_critics, data="pairs"), batch()
    generator, critic = made.phases()[-2:]
    assert set(terms) <= set(generator.loss(data, 0).parts)
    critic.loss(data, 0).total.backward()
    assert any(p.grad is not None and p.grad.any() for p in made.part_critics[part].parameters())
    assert all(p.grad is None for p in made.method.parameters())
    assert not task(with_critics, data="unpaired").part_critics.active


# ---- photographs, and whether the paper's mechanisms live ----------------------------------------


def unpaired(weights: LossWeights = LossWeights(), **training: object) -> AUSwapTask:  # noqa: B008
    """The paper's setting: its networks, a picture head, no truth."""
    torch.manual_seed(0)
    made = Training(data="unpaired", share=0.5, **training)  # type: ignore[arg-type]
    return AUSwapTask(AUSwapConfig(PICTURE, weights, made), Path())


def gradient(made: AUSwapTask, name: str, part: str) -> float:
    """The gradient of one term of the generator's step in a network of the method, its norm."""
    loss = made.unpaired(made_strangers(64), 0)
    network = getattr(made.method, name)
    grads = torch.autograd.grad(loss.parts[part], list(network.parameters()), allow_unused=True)
    return math.sqrt(sum(float(g.square().sum()) for g in grads if g is not None))


def test_photographs_feed_every_term_of_the_paper() -> None:
    made, photographs = unpaired(), made_strangers(64)
    assert set(made.unpaired(photographs, 0).parts) == PAPER
    assert set(made.read_free(photographs, 0).parts) == {"source", "donor"}
    assert set(made.judge(photographs, 0).parts) == {"realism", "swap_consistency"}


@pytest.mark.parametrize(
    ("part", "network"),
    [
        ("units", "unit_encoder"), ("free", "free_encoder"), ("swap_consistency", "generator"),
        ("realism", "generator"), ("cycle", "free_encoder"), ("units_again", "generator"),
        ("reconstruction", "generator"),
    ],
)  # fmt: skip
def test_every_mechanism_teaches_the_network_it_is_for(part: str, network: str) -> None:
    assert gradient(unpaired(), network, part) > 1e-6


def test_the_adversary_drives_units_out_of_the_feature_and_not_without_its_weight() -> None:
    """A few steps against a reader that has learnt: its answers go to the uniform ones."""
    left = {}
    for weight in (1.0, 0.0):
        quiet = dict.fromkeys(PAPER - {"free", "reconstruction"}, 0.0)
        made, data = (
            unpaired(LossWeights(**quiet | {"free": weight, "reconstruction": 0.1})),
            made_strangers(64),
        )
        reader = torch.optim.Adam(made.reader.parameters(), 1e-2)
        for _ in range(20):
            reader.zero_grad()
            made.read_free(data, 0).total.backward()
            reader.step()
        encoder = torch.optim.Adam(made.method.free_encoder.parameters(), 3e-3)
        for _ in range(8):
            encoder.zero_grad()
            made.unpaired(data, 0).total.backward()
            encoder.step()
        with torch.no_grad():
            answers = made.reader(made.method.free_encoder(data.source.pixels))
            left[weight] = float(losses.cannot_tell(answers))
    assert left[1.0] < 0.7 * left[0.0]


def test_swap_consistency_compares_self_reconstructions_with_swaps() -> None:
    """Its judge learns to tell them apart; where both are the same there is nothing to tell."""
    made, data = unpaired(), made_strangers(64)
    judge = torch.optim.Adam(made.consistency.parameters(), 1e-2)
    first = made.judge(data, 0).parts["swap_consistency"].item()
    for _ in range(20):
        judge.zero_grad()
        made.judge(data, 0).parts["swap_consistency"].backward()
        judge.step()
    assert made.judge(data, 0).parts["swap_consistency"].item() < 0.7 * first
    same = replace(data, donor=data.source)
    assert made.judge(same, 0).parts["swap_consistency"].item() > 0.45  # 1 to both and 0 to both


def test_a_dead_adversary_is_noticed() -> None:
    made, data = unpaired(), made_strangers(64)
    made.eval()
    numbers, alarms = heard(made.answers(made.method, data))
    assert {"multi-class adversary, spread", "realism, spread"} <= numbers.keys()
    assert not [a for a in alarms if "dead" in a]
    with torch.no_grad():
        made.reader.layers[-1].get_parameter("parametrizations.weight.original").zero_()
        made.consistency[-1].get_parameter("weight").zero_()
    _, alarms = heard(made.answers(made.method, data))
    dead = [a.partition(" is dead")[0] for a in alarms if "dead" in a]
    assert dead == ["multi-class adversary", "swap consistency"]
    assert unpaired(LossWeights(free=0)).answers(made.method, data).keys() == {
        "realism", "swap consistency",
    }  # fmt: skip


def test_units_that_nobody_coded_teach_nothing() -> None:
    made, data = unpaired(), made_strangers(64)
    made.eval()  # spectral norm moves on with every call while it learns
    seen = []
    for value in (0.0, 1.0):
        units = data.source.units.clone()
        units[1], units[2, :3] = value, value  # of neither is known
        other = replace(data, source=replace(data.source, units=units))
        torch.manual_seed(2)
        seen.append({**made.unpaired(other, 0).parts, **made.read_free(other, 0).parts})
    assert all(torch.equal(seen[0][k], seen[1][k]) for k in seen[0])

"""decoupling: growth, invented people, feedback, adversaries, terms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from batches import made_pairs
from torch import Tensor

from mien.data.batch import Pairs
from mien.data.loading import Changing
from mien.errors import ConfigError
from mien.guides import Label
from mien.methods.decoupling import losses
from mien.methods.decoupling.codes import Codes, Layout
from mien.methods.decoupling.config import Architecture, DecouplingConfig, LossWeights, Training
from mien.methods.decoupling.generator import Generator
from mien.methods.decoupling.method import Decoupling
from mien.methods.decoupling.task import DecouplingTask
from mien.nn import losses as shared
from mien.nn.growth import stages as stages_of
from mien.nn.phases import Loss
from mien.nn.progressive import Discriminator
from mien.types import Faces

SMALL = Architecture(
    size=32, trunk=8, trunk_norm="group", pyramid=8, mapping=8, depth=2,
    layers=((8, 0), (4, 6), (2, 6), (0, 6)), grain=16, generator=256, generator_max=16,
    discriminator=256, discriminator_max=16, feedback=8, passes=2, reader=16, people=4,
    composer=16, blocks=1, head="compose", driven=False,
)  # fmt: skip
LAYOUT = Layout.of(SMALL)
TRUTH = {"pixel", "edges", "flow", "mask", "smooth"}
PAPER = {
    "units", "mapped", "classification", "uniform", "reconstruction", "structure", "refined",
    "latent", "swap", "realism",
}  # fmt: skip
ALL = LossWeights(same=1, transfer=1, pixel=1, edges=1, flow=1, mask=1, smooth=1)
SCHEDULE = {"images": 96, "batch": 4, "codes": 0.25, "edits": 0.25, "growth": (1.0, 1.0, 1.0, 1.0)}


def batch(count: int = 4) -> Pairs:
    return made_pairs(32, count)


def task(weights: LossWeights = ALL, **training: Any) -> DecouplingTask:
    torch.manual_seed(0)
    asked: dict[str, Any] = {"share": 0.5} | SCHEDULE | training
    made = Training(**asked)
    return DecouplingTask(DecouplingConfig(SMALL, weights, made), Path())


def parts(made: DecouplingTask, name: str) -> Loss:
    """The loss of a phase in the middle of its stage."""
    phase = next(p for p in made.phases() if p.name == name)
    assert phase.stop is not None
    return phase.loss(batch(), (phase.start + phase.stop) // 2)


# ---- trunk, layers, growth ---------------------------------------------------------------------


def test_growth_is_seamless() -> None:
    """A layer that has just begun to fade in shows what the layer before it showed."""
    torch.manual_seed(0)
    generator, judge = Generator(SMALL, LAYOUT), Discriminator([16, 16, 16, 8])
    codes = Codes(torch.randn(4, sum(LAYOUT.lengths)), torch.randn(4, 18))
    seen = []
    for grown in (1.0, 1.016):
        generator.grown.fill_(grown)
        judge.grown.fill_(grown)
        with torch.no_grad():
            picture = generator(codes)
            seen.append((picture, judge(picture)))
    (small, first), (large, second) = seen
    assert small.shape[-1] == 8
    assert large.shape[-1] == 16
    assert torch.nn.functional.avg_pool2d(large, 2) == pytest.approx(small, abs=0.3)
    assert second == pytest.approx(first, abs=0.3)


def test_stages_follow_one_another_and_growth_stops_when_asked() -> None:
    made = task()
    assert [s.name for s in made.stages] == ["codes", "4", "8", "16", "32", "edits"]
    assert all(a.stop == b.start for a, b in zip(made.stages, made.stages[1:], strict=False))
    assert made.stages[-1].stop == 96
    grown = [made.grow(seen) for seen in range(0, 96, 4)]
    assert grown == sorted(grown)
    assert grown[0] == 0
    assert grown[-1] == 3
    assert any(g % 1 for g in grown)
    at_once = task(progressive=False)
    assert [s.name for s in at_once.stages] == ["codes", "32", "edits"]
    assert {at_once.grow(seen) for seen in range(0, 96, 4)} == {3.0}


def test_stages_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="growth must name 4 parts"):
        stages_of(Training(growth=(1.0,)), LAYOUT.sides)
    with pytest.raises(ConfigError, match="names 1 layers and 32 px take 4"):
        Layout.of(replace(SMALL, layers=((4, 4),)))
    with pytest.raises(ConfigError, match="some layer must take"):
        Layout.of(replace(SMALL, layers=((4, 0),) * 4))


def test_a_stream_changes_its_data_set() -> None:
    stream = Changing(["a"] * 9, ["b"] * 9, 4)  # type: ignore[arg-type]
    assert "".join(stream[i] for i in range(8)) == "aaaabbbb"


# ---- invented people -----------------------------------------------------------------------------


def test_nobody_is_drawn_twice_and_one_seed_draws_one_person() -> None:
    torch.manual_seed(0)
    method = Decoupling(SMALL).eval()
    method.crowd.fit(torch.randn(9, sum(LAYOUT.lengths)))
    a, b = (method.invent(2, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(a.source.pixels, b.source.pixels)
    assert not torch.allclose(a.source.pixels[0], a.source.pixels[1])
    happy = method.decode(a, method.from_labels(torch.tensor([1, 1])))
    assert happy.shape == (2, 3, 32, 32)


# ---- the feedback network ----------------------------------------------------------------------


def test_feedback_begins_with_nothing_to_say() -> None:
    method = Decoupling(SMALL).eval()
    face = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        codes = method.encoder(face)
        again = method.again(face, codes)
    assert torch.allclose(again.identity, codes.identity, atol=1e-5)
    assert torch.equal(again.expression, codes.expression)


def test_passes_are_chosen_at_inference_and_learnt_to_help() -> None:
    """Taught on a few faces, the feedback network brings their pictures nearer, pass by pass."""
    torch.manual_seed(0)
    method, face = Decoupling(SMALL), torch.rand(4, 3, 32, 32) * 2 - 1
    face = torch.nn.functional.avg_pool2d(face, 5, 1, 2)
    with torch.no_grad():
        start = method.encoder(face)
    step = torch.optim.Adam([*method.feedback.parameters(), *method.generator.parameters()], 5e-3)
    for _ in range(40):
        codes = Codes(*(c.detach() for c in start))
        for _ in range(2):
            codes = codes.moved(method.feedback(face, method.drawn(codes).detach()))
        step.zero_grad()
        (method.drawn(codes) - face).abs().mean().backward()
        step.step()
    with torch.no_grad():
        far = [(method.drawn(start) - face).abs().mean()]
        for _ in range(2):
            start = method.again(face, start)
            far.append((method.drawn(start) - face).abs().mean())
    assert far[2] < far[0]
    faces = Faces(face, torch.zeros(4, 68, 2))
    one, three = (Decoupling(replace(SMALL, passes=p)).eval() for p in (1, 3))
    for made in (one, three):
        made.load_state_dict(method.state_dict())
    with torch.no_grad():
        assert torch.equal(one.identity(faces).features[0], one.encoder(face).identity)
        assert not torch.allclose(
            three.identity(faces).features[0], one.identity(faces).features[0]
        )


def test_what_passes_find_in_an_expression_stays_with_the_person() -> None:
    torch.manual_seed(0)
    method = Decoupling(replace(SMALL, project=True, head="picture")).eval()
    torch.nn.init.normal_(method.feedback.expression.weight, std=0.01)
    faces = Faces(torch.rand(2, 3, 32, 32) * 2 - 1, torch.zeros(2, 68, 2))
    with torch.no_grad():
        who, manner, own = method.identity(faces).features
        first = method.encoder(faces.pixels)
        seen = method.refined(
            faces.pixels, Codes(first.identity, method.transferable(first.expression))
        )
        rebuilt = method.decode(method.identity(faces), method.encode(faces))
    assert manner.abs().max() > 0
    assert torch.allclose(own + manner, seen.expression, atol=1e-6)
    assert torch.allclose(rebuilt, method.drawn(Codes(who, own + manner)).clamp(-1, 1), atol=1e-5)


def test_explain_shows_every_pass() -> None:
    method = Decoupling(replace(SMALL, passes=3)).eval()
    faces = Faces(torch.rand(1, 3, 32, 32), torch.zeros(1, 68, 2))
    shown = method.explain(faces, method.expression(Label("happy"), faces))
    assert [name for name, _ in shown] == [
        "codes, pass 1", "codes, pass 2", "codes, pass 3", "identity at rest", "result",
    ]  # fmt: skip


# ---- losses ------------------------------------------------------------------------------------


def test_adversary_wants_the_truth_and_the_mapping_the_uniform_answer() -> None:
    units, emotion = torch.tensor([[0.0, 0.6]]), torch.tensor([2])
    right = (torch.full((1, 8), -20.0), torch.tensor([[-20.0, 20.0]]))
    right[0][0, 2] = 20
    known = torch.ones(1, 2)
    assert losses.read_out(right, emotion, units, known, 0.2) < 1e-4
    uniform = (torch.zeros(1, 8), torch.zeros(1, 2))
    assert losses.cannot_read(uniform) == pytest.approx(0, abs=1e-6)
    assert losses.cannot_read(right) > 5


def test_unknown_emotions_and_units_teach_the_adversary_nothing() -> None:
    answers = (torch.randn(2, 8), torch.randn(2, 47))
    units, known = torch.rand(2, 47), torch.tensor([[1.0], [0.0]]).expand(2, 47)
    a = losses.read_out(answers, torch.tensor([1, -1]), units, known, 0.2)
    other = (answers[0].clone(), answers[1].clone())
    other[0][1], other[1][1] = 5, -5
    assert losses.read_out(other, torch.tensor([1, -1]), units, known, 0.2) == pytest.approx(
        float(a)
    )


def test_structure_misses_contrast_and_not_light() -> None:
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    assert shared.structure(x, x) == pytest.approx(torch.zeros(2), abs=1e-4)
    assert shared.structure(x + 0.3, x).max() < 0.01
    assert shared.structure(0.2 * x, x).min() > 0.3


def test_adversary_and_mapping_pull_against_each_other() -> None:
    made, data = task(), batch()
    made.meet(made.method.encoder(data.source.pixels).identity)
    reader = torch.optim.Adam(made.reader.parameters(), 1e-2)
    first = made.read_identity(data, 0).total.item()
    for _ in range(40):
        reader.zero_grad()
        made.read_identity(data, 0).total.backward()
        reader.step()
    assert made.read_identity(data, 0).total.item() < 0.8 * first
    encoder = torch.optim.Adam(made.method.encoder.parameters(), 1e-3)

    def told() -> Tensor:
        return losses.cannot_read(made.reader(made.method.encoder(data.source.pixels).identity))

    before = told().item()
    for _ in range(20):
        encoder.zero_grad()
        told().backward()
        encoder.step()
    assert told().item() < 0.7 * before


# ---- phases and terms --------------------------------------------------------------------------


def test_every_term_is_named_and_can_be_switched_off() -> None:
    assert set(parts(task(), "codes").parts) == {"units", "mapped", "classification"}
    assert set(parts(task(), "picture_16").parts) == PAPER | {"same", "transfer"}
    assert set(parts(task(LossWeights()), "picture_16").parts) == PAPER
    everything = PAPER | TRUTH | {"same", "transfer"}
    assert set(parts(task(), "edits").parts) == everything
    for name in sorted(everything):
        left = parts(task(replace(ALL, **{name: 0.0})), "edits").parts
        assert set(left) == everything - {name}


def test_phases_follow_the_stages_and_the_terms() -> None:
    names = [p.name for p in task().phases()]
    grown = [f"{what}_{side}" for side in (4, 8, 16, 32) for what in ("picture", "judge")]
    assert names == ["codes", *grown, "edits", "judge_edits", "reader"]
    quiet = task(replace(ALL, realism=0, uniform=0))
    assert not {"reader", "judge_4"} & {p.name for p in quiet.phases()}
    for seen in range(0, 96, 4):
        running = [p.name for p in task().phases() if p.runs(seen)]
        assert sum(not n.startswith(("judge", "reader")) for n in running) == 1


def test_rates_rise_at_every_stage_and_fall_at_the_ends() -> None:
    phases = {p.name: p for p in task(warmup=8, decay="cosine").phases()}

    def at(name: str, share: float) -> float:
        phase = phases[name]
        assert phase.stop is not None
        return phase.schedule((phase.start + share * (phase.stop - phase.start)) / 96)

    assert at("codes", 0.9) < 0.1
    assert at("picture_16", 0.1) < 0.5
    assert at("picture_16", 1.0) == 1.0
    assert at("edits", 0.99) < 0.1


def test_the_judge_sees_the_last_pictures() -> None:
    made = task()
    assert set(parts(made, "picture_16").parts) >= {"realism"}
    assert made.fakes.shape == (4, 3, 16, 16)
    assert set(parts(made, "judge_16").parts) == {"apart", "r1"}
    assert set(parts(made, "judge_16").parts) == {"apart"}
    parts(made, "edits")
    assert made.fakes.shape == (6, 3, 32, 32)


def test_the_crowd_keeps_the_newest_codes() -> None:
    made = task(crowd=6, crowd_every=1)
    for k in range(3):
        made.meet(torch.full((4, sum(LAYOUT.lengths)), float(k)))
    assert int(made.met) == 12
    assert sorted(made.crowd[:, 0].tolist()) == [1, 1, 2, 2, 2, 2]
    assert made.method.crowd.known
    assert float(made.method.crowd.mean.mean()) == pytest.approx(10 / 6)


def test_the_composing_heads_mouths_have_a_critic() -> None:
    made = task(replace(ALL, mouth_realism=0.3, mouth_match=5.0))
    assert {"mouth_realism", "mouth_match"} <= set(parts(made, "edits").parts)
    parts(made, "critic").total.backward()
    assert any(p.grad is not None and p.grad.any() for p in made.part_critics.parameters())
    assert "critic" not in [phase.name for phase in task().phases()]


def test_what_the_composing_head_learns_reaches_the_codes() -> None:
    made = task()
    with torch.no_grad():  # off the start, where it changes nothing
        for p in made.method.head.parameters():
            p.add_(0.05 * torch.randn_like(p))
    loss = parts(made, "edits")
    (loss.parts["pixel"] + loss.parts["edges"]).backward()
    for module in (made.method.composer, made.method.generator, made.method.encoder.expression):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())

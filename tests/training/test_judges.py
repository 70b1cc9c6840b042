"""Training of the judges: the halves of the people, the labels, the losses, exact resumption."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien import facs
from mien.data.batch import collate
from mien.data.split import split_of
from mien.faces.align import template
from mien.judges import Judge, Reading, load
from mien.judges.judge import NETWORKS
from mien.judges.networks import SIZE, Answer
from mien.training.judge_data import (
    Item,
    JudgeFaces,
    Photograph,
    emotions_of,
    estranged,
    half_of,
    photographs,
    seen,
    strength_of,
)
from mien.training.judge_scores import auc, photograph_scores, render_scores
from mien.training.judges import (
    JudgeConfig,
    JudgeTask,
    calibrated,
    emotions_loss,
    judge_loss,
    train,
    units_loss,
)
from mien.training.log import TrainingLog
from mien.types import Float

HAPPY = facs.EMOTIONS.index("happy")


def test_every_person_is_one_judges() -> None:
    people = [f"london/{i:03d}" for i in range(400)]
    halves = [half_of(p) for p in people]
    assert set(halves) == {"a", "b"}
    assert 150 < halves.count("a") < 250
    assert halves == [half_of(p) for p in people]


@pytest.mark.parametrize("emotion", facs.EMOTIONS)
@pytest.mark.parametrize("strength", [1.0, 0.5, 0.25])
def test_prototypes_are_recognised_at_any_strength(emotion: str, strength: float) -> None:
    units = (facs.prototype(emotion) * strength).astype(np.float32)
    for shown in (units, facs.mirror(units)):
        index, found = strength_of(shown)
        assert facs.EMOTIONS[index] == emotion
        assert found == pytest.approx(1.0 if emotion == "neutral" else strength)


def test_gaze_does_not_change_the_emotion_and_mixtures_have_none() -> None:
    units = facs.vector({**facs.PROTOTYPES["sad"], "AU61": 0.7})
    assert strength_of(units)[0] == facs.EMOTIONS.index("sad")
    mixture = 0.5 * (facs.prototype("sad") + facs.prototype("surprise"))
    assert emotions_of(mixture.astype(np.float32)).sum() == 0


def test_a_weak_emotion_shares_with_neutral() -> None:
    shares = emotions_of((facs.prototype("happy") * 0.25).astype(np.float32))
    assert shares[HAPPY] == pytest.approx(0.5)
    assert shares.sum() == pytest.approx(1.0)


def test_a_lower_bound_is_satisfied_by_more() -> None:
    truth, exact = torch.full((1, 47), 0.25), torch.zeros(1)
    more, less = torch.full((1, 47), 2.0), torch.full((1, 47), -3.0)
    assert units_loss(more, truth, exact, 2.0).item() == pytest.approx(0, abs=1e-6)
    assert units_loss(less, truth, exact, 2.0).item() > 0.05
    assert units_loss(more, truth, torch.ones(1), 2.0).item() > 0.5


def test_units_loss_is_least_at_the_truth() -> None:
    truth = torch.rand(4, 47, generator=torch.Generator().manual_seed(0))
    losses = [units_loss(truth.logit() + d, truth, torch.ones(4), 2.0) for d in (-0.3, 0, 0.3)]
    assert losses[1] < min(losses[0], losses[2])
    assert losses[1].item() == pytest.approx(0, abs=1e-5)


def test_faces_without_an_emotion_do_not_count() -> None:
    logits = torch.zeros(2, 8)
    logits[0, HAPPY] = 5
    shares = torch.zeros(2, 8)
    shares[0, HAPPY] = 1
    wrong = logits.clone()
    wrong[1] = torch.randn(8)
    assert emotions_loss(logits, shares) == emotions_loss(wrong, shares)
    assert emotions_loss(logits, shares) < 0.1 < emotions_loss(torch.zeros(2, 8), shares)


def test_rate_rises_and_falls(tmp_path: Path) -> None:
    (phase,) = JudgeTask("b", tmp_path, CONFIG).phases()
    rates = [phase.schedule(done) for done in (0, 0.01, 0.025, 0.5, 1.0, 1.2)]
    assert rates[0] < rates[1] < rates[2] > rates[3] > rates[4] == rates[5]
    assert rates[5] == pytest.approx(0, abs=2e-3)


def test_auc_counts_pairs() -> None:
    scores = np.array([0.1, 0.2, 0.2, 0.9])
    positive = np.array([False, False, True, True])
    assert auc(scores, positive) == pytest.approx((1 + 0.5 + 2) / 4)


def _photograph(person: str, emotion: str) -> Photograph:
    """A grey picture whose upper half is white if it smiles: enough to learn from."""
    pixels = np.full((160, 160, 3), 90, np.uint8)
    if emotion == "happy":
        pixels[80:] = 200
    return Photograph(pixels, template(160), True, person, f"{person} {emotion}", emotion)


SHOWN = [_photograph(p, e) for p in ("one", "two") for e in ("neutral", "happy")]


class _Renders:
    """Stands in for `RigFaces`: a face that is white where it smiles."""

    photos: tuple[()] = ()

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __len__(self) -> int:
        return 16

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        units: Float = facs.prototype("happy" if i % 2 else "neutral")
        pixels = torch.full((3, SIZE, SIZE), float(np.sin(i)) / 10)
        pixels[:, SIZE // 2 :] += i % 2
        return pixels, torch.from_numpy(units), torch.tensor(0), torch.from_numpy(template(SIZE))


CONFIG = JudgeConfig(images=24, batch=4, rate=1e-3, share=0.5, seed=3, half_life=8)


@pytest.fixture(autouse=True)
def made_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.training.judge_data.RigFaces", _Renders)
    monkeypatch.setattr("mien.training.judges.RigFaces", _Renders)
    monkeypatch.setattr("mien.training.weights.KNOWN", {})
    for module in ("judge_data", "judges"):
        monkeypatch.setattr(f"mien.training.{module}.photographs", lambda *_, **__: SHOWN)


def test_items_depend_on_seed_and_index_alone(tmp_path: Path) -> None:
    faces, again, other = (JudgeFaces(tmp_path, "b", 0.5, seed) for seed in (3, 3, 4))
    first = collate([faces[i] for i in range(24)])
    second = collate([again[i] for i in range(24)])
    assert all(torch.equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(first))
    assert not torch.equal(first.pixels, collate([other[i] for i in range(24)]).pixels)
    assert {float(x) for x in first.exact} == {0.0, 1.0}  # both kinds are shown


def test_a_photograph_turns_with_its_landmarks() -> None:
    one = _photograph("one", "happy")
    pixels = np.zeros((160, 160, 3), np.uint8)
    x, y = one.landmarks[48].round().astype(int)
    pixels[y - 2 : y + 3, x - 2 : x + 3] = 255
    for seed in range(6):
        rng = np.random.default_rng(seed)
        item = estranged(seen(replace(one, pixels=pixels), rng), rng)
        bright = item.pixels.mean(0)
        rows, columns = torch.where(bright > bright.min() + 0.7 * (bright.max() - bright.min()))
        spot = torch.stack([columns.float().mean(), rows.float().mean()])
        corners = item.landmarks[[48, 54]]
        assert (corners - spot).norm(dim=1).min() < 2.5


def test_training_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    short = replace(CONFIG, images=8)
    train("b", tmp_path, tmp_path / "whole", short)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingLog, "__call__", lambda _, trainer: trainer.counters.seen >= 4)
        assert train("b", tmp_path, tmp_path / "halted", short).counters.seen == 4
    train("b", tmp_path, tmp_path / "halted", short)
    whole, halted = (tmp_path / n / "judge_b.safetensors" for n in ("whole", "halted"))
    assert whole.read_bytes() == halted.read_bytes()


def test_training_learns_and_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, sums = tmp_path / "run", []
    monkeypatch.setattr(TrainingLog, "note", lambda _, parts: sums.append(sum(parts.values())))
    trainer = train("b", tmp_path, out, replace(CONFIG, images=48))
    assert sums[-1] < 0.6 * sums[0]
    log = json.loads((out / "log.jsonl").read_text())
    assert log["seen"] == 48
    assert "units_mae" in log
    assert list((out / "sheets").glob("*.png"))
    facts = json.loads((out / "judge_b.json").read_text())
    assert facts["counts"]["faces_shown"] == 48
    task = trainer.task
    assert isinstance(task, JudgeTask)
    shown = collate([seen(SHOWN[0], None)])
    there = load("b", out / "judge_b.safetensors").read(shown.pixels)
    mine = task.judge(trainer.ema.average).read(shown.pixels)
    assert torch.allclose(there.units, mine.units, atol=5e-3)


def test_calibration_tames_what_is_too_sure() -> None:
    torch.manual_seed(0)
    net = NETWORKS["b"]().eval()
    faces = collate([seen(one, None) for one in SHOWN * 2])
    with torch.no_grad():
        bias = net.get_parameter("emotions.bias").zero_()
        bias[HAPPY] = 30.0  # sure of happy, and wrong half of the time
    costs = [emotions_loss(n(faces.pixels).emotions, faces.emotions).item()
             for n in (net, calibrated(net, faces))]  # fmt: skip
    assert costs[1] < 0.5 * costs[0]


def test_loss_parts_are_zero_for_the_right_answer() -> None:
    item = collate([seen(SHOWN[0], None)])
    emotions = torch.log(item.emotions.clamp(min=1e-9))
    right = Answer(torch.full((1, 47), -12.0), emotions, (item.landmarks + 0.5) / SIZE)
    for part in judge_loss(right, item, JudgeConfig()).values():
        assert part.item() == pytest.approx(0, abs=1e-3)


class _Oracle(Judge):
    """Answers what it was told to."""

    def __init__(self, faces: Item) -> None:
        super().__init__("a", torch.nn.Identity())
        self.faces, self.asked = faces, 0

    def read(self, pixels: torch.Tensor | Float) -> Reading:
        chosen = slice(self.asked, self.asked + len(pixels))
        self.asked += len(pixels)
        return Reading(
            self.faces.units[chosen], self.faces.emotions[chosen], self.faces.landmarks[chosen]
        )


def test_scores_of_one_who_knows() -> None:
    faces = collate([seen(one, None) for one in SHOWN])
    real = photograph_scores(_Oracle(faces), SHOWN)
    assert real["smile_or_neutral_accuracy"] == real["au12_auc"] == real["pairs_right"] == 1.0
    assert real["landmarks_percent"] == pytest.approx(0, abs=1e-3)
    units = torch.from_numpy(np.stack([facs.prototype(e) for e in facs.EMOTIONS]))
    shown = Item(torch.zeros(8, 3, SIZE, SIZE), units, torch.ones(8), torch.eye(8),
                 faces.landmarks[:1].expand(8, -1, -1))  # fmt: skip
    rendered = render_scores(_Oracle(shown), shown)
    assert rendered["units_mae"] == 0
    assert rendered["emotion_accuracy"] == {"neutral": 1.0, "1": 1.0}


def test_photographs_are_of_the_half_and_split_asked_for(original: Callable[..., Path]) -> None:
    original("london")
    found = photographs("validation")
    assert {split_of(p.person) for p in found} == {"validation"}
    halves = [photographs("validation", half) for half in "ab"]
    assert sum(map(len, halves)) == len(found)
    assert not {p.person for p in halves[0]} & {p.person for p in halves[1]}

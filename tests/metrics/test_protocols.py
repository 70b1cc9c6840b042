"""Protocols ask what they say, of the people they say, and of nobody twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien import facs, images
from mien.data.split import split_of
from mien.errors import ConfigError, DataError
from mien.faces.align import template
from mien.guides import ActionUnits, Label, Reference
from mien.methods.learnt import Learnt
from mien.metrics.bench import face_in
from mien.metrics.protocols import AMOUNTS, PROTOCOLS, TRIPLES_EACH, Setting
from mien.metrics.trials import Own, Section, Trial, Units, edited_by
from mien.nn.tensors import to_tensor
from mien.rig.expressions import expression_list
from mien.rig.shards import Sample, key_of, write_shard
from mien.types import Faces
from mien.zoo.samples import samples

LISTED = expression_list(0)
HALF_HAPPY, UNIT = (
    next(k for k, units in enumerate(LISTED) if np.allclose(units, wanted, atol=1e-5))
    for wanted in (0.5 * facs.prototype("happy"), facs.vector({"AU12": 0.5}))
)
ROWS = (-1, 0, *range(1, 9), HALF_HAPPY, UNIT)
PEOPLE = ("london/001", "london/002", "canada/003", "congress/D000004")
FACE = np.stack(
    [64 + 30 * np.cos(np.linspace(0, 6.2, 68)), 70 + 30 * np.sin(np.linspace(0, 6.2, 68))], 1
)


def sample(person: str, state: int, row: int) -> Sample:
    image = np.full((64, 64, 3), 10 * state, np.uint8)
    image[..., 1] = 40 * PEOPLE.index(person)
    facts = {
        "units": [float(u) for u in LISTED[max(row, 0)]], "label": None,
        "landmarks": FACE.tolist(), "person": person, "photo": f"{person}/a", "size": 64,
        "turn": [0.0] * 3, "light": [0.0] * 3, "neutral": not person.startswith("congress"),
        "expression": row, "state": state,
    }  # fmt: skip
    flow, seen = np.zeros((32, 32, 2), np.float32), np.full((32, 32), 255, np.uint8)
    return Sample(key_of(f"{person}/a", state), facts, image, flow, seen, seen)


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people as photographed, in all prototypes, half happy and with half an AU12."""
    folder = tmp_path_factory.mktemp("renders")
    every = [sample(p, state, row) for p in PEOPLE for state, row in enumerate(ROWS)]
    write_shard(folder / "test" / "00000.tar", every)
    return folder


def sections(name: str, renders: Path, limit: int | None = None) -> dict[str, Section]:
    setting = Setting(renders, renders, limit=limit)
    return {s.name: s for s in PROTOCOLS[name](setting).sections}


def levels(trial: Trial) -> list[int]:
    """Which state each truth is, by red."""
    assert trial.truth is not None
    red = trial.truth.pixels[:, 0].mean((1, 2)).add(1).mul(127.5)
    return [round(float(v) / 10) for v in red]


def test_labels_are_asked_of_the_photograph_and_known_by_the_rig(renders: Path) -> None:
    (section,) = sections("labels", renders).values()
    assert section.people == sorted(PEOPLE)
    assert sum(map(len, section.trials)) == 4 * 8
    for trial in section.trials:
        assert isinstance(trial.ask, Label)
        assert trial.emotions is not None
        assert trial.units is not None
        assert bool((trial.source.pixels[:, 0] == -1).all())  # state 0
        assert levels(trial) == [1 + e for e in trial.emotions]
        assert trial.ask.names == trial.names == tuple(facs.EMOTIONS[e] for e in trial.emotions)
        assert torch.equal(trial.units[1], torch.from_numpy(facs.prototype(trial.names[1])))


def test_transfer_is_asked_by_reference_and_by_units(renders: Path) -> None:
    found = sections("truth", renders, limit=3)
    by_reference, by_units = found["transfer, by reference"], found["transfer, by units"]
    assert sum(map(len, by_reference.trials)) == 3 * TRIPLES_EACH
    assert len(by_reference.people) == 3
    for one, other in zip(by_reference.trials, by_units.trials, strict=True):
        assert isinstance(one.ask, Reference)
        assert isinstance(other.ask, Units)
        assert one.truth is other.truth
        assert one.ask.faces is one.reference is other.reference
        assert other.ask.values is one.units


def test_control_asks_people_at_rest_for_one_thing_at_four_intensities(renders: Path) -> None:
    found = sections("control", renders)
    at_rest = sorted(p for p in PEOPLE if not p.startswith("congress"))
    assert all(section.people == at_rest for section in found.values())
    assert isinstance(found["own expression"].trials[0].ask, Own)
    emotions = found["emotions at 4 intensities"].trials
    assert [t.amount for t in emotions[:4]] == list(AMOUNTS)
    assert {t.names[0] for t in emotions} == set(facs.EMOTIONS) - {"neutral"}
    assert all(t.intensity == t.amount for t in emotions)
    units = found["units at 4 intensities"].trials
    assert len(units) == 4 * len(facs.NAMES)
    one = units[1]
    assert one.ask == ActionUnits.parse("AU1L=0.5", "AU1R=0.5")
    assert (one.intensity, one.amount) == (1.0, 0.5)
    assert one.direction is not None
    assert one.direction.nonzero()[:, 0].tolist() == list(facs.columns("AU1"))


def test_control_asks_for_mixtures_by_the_units_in_them(renders: Path) -> None:
    trials = sections("control", renders)["affects at 4 intensities"].trials
    assert len(trials) == 4 * 28
    half = next(t for t in trials if t.names[0] == "astonished" and t.amount == 0.5)
    assert isinstance(half.ask, ActionUnits)
    asked = facs.apply(half.ask.settings, np.zeros(len(facs.UNITS), np.float32))
    assert np.allclose(asked, 0.5 * facs.prototype("surprise"), atol=1e-6)
    assert half.intensity == 1.0
    for trial in trials:
        assert isinstance(trial.ask, ActionUnits)
        assert trial.direction is not None
        values = facs.apply(trial.ask.settings, np.zeros(len(facs.UNITS), np.float32))
        assert np.allclose(values, trial.amount * trial.direction.numpy(), atol=1e-6)


def test_the_rigs_line_is_what_it_rendered_of_the_same_directions(renders: Path) -> None:
    found = sections("control", renders)
    emotions = found["emotions at 4 intensities"]
    told = {(t.names[0], t.amount): levels(t) for t in emotions.answers}
    assert told["happy", 0.5] == [ROWS.index(HALF_HAPPY)] * 4
    assert told["happy", 1.0] == [2] * 4
    assert len(told) == 8  # seven full emotions, one half; contempt of the other side is none
    (single,) = found["units at 4 intensities"].answers
    assert (single.names[0], single.amount) == ("AU12", 0.5)
    assert bool((single.source.pixels[:, 0] * 127.5 + 127.5 - 10).abs().max() < 1)  # neutral


def test_people_are_drawn_by_the_seed(renders: Path) -> None:
    every = [str(k) for k in range(50)]
    few = Setting(renders, renders, limit=5).chosen(every, 50)
    assert few == Setting(renders, renders, limit=5).chosen(every, 50)
    assert few != Setting(renders, renders, limit=5, seed=1).chosen(every, 50)
    assert set(few) <= set(Setting(renders, renders, limit=9).chosen(every, 50))


@pytest.mark.parametrize("name", ["truth", "labels", "control"])
def test_without_renders_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run `mien rig render` first"):
        PROTOCOLS[name](Setting(tmp_path, tmp_path))


@pytest.mark.parametrize(("name", "title"), [("real", "London"), ("wild", "Congress")])
def test_without_photographs_one_line(name: str, title: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{title}.* or leave this protocol out"):
        PROTOCOLS[name](Setting(tmp_path, tmp_path))


def test_real_smiles_are_of_one_person_each_way(original: Callable[..., Path]) -> None:
    home = original("london").parent
    protocol = PROTOCOLS["real"](Setting(home, home, limit=2))
    names = [f"{what}, by {by}" for what in ("to a smile", "to rest") for by in _GUIDES]
    assert [s.name for s in protocol.sections] == names
    smile, _, rest, _ = (s.trials[0] for s in protocol.sections)
    assert {split_of(p) for p in smile.people} == {"test"}
    assert smile.truth is not None
    assert torch.equal(smile.truth.pixels, rest.source.pixels)
    assert isinstance(smile.ask, Reference)
    assert torch.equal(smile.ask.faces.pixels, smile.truth.pixels)
    assert smile.emotions == (facs.EMOTIONS.index("happy"),) * 2


_GUIDES = ("reference", "label")


def test_portraits_have_no_truth(original: Callable[..., Path]) -> None:
    home = original("congress").parent
    (section,) = PROTOCOLS["wild"](Setting(home, home, limit=2)).sections
    assert section.answer is None
    assert all(t.truth is None and isinstance(t.ask, Label) for t in section.trials)
    assert sum(map(len, section.trials)) == 2 * 8
    assert {split_of(p) for p in section.people} == {"test"}


def test_a_method_draws_its_own_expression_too(wide_mouth: Learnt) -> None:
    pixels = torch.rand(2, 3, 128, 128) * 2 - 1
    points = torch.from_numpy(template(128)).expand(2, -1, -1)
    source = Faces(pixels, points)
    trial = Trial(source, ("a", "b"), ("own",) * 2, Own())
    edit = edited_by(wide_mouth)
    assert torch.allclose(edit(trial), pixels, atol=1e-4)
    asked = replace(trial, ask=Label("happy"))
    by_user = wide_mouth.generate(source, Label("happy"), 0.5)
    assert torch.allclose(edit(replace(asked, intensity=0.5)), by_user, atol=1e-5)
    other = replace(trial, source=Faces(-pixels, points))
    assert torch.allclose(edit(other), -pixels, atol=1e-4)  # nothing is left of the faces before
    reference = replace(trial, ask=Reference(source))
    assert torch.allclose(edit(reference), edit(trial))


def test_the_detector_finds_sample_faces_and_none_in_grey() -> None:
    photo = images.read(samples()["anna"]).pixels
    assert face_in(to_tensor(photo)[0])
    assert not face_in(torch.zeros(3, 128, 128))


def test_one_person_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two people"):
        Setting(tmp_path, tmp_path, limit=1)

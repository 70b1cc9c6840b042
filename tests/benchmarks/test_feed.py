"""Batches depend on their number alone; a clock knows what a peer has done by what it asks for."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from mien.data.manifest import read_manifest, write_manifest
from mien.errors import DataError


def test_a_batch_is_the_same_after_a_resume(renders: Path) -> None:
    from mien.bench.peers.feed import Driven, batches

    data = Driven(renders, "train", size=16)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    whole, later = list(batches(data, 3, 0, 4)), list(batches(data, 3, 2, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert len(whole) == 4
    for a, b in zip(whole[2:], later, strict=True):
        assert all(torch.equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    assert not torch.equal(whole[0].pixels, whole[1].pixels)


def test_the_wanted_units_are_somebody_elses_nearly(renders: Path) -> None:
    from mien.bench.peers.feed import Driven

    data = Driven(renders, "train", size=16)
    known = torch.from_numpy(data.known)
    for i in range(12):
        item = data[i]
        far = torch.cdist(item.desired[None], known, p=float("inf")).min()
        assert 0 < far <= 0.1
        assert item.units.shape == item.desired.shape == (47,)


def test_photographs_are_fed_as_renders_are(photographs: Path) -> None:
    from mien.bench.peers.feed import Driven, batches, labelled

    data = labelled(photographs, "train", 4, size=16, seed=0)
    whole, later = list(batches(data, 4, 0, 3)), list(batches(data, 4, 2, 3))
    assert torch.equal(whole[2].source.pixels, later[0].source.pixels)
    for batch in whole:
        assert batch.source.pixels.shape == (4, 3, 16, 16)
        assert len(set(batch.source.label.tolist())) == len(set(batch.wanted.tolist())) == 1
        assert batch.source.label[0] != batch.wanted[0]
    driven = Driven(photographs, "train", size=16)
    assert len(driven.known) == 16  # whom nobody coded is not driven
    known = torch.from_numpy(driven.known)
    for i in range(6):
        item = driven[i]
        assert item.units.isfinite().all()
        assert 0 < torch.cdist(item.desired[None], known, p=float("inf")).min() <= 0.1


def test_photographs_that_show_too_little_are_refused(photographs: Path, tmp_path: Path) -> None:
    from mien.bench.peers.feed import Driven, labelled

    records = [r for r in read_manifest(photographs) if r.emotion != "fear"]
    for record in records:
        shutil.copy(photographs / record.file_name, tmp_path / record.file_name)
    write_manifest(tmp_path, records)
    with pytest.raises(DataError, match="no faces labelled fear"):
        labelled(tmp_path, "train", 4, size=16, seed=0)
    write_manifest(tmp_path, [replace(record, units=None) for record in records])
    with pytest.raises(DataError, match="no action units"):
        Driven(tmp_path, "train", size=16)


def test_a_step_is_done_when_the_next_is_asked_for() -> None:
    from mien.bench.peers.feed import Clock, Loader

    done: list[int] = []
    clock = Clock(2, 5, done.append)
    loader = Loader(clock, lambda first: iter(range(first, 9)), warm=1)
    assert list(zip(loader, range(3), strict=False)) == [(0, 0), (2, 1), (3, 2)]
    assert done == [3, 4]  # the fourth question, which nobody answered, was asked too
    assert len(clock.taken) == 2


def test_the_last_step_is_done_at_the_end() -> None:
    from mien.bench.peers.feed import Clock

    done: list[int] = []
    clock = Clock(0, 2, done.append)
    asked = iter(clock)
    next(asked)
    next(asked)
    assert done == [1]
    clock.finish()
    clock.finish()
    assert done == [1, 2]


def test_who_swallows_the_stop_hears_it_again() -> None:
    from mien.bench.peers.feed import Clock, Loader, Stopped

    def stop(_: int) -> None:
        raise Stopped

    clock = Clock(0, 9, stop)
    loader = Loader(clock, lambda first: iter(range(first, 9)), warm=1)
    asked = iter(loader)
    assert [next(asked), next(asked)] == [0, 0]
    with pytest.raises(Stopped):
        next(asked)
    with pytest.raises(Stopped):
        next(iter(loader))
    assert clock.steps == 1

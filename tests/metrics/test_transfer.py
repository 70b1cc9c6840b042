"""Broken ways of editing land where they should; triples are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import facs
from mien.errors import DataError
from mien.judges import NAMES, Judge, Reading
from mien.judges.identity import Descriptor
from mien.judges.networks import SIZE
from mien.methods.learnt import Learnt
from mien.metrics import transfer
from mien.metrics.triples import Triples, draw_triples
from mien.rig.expressions import expression_list
from mien.rig.shards import Sample, key_of, write_shard
from mien.types import Faces, Float

LISTED = expression_list(0)
FACE = np.stack(
    [64 + 30 * np.cos(np.linspace(0, 6.2, 68)), 70 + 30 * np.sin(np.linspace(0, 6.2, 68))], 1
)


class Brightness(Judge):
    """A judge that takes the mean of red for every unit."""

    def __init__(self) -> None:
        self.name = "a"

    def read(self, pixels: Tensor | Float) -> Reading:
        pixels = torch.as_tensor(pixels)
        level = pixels[:, :1].mean((2, 3)).add(1).div(2)
        units = level.expand(-1, len(facs.UNITS))
        return Reading(units, torch.eye(8)[[0] * len(pixels)], torch.zeros(len(pixels), 68, 2))


class Green(Descriptor):
    """Who somebody is stands in the green channel."""

    def __init__(self) -> None:
        pass

    def of(self, pixels: Tensor, landmarks: Tensor) -> Tensor:
        return pixels[:, 1:2].mean((2, 3)).expand(-1, 128)


def sample(person: str, state: int) -> Sample:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[..., 0], image[..., 1] = 20 * state, 40 + 3 * sum(map(ord, person)) % 200
    units = LISTED[state - 1] if state else LISTED[0]
    facts = {
        "units": [float(u) for u in units], "label": None, "landmarks": FACE.tolist(),
        "person": person, "photo": f"{person}/a", "size": SIZE, "turn": [0.0] * 3,
        "light": [0.0] * 3, "neutral": True, "expression": state - 1, "state": state,
    }  # fmt: skip
    flow = np.zeros((64, 64, 2), np.float32)
    seen = np.full((64, 64), 255, np.uint8)
    return Sample(key_of(f"{person}/a", state), facts, image, flow, seen, seen)


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("renders")
    every = [sample(p, k) for p in ("a/1", "a/2", "b/3") for k in range(6)]
    write_shard(folder / "test" / "00000.tar", every)
    return folder


@pytest.fixture(scope="module")
def triples(renders: Path) -> Triples:
    return draw_triples(renders, "test", 12)


def test_the_reference_shows_what_the_truth_does(triples: Triples) -> None:
    assert len(triples) == 12
    assert {triples.people.count(p) for p in ("a/1", "a/2", "b/3")} == {4}
    assert all(a != b for a, b in zip(triples.people, triples.references, strict=True))
    red = [f.pixels[:, 0].mean((1, 2)) for f in (triples.source, triples.reference, triples.truth)]
    assert torch.allclose(red[1], red[2])  # the same state
    assert bool((red[0] == -1).all())  # the photograph
    assert bool((red[2] > -0.7).all())  # never the neutral that is shown already
    source, truth = (f.pixels[:, 1].mean((1, 2)) for f in (triples.source, triples.truth))
    assert torch.allclose(source, truth)  # the same person
    assert bool((triples.units.amax(1) > 0).all())


def test_triples_repeat_and_choose(renders: Path, triples: Triples) -> None:
    again = draw_triples(renders, "test", 12)
    assert again.references == triples.references
    assert torch.equal(again.truth.pixels, triples.truth.pixels)
    some = draw_triples(renders, "test", 4, people=lambda p: p.startswith("a/"))
    assert {*some.people, *some.references} == {"a/1", "a/2"}
    with pytest.raises(DataError, match="no two people"):
        draw_triples(renders, "test", 4, people=lambda p: p == "a/1")


def test_parts_are_the_whole(triples: Triples) -> None:
    parts = triples.split(5)
    assert [len(p) for p in parts] == [5, 5, 2]
    assert sum((p.references for p in parts), ()) == triples.references
    assert torch.equal(torch.cat([p.units for p in parts]), triples.units)


def test_broken_methods_land_where_they_should(triples: Triples) -> None:
    bench = transfer.TransferBench(triples, [Brightness()], Green())
    unedited = bench.measure(transfer.nothing)
    table = {
        name: transfer.summary(bench.measure(edit), unedited)
        for name, edit in {
            "nothing": transfer.nothing,
            "truth": transfer.truth,
            "reference": lambda t: t.reference.pixels,
            "grey": lambda t: torch.zeros_like(t.source.pixels),
        }.items()
    }
    assert table["nothing"]["unit_error_left"] == 1
    assert table["nothing"]["better_both"] == 0
    assert table["nothing"]["identity"]["mean"] == 0
    assert table["truth"]["unit_error_left"] == 0
    assert table["truth"]["better_both"] == 1
    assert table["truth"]["psnr"]["mean"] == 80
    # the reference's whole face moves the units, and loses the person
    assert table["reference"]["unit_error_left"] == 0
    assert table["reference"]["to_reference"]["mean"] == 0
    assert table["reference"]["identity"]["median"] > 0
    assert table["grey"]["better_psnr"] < 0.5


def test_smaller_crops_are_judged_too(renders: Path) -> None:
    class Picky(Brightness):
        def read(self, pixels: Tensor | Float) -> Reading:
            assert pixels.shape[-1] == SIZE
            return super().read(pixels)

    small = draw_triples(renders, "test", 4, size=64)
    (row, *_) = transfer.TransferBench(small, [Picky()], Green()).measure(transfer.truth)
    assert row.unit_error == 0
    assert row.psnr == 80


def test_swapping_twice_with_a_method_that_only_moves(triples: Triples, wide_mouth: Learnt) -> None:
    faces = [Faces(f.pixels[:2], f.landmarks[:2]) for f in (triples.source, triples.source)]
    back = transfer.swap_twice(wide_mouth, *faces)
    for made, face in zip(back, faces, strict=True):
        assert torch.allclose(made, face.pixels, atol=0.05)  # equal expressions: nothing to swap


def test_the_real_judges_and_descriptor_fit_in(triples: Triples) -> None:
    from mien.judges import load
    from mien.judges.identity import descriptor

    few = triples.split(2)[0]
    bench = transfer.TransferBench(few, [load(name) for name in NAMES], descriptor())
    rows = bench.measure(transfer.nothing)
    assert [row.identity for row in rows] == [0.0, 0.0]
    assert all(0 <= row.unit_error <= 1 for row in rows)

"""The adapters against the peers' own code, where MIEN_PEERS names a folder of clones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from mien.faces.align import template
from mien.guides import Label, Reference
from mien.types import Faces

SIZES = {"stargan": 64, "starganv2": 32, "ganimation": 64, "hisd": 32}
"""Sides in px, as small as each one's networks allow."""


def faces(size: int) -> Faces[Tensor]:
    pixels = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Faces(pixels, torch.from_numpy(template(size)).expand(2, -1, -1))


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_a_peer_trains_stops_goes_on_and_edits(
    name: str, checkouts: Callable[[str], Path], renders: Path, tmp_path: Path
) -> None:
    from mien.bench.peers.base import Plan
    from mien.bench.peers.run import PEERS, Training, read, train

    facts = PEERS[name].facts
    home, plan = checkouts(facts.folder), Plan(SIZES[name], 4, 2)
    root = home / facts.folder
    first = train(Training(name, root, renders, plan, minutes=0), tmp_path)
    before = load_file(tmp_path / "weights.safetensors")
    last = train(Training(name, root, renders, plan), tmp_path)
    assert (first["steps"], last["steps"]) == (1, 2)
    after = load_file(tmp_path / "weights.safetensors")
    assert any(not torch.equal(before[key], after[key]) for key in before)
    row, _ = read(tmp_path, home)
    made = row.generate(faces(plan.size), Label("happy"))
    assert made.shape == (2, 3, plan.size, plan.size)
    assert bool(made.isfinite().all())
    assert not list(root.rglob("*.ckpt"))


@pytest.mark.slow
def test_liveportrait_is_built_and_runs(checkouts: Callable[[str], Path]) -> None:
    from mien.bench.peers.liveportrait import random_row

    home = checkouts("LivePortrait")
    row = random_row(home / "LivePortrait", 64)
    one = Faces(faces(64).pixels[:1], faces(64).landmarks[:1])
    reference = Faces(faces(64).pixels[1:], faces(64).landmarks[1:])
    made = row.generate(one, Reference(reference))
    assert made.shape == (1, 3, 64, 64)
    assert bool(made.isfinite().all())
    assert sum(p.numel() for p in row.parameters()) > 1e8

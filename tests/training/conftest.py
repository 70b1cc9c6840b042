"""Renders of nobody, small enough to learn from in a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import facs
from mien.rig.shards import Sample, write_shard


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight invented people, eight emotions each: coloured squares that move with AU12."""
    out = tmp_path_factory.mktemp("shards")
    rng = np.random.default_rng(0)
    units = np.stack([facs.prototype("neutral"), *(facs.prototype(n) for n in facs.EMOTIONS)])
    still, half = [0.0, 0.0, 0.0], (80, 80)
    for split, people in (("train", 6), ("validation", 2)):
        for p in range(people):
            images = rng.integers(0, 255, (1, 20, 20, 3)).repeat(9, 0)
            images = images.repeat(8, 1).repeat(8, 2).astype(np.uint8)
            samples = []
            for k in range(9):
                images[k, 90:110, 60 : 80 + int(40 * units[k, facs.INDEX["AU12L"]])] = 255
                facts: dict[str, Any] = {
                    "person": f"{split}/{p}", "photo": f"{split}/{p}", "neutral": True,
                    "size": 160, "units": units[k].tolist(), "expression": k - 1,
                    "landmarks": [[0.0, 0.0]] * 68, "turn": still, "light": still,
                }  # fmt: skip
                flow, seen = np.zeros((*half, 2), np.float32), np.full(half, 255, np.uint8)
                samples.append(Sample(f"{p}-{k}", facts, images[k], flow, seen, 0 * seen))
            write_shard(out / split / f"{p}.tar", samples)
    return out


@pytest.fixture(scope="module", autouse=True)
def small_ends() -> Iterator[None]:
    """What a run does once at its end, on few faces and at few strengths."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mien.training.log.CHECKED", 4)
        patch.setattr("mien.methods.fitting.GRID", (0.5, 1.0))
        yield

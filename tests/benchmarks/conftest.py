"""What the benchmarks are tried on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import facs, images
from mien.data.manifest import Record, write_manifest
from mien.rig.shards import Sample, key_of, write_shard

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SIDE = 16
FACE = np.stack(
    [8 + 4 * np.cos(np.linspace(0, 6.2, 68)), 8 + 4 * np.sin(np.linspace(0, 6.2, 68))], 1
)


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkouts of code of these tests' own that answers to the same names as the peers'."""
    folder = tmp_path_factory.mktemp("checkouts")
    text = (Path(__file__).parent / "fakes.txt").read_text(encoding="utf-8")
    for part in text.split("=== ")[1:]:
        name, _, content = part.partition("\n")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def checkouts() -> Callable[[str], Path]:
    """`checkouts("stargan")` is the folder that MIEN_PEERS names, if that checkout is in it."""

    def find(folder: str) -> Path:
        place = os.environ.get("MIEN_PEERS")
        if not place or not (Path(place) / folder).is_dir():
            pytest.skip(f"needs a checkout of {folder} in MIEN_PEERS (benchmarks/peers/README.md)")
        return Path(place)

    return find


@pytest.fixture(scope="session")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people in all eight prototypes, each picture of its own brightness."""
    folder = tmp_path_factory.mktemp("renders")
    every = [_sample(person, k) for person in range(2) for k in range(len(facs.EMOTIONS))]
    write_shard(folder / "train" / "00000.tar", every)
    return folder


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Aligned photographs of two people in all eight emotions, coded; and one nobody coded."""
    folder = tmp_path_factory.mktemp("photographs")
    records = []
    for person in range(2):
        for k, emotion in enumerate(facs.EMOTIONS):
            name = f"{person}-{k}.png"
            images.write(folder / name, np.full((SIDE, SIDE, 3), 20 * k + 40 * person, np.uint8))
            records.append(
                Record(name, f"set/{person}", emotion, facs.prototype(emotion),
                       FACE.astype(np.float32), "CC0", "here", "train")
            )  # fmt: skip
    uncoded = replace(records[0], emotion=None, units=None)
    write_manifest(folder, [*records, uncoded])
    return folder


def _sample(person: int, state: int) -> Sample:
    image = np.full((SIDE, SIDE, 3), 20 * state + 40 * person, np.uint8)
    image[..., 2] = np.linspace(0, 255, SIDE).astype(np.uint8)
    facts = {
        "units": facs.prototype(facs.EMOTIONS[state]).tolist(), "label": None,
        "landmarks": FACE.tolist(), "person": f"set/{person}", "photo": f"set/{person}/a",
        "size": SIDE, "turn": [0.0] * 3, "light": [0.0] * 3, "neutral": True,
        "expression": state, "state": state,
    }  # fmt: skip
    half = (SIDE // 2, SIDE // 2)
    flow, seen = np.zeros((*half, 2), np.float32), np.full(half, 255, np.uint8)
    return Sample(key_of(f"set/{person}/a", state), facts, image, flow, seen, seen)

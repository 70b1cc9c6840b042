"""People who do not exist, written as a data set: pictures under every expression and a manifest.

Person i of a seed is a function of the weights, the seed and i alone: a run that was stopped goes
on where it was, and a larger count begins with the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien import facs, images
from mien.data.manifest import Record, write_manifest
from mien.data.split import split_of
from mien.guides import Label
from mien.methods.base import Method
from mien.nn.tensors import to_uint8
from mien.people.folder import make, settle
from mien.types import UInt8


@dataclass(frozen=True)
class Settings:
    """What decides the pictures in a folder, kept beside them."""

    method: str
    weights: str
    """SHA-256 of the weights."""
    seed: int
    spread: float
    """How far from the average person: 1 as the training people are, more for stranger ones."""
    choice: str = "{}"
    """What was chosen at inference, as JSON."""


def write(
    method: Method[Any], settings: Settings, out: Path, count: int, expressions: Sequence[str],
    *, licence: str, progress: Callable[[int], None] = lambda _: None,
) -> list[Record]:  # fmt: skip
    """Invent `count` people and write each under every one of `expressions` into `out`, with the
    manifest; pictures that are there are not made again. Returns the manifest's records.

    licence: terms of the pictures, those of the weights.

    Raises:
        ConfigError: the method invents nobody.
        DataError: the folder holds people of other settings.
        GuideError: there is no such expression.
    """
    wanted = [facs.plain(name) for name in expressions]
    settle(out, asdict(settings), "people of other settings")
    records = []
    for number in range(count):
        person = f"nobody/{settings.seed}-{number:05d}"
        folder = out / f"{number:05d}"
        missing = [name for name in wanted if not (folder / _file(name)).is_file()]
        if missing:
            make(folder)
            marks = {"method": settings.method, "weights": settings.weights, "person": person}
            for name, pixels in pictures(method, settings, number, missing).items():
                images.write(folder / _file(name), pixels, metadata={**marks, "guide": name})
        records += [_record(person, number, name, licence, settings) for name in wanted]
        progress(number + 1)
    write_manifest(out, records)
    return records


@torch.no_grad()
def pictures(
    method: Method[Any], settings: Settings, number: int, expressions: Sequence[str]
) -> dict[str, UInt8]:
    """Person `number` under some expressions, uint8 (S, S, 3) each. At rest it is the portrait."""
    # one person at a time: sums, and so pictures, may depend on the size of a batch
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1, np.uint64)[0] >> 1)
    generator = torch.Generator().manual_seed(seed)
    person = method.invent(1, generator, settings.spread)
    shown = {}
    for name in expressions:
        seen = person.source.pixels
        if name != "neutral":
            seen = method.decode(person, method.expression(Label(name)))
        shown[name] = to_uint8(seen)[0]
    return shown


def _file(label: str) -> str:
    return f"{label.replace(':', '-')}.png"  # Windows takes no colon


def _record(person: str, number: int, name: str, licence: str, settings: Settings) -> Record:
    return Record(
        file_name=f"{number:05d}/{_file(name)}",
        person=person,
        emotion=facs.emotion(name),
        units=facs.prototype(name),
        landmarks=None,
        licence=licence,
        source=f"invented by mien {settings.method}, weights {settings.weights[:12] or 'unnamed'}",
        split=split_of(person),
    )

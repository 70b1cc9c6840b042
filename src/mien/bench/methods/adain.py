"""mtss's own claim: turned faces and crops that are not aligned, beside a plain AdaIN generator.

Both are trained alike, but for the skip that the style disentanglement unit purifies
(`architecture.skip`). Given another's expression, on renders whose truth is known: crops shifted,
rolled and scaled, and references whose heads are turned, as far as a render turns them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from mien.bench.networks import network
from mien.data.loading import Renders, open_renders, to_tensor
from mien.data.transforms import Geometry
from mien.images import to_uint8
from mien.judges import NAMES, load
from mien.judges.identity import descriptor
from mien.metrics import transfer
from mien.metrics.triples import State, Triples, draw_triples, triples_of
from mien.types import Faces
from mien.zoo.records import digest

CROPS = {"crops as aligned": 0.0, "... as training shows": 1.0, "... twice as far off": 2.0}
"""Strengths of `Geometry.draw`: shifts, rolls and scales of crops."""
YAWS = ((0.0, 7.0), (7.0, 14.0), (14.0, 21.0))
"""Degrees that a reference's head is turned by, to either side."""
MEASURES = ("psnr_gain", "face_psnr_gain", "identity")
FEWEST = 20
"""Triples below which a row is left out."""


def askew(triples: Triples, strength: float, seed: int) -> Triples:
    """The same in crops as they come: shifted, rolled and scaled, source and truth alike."""
    if strength == 0:
        return triples
    rng = np.random.default_rng([seed, 17])
    size = triples.source.pixels.shape[-1]
    own, others = (
        [Geometry.draw(rng, size, size, strength) for _ in range(len(triples))] for _ in range(2)
    )
    return Triples(
        _moved(triples.source, own), _moved(triples.reference, others), _moved(triples.truth, own),
        triples.source_units, triples.units, triples.people, triples.references,
    )  # fmt: skip


def _moved(faces: Faces[Tensor], each: Sequence[Geometry]) -> Faces[Tensor]:
    levels = to_uint8(faces.pixels.numpy())
    pixels = [to_tensor(g.image(crop)) for g, crop in zip(each, levels, strict=True)]
    points = [
        torch.from_numpy(g.points(p).astype(np.float32))
        for g, p in zip(each, faces.landmarks.numpy(), strict=True)
    ]
    return Faces(torch.stack(pixels), torch.stack(points))


def turned(
    photos: Sequence[Renders], yaws: tuple[float, float], count: int, rng: Generator
) -> list[tuple[State, State, State]]:
    """At most `count` triples whose references' heads are turned by degrees within `yaws`."""
    least, most = yaws
    found = [
        ((photo, 0), (other, k), (photo, state))
        for photo in photos
        for state in photo.still
        if photo.expression[state] > 0
        for other in photos
        if other.person != photo.person
        for k, row in enumerate(other.expression)
        if row == photo.expression[state] and least <= abs(other.turned[k]) < most
    ]
    return [found[k] for k in rng.permutation(len(found))[:count]]


@dataclass(frozen=True)
class Pair:
    """Weights of two runs that differ by the skip."""

    whole: Path
    plain: Path

    @property
    def named(self) -> dict[str, Path]:
        return {"mtss": self.whole, "plain AdaIN": self.plain}


def mtss(renders: Path, split: str, pair: Pair, count: int, seed: int) -> dict[str, Any]:
    """The claim of mtss: a row for each kind of crop and of turned references."""
    methods = {name: network("mtss", path) for name, path in pair.named.items()}
    (size,) = {method.size for method in methods.values()}
    judges, who = [load(name) for name in NAMES], descriptor()
    straight = draw_triples(renders, split, count, size=size, seed=seed)
    sets = {name: askew(straight, strength, seed) for name, strength in CROPS.items()}
    photos, rng = open_renders(renders, split), np.random.default_rng([seed, 19])
    for least, most in YAWS:
        chosen = turned(photos, (least, most), count, rng)
        if len(chosen) >= FEWEST:
            sets[f"references turned by {least:.0f} to {most:.0f}°"] = triples_of(chosen, size)
    rows: dict[str, Any] = {}
    for name, triples in sets.items():
        bench = transfer.TransferBench(triples, judges, who)
        before = bench.measure(transfer.nothing)
        rows[name] = {"triples": len(triples)}
        for which, method in methods.items():
            found = transfer.summary(bench.measure(transfer.by_reference(method)), before)
            rows[name][which] = {k: found[k] for k in (*MEASURES, "unit_error_left")}
    return {"sha256": {name: digest(path) for name, path in pair.named.items()}, "rows": rows}


def table(found: dict[str, Any]) -> str:
    """The same in Markdown."""
    heads = ("PSNR over nothing, dB", "AU error left", "identity distance")
    text = f"| by reference, 64 px | triples | by | {' | '.join(heads)} |\n" + "| --- " * 6 + "|\n"
    for name, row in found["rows"].items():
        for which in found["sha256"]:
            one = row[which]
            gain, far = one["psnr_gain"], one["identity"]
            text += (
                f"| {name} | {row['triples']} | {which} "
                f"| {gain['mean']:+.2f} ({gain['low']:+.2f}..{gain['high']:+.2f}) "
                f"| {one['unit_error_left']:.2f} | {far['mean']:.2f} |\n"
            )
    return text

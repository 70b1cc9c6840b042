"""Training samples from the rig's shards: pairs with truth, and labelled faces without.

Item i of a data set is a function of (seed, i) alone, so that a run resumes exactly where it was
and two runs with one seed see the same pictures, whatever the number of workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from safetensors import safe_open
from torch import Tensor
from torch.utils.data import Dataset

from mien import facs
from mien.data.transforms import Camera, Geometry
from mien.errors import DataError
from mien.faces.align import MIRROR
from mien.types import Float, UInt8

STORED = 160
"""Side of the crops in a shard: the training crop's field of view, with pixels to spare."""
TRUTH = 64
"""Side of the flow and visibility maps of a training sample."""

_PROTOTYPES = np.stack([facs.prototype(name) for name in facs.EMOTIONS])


def label_of(units: Float) -> int:
    """Index of the emotion whose full prototype `units` (47,) is, or -1."""
    same = np.abs(_PROTOTYPES - units).max(1) < 1e-4
    return int(same.argmax()) if same.any() else -1


@dataclass(frozen=True)
class Shard:
    """One photograph's renders (see `rig/dataset.py`), read lazily: only the states that are asked
    for.
    """

    path: Path
    person: str
    neutral: bool  # the photograph itself wears no expression
    units: Float  # (K, 47)
    expression: Any  # int (K,), -1 for the photograph itself

    @classmethod
    def open(cls, path: Path) -> Shard:
        try:
            with safe_open(path, framework="np") as f:
                meta = f.metadata() or {}
                units, expression = f.get_tensor("units"), f.get_tensor("expression")
        except Exception as error:  # safetensors raises its own untyped errors
            raise DataError(f"cannot read {path.name}: render the set again ({error})") from None
        facts = json.loads(meta["mien"])
        return cls(path, facts["person"], bool(facts["neutral"]), units, expression)

    def get(self, name: str, state: int) -> Any:
        """Array `name` of one state, without reading the others."""
        with safe_open(self.path, framework="np") as f:
            return f.get_slice(name)[state]


def open_shards(folder: Path, split: str) -> list[Shard]:
    """All shards of a split, in the order of their names; DataError when there are none."""
    paths = sorted((folder / split).glob("*.safetensors"))
    if not paths:
        raise DataError(
            f"no rig renders for split {split!r} in {folder}: run `mien rig render` first"
        )
    return [Shard.open(p) for p in paths]


def to_tensor(pixels: UInt8) -> Tensor:
    """uint8 (S, S, 3) -> float32 (3, S, S) in [-1, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1).float().div(127.5).sub(1.0)


class RigPairs(Dataset[dict[str, Tensor]]):
    """Same person under two expressions, with the rig's truth, and a donor who wears the second.

    Item: source, target, donor (3, S, S); source_units, target_units (47,); source_label,
    target_label (emotion index or -1); flow (2, 64, 64) crop units and visible (1, 64, 64) from
    target to source with known = 1 where the source is the photograph itself, else 0; mouth (1, 64,
    64).
    """

    def __init__(
        self, folder: Path, split: str, *, size: int = 128, seed: int = 0, augment: bool = True
    ) -> None:
        self.shards = open_shards(folder, split)
        self.size, self.seed, self.strength = size, seed, 1.0 if augment else 0.0
        self.wearers: dict[int, list[tuple[int, int]]] = {}
        for s, shard in enumerate(self.shards):
            for state, index in enumerate(shard.expression):
                if index >= 0:
                    self.wearers.setdefault(int(index), []).append((s, state))
        self.emotional = [
            [k for k, u in enumerate(shard.units) if k > 0 and label_of(u) >= 0]
            for shard in self.shards
        ]

    def __len__(self) -> int:
        return 2**31  # a stream: the budget in images ends it

    def states(self, s: int, rng: Generator) -> tuple[int, int]:
        """Source and target state: often the photograph, often a prototype, sometimes the same."""
        count = len(self.shards[s].units)
        source = 0 if rng.random() < 0.55 else int(rng.integers(count))
        if rng.random() < 0.08:
            return source, source
        emotional = self.emotional[s]
        if emotional and rng.random() < 0.45:
            return source, int(rng.choice(emotional))
        return source, int(rng.integers(1, count))

    def donor(self, s: int, state: int, rng: Generator) -> tuple[int, int]:
        """Another photograph whose person wears the same expression; the target itself if none
        does.
        """
        person = self.shards[s].person
        others = [
            w
            for w in self.wearers.get(int(self.shards[s].expression[state]), [])
            if self.shards[w[0]].person != person
        ]
        return others[int(rng.integers(len(others)))] if others else (s, state)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, i))
        s = int(rng.integers(len(self.shards)))
        shard = self.shards[s]
        source, target = self.states(s, rng)
        donor_shard, donor = self.donor(s, target, rng)
        mirror = self.strength > 0 and bool(rng.random() < 0.5)
        item = self.pictures(shard, source, target, rng, mirror)
        item["donor"] = self.picture(
            self.shards[donor_shard].get("images", donor),
            self.geometry(rng, mirror),
            Camera.draw(rng, self.strength),
        )
        units = [shard.units[k] for k in (source, target)]
        if mirror:
            units = [facs.mirror(u) for u in units]
        # the photograph's own units are the fit's estimate, not a label
        labels = [label_of(units[0]) if source or shard.neutral else -1, label_of(units[1])]
        item |= {
            "source_units": torch.from_numpy(units[0]),
            "target_units": torch.from_numpy(units[1]),
            "source_label": torch.tensor(labels[0]),
            "target_label": torch.tensor(labels[1] if target or shard.neutral else -1),
            "exact": torch.tensor(float(source > 0 or shard.neutral)),
        }
        return item

    def geometry(self, rng: Generator, mirrored: bool) -> Geometry:
        return Geometry.draw(rng, STORED, self.size, self.strength, mirrored)

    def picture(self, pixels: UInt8, geometry: Geometry, camera: Camera) -> Tensor:
        seen = geometry.image(pixels)
        return to_tensor(camera.apply(seen) if self.strength else seen)

    def pictures(
        self, shard: Shard, source: int, target: int, rng: Generator, mirror: bool
    ) -> dict[str, Tensor]:
        """Source and target under one geometry and camera, with the truth between them."""
        geometry, camera = self.geometry(rng, mirror), Camera.draw(rng, self.strength)
        flow = geometry.flow(shard.get("flow", target).astype(np.float32), TRUTH)
        visible = geometry.field(shard.get("visibility", target).astype(np.float32) / 255, TRUTH)
        mouth = geometry.field(shard.get("mouth", target).astype(np.float32) / 255, TRUTH)
        if source == target:
            flow, visible = np.zeros_like(flow), np.ones_like(visible)
        return {
            "source": self.picture(shard.get("images", source), geometry, camera),
            "target": self.picture(shard.get("images", target), geometry, camera),
            "flow": torch.from_numpy(flow).permute(2, 0, 1).contiguous(),
            "visible": torch.from_numpy(visible)[None],
            "mouth": torch.from_numpy(mouth)[None],
            "known": torch.tensor(float(source in (0, target))),
        }


class RigLabelled(Dataset[dict[str, Tensor]]):
    """Unpaired labelled faces, as the papers have them: all sources of a batch share one emotion,
    all targets another.

    Item: source (3, S, S), source_label, target_label; no truth beside the label. `batch` is what
    the sampler uses, since the emotions are drawn per batch (HiSD's loop).
    """

    def __init__(
        self, folder: Path, split: str, batch: int, *, size: int = 128, seed: int = 0
    ) -> None:
        self.shards = open_shards(folder, split)
        self.size, self.seed, self.batch = size, seed, batch
        self.of: dict[int, list[tuple[int, int]]] = {k: [] for k in range(len(facs.EMOTIONS))}
        for s, shard in enumerate(self.shards):
            for state, units in enumerate(shard.units):
                label = label_of(units)
                if label >= 0 and (state > 0 or shard.neutral):
                    self.of[label].append((s, state))
        empty = [facs.EMOTIONS[k] for k, v in self.of.items() if not v]
        if empty:
            raise DataError(f"no faces labelled {', '.join(empty)} in {folder / split}")

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        source, target = np.random.default_rng((self.seed, i // self.batch, 1)).permutation(
            len(facs.EMOTIONS)
        )[:2]
        rng = np.random.default_rng((self.seed, i, 2))
        s, state = self.of[int(source)][int(rng.integers(len(self.of[int(source)])))]
        geometry = Geometry.draw(rng, STORED, self.size, 0.5)
        camera = Camera.draw(rng, 0.5)
        picture = camera.apply(geometry.image(self.shards[s].get("images", state)))
        return {
            "source": to_tensor(picture),
            "source_label": torch.tensor(int(source)),
            "target_label": torch.tensor(int(target)),
        }


def everyone(person: str) -> bool:
    """The filter that keeps all people."""
    return True


class RigFaces(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Single faces with what they show, for the nets that read faces.

    Item: pixels (3, S, S) in [-1, 1]; units (47,) in [0, 1]; label, an emotion's index or -1
    (contempt on either side is contempt); landmarks (68, 2) px of the item. Only faces whose units
    are known: the renders, and photographs of people at rest. With `augment` a stream in which item
    i is drawn by (seed, i), turned, lit and mirrored at random; without, every face once, as it is.
    `people`: which persons take part.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        *,
        size: int = 128,
        seed: int = 0,
        augment: bool = True,
        people: Callable[[str], bool] = everyone,
    ) -> None:
        self.shards = [s for s in open_shards(folder, split) if people(s.person)]
        self.size, self.seed, self.augment = size, seed, augment
        self.faces = [
            (s, state)
            for s, shard in enumerate(self.shards)
            for state in range(0 if shard.neutral else 1, len(shard.units))
        ]
        if not self.faces:
            raise DataError(f"no face of the people asked for in {folder / split}")

    def __len__(self) -> int:
        return 2**31 if self.augment else len(self.faces)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if i >= len(self):
            raise IndexError(i)
        rng = np.random.default_rng((self.seed, i, 3))
        strength = 0.5 if self.augment else 0.0
        flipped = self.augment and bool(rng.random() < 0.5)
        s, state = self.faces[int(rng.integers(len(self.faces))) if self.augment else i]
        shard = self.shards[s]
        geometry = Geometry.draw(rng, STORED, self.size, strength, flipped)
        pixels = geometry.image(shard.get("images", state))
        if self.augment:
            pixels = Camera.draw(rng, strength).apply(pixels)
        points, units = geometry.points(shard.get("landmarks", state)), shard.units[state]
        if flipped:
            units, points = facs.mirror(units), points[MIRROR]
        return (
            to_tensor(pixels),
            torch.from_numpy(units),
            torch.tensor(max(label_of(units), label_of(facs.mirror(units)))),
            torch.from_numpy(points.astype(np.float32)),
        )

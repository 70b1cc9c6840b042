"""What a judge learns from: the rig's renders, whose units are known, and photographs of people
whose label is known.

The people of the training split are halved by the hash of their name: each judge learns from its
own half, so that two judges never saw the same person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import Dataset

from mien import facs, images
from mien.data.adapters import DATASETS
from mien.data.loading import RigFaces, everyone, to_tensor
from mien.data.manifest import Record
from mien.data.split import Split
from mien.data.transforms import Camera, Geometry
from mien.errors import DataError, FaceNotFound
from mien.faces.align import MIRROR, align
from mien.faces.detect import choose, detect
from mien.judges.networks import SIZE
from mien.types import Face, Float, UInt8
from mien.zoo import data_home

STORED = 160
"""Side of a photograph's crop before it is turned and lit at random, px."""
SMILE = 0.25
"""What a photograph labelled happy shows of AU12 at least: 0.33 is the median of the rig's fits."""

_GAZE = [facs.INDEX[f"AU{n}"] for n in (61, 62, 63, 64)]
_ROWS = [facs.prototype(name) for name in facs.EMOTIONS[1:]]
_ROWS.append(facs.mirror(facs.prototype("contempt")))
_PROTOTYPES = np.stack(_ROWS)
_OF_ROW = (*range(1, len(facs.EMOTIONS)), facs.EMOTIONS.index("contempt"))


class Item(NamedTuple):
    """A face and what is known of it; batched, each with B in front."""

    pixels: Tensor
    """(3, 128, 128) in [-1, 1]."""
    units: Tensor
    """(47,) in [0, 1]."""
    exact: Tensor
    """(): 1 where `units` is the truth, 0 where the face shows at least that."""
    emotions: Tensor
    """(8,) shares that sum to 1, or zeros where the face wears no emotion's prototype."""
    landmarks: Tensor
    """(68, 2) px."""


def half_of(person: str) -> str:
    """Which judge may learn from a person of the training split: "a" or "b".

    >>> half_of("london/005")
    'a'
    """
    return "ab"[hashlib.sha256(f"judge {person}".encode()).digest()[0] % 2]


def strength_of(units: Float) -> tuple[int, float]:
    """The emotion whose prototype `units` (47,) is, and at what strength; (-1, 0) for a mixture.

    Where the eyes look does not count. Neutral has strength 1.
    """
    rest = np.delete(units, _GAZE)
    if rest.max() < 0.02:
        return 0, 1.0
    rows = np.delete(_PROTOTYPES, _GAZE, 1)
    strengths = rows @ rest / (rows**2).sum(1)
    apart = np.linalg.norm(rest - strengths[:, None] * rows, axis=1)
    best = int(apart.argmin())
    if apart[best] > 0.15 * np.linalg.norm(rest):
        return -1, 0.0
    return _OF_ROW[best], float(strengths[best])


def emotions_of(units: Float) -> Float:
    """Shares (8,) of the emotions in `units` (47,): a weak one shares with neutral."""
    emotion, strength = strength_of(units)
    out = np.zeros(len(facs.EMOTIONS), np.float32)
    if emotion >= 0:
        out[emotion] = min(1.0, strength) ** 0.5
        out[0] += 1 - out[emotion]
    return out


@dataclass(frozen=True)
class Photograph:
    """An aligned photograph of a person whose expression somebody has named."""

    pixels: UInt8  # (S, S, 3)
    landmarks: Float  # (68, 2) px, hand-checked where there are such, else found
    checked: bool
    person: str
    name: str
    emotion: str

    def units(self) -> Float:
        """What the label promises: nothing moves, or a smile of `SMILE` at least."""
        return facs.vector({"AU12": SMILE} if self.emotion == "happy" else {})


def photographs(split: Split, half: str | None = None, *, found: bool = False) -> list[Photograph]:
    """The labelled photographs of a split, of one judge's people only if `half` says so.

    found: as a user's photograph is seen, that is aligned by the landmarks that mien finds, at 128
    px.
    """
    return list(_photographs(split, half, found))


def _photographs(split: Split, half: str | None, found: bool) -> Iterator[Photograph]:
    for name, dataset in DATASETS.items():
        root = data_home() / name
        for record in dataset.records(root) if root.is_dir() else ():
            wanted = record.split == split and half in (None, half_of(record.person))
            if wanted and record.emotion is not None:
                try:
                    yield _aligned(root, record, found)
                except FaceNotFound:
                    continue


def _aligned(root: Path, record: Record, found: bool) -> Photograph:
    path = root / record.file_name
    pixels = images.read(path).pixels
    if record.landmarks is None or found:
        (face,) = choose(detect(pixels), "largest")
    else:
        face = Face((0.0, 0.0, 0.0, 0.0), 1.0, record.landmarks)
    aligned = align(pixels, face, SIZE if found else STORED)
    checked = record.landmarks is not None
    points = aligned.landmarks
    if record.landmarks is not None:
        points = record.landmarks @ aligned.matrix[:, :2].T + aligned.matrix[:, 2]
    assert record.emotion is not None
    return Photograph(
        aligned.pixels, points.astype(np.float32), checked, record.person, path.stem, record.emotion
    )


class JudgeFaces(Dataset[Item]):
    """Item i of a stream is a photograph with probability `share`, else a render, drawn by (seed,
    i).
    """

    def __init__(self, folder: Path, name: str | None, share: float, seed: int) -> None:
        """folder: rig renders; name: the judge whose half of the training people is shown."""
        chosen = everyone if name is None else lambda person: half_of(person) == name
        self.renders = RigFaces(folder, "train", size=SIZE, seed=seed, people=chosen)
        self.photographs = photographs("train", name)
        if share and not self.photographs:
            raise DataError(f"no labelled photographs in {data_home()}: see docs/data.md")
        self.share, self.seed = share, seed

    def __len__(self) -> int:
        return len(self.renders)

    def __getitem__(self, i: int) -> Item:
        rng = np.random.default_rng((self.seed, i, 5))
        if rng.random() < self.share:
            photograph = self.photographs[int(rng.integers(len(self.photographs)))]
            return seen(photograph, rng)
        return render_item(self.renders, i)


def render_item(renders: RigFaces, i: int) -> Item:
    """Face i of the renders as an `Item`."""
    pixels, units, _, landmarks = renders[i]
    emotions = torch.from_numpy(emotions_of(units.numpy()))
    return Item(pixels, units, torch.tensor(1.0), emotions, landmarks)


def seen(photograph: Photograph, rng: Generator | None) -> Item:
    """A photograph as an `Item`; turned, lit and mirrored at random if `rng` is given."""
    flipped = rng is not None and bool(rng.random() < 0.5)
    strength, stored = (0.6 if rng else 0.0), len(photograph.pixels)
    geometry = Geometry.draw(rng or np.random.default_rng(0), stored, SIZE, strength, flipped)
    pixels = geometry.image(photograph.pixels)
    if rng is not None:
        pixels = Camera.draw(rng, 0.8).apply(pixels)
    points = geometry.points(photograph.landmarks)
    emotions = np.eye(len(facs.EMOTIONS), dtype=np.float32)
    return Item(
        to_tensor(pixels),
        torch.from_numpy(photograph.units()),
        torch.tensor(float(photograph.emotion == "neutral")),
        torch.from_numpy(emotions[facs.EMOTIONS.index(photograph.emotion)]),
        torch.from_numpy((points[MIRROR] if flipped else points).astype(np.float32)),
    )


def stacked(items: list[Item]) -> Item:
    """A batch."""
    return Item(*(torch.stack(part) for part in zip(*items, strict=True)))

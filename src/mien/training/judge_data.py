"""What a judge learns from: the rig's renders, whose units are known, and photographs of people
whose label is known.

The people of the training split are halved by the hash of their name: each judge learns from its
own half, so that two judges never saw the same person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from mien import facs, images
from mien.data.adapters import DATASETS
from mien.data.batch import Tensors
from mien.data.loading import RigFaces, everyone, to_tensor
from mien.data.manifest import Record
from mien.data.split import Split
from mien.data.transforms import Geometry, Photometry
from mien.errors import DataError, FaceNotFound
from mien.faces.align import MIRROR, align
from mien.faces.detect import face_of
from mien.judges.networks import SIZE
from mien.rig.expressions import smiles
from mien.types import Float, UInt8
from mien.zoo import data_home

STORED = 160
"""Side of a photograph's crop before it is turned and lit at random, px."""
SMILE = 0.25
"""What a photograph labelled happy shows of AU12 at least: 0.33 is the median of the rig's fits."""

FULL_SMILE = 0.4
"""AU12 of a real smile that is nothing but happy."""
CLEAR_SMILE = 0.4
"""AU12 that the rig must have fitted to a portrait nobody labelled, so that it counts as happy."""

_SMILES = smiles()
_GAZE = [facs.INDEX[f"AU{n}"] for n in (61, 62, 63, 64)]
_ROWS = [facs.prototype(name) for name in facs.EMOTIONS[1:]]
_ROWS.append(facs.mirror(facs.prototype("contempt")))
_PROTOTYPES = np.stack(_ROWS)
_OF_ROW = (*range(1, len(facs.EMOTIONS)), facs.EMOTIONS.index("contempt"))


@dataclass(frozen=True)
class Item(Tensors):
    """A face and what is known of it; batched, each with B in front."""

    pixels: Tensor
    """(3, 128, 128) in [-1, 1]."""
    units: Tensor
    """(47,) in [0, 1]."""
    exact: Tensor
    """(): 1 where `units` is the truth, 0 where the face shows at least that."""
    emotions: Tensor
    """(8,) shares that sum to 1, or zeros where the face shows no emotion's prototype."""
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
    distances = np.linalg.norm(rest - strengths[:, None] * rows, axis=1)
    best = int(distances.argmin())
    if distances[best] > 0.15 * np.linalg.norm(rest):
        return -1, 0.0
    return _OF_ROW[best], float(strengths[best])


def emotions_of(units: Float) -> Float:
    """Shares (8,) of the emotions in `units` (47,): a weak one shares with neutral.

    Units fitted to a real smile are happy too, the fuller the wider it is.
    """
    emotion, strength = strength_of(units)
    if emotion < 0 and _is_real_smile(units):
        emotion, strength = facs.EMOTIONS.index("happy"), float(_au12(units)) / FULL_SMILE
    out = np.zeros(len(facs.EMOTIONS), np.float32)
    if emotion >= 0:
        out[emotion] = min(1.0, strength) ** 0.5
        out[0] += 1 - out[emotion]
    return out


def _is_real_smile(units: Float) -> bool:
    distances = [np.abs(_SMILES - u).max(1).min() for u in (units, facs.mirror(units))]
    return bool(min(distances) < 1e-4 and _au12(units) > 0.05)


def _au12(units: Float) -> float:
    return float(units[list(facs.columns("AU12"))].mean())


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

    def blended(self, other: Photograph, share: float) -> Photograph:
        """The two aligned faces laid over each other: somebody else with the same expression."""
        pixels = cv2.addWeighted(self.pixels, 1 - share, other.pixels, share, 0)
        points = (1 - share) * self.landmarks + share * other.landmarks
        return replace(
            self, pixels=np.asarray(pixels, np.uint8), landmarks=points.astype(np.float32)
        )


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
    face = face_of(pixels, None if found else record.landmarks)
    aligned = align(pixels, face, SIZE if found else STORED)
    checked = record.landmarks is not None
    points = aligned.landmarks
    if record.landmarks is not None:
        points = record.landmarks @ aligned.matrix[:, :2].T + aligned.matrix[:, 2]
    assert record.emotion is not None
    return Photograph(
        aligned.pixels, points.astype(np.float32), checked, record.person, path.stem, record.emotion
    )


class Plain(Dataset[Item]):
    """Renders as they are, `count` at most, spread evenly over a set that is not a stream."""

    def __init__(self, renders: RigFaces, count: int) -> None:
        places = np.linspace(0, len(renders) - 1, min(count, len(renders)))
        self.renders, self.places = renders, places.astype(int)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, i: int) -> Item:
        return render_item(self.renders, int(self.places[i]))


class JudgeFaces(Dataset[Item]):
    """Item i of a stream, drawn by (seed, i): with probability `share` a labelled photograph, with
    the same one a portrait that clearly smiles, else a render; of a person whose photographs are
    labelled, that is whose rest is known, one time in three.
    """

    def __init__(self, folder: Path, name: str | None, share: float, seed: int) -> None:
        """folder: rig renders; name: the judge whose half of the training people is shown."""
        chosen = everyone if name is None else lambda person: half_of(person) == name
        self.renders = RigFaces(folder, "train", size=SIZE, seed=seed, people=chosen)
        self.photographs = photographs("train", name)
        if share and not self.photographs:
            raise DataError(f"no labelled photographs in {data_home()}: see docs/data.md")
        rested = {p.person for p in self.photographs}
        self.rested = RigFaces(folder, "train", size=SIZE, seed=seed, people=rested.__contains__)
        self.portraits = smiling_portraits(self.renders)
        self.share, self.seed = share, seed

    def __len__(self) -> int:
        return len(self.renders)

    def __getitem__(self, i: int) -> Item:
        rng = np.random.default_rng((self.seed, i, 5))
        kind = rng.random()
        if kind < 2 * self.share:
            known = self.photographs if kind < self.share else self.portraits or self.photographs
            first = known[int(rng.integers(len(known)))]
            alike = [p for p in self.photographs if p.emotion == first.emotion]
            if rng.random() < 0.5:
                first = first.blended(alike[int(rng.integers(len(alike)))], rng.uniform(0.1, 0.5))
            return estranged(seen(first, rng), rng)
        renders = self.rested if rng.random() < 1 / 3 else self.renders
        return estranged(render_item(renders, i), rng)


def smiling_portraits(renders: RigFaces) -> list[Photograph]:
    """The photographs of unknown expression among those rendered whose fit clearly smiles."""
    return [
        Photograph(p.stored[0].image(), p.landmarks[0], False, p.person, p.person, "happy")
        for p in renders.photos
        if not p.neutral and _au12(p.units[0]) >= CLEAR_SMILE
    ]


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
        pixels = Photometry.draw(rng, 0.8).apply(pixels)
    points = geometry.points(photograph.landmarks)
    emotions = np.eye(len(facs.EMOTIONS), dtype=np.float32)
    return Item(
        to_tensor(pixels),
        torch.from_numpy(photograph.units()),
        torch.tensor(float(photograph.emotion == "neutral")),
        torch.from_numpy(emotions[facs.EMOTIONS.index(photograph.emotion)]),
        torch.from_numpy((points[MIRROR] if flipped else points).astype(np.float32)),
    )


def estranged(item: Item, rng: Generator) -> Item:
    """The face as a stranger's: a little wider or longer, aslant, of another tone, with the same
    expression.

    A judge meets few hundred people; without this it knows their faces at rest by heart.
    """
    bent = np.eye(2) + rng.normal(0, 0.04, (2, 2)).clip(-0.1, 0.1)  # crop -> picture before
    half = SIZE / 2
    grid = F.affine_grid(
        torch.tensor(np.c_[bent, np.zeros(2)], dtype=torch.float32)[None],
        [1, 3, SIZE, SIZE],
        align_corners=False,
    )
    pixels = F.grid_sample(item.pixels[None], grid, padding_mode="reflection", align_corners=False)[
        0
    ]
    tone = torch.from_numpy(np.exp(rng.normal(0, 0.12, (3, 1, 1))).astype(np.float32))
    contrast, mean = float(np.exp(rng.normal(0, 0.15))), pixels.mean()
    pixels = ((pixels - mean) * contrast + mean + 1) * tone - 1
    turn = torch.from_numpy(np.linalg.inv(bent).T.astype(np.float32))
    points = (item.landmarks + 0.5 - half) @ turn + half - 0.5
    return replace(item, pixels=pixels.clamp(-1, 1), landmarks=points)

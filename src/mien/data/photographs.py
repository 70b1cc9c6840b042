"""Photographs as training reads them: aligned crops, what is known of each, no pairs and no truth.

Draw i is a function of (seed, i) alone, as of the rig's renders in `loading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from torch.utils.data import Dataset

from mien import facs, images
from mien.data.adapters import recognised
from mien.data.batch import Named, Person, Shown, Strangers
from mien.data.loading import TRUTH, shrunk, to_tensor, two_of
from mien.data.manifest import FILE_NAME, Record, read_manifest
from mien.data.transforms import Geometry, Photometry
from mien.errors import DataError
from mien.faces.align import MIRROR
from mien.types import Float, UInt8

STRENGTH = 0.5
"""Of the augmentation, of what pairs of renders get."""
TRIES = 50
"""Draws of somebody else before all photographs are looked through."""


@dataclass(frozen=True)
class Photograph:
    """One crop as a network sees it, and what is known of it."""

    pixels: UInt8
    """(S, S, 3)."""
    landmarks: Float
    """(68, 2) px."""
    units: Float
    """Action units (47,) in [0, 1], NaN where nobody has coded them."""
    label: int
    """Index in `facs.EMOTIONS`, or -1."""
    person: int
    """Place in `Photographs.people`, or -1 where no other photograph shows them: nothing tells a
    person from a picture then."""
    neutral: UInt8 | None = None
    """(S, S, 3): a photograph of the person at rest, under the same draw; of one at rest it may be
    that one itself."""


class Photographs:
    """The aligned photographs of a split of a manifest, drawn at `size` px.

    augment: turned, zoomed, shifted, relit and mirrored at random; else each as it is.

    Raises:
        DataError: there is no manifest, its photographs are not aligned, or none is of the split.
    """

    def __init__(
        self, folder: Path, split: str, *, size: int = 128, seed: int = 0, augment: bool = True
    ) -> None:
        self.folder, self.size, self.seed, self.augment = folder, size, seed, augment
        self.records = _aligned(folder, split)
        self.people = sorted({r.person for r in self.records})
        self._place = {person: place for place, person in enumerate(self.people)}
        self.labelled: dict[int, list[int]] = {}
        """Emotion -> the photographs that show it."""
        self.of: dict[str, list[int]] = {}
        """Person -> the photographs that show them."""
        for k, r in enumerate(self.records):
            self.of.setdefault(r.person, []).append(k)
            if r.emotion is not None:
                self.labelled.setdefault(facs.EMOTIONS.index(r.emotion), []).append(k)

    def __len__(self) -> int:
        return len(self.records)

    def any(self, i: int) -> Photograph:
        """Draw i of all photographs."""
        rng = np.random.default_rng((self.seed, i, 4))
        return self.photograph(int(rng.integers(len(self.records))), rng)

    def named(self, i: int, alike: int = 1) -> tuple[Photograph, int]:
        """Draw i of those with an emotion, and another emotion to give it. So many draws in a row
        share both; as many as there are emotions show each once, `alike` times over. DataError
        where fewer than two are shown.
        """
        shown = sorted(self.labelled)
        if len(shown) < 2:
            names = ", ".join(facs.EMOTIONS[k] for k in shown) or "no emotion"
            raise DataError(f"{self.folder} shows {names}: unpaired training needs two at least")
        source, wanted = (shown[k] for k in two_of(len(shown), i // alike, self.seed))
        rng = np.random.default_rng((self.seed, i, 6))
        return self.photograph(int(rng.choice(self.labelled[source])), rng), wanted

    def strangers(self, i: int) -> tuple[Photograph, Photograph]:
        """Draw i of two people, each with a photograph of theirs at rest where there is one.
        Half of the time one shows an emotion and the other another, where emotions are known.
        DataError where only one person is shown to learn from; one who is but looked at stands
        beside another photograph of theirs.
        """
        if len(self.people) < 2 and self.augment:
            raise DataError(f"{self.folder} shows one person: training needs two at least")
        rng = np.random.default_rng((self.seed, i, 7))
        first = int(rng.integers(len(self.records)))
        among: Sequence[int] = range(len(self.records))
        if len(self.labelled) > 1 and rng.random() < 0.5:
            one, two = (sorted(self.labelled)[k] for k in rng.permutation(len(self.labelled))[:2])
            first = int(rng.choice(self.labelled[one]))
            among = self.labelled[two]
        second = self._other(self.records[first].person, among, rng)
        return self.photograph(first, rng, True), self.photograph(second, rng, True)

    def _other(self, person: str, among: Sequence[int], rng: Generator) -> int:
        """A photograph of somebody else among some, of all where those show nobody else."""
        for _ in range(TRIES if len(self.people) > 1 else 0):
            k = among[int(rng.integers(len(among)))]
            if self.records[k].person != person:
                return k
        others = [k for k, r in enumerate(self.records) if r.person != person]
        others = others or list(range(len(self.records)))
        return others[int(rng.integers(len(others)))]

    def photograph(self, k: int, rng: Generator, with_neutral: bool = False) -> Photograph:
        """Photograph k of `records`, with the changes that `rng` draws; with_neutral: with
        a neutral one of the person, be it the same, where there is one.
        """
        record = self.records[k]
        pixels = images.read(self.folder / record.file_name).pixels
        strength = STRENGTH if self.augment else 0.0
        mirrored = self.augment and bool(rng.random() < 0.5)
        geometry = Geometry.draw(rng, len(pixels), self.size, strength, mirrored)
        photometry = Photometry.draw(rng, strength) if self.augment else None

        def drawn(picture: UInt8) -> UInt8:
            seen = geometry.image(picture)
            return seen if photometry is None else photometry.apply(seen)

        seen, neutral = drawn(pixels), None
        calm = [j for j in self.of[record.person] if self.records[j].emotion == "neutral"]
        if with_neutral and calm:
            other = calm[int(rng.integers(len(calm)))]
            neutral = drawn(images.read(self.folder / self.records[other].file_name).pixels)
        assert record.landmarks is not None
        points = geometry.points(record.landmarks)
        units = record.units
        if units is None:
            units = np.full(len(facs.UNITS), np.nan, np.float32)
        return Photograph(
            seen,
            (points[MIRROR] if mirrored else points).astype(np.float32),
            facs.mirror(units) if mirrored else units,
            -1 if record.emotion is None else facs.EMOTIONS.index(record.emotion),
            self._place[record.person] if len(self.of[record.person]) > 1 else -1,
            neutral,
        )


class NamedPhotographs(Dataset[Named]):
    """Photographs with an emotion, and another one to give them; `alike` in a row share both, as of
    the rig's in `loading.RigLabelled`."""

    def __init__(self, photographs: Photographs, alike: int = 1) -> None:
        self.photographs, self.alike = photographs, alike
        photographs.named(0)  # what is wrong is said before training begins

    def __len__(self) -> int:
        return 2**31  # a stream: the budget in images ends it

    def __getitem__(self, i: int) -> Named:
        photo, wanted = self.photographs.named(i, self.alike)
        return Named(shown(photo), torch.tensor(wanted))


class StrangePhotographs(Dataset[Strangers]):
    """Photographs of two people at a time; emotions, action units and rest where they are known."""

    def __init__(self, photographs: Photographs) -> None:
        self.photographs, self.people = photographs, photographs.people
        photographs.strangers(0)  # what is wrong is said before training begins

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, i: int) -> Strangers:
        one, two = self.photographs.strangers(i)
        return Strangers(suggested(one), suggested(two), person_of(one), person_of(two))


def shown(photo: Photograph) -> Shown:
    """A photograph as a training step sees it; units that nobody coded are 0, and `coded` too, and
    `exact` where any is missing.
    """
    coded = ~np.isnan(photo.units)
    return Shown(
        pixels=to_tensor(photo.pixels),
        units=torch.from_numpy(np.nan_to_num(photo.units)),
        label=torch.tensor(photo.label),
        exact=torch.tensor(float(coded.all())),
        landmarks=torch.from_numpy(photo.landmarks),
        coded=torch.from_numpy(coded.astype(np.float32)),
    )


def suggested(photo: Photograph) -> Shown:
    """The same, but where nobody coded any unit and the emotion is known, its prototype stands for
    them (Inferred: the papers' labels are not known). `exact` stays 0: it is a suggestion.
    """
    seen = shown(photo)
    if photo.label < 0 or bool(seen.coded is not None and seen.coded.any()):
        return seen
    units = torch.from_numpy(facs.prototype(facs.EMOTIONS[photo.label]))
    return replace(seen, units=units, coded=torch.ones_like(units))


def person_of(photo: Photograph) -> Person:
    """Who a photograph shows."""
    there = photo.neutral is not None
    grey = torch.zeros(3, TRUTH, TRUTH)
    neutral = grey if photo.neutral is None else shrunk(to_tensor(photo.neutral), TRUTH)
    return Person(torch.tensor(photo.person), neutral, torch.tensor(float(there)))


def is_manifest(folder: Path) -> bool:
    """Whether a folder holds photographs, not the rig's renders."""
    return (folder / FILE_NAME).is_file() or recognised(folder) is not None


def _aligned(folder: Path, split: str) -> list[Record]:
    if not (folder / FILE_NAME).is_file() and recognised(folder) is not None:
        raise DataError(f"{folder} holds photographs as downloaded: `mien data align {folder}`")
    records = read_manifest(folder)
    for r in records[:1]:
        pixels = images.read(folder / r.file_name).pixels
        if r.landmarks is None or pixels.shape[0] != pixels.shape[1]:
            raise DataError(
                f"the photographs in {folder} are not aligned: run `mien data align {folder} "
                "--out DIR` and name that folder"
            )
    found = [r for r in records if r.split == split and r.landmarks is not None]
    if not found:
        raise DataError(f"no photograph in {folder} is of the split {split!r}")
    return found

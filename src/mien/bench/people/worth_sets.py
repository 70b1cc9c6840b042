"""The pictures of `mien bench worth`: what it teaches, and what it tests on. Each set is
gathered once and kept in a folder of the user's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import facs, images
from mien.bench.edits.references import TUNED
from mien.data.adapters import DATASETS
from mien.data.loading import label_of, open_renders
from mien.data.manifest import read_manifest
from mien.errors import DataError, FaceNotFound
from mien.faces.align import align
from mien.faces.detect import choose, detect, face_of
from mien.metrics.triples import faces_of
from mien.nn.tensors import to_uint8
from mien.people.folder import kept
from mien.people.sources import pool
from mien.types import Float, UInt8
from mien.zoo import data_home

SIDE = 128
"""Of the crops that are kept, px."""
UNITS = ("AU25", "AU43")
ON, OFF = (0.5, 0.75), 0.1
"""From where on each unit counts as there, and up to where as not there; nothing is said between.
"""
PARTED, SHUT = 0.06, 0.02
"""Gap of inner lips over the mouth's width from which on a photograph's lips are parted (AU25), and
up to which they are shut."""
GAPS, BLINKS = (0.02, 0.12), (0.1, 0.5)
"""Of frames of `grid`, by the outside landmarker: lips shut and apart, lids open and closed."""
FRAMES = 24
"""Frames of each kind of a speaker, at most."""
Row = tuple[UInt8, int, tuple[float, float], str, str]
"""A picture, its emotion, its units, whose it is, and their skin."""


@dataclass(frozen=True)
class Labelled:
    """Pictures and what they show.

    Attributes:
        pixels: uint8 (N, SIDE, SIDE, 3); emotions: (N,), -1 where no label was asked for;
            units: (N, 2) of 0, 1 and nan, those of `UNITS`; people, skins: (N,) text.
    """

    pixels: UInt8
    emotions: np.ndarray
    units: Float
    people: np.ndarray
    skins: np.ndarray

    @property
    def count(self) -> int:
        """How many pictures."""
        return len(self.people)

    @classmethod
    def of(cls, rows: Iterator[Row]) -> Labelled:
        """From pictures, emotions, units, people and skins. DataError where there are none."""
        found = list(rows)
        if not found:
            raise DataError("no pictures")
        pixels, emotions, units, people, skins = zip(*found, strict=True)
        return cls(np.stack(pixels), np.array(emotions), np.array(units, np.float32),
                   np.array(people), np.array(skins))  # fmt: skip

    def some(self, chosen: np.ndarray) -> Labelled:
        """Those of a mask or of indices."""
        return Labelled(self.pixels[chosen], self.emotions[chosen], self.units[chosen],
                        self.people[chosen], self.skins[chosen])  # fmt: skip

    @staticmethod
    def joined(sets: Sequence[Labelled]) -> Labelled:
        """All pictures of several sets."""
        names = ("pixels", "emotions", "units", "people", "skins")
        return Labelled(*(np.concatenate([getattr(s, n) for s in sets]) for n in names))


def once(folder: Path, name: str, gather: Callable[[], Labelled]) -> Labelled:
    """The set that lies in a folder, or else gathered and put there."""
    path = folder / f"{name}.npz"
    if not path.is_file():
        found = gather()
        part = folder / f"{name}.part.npz"
        np.savez_compressed(part, **vars(found))
        part.replace(path)
        print(name, len(found.people), flush=True)
    with np.load(path) as stored:
        return Labelled(**stored)


def photographs(split: str) -> Iterator[Row]:
    """Photographs whose set names the expression: neutral and smiles of London, neutral of Canada.
    Eyes are open in all of them; whether lips are parted is what the landmarks say."""
    for name in ("london", "canada"):
        root = data_home() / name
        skins = {p.person: skin_of(p.ethnicity) for p in pool([name], split)}
        for record in DATASETS[name].records(root):
            if record.split != split or record.emotion not in facs.EMOTIONS:
                continue
            pixels = images.read(root / record.file_name).pixels
            try:
                crop = align(pixels, face_of(pixels, None), SIDE)
            except FaceNotFound:
                continue
            lips = crop.landmarks[48:68]
            gap = float(np.linalg.norm(lips[[13, 14, 15]] - lips[[19, 18, 17]], axis=1).mean())
            gap /= float(np.linalg.norm(lips[0] - lips[6]))
            parted = 1.0 if gap > PARTED else 0.0 if gap < SHUT else np.nan
            label = facs.EMOTIONS.index(str(record.emotion))
            yield crop.pixels, label, (parted, 0.0), record.person, skins.get(record.person, "")


def skin_of(ethnicity: Sequence[str]) -> str:
    """`white`, `not white`, or empty where nothing is known."""
    return "" if not ethnicity else "white" if tuple(ethnicity) == ("white",) else "not white"


def invented(folder: Path) -> Iterator[Row]:
    """Pictures that `mien people` made, with what was asked for."""
    for record in read_manifest(folder):
        note: Mapping[str, Any] = kept((folder / record.file_name).parent / "person.json") or {}
        pixels = images.read(folder / record.file_name).pixels
        try:
            (face,) = choose(detect(pixels), "largest")
        except FaceNotFound:
            continue
        label = -1 if record.emotion is None else facs.EMOTIONS.index(record.emotion)
        skin = skin_of((note["group"]["ethnicity"],))
        units = _shown(record.units)
        yield align(pixels, face, SIDE).pixels, label, units, record.person, skin


def renders(folder: Path) -> Iterator[Row]:
    """Renders of test people in the whole emotions, and their photographs at rest."""
    skins = {
        p.person: skin_of(p.ethnicity) for n in ("london", "canada") for p in pool([n], "test")
    }
    for photo in open_renders(folder, "test"):
        states = [s for s in photo.still
                  if label_of(photo.units[s]) >= 0 and (s > 0 or photo.neutral)]  # fmt: skip
        pictures = to_uint8(faces_of([(photo, s) for s in states], SIDE).pixels) if states else ()
        for picture, state in zip(pictures, states, strict=True):
            label, units = label_of(photo.units[state]), _shown(photo.units[state])
            yield picture, label, units, photo.person, skins.get(photo.person, "")


def _shown(units: facs.Vector | None) -> tuple[float, float]:
    """Of `UNITS`, whether they are there: 1, 0, or nan."""
    if units is None:
        return np.nan, np.nan
    found = []
    for name, on in zip(UNITS, ON, strict=True):
        amount = float(max(units[i] for i in facs.columns(name)))
        found.append(1.0 if amount >= on else 0.0 if amount <= OFF else np.nan)
    return found[0], found[1]


def speakers() -> Iterator[Row]:
    """Frames of `grid`: lips shut and apart, lids open and closed, as the outside landmarker (which
    taught nothing) says. Every single clip counts as a speaker."""
    path = data_home() / "grid" / "frames.json"
    if not path.is_file():
        raise DataError(f"no films of speakers at {path.parent}: set MIEN_DATA")
    clips: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in json.loads(path.read_text("utf-8")):
        clips[row["clip"]].append(row)
    tuned = sum(clip.startswith(f"{TUNED}_") for clip in clips)
    for clip, rows in sorted(clips.items()):
        of_many = clip.startswith(f"{TUNED}_")
        most = max(1, FRAMES // tuned) if of_many else FRAMES
        wanted = _chosen(rows, most)
        film = cv2.VideoCapture(str(path.parent / "clips" / clip))
        for number in range(max(wanted, default=-1) + 1):  # MPEG-1 cannot be sought exactly
            ok, picture = film.read()
            if not ok:
                break
            if number not in wanted:
                continue
            pixels: UInt8 = np.ascontiguousarray(picture[..., ::-1], np.uint8)
            try:
                (face,) = choose(detect(pixels), "largest")
            except FaceNotFound:
                continue
            who = TUNED if of_many else clip
            yield align(pixels, face, SIDE).pixels, -1, wanted[number], who, ""


def _chosen(rows: Sequence[Mapping[str, Any]], most: int) -> dict[int, tuple[float, float]]:
    """Frames, evenly over time, of each of the four kinds, and what they show."""
    found: dict[int, tuple[float, float]] = {}
    for unit, (key, (off, on)) in enumerate((("gap", GAPS), ("blink", BLINKS))):
        for shown in (0.0, 1.0):
            kind = [r for r in rows if (r[key] > on if shown else r[key] < off)]
            places = np.linspace(0, len(kind) - 1, min(most, len(kind))).round().astype(int)
            for place in places:
                old = found.get(int(kind[place]["i"]), (np.nan, np.nan))
                found[int(kind[place]["i"])] = (shown, old[1]) if unit == 0 else (old[0], shown)
    return found

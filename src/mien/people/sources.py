"""Consenting people to mix: whose photographs may be used, and what of each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mien import images
from mien.data.adapters import DATASETS, KNOWN, records_in
from mien.data.adapters.base import template_beside
from mien.data.manifest import FILE_NAME, Record
from mien.errors import DataError
from mien.face_model.camera import Camera
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.light import Light
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.render import Rig
from mien.face_model.sampling import LUMA, sample
from mien.faces.align import align, resized, side_of, transform
from mien.faces.detect import face_of
from mien.types import Face, Float, UInt8
from mien.zoo import data_home, dataset_home
from mien.zoo.samples import samples

SAMPLES = "samples"
"""Name of the faces that come with mien, as a pool of sources."""
TABLE = "*_info.csv"
"""Tables beside photographs with columns `face_id` and any of `face_age`, `face_gender`,
`face_eth`."""
FINEST = 1024
"""Largest side of the crop that a source's skin is read from, px."""
KEPT = 16
"""Photographs that are kept in memory; what was fitted to them is kept of all."""


@dataclass(frozen=True, eq=False)
class SourcePhotograph:
    """A photograph that may be mixed from: who it shows, its file, its terms, and what is known of
    the person (None: not known). Of several ethnicities each one is named."""

    person: str
    photo: Path
    licence: str
    origin: str
    landmarks: Float | None = None
    age: float | None = None
    gender: str | None = None
    ethnicity: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SourceFace:
    """What is used of a photograph: `face`, where its face is, and what the fit says of it.

    Attributes:
        matrix: (2, 3), from px of the crop of 320 px to photograph px.
        rest: every vertex (N, 3) cm at rest; shown: what the photograph's expression adds to it.
        camera: of the crop; facing: (N,), 1 where the surface looks into the camera.
        points: every vertex (N, 2) in photograph px; bare: (F,) how far each vertex of the face is
            bare skin, 0..1; tone: mean brightness of that skin, 0..255.
    """

    photograph: SourcePhotograph
    face: Face
    matrix: Float
    neutral: Float
    shown: Float
    camera: Camera
    facing: Float
    points: Float
    bare: Float
    tone: float

    @property
    def pixels(self) -> UInt8:
        """The photograph, uint8 (H, W, 3) RGB."""
        return _pixels(self.photograph.photo)


def pool(names: Sequence[str], split: str = "train") -> list[SourcePhotograph]:
    """The neutral photographs of these pools, in order of person: `samples`, a data set that mien
    knows, or a folder with a manifest or in the layout of a known set. Of known sets only people of
    `split`, so that nobody who is measured on is mixed in.

    Raises:
        DataError: a pool is not there, its terms do not permit altered pictures, or fewer than
            three people are left.
    """
    found = [photograph for name in names for photograph in _pool(name, split)]
    people = {photograph.person: photograph for photograph in found}
    if len(people) < 3:
        raise DataError(
            f"{len(people)} people in {', '.join(names)}: an invented person is mixed from three "
            "at least; name more with --from"
        )
    return [people[name] for name in sorted(people)]


def load(model: FaceModel, photograph: SourcePhotograph) -> SourceFace:
    """Read the photograph and fit its face.

    Raises:
        ImageError, FaceNotFound: it cannot be read, or shows nobody.
        DataError: the face model does not fit the face well enough.
    """
    pixels = _pixels(photograph.photo)
    face = face_of(pixels, photograph.landmarks)
    side = int(np.clip(side_of(face), SOURCE_SIZE, FINEST))
    crop = align(pixels, face, side)
    points = template_beside(photograph.photo)
    checked = None if points is None else transform(crop.matrix, points)
    rig = Rig(model, crop.pixels, crop.landmarks, neutral=True, template=checked)
    if rig.fault is not None:
        raise DataError(f"{photograph.person} cannot be mixed from: {rig.fault}")
    inverse = resized(crop.matrix.astype(np.float64), side, SOURCE_SIZE)
    back = np.asarray(cv2.invertAffineTransform(inverse), np.float32)
    source, neutral = rig.source, rig.person.neutral
    small = rig.small.astype(np.float32)
    bare = Light.of(model, small, source.points, source.normals).bare
    light = sample(small @ LUMA, source.points[FACE])
    tone = np.average(light, weights=bare + 1e-3)
    return SourceFace(
        photograph, face, back, neutral, source.vertices - neutral, rig.fit.camera,
        rig.facing, transform(back, source.points), bare, float(tone),
    )  # fmt: skip


@lru_cache(KEPT)
def _pixels(photo: Path) -> UInt8:
    return images.read(photo).pixels


def _pool(name: str, split: str) -> list[SourcePhotograph]:
    if name == SAMPLES:
        terms = "CC-BY-4.0", DATASETS["london"].source
        return [SourcePhotograph(f"samples/{n}", path, *terms) for n, path in samples().items()]
    known = DATASETS.get(name)
    folder = Path(name) if known is None else _home(name)
    if not folder.is_dir():
        how = f": {known.obtain}" if known else f": {SAMPLES}, {', '.join(DATASETS)}, or a folder"
        raise DataError(f"no photographs at {folder}{how}")
    records = records_in(folder)
    if records is None:
        raise DataError(f"no {FILE_NAME} in {folder}: make one with `mien data import`")
    known_of = _table(folder) or (_table(data_home() / name) if known else {})
    photographs = []
    for record in records:
        if record.emotion != "neutral" or (_of_a_set(record) and record.split != split):
            continue
        _permit(record)
        facts = known_of.get(record.person.rpartition("/")[2], {})
        photographs.append(
            SourcePhotograph(
                record.person, folder / record.file_name, record.licence, record.source,
                record.landmarks, _age(facts.get("face_age")), facts.get("face_gender") or None,
                tuple(p for p in (facts.get("face_eth") or "").split("/") if p),
            )
        )  # fmt: skip
    return photographs


def _home(name: str) -> Path:
    """A known set where it was imported to, else as it was downloaded."""
    imported = dataset_home(name)
    return imported if imported.is_dir() else data_home() / name


def _of_a_set(record: Record) -> bool:
    return record.person.partition("/")[0] in KNOWN


def _permit(record: Record) -> None:
    known = KNOWN.get(record.person.partition("/")[0])
    if known is not None and not known.alterable:
        raise DataError(
            f"{record.person}: the people of {known.name} did not consent to altered pictures of "
            "them being shown; take another set"
        )


def _table(folder: Path) -> dict[str, dict[str, str]]:
    """What the tables beside the photographs say, by person."""
    found: dict[str, dict[str, str]] = {}
    for table in sorted(folder.glob(TABLE)):
        with table.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                if row.get("face_id"):
                    found[row["face_id"]] = {k: v.strip() for k, v in row.items() if k and v}
    return found


def _age(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None

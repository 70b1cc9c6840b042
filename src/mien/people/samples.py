"""The bundled sample faces: three people whom `mien people` invents, cropped to the head.

Each is person `number` of `mien people --from LONDON --seed SEED`, at that command's own size and
other settings: mixed from consenting people of the Face Research Lab London Set (CC BY 4.0,
DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666), all of the training split, and as far from
everybody as it asks of portraits. Unlike its pictures a sample carries no mark: it stands for a
photograph that nobody edited yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mien import images
from mien.errors import DataError
from mien.face_model.mesh import FaceModel
from mien.faces.detect import detect
from mien.files import replacing
from mien.judges.identity import descriptor
from mien.methods.registry import DEFAULT
from mien.people import invented
from mien.people.crowd import ATTRIBUTES, Crowd
from mien.people.sources import pool
from mien.types import Face, UInt8

SIDE = 768
"""Side of the portraits, px: what `mien people` draws if nothing else is asked."""
CROP = 600
"""Side of a sample, px."""
EYES_AT = 0.45
"""Height of the eyes in a sample, in its sides."""
MIXED, LEAST = 4, 0.45
"""Sources of one person, and the least identity distance to everybody: the command's own."""
QUALITY = 92
"""Of the JPEG."""


@dataclass(frozen=True)
class Sample:
    """Which invented person a sample is: `number` of `seed`."""

    name: str
    seed: int
    number: int


SAMPLES = (Sample("anna", 2, 3), Sample("ben", 10, 4), Sample("cora", 3, 4))


@dataclass(frozen=True)
class Made:
    """A sample that was written: its file, everybody of whom anything is in it, who of them gives
    hair, ears and clothes, and who of the set is nearest to it at which identity distance."""

    path: Path
    sources: tuple[str, ...]
    frame: str
    nearest: str
    distance: float

    def row(self) -> str:
        """A row of the table in the samples' README."""
        people = ", ".join(person.rpartition("/")[2] for person in self.sources)
        frame, nearest = (who.rpartition("/")[2] for who in (self.frame, self.nearest))
        return f"| `{self.path.stem}` | {people} | {frame} | {self.distance:.2f} ({nearest}) |"


def make(london: Path, out: Path, wanted: Sequence[Sample] = SAMPLES) -> list[Made]:
    """Write samples as JPEG into `out` from the London Set's folder, in their order.

    Raises:
        DataError: the set is not there, or a sample is too near to somebody of it.
    """
    crowd = Crowd(FaceModel.load(), pool([str(london)]), descriptor())
    out.mkdir(parents=True, exist_ok=True)
    return [_made(crowd, sample, out / f"{sample.name}.jpg") for sample in wanted]


def _made(crowd: Crowd, sample: Sample, path: Path) -> Made:
    """The sample, written to `path` and judged as it lies there."""
    settings = invented.Settings(
        invented.sources_digest(crowd), DEFAULT, "", sample.seed, SIDE, MIXED, LEAST, ATTRIBUTES,
        {}, "",
    )  # fmt: skip
    person = invented.portrait(crowd, settings, sample.number)
    with replacing(path) as part:
        picture = Image.fromarray(_cropped(person.pixels, person.face))
        picture.save(part, "JPEG", quality=QUALITY, optimize=True)
        pixels = images.read(part).pixels
        distances = crowd.distances(pixels, detect(pixels)[0])
        nearest = min(distances, key=distances.__getitem__)
        if distances[nearest] < LEAST:
            raise DataError(f"{sample.name} is {distances[nearest]:.3f} from {nearest}")
    mixed = person.mixed
    frame = mixed.people[mixed.recipe.frame]
    return Made(path, tuple(mixed.sources), frame, nearest, distances[nearest])


def _cropped(pixels: UInt8, face: Face) -> UInt8:
    """A portrait (SIDE, SIDE, 3) cropped to (CROP, CROP, 3): eyes in the middle and at `EYES_AT`,
    inside the portrait."""
    x, y = face.landmarks[36:48].mean(0)
    left, top = np.rint(np.clip([x - CROP / 2, y - EYES_AT * CROP], 0, SIDE - CROP)).astype(int)
    return pixels[top : top + CROP, left : left + CROP]

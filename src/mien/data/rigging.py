"""From a manifest to the photographs that the rig animates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from mien import images
from mien.data.adapters import DATASETS
from mien.data.adapters.base import template_beside
from mien.data.manifest import FILE_NAME, Record, read_manifest
from mien.errors import DataError, FaceNotFound
from mien.face_model.frame import SOURCE_SIZE
from mien.faces.align import align, transform
from mien.faces.detect import face_of
from mien.rig.dataset import Source
from mien.types import AlignedFace, Float
from mien.zoo import dataset_home


def align_largest(photo: Path) -> AlignedFace:
    """The largest face of a photograph in the crop that a rig works on; FaceNotFound if none."""
    return _crop(photo, None)


def neutral_and_smile(folder: Path) -> Iterator[tuple[str, AlignedFace, AlignedFace]]:
    """The name and the crops of each training person of the London Set in `folder`, at rest and
    smiling; not of those of whom either is missing.
    """
    people: dict[str, dict[str, AlignedFace]] = {}
    for record in DATASETS["london"].records(folder):
        if record.split != "train":
            continue
        try:
            crop = _crop(folder / record.file_name, record.landmarks)
        except FaceNotFound:
            continue
        people.setdefault(record.person, {})[str(record.emotion)] = crop
    for person, shown in people.items():
        if {"neutral", "happy"} <= shown.keys():
            yield person, shown["neutral"], shown["happy"]


@dataclass(frozen=True, eq=False)
class Listed:
    """A line of a manifest in `folder`: a photograph that is read when its turn comes."""

    folder: Path
    record: Record

    @property
    def person(self) -> str:
        return self.record.person

    @property
    def photo(self) -> str:
        return f"{self.record.person}/{Path(self.record.file_name).stem}"

    @property
    def split(self) -> str:
        return self.record.split

    def load(self) -> Source:
        """Read it and align the face, by hand-checked points where there are some.

        Raises:
            ImageError: it cannot be read.
            FaceNotFound: nobody is on it.
        """
        photo = self.folder / self.record.file_name
        face, points = _crop(photo, self.record.landmarks), template_beside(photo)
        return Source(
            person=self.person,
            photo=self.photo,
            split=self.split,
            crop=face.pixels,
            landmarks=face.landmarks,
            neutral=self.record.emotion == "neutral",
            licence=self.record.licence,
            origin=self.record.source,
            template=None if points is None else transform(face.matrix, points),
        )


def listed(folder: Path, splits: Collection[str] = ()) -> list[Listed]:
    """The photographs of the manifest in `folder`, in its order; only those of `splits`, if any."""
    records = read_manifest(folder)
    return [Listed(folder, r) for r in records if not splits or r.split in splits]


def imported() -> list[Path]:
    """The folders of the data sets that were imported; DataError if none was."""
    folders = [dataset_home(name) for name in DATASETS]
    found = [folder for folder in folders if (folder / FILE_NAME).is_file()]
    if not found:
        raise DataError("no data set is imported: run `mien data import`, or name folders")
    return found


def chosen(photographs: Sequence[Listed], people: Sequence[str] = ()) -> list[Listed]:
    """The photographs of `people`, ids or patterns such as `canada/*`; all if none is named.

    Raises:
        DataError: a name fits nobody.
    """
    known = {p.person for p in photographs}
    for name in people:
        if not any(fnmatchcase(person, name) for person in known):
            some = ", ".join(sorted(known)[:3]) or "nobody"
            raise DataError(f"nobody is called {name!r}: there are {len(known)} people, {some} ...")
    return [p for p in photographs if not people or any(fnmatchcase(p.person, n) for n in people)]


def _crop(photo: Path, landmarks: Float | None) -> AlignedFace:
    pixels = images.read(photo).pixels
    return align(pixels, face_of(pixels, landmarks), SOURCE_SIZE)

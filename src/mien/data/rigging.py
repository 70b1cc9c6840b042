"""From a manifest to the photographs that the rig animates."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from mien import images
from mien.data.manifest import Record, read_manifest
from mien.errors import FaceNotFound
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.rig.dataset import Source
from mien.rig.render import SOURCE_SIZE
from mien.types import AlignedFace, Face


def align_largest(photo: Path) -> AlignedFace:
    """The largest face of a photograph in the crop that a rig works on; FaceNotFound if none."""
    pixels = images.read(photo).pixels
    (face,) = choose(detect(pixels), "largest")
    return align(pixels, face, SOURCE_SIZE)


def sources_of(folder: Path, splits: Collection[str] = ()) -> Iterator[Source | None]:
    """The photographs of the manifest in `folder`, in its order; None for each without a face.

    `splits`: only these, if any are named. Hand-checked points are used where there are some.
    """
    for record in read_manifest(folder):
        if splits and record.split not in splits:
            continue
        try:
            face = _aligned(folder, record)
        except FaceNotFound:
            yield None
            continue
        yield Source(
            person=record.person,
            photo=f"{record.person}/{Path(record.file_name).stem}",
            split=record.split,
            crop=face.pixels,
            landmarks=face.landmarks,
            neutral=record.emotion == "neutral",
            licence=record.licence,
            origin=record.source,
        )


def _aligned(folder: Path, record: Record) -> AlignedFace:
    path = folder / record.file_name
    if record.landmarks is None:
        return align_largest(path)
    known = Face((0.0, 0.0, 0.0, 0.0), 1.0, record.landmarks)
    return align(images.read(path).pixels, known, SOURCE_SIZE)

"""What a film shows of having been altered: the mark on some frames, statement, credentials."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from mien import images
from mien.provenance.evidence import Evidence, completed, sightings
from mien.types import UInt8
from mien.video.reading import Film, look, opened
from mien.video.writing import XMP_BOX

LOOKS = 9
"""Frames in which the mark is looked for, evenly over the film."""

_LARGEST = 1_000_000  # bytes of a box that is read for its XMP


def examine_film(path: Path, anchors: Path | None = None) -> Evidence:
    """The evidence in a film; VideoError if it is none."""
    film = look(path)
    return completed(path, sightings(_some(film)), statement(path), anchors)


def statement(path: Path) -> Mapping[str, str]:
    """What a film's file says about itself (see `images.statement`)."""
    with path.open("rb") as file:
        for box in _boxes(file.read(12)[4:8], path):
            if said := images.stated(box):
                return said
    with opened(path) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    if "digitalsourcetype" not in tags:
        return {}
    keys = ("DigitalSourceType", "Software", "method", "guide", "intensity", "weights")
    return {key: tags[key.lower()] for key in keys if key.lower() in tags}


def _some(film: Film) -> Iterator[UInt8]:
    """A few frames, without seeking: not every film can."""
    every = max(1, film.count // LOOKS)
    for frame in islice(film.frames(), every // 2, None, every):
        yield frame.pixels


def _boxes(kind: bytes, path: Path) -> Iterator[bytes]:
    """The XMP packets of a file made of boxes (ISO 14496-12, section 4.2)."""
    if kind != b"ftyp":
        return
    end = path.stat().st_size
    with path.open("rb") as file:
        place = 0
        while place + 8 <= end:
            file.seek(place)
            size, name = struct.unpack(">I4s", file.read(8))
            head = 8
            if size == 1:
                size, head = struct.unpack(">Q", file.read(8))[0], 16
            size = size or end - place
            if size < head:
                return
            if name == b"uuid" and size <= _LARGEST and file.read(16) == XMP_BOX:
                yield file.read(size - head - 16)
            place += size

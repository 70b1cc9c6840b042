"""Renders small enough to carry to another machine: pictures and facts, without the dense truth.

Enough for everything that reads faces one by one; not for pairs, which need the flow. Of each
photograph: itself, the eight prototypes as it stands, and so many other states.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.data.loading import Renders, label_of
from mien.errors import DataError
from mien.files import replacing
from mien.rig.shards import Stored, read_shard
from mien.types import UInt8


def packed(renders: Path, split: str, out: Path, size: int, each: int, quality: int) -> int:
    """Write the shards of a split anew, pictures as JPEG of side `size` px, with `each` states
    beside the prototypes; how many there are. DataError where there are no renders."""
    paths = sorted((renders / split).glob("*.tar"))
    if not paths:
        raise DataError(f"no renders in {renders / split}: run `mien rig render` first")
    count = 0
    for path in paths:
        with replacing(out / split / path.name) as part, tarfile.open(part, "w") as tar:
            tar.format = tarfile.USTAR_FORMAT
            for key, facts, stored in chosen(read_shard(path), each):
                smaller, picture = shrunk(facts, stored.image(), size)
                add(tar, f"{key}.json", json.dumps(smaller, separators=(",", ":")).encode())
                add(tar, f"{key}.png", jpeg(picture, quality))  # who reads it looks at the bytes
                count += 1
    return count


def chosen(
    samples: list[tuple[dict[str, Any], Stored]], each: int
) -> Iterator[tuple[str, dict[str, Any], Stored]]:
    """Prototypes and some other states of every photograph, in the shard's order."""
    photos: dict[str, list[tuple[dict[str, Any], Stored]]] = {}
    for facts, stored in samples:
        photos.setdefault(facts["photo"], []).append((facts, stored))
    for number, group in enumerate(photos.values()):
        seen = Renders.of(group)
        wanted = [k for k in seen.still if label_of(seen.units[k]) >= 0]
        others = [k for k in range(len(group)) if k not in wanted]
        drawn = np.random.default_rng([number, len(group)]).permutation(others)[:each]
        for k in sorted({0, *wanted, *drawn.tolist()}):  # a photograph's first state is itself
            yield f"{number:05d}-{k:03d}", *group[k]


def shrunk(facts: dict[str, Any], picture: UInt8, size: int) -> tuple[dict[str, Any], UInt8]:
    """A picture at another side, and its landmarks where they are then."""
    points = (np.array(facts["landmarks"]) + 0.5) * size / facts["size"] - 0.5
    new = facts | {"size": size, "landmarks": points.round(3).tolist()}
    return new, np.asarray(
        cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8
    )


def jpeg(picture: UInt8, quality: int) -> bytes:
    """A picture (H, W, 3) as JPEG."""
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Put a file into an archive."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))

"""Renders small enough to carry to another machine: pictures and facts, without the dense truth.

    python benchmarks/pack_renders.py --renders RENDERS --size 144 --each 8 -o packed

Enough for peers (`train_peer.py`) and for everything else that reads faces one by one; not for
pairs, which need the flow. Of each photograph: itself, the eight prototypes as it stands, and
`--each` other states.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.data.loading import Renders, label_of
from mien.errors import DataError, MienError
from mien.files import replacing
from mien.rig.shards import Stored, read_shard
from mien.types import UInt8


def packed(renders: Path, split: str, out: Path, size: int, each: int, quality: int) -> int:
    """Write the shards of a split anew, pictures as JPEG of side `size`; how many there are."""
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
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renders", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--size", type=int, default=144, help="side of the pictures, px")
    parser.add_argument("--each", type=int, default=8, help="states beside the prototypes")
    parser.add_argument("--quality", type=int, default=90, help="of the JPEG")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        count = packed(
            options.renders, options.split, options.out, options.size, options.each,
            options.quality,
        )  # fmt: skip
    except MienError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    weight = sum(path.stat().st_size for path in options.out.rglob("*.tar")) / 1e6
    print(f"{count} pictures, {weight:.1f} MB")


if __name__ == "__main__":
    main()

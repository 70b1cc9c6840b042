"""Renders on disk: WebDataset tar files, which Hugging Face `datasets` opens as they are.

One sample is five members of one name: `.json` (the facts), `.png` (the face), `.flow.npy`,
`.visibility.png` and `.mouth.png` (the truth, at half the side). The bytes depend on the samples
alone: no time, owner or name of a machine is written.
"""

from __future__ import annotations

import io
import json
import re
import secrets
import sys
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import cv2
import numpy as np

from mien.errors import DataError
from mien.face_model.arrays import Float, UInt8

if sys.platform != "win32":
    import fcntl

BLOCK = 512
"""Bytes of a tar header; what a member holds is filled up to a multiple of it."""
LONGEST_KEY = 80
"""Characters of a sample's name: with its longest ending it must fit a plain tar header."""
PARTIAL = ".partial"


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture with its truth.

    key: its name in the shard, without a dot; facts: what JSON can say; image uint8 (S, S, 3) RGB;
    flow float16 (S/2, S/2, 2) in crop units; visibility and mouth uint8 (S/2, S/2), 255 is 1.
    """

    key: str
    facts: dict[str, Any]
    image: UInt8
    flow: Float
    visibility: UInt8
    mouth: UInt8

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Ending and content of each of its files."""
        yield "json", json.dumps(self.facts, separators=(",", ":"), sort_keys=True).encode()
        yield "png", _png(self.image[..., ::-1])
        yield "flow.npy", _npy(self.flow.astype(np.float16))
        yield "visibility.png", _png(self.visibility)
        yield "mouth.png", _png(self.mouth)


def key_of(photo: str, state: int) -> str:
    """The name of a photograph's state in a shard: letters, digits and hyphens."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", photo)
    return f"{plain[:LONGEST_KEY]}-{state:03d}"


class Members(Protocol):
    """What goes into a shard under one name."""

    @property
    def key(self) -> str: ...
    def members(self) -> Iterator[tuple[str, bytes]]:
        """Ending and content of each file."""
        ...


def write_shard(path: Path, samples: Iterable[Members]) -> None:
    """Write `samples` as a tar file: all of it or nothing."""
    with _whole(path) as file, tarfile.open(None, "w", file, format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            for ending, content in sample.members():
                entry = tarfile.TarInfo(f"{sample.key}.{ending}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file: all of it or nothing."""
    with _whole(path) as file:
        file.write(content)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A locked file beside `path` to write to, which becomes `path` at the end, or nothing does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}{PARTIAL}")
    try:
        with partial.open("xb") as file:
            _lock(file)
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove the unfinished files below `folder` that killed runs left; how many there were."""
    removed = 0
    for path in sorted(folder.rglob(f".*{PARTIAL}")):
        with suppress(OSError), path.open("rb") as file:  # OSError: its writer lives, or it is gone
            _lock(file)
            path.unlink()
            removed += 1
    return removed


def _lock(file: BinaryIO) -> None:
    """Hold `file` until it is closed or this process ends, even by a kill; OSError if another
    does."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True, eq=False)
class Stored:
    """Where a sample's picture and truth lie: offset and size of each member, read on demand."""

    path: Path
    members: dict[str, tuple[int, int]]

    def image(self) -> UInt8:
        """The face, uint8 (S, S, 3) RGB."""
        return np.ascontiguousarray(self._picture("png", cv2.IMREAD_COLOR)[..., ::-1])

    def flow(self) -> Float:
        """Backward flow to the photograph, float32 (S/2, S/2, 2) in crop units."""
        content = io.BytesIO(self._read("flow.npy"))
        flow = np.lib.format.read_array(content, allow_pickle=False)
        return np.asarray(flow, np.float32)

    def visibility(self) -> Float:
        """Where the flow is the truth, float32 (S/2, S/2) in [0, 1]."""
        return self._share("visibility.png")

    def mouth(self) -> Float:
        """The inside of the open mouth, float32 (S/2, S/2) in [0, 1]."""
        return self._share("mouth.png")

    def _share(self, ending: str) -> Float:
        return self._picture(ending, cv2.IMREAD_GRAYSCALE).astype(np.float32) / np.float32(255)

    def _read(self, ending: str) -> bytes:
        offset, size = self.members[ending]
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _picture(self, ending: str, mode: int) -> UInt8:
        pixels = cv2.imdecode(np.frombuffer(self._read(ending), np.uint8), mode)
        if pixels is None:
            raise DataError(f"{self.path} is damaged: remove it and render the set again")
        return np.asarray(pixels, np.uint8)


def read_shard(path: Path) -> list[tuple[dict[str, Any], Stored]]:
    """The samples of a shard in its order, facts first; DataError if it is not one."""
    entries: dict[str, tuple[dict[str, Any], Stored]] = {}
    try:
        with path.open("rb") as file:
            for name, offset, size in _members(path, file):
                key, _, ending = name.partition(".")
                if ending == "json":
                    file.seek(offset)
                    entries[key] = json.loads(file.read(size)), Stored(path, {})
                else:
                    entries[key][1].members[ending] = (offset, size)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"cannot read {path}: render the set again ({error})") from None
    return list(entries.values())


def _members(path: Path, file: io.BufferedReader) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of a plain tar's members: `tarfile` takes ten times as long."""
    at, end = 0, path.stat().st_size
    while at < end:
        file.seek(at)
        header = file.read(BLOCK)
        if not header.strip(b"\0"):
            return
        if header[257:262] != b"ustar":
            raise ValueError("not a tar file")
        name, size = header[:100].rstrip(b"\0").decode(), int(header[124:135], 8)
        yield name, at + BLOCK, size
        at += BLOCK + -(-size // BLOCK) * BLOCK
    raise ValueError("cut short")


def _png(pixels: UInt8) -> bytes:
    """Lossless, and quick rather than small: training decodes it over and over."""
    return bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def _npy(array: Float) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=False)
    return out.getvalue()

"""Weights are records: a safetensors file, and beside it what anyone may ask of it.

`weights/<name>.json` holds the file's hash, its licence, every training set with its own licence,
the command, the machine and the scores reached. Weights are read as safetensors or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from mien.errors import AssetMissing, WeightsError

FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Record:
    """What is known about one weights file; `facts` is the whole of the JSON."""

    name: str
    path: Path
    sha256: str
    licence: str
    facts: Mapping[str, Any]

    def verify(self) -> None:
        """WeightsError unless the file is the one that the record describes."""
        if not self.path.is_file():
            raise AssetMissing(f"{self.path} is missing: install mien again, or give --weights")
        if digest(self.path) != self.sha256:
            raise WeightsError(f"{self.path.name} is not the file its record describes (SHA-256)")


@cache
def records() -> Mapping[str, Record]:
    """All records that ship, by name."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        facts = json.loads(path.read_text())
        found[path.stem] = Record(
            path.stem, path.with_suffix(".safetensors"), facts["sha256"], facts["licence"], facts
        )
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def read_weights(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays and metadata of a safetensors file; WeightsError when it is anything else."""
    with _reading(path), safe_open(path, framework="np") as file:
        names = file.keys()  # it is no mapping
        return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    if not path.is_file():
        raise AssetMissing(f"no weights at {path}: name a .safetensors file")
    try:
        yield
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file: {error}") from None
    except (TypeError, AttributeError) as error:  # numbers that numpy lacks: bfloat16, float8
        raise WeightsError(f"{path} cannot be read: {error}; save it in float16 or 32") from None

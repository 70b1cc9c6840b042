"""torch-fidelity's Inception as a safetensors file, for `mien bench scorecard --inception`.

    python benchmarks/inception.py -o inception.safetensors
    python benchmarks/inception.py --weights FILE.pth -o inception.safetensors

Without --weights they are downloaded (91 MB) from torch-fidelity's release. The last eight digits
of the file's name are the first of its SHA-256: another file is refused before it is opened. It is
a pickle; torch's restricted reader opens it, which makes tensors and runs nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import torch
from mistakes import or_one_line
from safetensors.torch import save_file
from torch import Tensor

from mien.errors import AssetMissing, MienError, WeightsError
from mien.files import replacing

NAME = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{NAME}"
MOST = 200_000_000
"""Bytes that are read at most."""


def download(url: str, place: Path) -> None:
    """The file at `url`; AssetMissing says what went wrong."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, place.open("wb") as out:
            while some := answer.read(1 << 20):
                out.write(some)
                if out.tell() > MOST:
                    raise AssetMissing(f"{url} does not end: give the file with --weights")
    except (urllib.error.URLError, OSError) as error:
        raise AssetMissing(
            f"cannot download {url}: {error}; give the file with --weights"
        ) from None


def tensors(path: Path, expected: str = NAME) -> dict[str, Tensor]:
    """What the pickle holds. WeightsError for a file that is not the one of that name."""
    if not path.is_file():
        raise AssetMissing(f"no file {path}")
    found = re.search(r"-([0-9a-f]{8})\.pth$", expected)
    assert found is not None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not sha256.startswith(found[1]):
        raise WeightsError(f"{path} is not {expected}: its SHA-256 begins with {sha256[:8]}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        raise WeightsError(f"{path} holds more than tensors") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds more than tensors")
    return {str(name): value.contiguous() for name, value in state.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, help="the file, where it is there already")
    parser.add_argument("-o", "--out", type=Path, required=True, help="a .safetensors file")
    options = parser.parse_args()
    if options.out.suffix != ".safetensors":
        raise MienError(f"{options.out} is no .safetensors: name one with -o")
    with tempfile.TemporaryDirectory() as folder:
        place = options.weights
        if place is None:
            place = Path(folder) / NAME
            download(URL, place)
        state = tensors(place)
    with replacing(options.out) as part:
        save_file(state, part, {"source": URL, "licence": "Apache-2.0"})
    print(f"{options.out}: {len(state)} tensors")


if __name__ == "__main__":
    or_one_line(main)

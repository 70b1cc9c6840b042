"""Reads what a face shows as blendshape weights, by a network taught with drawn faces.

A fit sees landmarks: of a speaking mouth it takes the raised lips for a grin. The network sees the
pixels. It is run in numpy, its normalisation folded in, as the landmark network is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import WeightsError
from mien.faces.align import STABLE, similarity, template, warp
from mien.faces.convolution import Layers, block, convolved
from mien.types import Float, UInt8
from mien.zoo.records import FOLDER, read_weights

FILE = FOLDER / "reader.safetensors"
SIZE = 128
"""Side of the crop that the network sees, px."""
NEARER = 1.4
"""Magnification over the crop that methods see: brows to chin fill the picture."""
CENTRE = (0.5, 0.56)
"""Its middle, in units of that crop."""
STAGES = {"stem": 0, "down1": 1, "down2": 2, "down3": 3}
"""Convolutions that halve the picture, and how many blocks follow each."""


def goal() -> Float:
    """Where mean landmarks (68, 2) lie in the network's crop, px."""
    units = (template(1) + 0.5 - np.array(CENTRE, np.float32)) * np.float32(NEARER) + 0.5
    return np.asarray(units * SIZE - 0.5, np.float32)


def crop(pixels: UInt8, landmarks: Float) -> UInt8:
    """What the network sees, uint8 (128, 128, 3), of a picture with landmarks (68, 2) in its px."""
    stable = list(STABLE)
    return warp(pixels, similarity(landmarks[stable], goal()[stable]), SIZE)


def read(pixels: UInt8, landmarks: Float, layers: Layers | None = None) -> Float:
    """Blendshape weights (53,), relative to the person at rest, of a face in a picture uint8 (H, W,
    3) with landmarks (68, 2) in its px; by `layers`, or the network that ships."""
    return answer(crop(pixels, landmarks), shipped() if layers is None else layers)


def answer(seen: UInt8, layers: Layers) -> Float:
    """Blendshape weights (53,) of a crop uint8 (128, 128, 3), see `crop`."""
    x = seen.transpose(2, 0, 1).astype(np.float32) / np.float32(127.5) - 1
    for stage, count in STAGES.items():
        x = convolved(x, layers[stage], 2)
        for i in range(count):
            x = block(x, f"{stage}.{i}", layers)
    x = convolved(x, layers["narrow"])
    x = convolved(x.reshape(-1, 1, 1), layers["hidden"])
    out = convolved(x, layers["weights"], rectified=False)
    return np.maximum(out.reshape(-1), 0)


def layers_of(tensors: Mapping[str, NDArray[np.generic]]) -> Layers:
    """The network of a file's arrays `NAME.weight` and `NAME.bias`; WeightsError if it is
    another."""
    names = ["narrow", "hidden", "weights", *STAGES]
    names += [
        f"{s}.{i}.{part}" for s, n in STAGES.items() for i in range(n)
        for part in ("first", "second")
    ]  # fmt: skip
    try:
        return {
            name: (
                tensors[f"{name}.weight"].astype(np.float32),
                tensors[f"{name}.bias"].astype(np.float32),
            )
            for name in names
        }
    except KeyError as error:
        raise WeightsError(f"not a reader of expressions: no {error.args[0]}") from None


def load(path: Path) -> Layers:
    """The network of a weights file."""
    return layers_of(read_weights(path)[0])


@cache
def shipped() -> Layers:
    """The network that ships."""
    return load(FILE)

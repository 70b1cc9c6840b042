"""The face model's file that comes with mien: ICT Face Model Light, the part that is drawn.

A safetensors file under 12 MB. Kept are the vertices that are rendered, the first 50 identity modes
and the 53 expressions; an expression stores only the vertices that it moves by more than
`STILL`. Source: ICT FaceKit, (c) 2020 USC Institute for Creative Technologies, MIT licence, whose
notice lies in the file's metadata and beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from mien.face_model.arrays import Float, Index, Int, Layer
from mien.zoo.records import FOLDER

FILE = FOLDER / "morphable.safetensors"
NOTICE = FOLDER / "morphable.LICENSE"
STILL = 1e-4
"""Displacement, cm, up to which an expression counts as leaving a vertex alone: a micrometre."""

Arrays = tuple[Float, tuple[str, ...], Float, Float, Int, Layer, Index]
"""neutral, names, expressions, identities, triangles, layers, landmarks, as `FaceModel` has
them."""


def write(arrays: Arrays, path: Path = FILE) -> None:
    """Write a model's arrays; the inverse of `read` up to float16 and `STILL`."""
    neutral, names, expressions, identities, triangles, layers, landmarks = arrays
    moved = [np.flatnonzero((np.abs(e) > STILL).any(1)) for e in expressions]
    deltas = [e[at] for e, at in zip(expressions, moved, strict=True)]
    about = {
        "method": "morphable",
        "architecture": "{}",
        "license": "MIT",
        "source": "ICT FaceKit, https://github.com/ICT-VGL/ICT-FaceKit",
        "expressions": " ".join(names),
        "notice": NOTICE.read_text(encoding="utf-8"),
    }
    save_file(
        {
            "neutral": neutral.astype(np.float32),
            "identities": identities.astype(np.float16),
            "expression_deltas": np.concatenate(deltas).astype(np.float16),
            "expression_vertices": np.concatenate(moved).astype(np.int16),
            "expression_counts": np.array([len(at) for at in moved], np.int32),
            "triangles": triangles.astype(np.int16),
            "layers": layers.astype(np.int8),
            "landmarks": landmarks.astype(np.int16),
        },
        path,
        about,
    )


def read(path: Path = FILE) -> Arrays:
    """The arrays of a packed model.

    Raises:
        OSError, ValueError, KeyError, SafetensorError: it is not there, or not a packed model.
    """
    with safe_open(path, framework="np") as file:
        arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        return unpack(arrays, file.metadata() or {})


def unpack(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, str]) -> Arrays:
    """A model from the arrays of its file, and what that says of itself; KeyError or ValueError if
    they are not a model's."""
    names = tuple(facts["expressions"].split())
    neutral = arrays["neutral"]
    expressions = np.zeros((len(names), *neutral.shape), np.float32)
    ends = np.cumsum(arrays["expression_counts"])
    moved = np.split(arrays["expression_vertices"].astype(np.intp), ends[:-1])
    deltas = np.split(arrays["expression_deltas"], ends[:-1])
    for out, at, delta in zip(expressions, moved, deltas, strict=True):
        out[at] = delta
    return (
        neutral,
        names,
        expressions,
        arrays["identities"].astype(np.float32),
        np.ascontiguousarray(arrays["triangles"], np.int32),
        arrays["layers"],
        arrays["landmarks"].astype(np.intp),
    )

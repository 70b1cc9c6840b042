"""ICT FaceKit, the original of the face model that ships: from its OBJ files to one array file,
of which `python -m mien.tables.face_model` packs what is drawn.

Original layout (GitHub ICT-VGL/ICT-FaceKit, MIT): `FaceXModel/generic_neutral_mesh.obj`,
`identity000.obj` .. `identity099.obj`, one OBJ for each expression that `vertex_indices.json`
names, and that file. All share one topology, so a shape is the difference of its vertices from the
neutral's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError
from mien.files import replacing
from mien.zoo.paths import data_home

NAME = "ict-facekit"
TITLE = "ICT Face Model Light"
LICENCE = "MIT"
SOURCE = "https://github.com/ICT-VGL/ICT-FaceKit"
OBTAIN = "clone the GitHub repository ICT-VGL/ICT-FaceKit"
CONTENTS = "original of the one that ships"

IDENTITIES = 100
_NEUTRAL = "generic_neutral_mesh"
_INDEX = "vertex_indices.json"


@dataclass(frozen=True)
class Mesh:
    """One OBJ file: V vertices, T texture points, F polygons of three or four corners."""

    vertices: NDArray[np.float32]
    """(V, 3), centimetres, x to the person's left, y up, z to the viewer."""
    uvs: NDArray[np.float32]
    """(T, 2) in [0, 1]."""
    faces: NDArray[np.int32]
    """(F, 4) into `vertices`; -1 in the last column marks a triangle."""
    face_uvs: NDArray[np.int32]
    """(F, 4) into `uvs`, likewise."""
    face_material: NDArray[np.int8]
    """(F,) into `material_names`."""
    material_names: list[str]
    """In the order of their first use."""


def model_file() -> Path:
    """Where the importer puts the original face model, and packing looks for it."""
    return data_home() / "ict_facekit" / "ict_facekit.npz"


def import_model(
    folder: Path,
    out: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Build the array file of the face model from the original download in `folder`.

    `out` is by default `model_file()`; it is written in one step. `folder` is the clone or its
    `FaceXModel`. DataError lists what is missing or says which file cannot be read.
    """
    target = out if out is not None else model_file()
    source = folder / "FaceXModel" if (folder / "FaceXModel").is_dir() else folder
    return write_arrays(target, _arrays(source, progress))


def write_arrays(target: Path, arrays: Mapping[str, Any]) -> Path:
    """Write a face model's array file in one step and return its path; DataError if that fails."""
    try:
        with replacing(target) as part, part.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
    except OSError as e:
        raise DataError(
            f"cannot write {target} ({e.strerror}): name a file with --out, "
            "or set MIEN_DATA to a folder that you may write to"
        ) from None
    return target


def read_mesh(path: Path) -> Mesh:
    """All of an OBJ file; DataError if it is not one."""
    vertices: list[list[str]] = []
    uvs: list[list[str]] = []
    corners: list[list[int]] = []
    materials: list[int] = []
    names: list[str] = []
    try:
        for kind, values in _lines(path):
            if kind == "v":
                vertices.append(values)
            elif kind == "vt":
                uvs.append(values)
            elif kind == "usemtl":
                if values[0] not in names:
                    names.append(values[0])
                material = names.index(values[0])
            elif kind == "f":
                corners.append(_polygon(values))
                materials.append(material)
        table = np.array(corners, np.int32).reshape(-1, 4, 2)
        return Mesh(
            vertices=np.array(vertices, np.float64).astype(np.float32).reshape(-1, 3),
            uvs=np.array(uvs, np.float64).astype(np.float32)[:, :2],
            faces=np.ascontiguousarray(table[:, :, 0]),
            face_uvs=np.ascontiguousarray(table[:, :, 1]),
            face_material=np.array(materials, np.int8),
            material_names=names,
        )
    except (ValueError, IndexError, UnboundLocalError) as e:
        raise DataError(f"{path} is not an OBJ file of the face model: {e}") from None


def read_vertices(path: Path) -> NDArray[np.float64]:
    """The vertices (V, 3) of an OBJ file alone, which is all that a shape adds to the neutral."""
    try:
        rows = [values for kind, values in _lines(path) if kind == "v"]
        return np.array(rows, np.float64).reshape(-1, 3)
    except ValueError as e:
        raise DataError(f"{path} is not an OBJ file of the face model: {e}") from None


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                kind, _, rest = line.partition(" ")
                if kind in ("v", "vt", "f", "usemtl"):
                    yield kind, rest.split()
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"cannot read {path}: {e}") from None


def _polygon(values: list[str]) -> list[int]:
    """`874/1 12/2 871/3 873/4` as eight numbers counted from 0; a triangle ends in -1, -1."""
    pairs = [[int(index) - 1 for index in value.split("/")[:2]] for value in values]
    if len(pairs) not in (3, 4) or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"a face of {len(pairs)} corners: {' '.join(values)}")
    if len(pairs) == 3:
        pairs.append([-1, -1])
    return [index for pair in pairs for index in pair]


def _index(folder: Path) -> tuple[list[str], NDArray[np.int32]]:
    """Expression names and the 68 landmark vertices."""
    path = folder / _INDEX
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names = [str(name) for name in index["expressions"]]
        landmarks = np.array(index["idx_to_landmark_verts"], np.int32)
    except FileNotFoundError:
        raise DataError(
            f"no {_INDEX} in {folder}: {OBTAIN} and name that folder, or its FaceXModel"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise DataError(f"{path} is not the index of the face model: {e}") from None
    if landmarks.shape != (68,) or not names:
        raise DataError(f"{path} has {landmarks.shape} landmarks and {len(names)} expressions")
    return names, landmarks


def _arrays(folder: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
    expressions, landmarks = _index(folder)
    identities = [f"identity{i:03d}" for i in range(IDENTITIES)]
    _require(folder, [_NEUTRAL, *expressions, *identities])
    neutral = read_mesh(folder / f"{_NEUTRAL}.obj")
    start = read_vertices(folder / f"{_NEUTRAL}.obj")
    shapes = np.empty((len(expressions) + IDENTITIES, *start.shape), np.float16)
    for i, name in enumerate((*expressions, *identities)):
        vertices = read_vertices(folder / f"{name}.obj")
        if vertices.shape != start.shape:
            raise DataError(f"{name}.obj has {len(vertices)} vertices, the neutral {len(start)}")
        shapes[i] = vertices - start
        progress(i + 1, len(shapes))
    return {
        "neutral": neutral.vertices,
        "expression_names": np.array(expressions),
        "expression_deltas": shapes[: len(expressions)],
        "identity_deltas": shapes[len(expressions) :],
        "faces": neutral.faces,
        "face_uvs": neutral.face_uvs,
        "uvs": neutral.uvs,
        "face_material": neutral.face_material,
        "material_names": np.array(neutral.material_names),
        "landmark_vertices": landmarks,
    }


def _require(folder: Path, names: list[str]) -> None:
    missing = [f"{name}.obj" for name in names if not (folder / f"{name}.obj").is_file()]
    if missing:
        shown = ", ".join(missing[:6]) + (" ..." if len(missing) > 6 else "")
        raise DataError(
            f"{len(missing)} of {len(names)} OBJ files are missing in {folder}: {shown}; {OBTAIN}"
        )

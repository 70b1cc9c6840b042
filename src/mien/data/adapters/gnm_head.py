"""GNM Head v3, a statistical model of the whole head, as a second face model beside ICT's: from its
file to the arrays that ICT's importer writes, by the same names.

Original layout (GitHub google/GNM, Apache-2.0): `gnm/shape/data/versions/v3_0/gnm_head.npz`, keys
and shapes as its own `GNM` class documents them: `template_vertex_positions` (V, 3) in metres, x to
the person's left, y up, z to the viewer; `vertex_identity_basis` (I, V, 3) and `expression_basis`
(E, V, 3) of components whose coefficients are in standard deviations; `quads` (F, 4) and `quad_uvs`
(F, 4, 2); parts of the mesh (`mesh_component_names`) as weights of vertices in `vertex_groups`.

What it does not have: expressions by meaning (its components are of regions: `left_eye_region_...`,
`lower_face_region_...`), and landmarks, which lie in another file. So nothing draws it yet.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mien.data.adapters.ict_facekit import write_arrays
from mien.errors import DataError
from mien.zoo.paths import data_home

NAME = "gnm-head"
TITLE = "GNM Head v3"
LICENCE = "Apache-2.0"
SOURCE = "https://github.com/google/GNM"
OBTAIN = "clone the GitHub repository google/GNM"
CONTENTS = (
    "whole head with eyes, teeth and tongue, 253 modes of people, 383 of expressions; to study"
)

_FILE = "gnm_head.npz"
_SHAPES = {
    "template_vertex_positions": ("V", 3),
    "vertex_identity_basis": ("I", "V", 3),
    "expression_basis": ("E", "V", 3),
    "identity_names": ("I",),
    "expression_names": ("E",),
    "quads": ("F", 4),
    "quad_uvs": ("F", 4, 2),
    "mirror_indices": ("V",),
    "mesh_component_names": ("P",),
    "vertex_group_names": ("G",),
    "vertex_groups": ("G", "V"),
}
"""The keys that are read, with their published shapes."""
_CENTIMETRES = 100.0


def model_file() -> Path:
    """Where the importer puts the model."""
    return data_home() / "gnm_head" / "gnm_head.npz"


def import_model(
    folder: Path,
    out: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Build the array file from the original in or below `folder`, in centimetres.

    `out` is by default `model_file()`; it is written in one step. DataError if there is no
    original, or a key of it is missing or has another shape than published.
    """
    original = next(iter(sorted(folder.rglob(_FILE))), None) if folder.is_dir() else None
    if original is None:
        raise DataError(f"no {_FILE} in {folder}: {OBTAIN} and name that folder")
    progress(0, 2)
    arrays = _arrays(_checked(original))
    progress(1, 2)
    target = write_arrays(out if out is not None else model_file(), arrays)
    progress(2, 2)
    return target


def _checked(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of the original, each of its published shape."""
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = sorted(_SHAPES.keys() - set(file.files))
            if missing:
                raise DataError(f"{path} is not {TITLE}: it has no {', '.join(missing)}")
            found = {key: file[key] for key in _SHAPES}
    except (OSError, ValueError, BadZipFile, TypeError) as e:
        raise DataError(f"{path} is not {TITLE}: {e}") from None
    sides: dict[str, int] = {}
    for key, shape in _SHAPES.items():
        array = found[key]
        known = [sides.setdefault(s, n) if isinstance(s, str) else s for s, n in
                 zip(shape, array.shape, strict=False)]  # fmt: skip
        if array.ndim != len(shape) or list(array.shape) != known:
            wanted = ", ".join(
                str(sides.get(s, s)) if isinstance(s, str) else str(s) for s in shape
            )
            raise DataError(f"{path}: {key} has shape {array.shape}, not ({wanted})")
    for key, most in (("quads", sides["V"]), ("mirror_indices", sides["V"])):
        if found[key].size and not 0 <= found[key].min() <= found[key].max() < most:
            raise DataError(f"{path}: {key} names vertices that are not there")
    return found


def _arrays(found: dict[str, NDArray[Any]]) -> dict[str, Any]:
    uvs, face_uvs = np.unique(found["quad_uvs"].reshape(-1, 2), axis=0, return_inverse=True)
    names, material = _materials(found)
    return {
        "neutral": (found["template_vertex_positions"] * _CENTIMETRES).astype(np.float32),
        "expression_names": found["expression_names"].astype(str),
        "expression_deltas": (found["expression_basis"] * _CENTIMETRES).astype(np.float16),
        "identity_names": found["identity_names"].astype(str),
        "identity_deltas": (found["vertex_identity_basis"] * _CENTIMETRES).astype(np.float16),
        "faces": found["quads"].astype(np.int32),
        "uvs": uvs.astype(np.float32),
        "face_uvs": face_uvs.reshape(-1, 4).astype(np.int32),
        "face_material": material,
        "material_names": names,
        "mirror_vertices": found["mirror_indices"].astype(np.int32),
    }


def _materials(found: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """The parts' names, and of every face the part that most of its corners belong to."""
    groups = list(found["vertex_group_names"].astype(str))
    parts = found["mesh_component_names"].astype(str)
    unknown = sorted(set(parts) - set(groups))
    if unknown:
        raise DataError(f"{TITLE}: no vertices are said to be of {', '.join(unknown)}")
    weights = found["vertex_groups"][[groups.index(part) for part in parts]]  # (P, V)
    of_faces = weights[:, found["quads"]].sum(-1)  # (P, F)
    return parts, of_faces.argmax(0).astype(np.int8)

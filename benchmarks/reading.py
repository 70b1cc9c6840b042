"""How much of an expression that is known a reference transfers: what was drawn, read again."""

from __future__ import annotations

from typing import Any

import numpy as np
from shots import Bench, editor, rounded, shots

from mien import facs
from mien.editor import Editor
from mien.face_model.mesh import FaceModel
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.guides import Label
from mien.methods.morphable.method import Morphable
from mien.types import Faces, Float, UInt8

PARTS = {
    "brows": ("brow",),
    "lids": ("eyeBlink", "eyeWide", "eyeSquint", "cheekSquint"),
    "mouth": ("mouth", "jaw"),
}
"""Blendshapes of each part, by how their names begin."""
SIDE = 320
LEAST = 0.05
"""Mean weight that a label moves a part by, from which a share of it is told."""


def reading(bench: Bench) -> dict[str, Any]:
    """Neutral test people drawn in every label, and the result used as a reference for the same
    photograph: share of the change of weights that comes back, and what it is off by over what
    doing nothing is, by the reader and by the face model's own fit."""
    method = editor("morphable").method
    assert isinstance(method, Morphable)
    rows: dict[str, dict[str, list[tuple[float, ...]]]] = {}
    people = bench.some(list(shots("london", "neutral").values()))
    for shot in people:
        source = _faces(shot.photo.pixels)
        own = method.encode(source)
        for label in facs.EMOTIONS:
            if label == "neutral":
                continue
            made = Editor(method).edit(shot.photo, Label(label))
            reference = _faces(made.pixels)
            truth = method.from_labels(np.array([facs.EMOTIONS.index(label)])).code - own.code
            read = method.transferred(reference, source, own).code - own.code
            fitted = method.encode(reference).code - own.code
            for part, at in _parts(method.model).items():
                found = _told(truth[0, at], read[0, at]) + _told(truth[0, at], fitted[0, at])
                if np.abs(truth[0, at]).mean() >= LEAST:
                    rows.setdefault(label, {}).setdefault(part, []).append(found)
    keys = ("reader_share", "reader_off", "fit_share", "fit_off")
    return {"people": len(people)} | {
        label: {
            part: dict(zip(keys, map(rounded, np.median(found, 0)), strict=True))
            for part, found in parts.items()
        }
        for label, parts in rows.items()
    }


def _faces(pixels: UInt8) -> Faces[Float]:
    (face,) = choose(detect(pixels), "largest")
    return Faces.stack([align(pixels, face, SIDE)])


def _parts(model: FaceModel) -> dict[str, list[int]]:
    return {
        part: [i for i, name in enumerate(model.names) if name.startswith(begin)]
        for part, begin in PARTS.items()
    }


def _told(truth: Float, read: Float) -> tuple[float, float]:
    """The share of `truth` that lies in `read`, and the error over that of nothing."""
    share = float(truth @ read) / max(float(truth @ truth), 1e-6)
    return share, float(np.abs(read - truth).mean()) / max(float(np.abs(truth).mean()), 1e-6)

"""How much of an expression that is known a reference transfers: what was drawn, read again.

    mien bench reading

says what the numbers of `mien.methods.morphable.retargeting` were chosen by, of training and
validation people alone: how strong the reader sees their own smiles, what it sees in them at rest,
and how alike one person's photographs are and two people's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.edits.shots import Bench, editor, rounded, shots
from mien.bench.options import MaybeOut
from mien.data.adapters import DATASETS
from mien.editor import Editor
from mien.face_model.mesh import FaceModel
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.guides import Label
from mien.methods.morphable import retargeting
from mien.methods.morphable.method import Morphable
from mien.types import Faces, Float, UInt8
from mien.zoo import data_home

PARTS = {
    "brows": ("brow",),
    "lids": ("eyeBlink", "eyeWide", "eyeSquint", "cheekSquint"),
    "mouth": ("mouth", "jaw"),
}
"""Blendshapes of each part, by how their names begin."""
SIDE = 320
LEAST = 0.05
"""Mean weight that a label moves a part by, from which a share of it is given."""


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
                found = _share(truth[0, at], read[0, at]) + _share(truth[0, at], fitted[0, at])
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


def _share(truth: Float, read: Float) -> tuple[float, float]:
    """The share of `truth` that lies in `read`, and the error over that of nothing."""
    share = float(truth @ read) / max(float(truth @ truth), 1e-6)
    return share, float(np.abs(read - truth).mean()) / max(float(np.abs(truth).mean()), 1e-6)


def calibration() -> dict[str, Any]:
    """London's training and validation people, at rest and smiling: `gain`, by which the width of
    the mouth and the height of its corners that the reader sees are smaller than they are; `rest`,
    standard deviations of both in faces at rest; how alike pairs of one person and of two are, and
    the shares of either that are held for one person's."""
    method = editor("morphable").method
    assert isinstance(method, Morphable)
    root = data_home() / "london"
    people: dict[str, dict[str, Any]] = {}
    for record in DATASETS["london"].records(root):
        if record.split != "test":
            crop = _faces(images.read(root / record.file_name).pixels)
            people.setdefault(record.person, {})[str(record.emotion)] = method.look(crop)
    pairs = [(p["neutral"], p["happy"]) for p in people.values() if len(p) == 2]
    neutrals, smiles = zip(*pairs, strict=True)
    model = method.model
    shown = [
        retargeting.read_in(model, [face.read for face in each]) for each in (neutrals, smiles)
    ]
    truth = np.array([_measured(b.points) - _measured(a.points) for a, b in pairs])
    seen = (shown[1] - shown[0].mean(0))[:, :2] / retargeting.GAIN
    who = np.array([[face.fit.identity for face in pair] for pair in pairs])
    distances = np.linalg.norm(who[:, None, 0] - who[None, :, 1], axis=2)
    middles = np.array([[face.middle for face in pair] for pair in pairs])
    alike = middles[:, 0] @ middles[:, 1].T - retargeting.IDENTITY_COST * distances
    same = np.eye(len(pairs), dtype=bool)
    return {
        "people": len(pairs),
        "gain": [rounded(v) for v in (seen * truth).sum(0) / (seen**2).sum(0)],
        "rest": [rounded(v) for v in shown[0].std(0)[:2]],
        "parted_at_rest_and_smiling": [
            [rounded(v) for v in np.percentile([p[at].parted for p in pairs], (0, 25, 50, 75, 100))]
            for at in (0, 1)
        ],
        "alike_of_one": [rounded(v) for v in np.percentile(alike[same], (0, 15, 50, 100))],
        "alike_of_two": [rounded(v) for v in np.percentile(alike[~same], (50, 99, 99.9, 100))],
        "held_for_one": [rounded((alike > retargeting.ALIKE)[m].mean()) for m in (same, ~same)],
    }


def _measured(points: Float) -> Float:
    """Width of the mouth and height of its corners over the eyes, in outer eye corner distances."""
    x, y = points.T
    lift = y[36:48].mean() - y[[48, 54]].mean()
    return np.asarray([x[54] - x[48], lift] / (x[45] - x[36]), np.float32)


def command(out: MaybeOut = None) -> None:
    """Measure, and write the answer."""
    write(out, conditions() | calibration())

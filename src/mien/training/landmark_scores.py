"""How far landmarks lie from hand-checked points, on people of one split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mien import images
from mien.data.adapters import DATASETS
from mien.data.split import Split
from mien.faces.detect import detect
from mien.training.landmark_net import LandmarkNet
from mien.types import Float, UInt8
from mien.zoo import data_home

PARTS = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "mouth": slice(48, 68),
    "inner": slice(17, 68),
    "whole": slice(0, 68),
}


def checked_photographs(split: Split) -> Iterator[tuple[str, UInt8, Float]]:
    """Person, pixels and hand-checked points (68, 2) px of every such photograph of a split."""
    for name, dataset in DATASETS.items():
        root = data_home() / name
        for record in dataset.records(root) if root.is_dir() else ():
            if record.split == split and record.landmarks is not None:
                pixels = images.read(root / record.file_name).pixels
                yield record.person, pixels, record.landmarks


def errors(points: Float, truth: Float) -> dict[str, float]:
    """Mean distance of each part's points, in percent of the distance of the outer eye corners."""
    eyes = float(np.linalg.norm(truth[36] - truth[45]))
    distances = np.linalg.norm(points - truth, axis=1) / eyes * 100
    return {part: float(distances[where].mean()) for part, where in PARTS.items()}


def scores(net: LandmarkNet, split: Split) -> dict[str, float]:
    """Mean error of each part over a split, percent of the outer eye corners' distance."""
    found = []
    missed = 0
    for _, pixels, truth in checked_photographs(split):
        faces = detect(pixels, net.look)
        found += [errors(face.landmarks, truth) for face in faces[:1]]
        missed += not faces
    means = {part: round(float(np.mean([f[part] for f in found])), 3) for part in PARTS if found}
    return means | {"photographs": len(found), "missed": missed}

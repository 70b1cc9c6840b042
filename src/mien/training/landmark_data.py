"""What the landmark network learns from: hand-checked points, rig renders, and its own earlier
answers.

Hand-checked points exist for faces at rest in one studio. The rig gives the same people other
expressions and turns of the head with the points known; a first network then labels photographs
that have no points, and those on which it agrees with itself and which the rig's face can follow
are rendered too. Smiles of people whose face at rest was checked get the points carried over from
there. No label comes from another landmark model.
"""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from mien import facs, images
from mien.data.manifest import Record
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces.align import (
    STABLE,
    inverse,
    mirrored,
    similarity,
    template,
    transform,
    warp,
)
from mien.faces.detect import detect
from mien.faces.landmarks import SIZE, predict
from mien.rig.expressions import expression_list
from mien.training.landmark_follow import followed
from mien.training.landmark_lips import open_lips
from mien.training.landmark_net import LandmarkNet
from mien.training.landmark_views import Example
from mien.types import Float, UInt8

WIDE = 1.3
"""Field of view of an example over that of an aligned crop, so that views can be askew."""
RIG_SIZE, KEPT_SIZE = 320, 256
WORST_SPREAD = 0.02
TEETH = 0.012
"""Lips that the picture moves by more, in distances of the outer eye corners, show teeth."""
VIEWS = 12
SURE, OPENED, OWN = 10.0, 4.0, 1.6
"""How often a photograph itself is drawn, a render being drawn once: where its points were checked
or followed from checked ones, where teeth opened the network's lips, and where they are its own.
"""


@dataclass(frozen=True)
class Labelled:
    """A photograph with points (68, 2) px, hand-checked or a network's own, and whether the face is
    at rest.
    """

    photo: Path
    points: Float
    neutral: bool
    weight: float = SURE
    """How often the photograph itself is drawn, a render being drawn once."""


def hand_checked(root: Path, records: Iterable[Record]) -> list[Labelled]:
    """The training people's photographs that have points."""
    return [
        Labelled(root / r.file_name, r.landmarks, r.emotion == "neutral")
        for r in records
        if r.split == "train" and r.landmarks is not None
    ]


def self_labelled(
    root: Path, records: Sequence[Record], net: LandmarkNet, seed: int
) -> list[Labelled]:
    """The training people's photographs without points, labelled by `net` where it agrees, and by
    the same person's hand-checked photograph where there is one.
    """
    random = np.random.default_rng(seed)
    known = [record for record in records if record.split == "train"]
    by_person = {record.person: record for record in known if record.landmarks is not None}
    out = []
    for record in known:
        if record.landmarks is not None:
            continue
        path = root / record.file_name
        pixels = images.read(path).pixels
        faces = detect(pixels, net.look)
        if not faces:
            continue
        points, spread = agreed(pixels, faces[0].landmarks, net, random)
        if spread >= WORST_SPREAD:
            continue
        lips = mended(pixels, points)
        weight = OPENED if _distances(lips, points).max() > TEETH else OWN
        checked = by_person.get(record.person)
        if checked is not None and checked.landmarks is not None:
            still = images.read(root / checked.file_name).pixels
            lips, weight = followed(still, checked.landmarks, pixels, lips), SURE
        out.append(Labelled(path, lips, record.emotion == "neutral", weight))
    return out


def agreed(
    pixels: UInt8, start: Float, net: LandmarkNet, random: np.random.Generator
) -> tuple[Float, float]:
    """Mean answer (68, 2) px to a dozen views, half of them mirrored, and the answers' spread.

    The spread is the mean distance of an inner landmark from its mean, in distances of the outer
    eye corners.
    """
    stable = list(STABLE)
    aligned = similarity(start[stable], template(SIZE)[stable])
    matrices = [_shaken(aligned, random) for _ in range(VIEWS)]
    crops = np.stack([warp(pixels, matrix, SIZE) for matrix in matrices])
    crops[::2] = crops[::2, :, ::-1]
    answers = predict(crops, net.look)
    answers[::2] = mirrored(answers[::2], SIZE)
    points = np.stack([transform(inverse(m), a) for m, a in zip(matrices, answers, strict=True)])
    mean = points.mean(axis=0)
    return mean, float(_distances(points, mean)[:, 17:].mean())


def _distances(points: Float, other: Float) -> Float:
    """Distances (..., 68) of landmarks (..., 68, 2), in distances of the outer eye corners."""
    eyes = np.linalg.norm(other[36] - other[45])
    return np.asarray(np.linalg.norm(points - other, axis=-1) / eyes, np.float32)


def mended(pixels: UInt8, points: Float) -> Float:
    """Landmarks (68, 2) px with the inner lips put on the lips' edges where teeth show."""
    stable = list(STABLE)
    matrix = similarity(points[stable], template(RIG_SIZE)[stable])
    crop = warp(pixels, matrix, RIG_SIZE)
    return transform(inverse(matrix), open_lips(crop, transform(matrix, points)))


def _shaken(matrix: Float, random: np.random.Generator) -> Float:
    """An aligning matrix, off by a few degrees, percent and pixels of the crop."""
    angle, zoom = random.normal(0, 0.05), np.exp(random.normal(0, 0.04))
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([SIZE / 2, SIZE / 2])
    out = turn @ matrix.astype(np.float64)
    out[:, 2] += middle - turn @ middle + random.normal(0, 2.0, 2)
    return np.asarray(out, np.float32)


def wide_crop(pixels: UInt8, points: Float, size: int = RIG_SIZE) -> tuple[UInt8, Float]:
    """The face aligned in a crop that shows `WIDE` times as much, and its points there."""
    stable = list(STABLE)
    middle = (size - 1) / 2
    goal = (template(size) - middle) / WIDE + middle
    matrix = similarity(points[stable], goal[stable].astype(np.float32))
    return warp(pixels, matrix, size), transform(matrix, points)


def render_examples(
    labelled: Sequence[Labelled], renders: int, worst_fit: float, seed: int, workers: int
) -> list[Example]:
    """`examples_of` every photograph, by `workers` processes; the same for any number of them."""
    one = functools.partial(_examples_of, renders=renders, worst_fit=worst_fit, seed=seed)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _one_thread) as pool:
        made = pool.map(one, labelled, chunksize=4)
        parts = track(made, "animating", len(labelled))
        return [example for part in parts for example in part]


def _one_thread() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _examples_of(labelled: Labelled, renders: int, worst_fit: float, seed: int) -> list[Example]:
    return list(examples_of(labelled, _model(), renders, worst_fit, seed))


@functools.cache
def _model() -> FaceModel:
    return FaceModel.load()


def examples_of(
    labelled: Labelled, model: FaceModel, renders: int, worst_fit: float, seed: int
) -> Iterator[Example]:
    """The photograph itself and its renders.

    Nothing at all when the rig's face follows the points worse than `worst_fit`, in distances of
    the outer eye corners.
    """
    crop, points = wide_crop(images.read(labelled.photo).pixels, labelled.points)
    rig = Rig(model, crop, points, labelled.neutral)
    if rig.fit.relative_error > worst_fit:
        return
    ratio = KEPT_SIZE / RIG_SIZE
    own = rig.original(KEPT_SIZE).image
    yield Example.of(own, (points + 0.5) * ratio - 0.5, labelled.weight)
    random = np.random.default_rng((seed, *labelled.photo.name.encode()))
    base = rig.fit.landmarks.astype(np.float32)
    listed = expression_list()
    for _ in range(renders):
        units = _expression(listed, random)
        weights = rig.weights(units)
        camera = rig.fit.camera
        if random.random() < 0.4:
            turn = random.normal(0, (0.06, 0.09, 0.02)).clip(-0.17, 0.17)
            camera = replace(camera, rotation=camera.rotation + turn)
        render = rig.render_weights(weights, KEPT_SIZE, 1, camera)
        # The rig moves a closed mouth's merged lips; what they move by belongs to the points as
        # they were.
        moved = (render.landmarks + 0.5) / ratio - 0.5 - base + points
        yield Example.of(render.image, (moved + 0.5) * ratio - 0.5)


def _expression(listed: Float, random: np.random.Generator) -> NDArray[np.float32]:
    """Action units (47,): a listed expression, an open mouth or closed eyes on top, or a smile that
    shows teeth, which most portraits do and no hand-checked photograph does.
    """
    units = listed[random.integers(len(listed))] * np.float32(random.uniform(0.4, 1.1))
    more: dict[str, float] = {}
    kind = random.random()
    if kind < 0.18:
        more = {"AU26": random.uniform(0.2, 1), "AU27": random.uniform(0, 1), "AU25": 1.0}
    elif kind < 0.34:
        more = {"AU43": random.uniform(0.4, 1)}
    elif kind < 0.68:
        most = {"AU6": 1.0, "AU10": 0.9, "AU16": 0.9, "AU20": 0.4, "AU28": 0.35, "AU43": 0.3}
        units = units * 0
        more = {"AU12": random.uniform(0.6, 1), "AU25": 1.0}
        more |= {name: random.uniform(0, value) for name, value in most.items()}
        if random.random() < 0.5:
            more["AU26"] = random.uniform(0, 0.7)
    return np.asarray(np.maximum(units, facs.vector(more)).clip(0, 1), np.float32)

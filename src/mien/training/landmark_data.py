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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from mien.face_model.pose_light import PoseAndLight
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
TURNED, TURN, FARTHEST = 0.5, np.array([0.11, 0.2, 0.03]), np.array([0.3, 0.5, 0.1])
"""Share of renders whose head is turned, and by how much, rad: standard deviation and most of
pitch, yaw and roll."""
LIT = 0.4
LIGHT = np.array([[-1.0, -0.7, -0.7], [1.0, 0.9, 0.4]])
"""Share of renders that are lit anew, and from where: least and most to the left, up (-1..1), and
exposure in stops."""
STRONGEST = 1.4
"""Of frowns and raised brows, in units of the most that FACS knows: drawn and played faces have
such."""
SMILING = {"AU6": 1.0, "AU10": 0.9, "AU16": 0.9, "AU20": 0.4, "AU28": 0.35, "AU43": 0.3}
FROWNING = {
    "AU5": 0.9, "AU7": 1.0, "AU9": 0.9, "AU10": 0.7, "AU15": 0.5, "AU17": 0.6, "AU20": 0.4,
    "AU23": 0.5, "AU25": 1.0, "AU26": 0.8, "AU43": 0.4,
}  # fmt: skip
"""What goes with a smile and with a frown, by up to so much."""
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
        weights = rig.weights(_expression(listed, random))
        camera, lit = rig.fit.camera, PoseAndLight()
        if random.random() < TURNED:
            turn = random.normal(0, TURN).clip(-FARTHEST, FARTHEST)
            camera = replace(camera, rotation=camera.rotation + turn)
        if random.random() < LIT:
            lit = PoseAndLight(light=tuple(random.uniform(*LIGHT)))
        render = rig.render_weights(weights, KEPT_SIZE, 1, camera, pose_light=lit)
        # The rig moves a closed mouth's merged lips; what they move by belongs to the points as
        # they were.
        moved = (render.landmarks + 0.5) / ratio - 0.5 - base + points
        yield Example.of(render.image, (moved + 0.5) * ratio - 0.5)


def _expression(listed: Float, random: np.random.Generator) -> NDArray[np.float32]:
    """Action units (47,): a listed expression, an open mouth or closed eyes on top, a smile that
    shows teeth, which most portraits do and no hand-checked photograph does, or a strong frown or
    brows as high as they go, which move lids and brows farther than anybody does when asked to.
    """
    units = listed[random.integers(len(listed))] * np.float32(random.uniform(0.4, 1.1))
    more: dict[str, float] = {}
    kind, most = random.random(), 1.0
    if kind < 0.16:
        more = {"AU26": random.uniform(0.2, 1), "AU27": random.uniform(0, 1), "AU25": 1.0}
    elif kind < 0.28:
        more = {"AU43": random.uniform(0.4, 1)}
    elif kind < 0.52:
        units = units * 0
        more = {"AU12": random.uniform(0.6, 1), "AU25": 1.0} | _some(SMILING, random)
        if random.random() < 0.5:
            more["AU26"] = random.uniform(0, 0.7)
    elif kind < 0.76:
        units, most = units * np.float32(0.5), STRONGEST
        more = {"AU4": random.uniform(0.6, STRONGEST)} | _some(FROWNING, random)
    elif kind < 0.84:
        most = STRONGEST
        more = {"AU1": random.uniform(0.5, STRONGEST), "AU2": random.uniform(0, STRONGEST)}
        more |= {"AU5": random.uniform(0, STRONGEST)}
    return np.asarray(np.maximum(units, facs.vector(more)).clip(0, most), np.float32)


def _some(units: Mapping[str, float], random: np.random.Generator) -> dict[str, float]:
    """Each unit by up to its most."""
    return {name: random.uniform(0, most) for name, most in units.items()}

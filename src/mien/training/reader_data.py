"""What the reader of expressions learns from: training people, drawn in expressions that are known.

The label of a picture is what was drawn: blendshape weights relative to the person at rest.
Photographs of faces at rest are pictures of no expression. No label comes from another reader.
"""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from rich.progress import track

from mien import facs
from mien.data.adapters import DATASETS
from mien.data.rigging import Listed
from mien.errors import DataError, MienError
from mien.face_model import units as model_units
from mien.face_model.animate import asked, effective
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.rig.expressions import expression_list
from mien.training.landmark_views import Example
from mien.types import Float, UInt8
from mien.zoo import data_home

SIDE = 256
"""Of the pictures that are kept, px."""
CALM = 20.0
"""How often a photograph of a face at rest is shown, a drawn picture being shown once."""
TURN = (0.07, 0.11, 0.03)
"""How far heads are turned, rad: the spread of pitch, yaw and roll."""

MOUTH = {
    "mouthFunnel": 0.9, "mouthPucker": 0.9, "mouthSmile": 0.8, "mouthStretch": 0.6,
    "mouthUpperUp": 0.7, "mouthLowerDown": 0.9, "mouthShrugLower": 0.6, "mouthShrugUpper": 0.4,
    "mouthRollLower": 0.6, "mouthRollUpper": 0.6, "mouthPress": 0.6, "mouthDimple": 0.6,
    "mouthFrown": 0.6, "jawForward": 0.4,
}  # fmt: skip
"""Shapes that speaking mouths are made of, and the most that is drawn of each beside a jaw."""


@dataclass(frozen=True)
class Shown:
    """A face with its landmarks, and the blendshape weights (53,) that it shows."""

    face: Example
    weights: Float


def photographs(split: str) -> list[Listed]:
    """Those of a split's people in every data set that is there; DataError if there are none."""
    roots = {name: data_home() / name for name in DATASETS}
    found = [
        Listed(root, record)
        for name, root in roots.items()
        if root.is_dir()
        for record in DATASETS[name].records(root)
        if record.split == split
    ]
    if not found:
        raise DataError(f"no photographs in {data_home()}: see docs/data.md")
    return found


def examples(
    found: Sequence[Listed], calm: int, other: int, seed: int, workers: int
) -> list[Shown]:
    """Each photograph drawn `calm` times where the face is at rest and `other` times where it is
    not, by `workers` processes; the same for any number of them."""
    one = functools.partial(_list_of, calm=calm, other=other, seed=seed)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _one_thread) as pool:
        made = track(pool.map(one, found, chunksize=2), "drawing", len(found))
        return [example for part in made for example in part]


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _list_of(photograph: Listed, calm: int, other: int, seed: int) -> list[Shown]:
    return list(examples_of(photograph, _model(), calm, other, seed))


@functools.cache
def _model() -> FaceModel:
    return FaceModel.load()


def examples_of(
    photograph: Listed, model: FaceModel, calm: int, other: int, seed: int
) -> Iterator[Shown]:
    """The pictures of one photograph; none where the face model cannot be fitted."""
    try:
        source = photograph.load()
        rig = Rig(model, source.crop, source.landmarks, source.neutral, source.template)
    except MienError:
        return
    if not rig.fit.accepted or rig.fault is not None:
        return
    random = np.random.default_rng((seed, *photograph.photo.encode()))
    ratio = SIDE / len(source.crop)
    if source.neutral:
        own = rig.original(SIDE)
        at_rest = np.zeros(len(model.names), np.float32)
        points = (source.landmarks + 0.5) * ratio - 0.5
        yield _shown(own.image, points, at_rest, CALM)
    rest = asked(model, rig.fit)
    for _ in range(calm if source.neutral else other):
        weights = expression(model, random)
        goal = rig.fit.weights + (
            effective(model, rig.fit, weights) - effective(model, rig.fit, _bounded(model, rest))
        )
        camera = rig.fit.camera
        if random.random() < 0.5:
            turn = random.normal(0, TURN).clip(-0.2, 0.2)
            camera = replace(camera, rotation=camera.rotation + turn)
        render = rig.render_weights(goal, SIDE, 1, camera)
        yield _shown(render.image, render.landmarks, weights)


def _shown(image: UInt8, points: Float, weights: Float, often: float = 1.0) -> Shown:
    return Shown(Example.of(image, points, often), weights.astype(np.float32))


def _bounded(model: FaceModel, weights: Float) -> Float:
    return model_units.bounded(model, weights)


def expression(model: FaceModel, random: np.random.Generator) -> Float:
    """Blendshape weights (53,): a listed expression, a speaking mouth, a smile that shows teeth, or
    any shapes at all, each a little off; lids closed now and then."""
    kind = random.random()
    if kind < 0.3:
        units = _listed()[random.integers(len(_listed()))] * np.float32(random.uniform(0.25, 1.15))
        weights = model_units.to_weights(model, units)
    elif kind < 0.65:
        weights = speaking(model, random)
    elif kind < 0.8:
        weights = model_units.to_weights(model, _smile(random))
    else:
        weights = anything(model, random)
    if random.random() < 0.15:
        for side in "LR":
            weights[model.index[f"eyeBlink_{side}"]] = random.uniform(0.2, 1)
    off = random.normal(0, 0.06, len(weights)) * (random.random(len(weights)) < 0.5)
    return model_units.bounded(model, np.asarray(weights + off, np.float32))


def anything(model: FaceModel, random: np.random.Generator) -> Float:
    """Weights (53,) of two to seven shapes, mostly nearly alike on both sides, and half of the time
    a gaze: no list holds what faces never met do."""
    weights = np.zeros(len(model.names), np.float32)
    plain = dict.fromkeys(n.removesuffix("_L").removesuffix("_R") for n in model.names)
    shapes = [n for n in plain if not n.startswith("eyeLook")]
    for at in random.permutation(len(shapes))[: random.integers(2, 8)]:
        value = random.uniform(0.15, 0.9)
        sides = [n for n in (shapes[at], f"{shapes[at]}_L", f"{shapes[at]}_R") if n in model.index]
        if len(sides) == 2 and random.random() < 0.2:
            sides = [sides[random.integers(2)]]
        for name in sides:
            weights[model.index[name]] = value * random.uniform(0.8, 1)
    if random.random() < 0.5:
        across, upward = random.uniform(-0.9, 0.9, 2)
        aside = ("eyeLookOut_L", "eyeLookIn_R") if across > 0 else ("eyeLookOut_R", "eyeLookIn_L")
        tall = ("eyeLookUp_L", "eyeLookUp_R") if upward > 0 else ("eyeLookDown_L", "eyeLookDown_R")
        for names, value in ((aside, abs(across)), (tall, abs(upward))):
            for name in names:
                weights[model.index[name]] = value
    return weights


@functools.cache
def _listed() -> Float:
    return expression_list()


def speaking(model: FaceModel, random: np.random.Generator) -> Float:
    """Weights (53,) of a mouth that speaks: a jaw, lips that meet over it or do not, a few shapes
    at random, nearly alike on both sides."""
    weights = np.zeros(len(model.names), np.float32)
    jaw = random.beta(1.2, 2.5) * 0.8
    weights[model.index["jawOpen"]] = jaw
    if random.random() < 0.3:
        weights[model.index["mouthClose"]] = jaw * random.uniform(0, 1)
    names = list(MOUTH)
    for at in random.permutation(len(names))[: random.integers(0, 5)]:
        value = MOUTH[names[at]] * random.beta(1.2, 1.8)
        for target in (names[at], *(f"{names[at]}_{side}" for side in "LR")):
            if target in model.index:
                weights[model.index[target]] = value * random.uniform(0.85, 1)
    if random.random() < 0.15:  # and hardly a mouth speaks straight
        aside = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")[random.integers(4)]
        weights[model.index[aside]] = random.uniform(0.1, 0.6)
    if random.random() < 0.4:  # eyebrows and lids move while people speak
        brows = {"AU1": 0.6, "AU2": 0.6, "AU4": 0.5, "AU7": 0.5, "AU5": 0.4, "AU6": 0.5}
        units = {k: random.uniform(0, v) for k, v in brows.items() if random.random() < 0.4}
        weights = weights + model_units.to_weights(model, facs.vector(units))
    return np.asarray(weights, np.float32)


def _smile(random: np.random.Generator) -> Float:
    """Units (47,) of a smile, mostly one that shows teeth."""
    most = {"AU6": 1.0, "AU10": 0.7, "AU16": 0.7, "AU20": 0.4, "AU7": 0.5, "AU14": 0.4}
    units = {"AU12": random.uniform(0.2, 1)}
    units |= {name: random.uniform(0, v) for name, v in most.items() if random.random() < 0.6}
    if random.random() < 0.75:
        units |= {"AU25": random.uniform(0.3, 1), "AU26": max(0.0, random.uniform(-0.4, 0.7))}
    return facs.vector(units)

"""Analysis by synthesis: bring one photograph's rig to what another photograph of the same person
shows.

Landmarks see an expression at 68 points, and each of them a little off. Here the rig is rendered,
dense optical flow says where every piece of its skin lies in the other photograph, and camera,
weights and a smooth rest are moved there; a few rounds of that. Lips are held by the landmarks too,
because flow does not know teeth from lips.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from scipy.optimize import lsq_linear

from mien.face_model.animate import Pose
from mien.face_model.arrays import Double, Float, Index, UInt8
from mien.face_model.camera import Camera, rotation_matrix
from mien.face_model.fit import UNFITTED, fit
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.problem import PULL_SHAPE, PULL_SHY, SHY
from mien.face_model.render import Render, Rig
from mien.face_model.sampling import sample, shrink
from mien.face_model.threads import one_thread

ROUNDS = 3
SIDE = 192
"""Side of the pictures that are compared, px."""
CONTRAST_SCALE, CONTRAST_FLOOR = 8.0, 6.0
"""Size, px, of the neighbourhood whose brightness and contrast are evened out, and the grey levels
that count as none: light must not be taken for motion."""
AGREEMENT = 1.5
"""Flow there and back that misses by this, crop px, is hardly believed."""
FACING = (0.25, 0.55)
"""Skin counts from the first cosine to the camera, fully from the second."""
FLOW_NOISE = 2.0
"""Expected error of flow, crop px; a vertex's flow says little, its neighbours say the same."""
INDEPENDENT = 600
"""As many independent observations as a whole face of flow is worth."""
BY_FLOW, BY_LANDMARKS = 0.4, 1.5
"""At the lips: how far flow is believed there, and how many vertices a landmark is worth."""
SHARP = slice(36, 68)
"""Landmarks of lids and lips: with flow at hand, only these can add something."""
LANDMARK_TRUST = (0.1, 1.0)
"""One over the expected error, crop px, of the others and of these."""
SMOOTH = 10
"""Steps of diffusion over the mesh that the left-over motion goes through, as evidence and, half as
many, as motion."""


@dataclass(frozen=True)
class Match:
    """How a rig is asked for another photograph: camera, weights (53,) and `habit` (N, 3) cm, what
    is beyond the shapes; `error`: crop px that the skin was off in the last round."""

    camera: Camera
    weights: Float
    habit: Float
    error: float

    def render(self, rig: Rig, size: int = 256, supersample: int = 2) -> Render:
        """The rig's photograph in this geometry."""
        return rig.render_weights(self.weights, size, supersample, self.camera, habit=self.habit)


def match(rig: Rig, crop: UInt8, landmarks: Float, rounds: int = ROUNDS) -> Match:
    """The geometry in which `rig` shows what `crop` uint8 (320, 320, 3) shows, another photograph
    of the same person with landmarks (68, 2) px."""
    model = rig.model
    start = fit(model, landmarks, neutral=False, identity=rig.fit.identity)
    found = Match(start.camera, start.weights, np.zeros_like(model.neutral), start.error)
    goal = _evened(crop)
    with one_thread():
        for _ in range(rounds):
            found = _closer(rig, found, goal, start.landmarks)
    return found


def _closer(rig: Rig, now: Match, goal: UInt8, landmarks: Double) -> Match:
    """One round."""
    model = rig.model
    posed = rig.pose(now.weights, now.camera, now.habit)
    picture = rig.render_weights(now.weights, SIDE, 1, now.camera, habit=now.habit)
    moved, trust = _seen(posed, picture, goal)
    trust *= 1 - (1 - BY_FLOW) * _mouth(model)
    drawn = (picture.landmarks + 0.5) * (SOURCE_SIZE / SIDE) - 0.5
    asked = landmarks - drawn
    camera, weights, explained = _explain(model, now, posed, moved, trust, asked)
    at = model.landmarks[SHARP]
    left, weight = (moved - explained) * trust[:, None], trust.copy()
    np.add.at(left, at, BY_LANDMARKS * (asked[SHARP] - explained[at]))
    np.add.at(weight, at, BY_LANDMARKS)
    rest = model.follow(_diffused(model, left, weight)) / np.float32(camera.scale)
    axes = camera.matrix.astype(np.float32)
    beyond = np.stack([rest[:, 0], -rest[:, 1], np.zeros(len(rest), np.float32)], 1) @ axes
    error = np.sqrt((trust * (moved**2).sum(1)).sum() / trust.sum())
    return Match(camera, weights, now.habit + beyond, float(error))


def _evened(picture: UInt8) -> UInt8:
    """Brightness (SIDE, SIDE) with local mean and contrast evened out."""
    grey = cv2.cvtColor(shrink(picture.astype(np.float32), SIDE), cv2.COLOR_RGB2GRAY)
    off = grey - cv2.GaussianBlur(grey, (0, 0), CONTRAST_SCALE)
    spread = np.sqrt(cv2.GaussianBlur(off * off, (0, 0), CONTRAST_SCALE)) + CONTRAST_FLOOR
    return np.clip(128 + 45 * off / spread, 0, 255).astype(np.uint8)


@cache
def _optical_flow() -> Any:
    """Dense inverse search, to the pixel."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    return flow


def _seen(posed: Pose, picture: Render, goal: UInt8) -> tuple[Float, Float]:
    """How far (F, 2) crop px each skin vertex must move, and how far (F,) that is believed, 0..1:
    where flow there and back agree and the skin faces the camera."""
    own = _evened(picture.image)
    there = np.asarray(_optical_flow().calc(own, goal, None), np.float32)
    back = np.asarray(_optical_flow().calc(goal, own, None), np.float32)
    axis = np.arange(SIDE, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    returned = cv2.remap(back, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR)
    scale = np.float32(SOURCE_SIZE / SIDE)
    missed = np.linalg.norm(there + returned, axis=2) * scale
    agreed = np.exp(-((missed / AGREEMENT) ** 2)).astype(np.float32)
    points = (posed.points[FACE] + 0.5) / scale - 0.5
    inside = ((points > 2) & (points < SIDE - 3)).all(1)
    low, high = FACING
    facing = np.clip((posed.normals[FACE, 2] - low) / (high - low), 0, 1)
    return sample(there, points) * scale, sample(agreed, points) * facing * inside


def _explain(
    model: FaceModel, now: Match, posed: Pose, moved: Float, trust: Float, asked: Double
) -> tuple[Camera, Float, Double]:
    """Camera and weights (53,) that explain the motion best, and the motion (F, 2) that they make.

    Linear least squares around the present ones, bounded, with the fit's priors; `asked` (68, 2) is
    what the landmarks want.
    """
    shapes = [i for i, name in enumerate(model.names) if not name.startswith(UNFITTED)]
    columns = _columns(model, now.camera, posed, shapes)  # (6 + shapes, F, 2)
    used = np.flatnonzero(trust > 0.1)[::5]
    marks: Index = np.concatenate([used, model.landmarks[17:]])
    certain = np.full(51, LANDMARK_TRUST[0])
    certain[SHARP.start - 17 :] = LANDMARK_TRUST[1]
    by_flow = trust[used] / FLOW_NOISE * np.sqrt(INDEPENDENT / max(1, len(used)))
    weight = np.repeat(np.concatenate([by_flow, certain]), 2)
    goal = np.concatenate([moved[used], asked[17:]]).ravel()
    own = now.weights[shapes].astype(np.float64)
    pull = [PULL_SHY if model.names[i].startswith(SHY) else PULL_SHAPE for i in shapes]
    priors = np.concatenate([np.full(6, 1e-3), pull])
    rows = columns[:, marks].reshape(len(columns), -1).T * weight[:, None]
    solved = lsq_linear(
        np.concatenate([rows, np.diag(priors)]),
        np.concatenate([goal * weight, np.zeros(6), -priors[6:] * own]),
        (np.concatenate([[-np.inf] * 6, np.minimum(0, -own)]),
         np.concatenate([[np.inf] * 6, np.maximum(1e-6, 1 - own)])),
    ).x  # fmt: skip
    weights = now.weights.copy()
    weights[shapes] += solved[6:].astype(np.float32)
    return _moved(now.camera, solved[:6]), weights, np.tensordot(solved, columns, 1)


def _columns(model: FaceModel, camera: Camera, posed: Pose, shapes: list[int]) -> Double:
    """Motion (6 + S, F, 2) crop px of the skin for a little more of each unknown: turn about x, y,
    z, log scale, origin x, y, then the shapes."""
    turned = camera.turn(posed.vertices[FACE])
    x, y, z = turned.T
    none = np.zeros_like(x)
    rigid = ((none, -z, y), (z, none, -x), (-y, x, none), (x, y, z))
    spatial = [np.stack(axes, 1) for axes in rigid]
    spatial += [camera.turn(model.expressions[i, FACE]) for i in shapes]
    out = np.stack(spatial)[..., :2].astype(np.float64) * camera.scale * [1, -1]
    shift = np.zeros((2, *out.shape[1:]))
    shift[0, :, 0] = shift[1, :, 1] = 1
    return np.concatenate([out[:4], shift, out[4:]])


def _moved(camera: Camera, step: Double) -> Camera:
    turn, _ = cv2.Rodrigues(rotation_matrix(step[:3]) @ camera.matrix)
    vector = np.asarray(turn, np.float64).ravel()
    return Camera(vector, camera.scale * float(np.exp(step[3])), camera.origin + step[4:])


def _mouth(model: FaceModel) -> Float:
    """How much (F,) a skin vertex belongs to the lips and their surround."""
    lips = model.lips[FACE]
    for _ in range(4):
        lips = model.smoothing @ lips
    return np.clip(2 * lips, 0, 1)


def _diffused(model: FaceModel, motion: Double, weight: Float) -> Float:
    """Motion (F, 2), each times its weight (F,), spread over the skin; slowly to 0 where nothing is
    known."""
    both = np.column_stack([motion, weight + 0.02]).astype(np.float32)
    for _ in range(SMOOTH):
        both = model.smoothing @ both
    out = both[:, :2] / both[:, 2:]
    for _ in range(SMOOTH // 2):
        out = model.smoothing @ out
    return out

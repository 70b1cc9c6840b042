"""The least-squares problem of a fit: 68 points, seen once or twice, against the face model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import least_squares

from mien.rig.arrays import Double, Float
from mien.rig.camera import DISTANCE, Camera
from mien.rig.mesh import IDENTITIES, FaceModel
from mien.rig.threads import one_thread

CONTOUR = slice(0, 17)
INNER = slice(17, 68)
EYE_CORNERS = (36, 45)
"""Outer eye corners; their distance is the ruler here."""

NOISE = 1.6
"""Expected landmark error, px at 320: divides the residuals."""
SLACK = ("eyeBlink_L", "eyeBlink_R")
"""Shapes that a face at rest may use too: lids rest at different heights."""
SLACK_RANGE = (-0.6, 0.7)
SHY = ("noseSneer", "mouthFunnel", "mouthPucker", "mouthRoll", "mouthShrug", "jawLeft", "jawRight",
       "mouthLeft", "mouthRight", "mouthPress")  # fmt: skip
"""Shapes that landmark noise mimics: a stronger prior."""

PULL_IDENTITY, PULL_SLACK, PULL_SHAPE, PULL_SHY = 0.9, 1.0, 2.0, 4.0
"""Priors, as one over the standard deviation of a coefficient."""
PULL_ROTATION = (1.5, 0.5, 0.2)
"""The same for pitch, yaw and roll, per rad: pitch is what a fit confuses with identity."""
PULL_SYMMETRY = 3.0
"""The same for the difference of the left and the right weight of a shape."""
ROUNDS = 25


@dataclass(frozen=True)
class View:
    """Points (68, 2) px, the shapes that may explain them, and how much they are believed."""

    points: Double
    shapes: tuple[str, ...]
    trust: float = 1.0


@dataclass(frozen=True)
class Solution:
    """Camera, identity (50,), and per view its weights and projected points (68, 2) px."""

    camera: Camera
    identity: Float
    weights: list[Double]
    projected: list[Double]


def solve(model: FaceModel, views: Sequence[View], identity: Float | None) -> Solution:
    """One camera and one identity (given or found) that explain all `views`."""
    problem = _Problem(model, views, identity)
    x = problem.minimise()
    camera, geometry = problem.camera(x), problem.geometry(x)
    found = x[6 : 6 + problem.modes] if identity is None else identity
    weights, start = [], 6 + problem.modes
    for view in views:
        weights.append(x[start : start + len(view.shapes)])
        start += len(view.shapes)
    projected = list(camera.project(geometry)[0].reshape(-1, 68, 2))
    return Solution(camera, found.astype(np.float32), weights, projected)


def ruler(points: Double) -> float:
    """Distance of the outer eye corners, px."""
    a, b = EYE_CORNERS
    return float(np.linalg.norm(points[a] - points[b]))


def contour_normals(points: Double) -> Double:
    """Unit normals (17, 2) of the jaw line."""
    line = points[CONTOUR]
    ahead, behind = line[[*range(1, 17), 16]], line[[0, *range(16)]]
    tangent = (ahead - behind) / np.linalg.norm(ahead - behind, axis=1, keepdims=True)
    return np.stack([-tangent[:, 1], tangent[:, 0]], 1)


class _Problem:
    """Unknowns: rotation 3, log scale, origin 2, identity, then the weights of every view."""

    def __init__(self, model: FaceModel, views: Sequence[View], identity: Float | None) -> None:
        self.views = views
        self.names = [name for view in views for name in view.shapes]
        at = model.landmarks
        rest = model.neutral[at].astype(np.float64)
        modes = model.identities[:, at].astype(np.float64)
        if identity is not None:
            rest += np.tensordot(identity.astype(np.float64), modes, 1)
        self.modes = IDENTITIES if identity is None else 0
        self.rest = np.tile(rest, (len(views), 1))  # (V * 68, 3)
        self.basis = np.zeros((self.modes + len(self.names), len(self.rest), 3))
        self.basis[: self.modes] = np.tile(modes[: self.modes], (1, len(views), 1))
        row = self.modes
        for v, view in enumerate(views):
            for name in view.shapes:
                part = slice(68 * v, 68 * v + 68)
                self.basis[row, part] = model.expressions[model.index[name], at]
                row += 1
        self.points = np.concatenate([view.points for view in views])
        self._prior = self._priors()
        self._project = self._projector()

    def geometry(self, x: Double) -> Double:
        """Landmark vertices (V * 68, 3)."""
        out: Double = self.rest + np.tensordot(x[6:], self.basis, 1)
        return out

    @staticmethod
    def camera(x: Double) -> Camera:
        return Camera(x[:3].copy(), float(np.exp(x[3])), x[4:6].copy())

    def minimise(self) -> Double:
        size = 6 + len(self.basis)
        start, low, high = np.zeros(size), np.full(size, -np.inf), np.full(size, np.inf)
        a, b = EYE_CORNERS
        points = self.views[0].points
        start[3] = np.log(ruler(points) / np.linalg.norm(self.rest[a] - self.rest[b]))
        start[4:6] = points[30] + [0, np.exp(start[3]) * self.rest[30, 1]]
        for k, name in enumerate(self.names, 6 + self.modes):
            low[k], high[k] = SLACK_RANGE if name in SLACK else (0, 1)
            start[k] = 0 if name in SLACK else 0.05  # off the bound, or it would stay there
        scale = np.concatenate([[0.1, 0.1, 0.1, 0.05, 5, 5], np.full(len(self.basis), 0.5)])
        with one_thread():
            solved = least_squares(
                self.residuals, start, self.jacobian, (low, high), x_scale=scale, max_nfev=ROUNDS
            )
        out: Double = solved.x
        return out

    def residuals(self, x: Double) -> Double:
        moved = self.camera(x).project(self.geometry(x))[0] - self.points
        return np.concatenate([self._project @ moved.ravel(), self._prior @ x])

    def jacobian(self, x: Double) -> Double:
        camera, geometry = self.camera(x), self.geometry(x)
        rotation, derivative = cv2.Rodrigues(x[:3].reshape(3, 1))
        turned = geometry @ rotation.T
        near = 1 / (1 - turned[:, 2] / DISTANCE)
        columns = np.zeros((len(x), len(geometry), 3))
        columns[:3] = np.einsum("ijk,nk->inj", derivative.reshape(3, 3, 3), geometry)
        columns[6:] = self.basis @ rotation.T
        # A point is origin + scale * near * (x, -y), and near depends on z.
        out = np.empty((len(x), len(geometry), 2))
        bend = turned * (near**2 / DISTANCE)[:, None]
        out[..., 0] = camera.scale * (near * columns[..., 0] + bend[:, 0] * columns[..., 2])
        out[..., 1] = -camera.scale * (near * columns[..., 1] + bend[:, 1] * columns[..., 2])
        out[3] = camera.scale * near[:, None] * turned[:, :2] * [1, -1]
        out[4], out[5] = [1, 0], [0, 1]
        return np.concatenate([self._project @ out.reshape(len(x), -1).T, self._prior])

    def _projector(self) -> Double:
        """Rows (R, V * 136) that weigh landmark differences: contour along and across its
        direction, the others by x and y."""
        weight = np.ones(68) / NOISE
        weight[17:27] *= 0.7
        weight[36:48] *= 1.5
        weight[48:60] *= 1.2
        weight[60:] *= 1.3
        out = np.zeros((136 * len(self.views), 136 * len(self.views)))
        for v, view in enumerate(self.views):
            block = np.zeros((136, 136))
            for i, (nx, ny) in enumerate(contour_normals(view.points)):
                block[i, 2 * i : 2 * i + 2] = 0.5 * weight[i] * np.array([nx, ny])
                block[17 + i, 2 * i : 2 * i + 2] = 0.05 * weight[i] * np.array([-ny, nx])
            block[34:, 34:] = np.diag(np.repeat(weight[INNER], 2))
            part = slice(136 * v, 136 * v + 136)
            out[part, part] = block * view.trust
        return out

    def _priors(self) -> Double:
        """Rows that pull coefficients to 0, the head upright, and left and right together."""
        first, size = 6 + self.modes, 6 + len(self.basis)
        pull = np.zeros(size)
        pull[:3] = PULL_ROTATION
        pull[6:first] = PULL_IDENTITY
        pull[first:] = [
            PULL_SLACK if n in SLACK else PULL_SHY if n.startswith(SHY) else PULL_SHAPE
            for n in self.names
        ]
        lefts = [k for k, n in enumerate(self.names, first) if n.endswith("_L")]
        pairs = np.zeros((len(lefts), size))
        for row, left in enumerate(lefts):  # a shape's right side follows its left in every view
            pairs[row, left], pairs[row, left + 1] = PULL_SYMMETRY, -PULL_SYMMETRY
        return np.concatenate([np.diag(pull), pairs])

"""Fit the face model to 68 landmarks: camera, identity, and (for a face that is not neutral) expression.

Nonlinear least squares with a prior on every coefficient. Contour points count along their normal only, because which
skin lies on the outline depends on the pose. What is left over is not lost: `FaceModel.residual` spreads it over the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from mien.rig.camera import DISTANCE, Camera
from mien.rig.mesh import IDENTITIES, FaceModel

Double = NDArray[np.float64]
Float = NDArray[np.float32]

CONTOUR = slice(0, 17)
INNER = slice(17, 68)
EYE_CORNERS = (36, 45)
"""Outer eye corners; their distance is the ruler here."""
UPPER_LIP, LOWER_LIP = (61, 62, 63), (67, 66, 65)
"""Inner-lip points that meet when the mouth is closed."""

CLOSED_NEUTRAL, CLOSED_OTHER = 0.08, 0.035
"""Lip gap, in eye-corner distances, under which the mouth counts as closed. A neutral face is expected to
have it closed, so there a gap of landmark noise is forgiven."""

NOISE = 1.6
"""Expected landmark error, px at 320: divides the residuals."""
UNFITTED = ("eyeLook", "cheekPuff", "mouthClose", "jawForward")
"""Shapes that 68 points cannot tell."""
SHY = ("noseSneer", "mouthFunnel", "mouthPucker", "mouthRoll", "mouthShrug", "jawLeft", "jawRight", "mouthLeft", "mouthRight", "mouthPress")  # fmt: skip
"""Shapes that landmark noise mimics: a stronger prior."""
SLACK = ("eyeBlink_L", "eyeBlink_R")
"""Shapes that a neutral face may use too: lids rest at different heights."""
SLACK_RANGE = (-0.6, 0.7)


@dataclass(frozen=True)
class Fit:
    """The model brought onto one photograph.

    identity (50,), weights (53,), landmarks (68, 2) as used (lips of a closed mouth merged), residual (68, 2) px left
    over, error: mean distance of the 51 inner points px, contour_error: mean distance along the normal px.
    """

    camera: Camera
    identity: Float
    weights: Float
    landmarks: Double
    closed: bool
    residual: Double
    error: float
    contour_error: float

    @property
    def relative_error(self) -> float:
        """`error` in distances of the outer eye corners."""
        return self.error / _ruler(self.landmarks)


def fit(model: FaceModel, landmarks: Float, neutral: bool, identity: Float | None = None) -> Fit:
    """Fit `model` to landmarks (68, 2) px.

    With `neutral` only the lids may differ from rest; otherwise 41 shapes may. `identity` (50,) holds the person fixed,
    for a second photograph of the same one.
    """
    points, closed = _merge_lips(landmarks.astype(np.float64), neutral)
    problem = _Problem(model, points, neutral, identity)
    x = problem.solve()
    camera, weights = problem.camera(x), np.zeros(len(model.names), np.float32)
    weights[problem.shapes] = x[problem.first_weight :]
    left = points - camera.project(problem.geometry(x))[0]
    normal = problem.normal
    along = (left[CONTOUR] * normal).sum(1)
    residual = left.copy()
    residual[CONTOUR] = along[:, None] * normal
    found = x[6 : 6 + problem.modes] if identity is None else identity
    error = float(np.linalg.norm(left[INNER], axis=1).mean())
    return Fit(camera, found.astype(np.float32), weights, points, closed, residual, error, float(np.abs(along).mean()))  # fmt: skip


def _ruler(points: Double) -> float:
    a, b = EYE_CORNERS
    return float(np.linalg.norm(points[a] - points[b]))


def _merge_lips(points: Double, neutral: bool) -> tuple[Double, bool]:
    """Bring the inner lips of a closed mouth onto one line; landmarks put a slit there."""
    points, upper, lower = points.copy(), list(UPPER_LIP), list(LOWER_LIP)
    gap = float((points[lower, 1] - points[upper, 1]).mean())
    closed = gap < (CLOSED_NEUTRAL if neutral else CLOSED_OTHER) * _ruler(points)
    if closed:
        points[upper] = points[lower] = (points[upper] + points[lower]) / 2
    return points, closed


class _Problem:
    """The least-squares problem. Unknowns: rotation 3, log scale, origin 2, identity, weights."""

    def __init__(
        self, model: FaceModel, points: Double, neutral: bool, identity: Float | None
    ) -> None:
        self.points, self.neutral = points, neutral
        names = SLACK if neutral else tuple(n for n in model.names if not n.startswith(UNFITTED))
        self.names, self.shapes = names, [model.index[n] for n in names]
        at = model.landmarks
        self.rest = model.neutral[at].astype(np.float64)
        modes = model.identities[:, at].astype(np.float64)
        if identity is not None:
            self.rest += np.tensordot(identity.astype(np.float64), modes, 1)
        self.modes = IDENTITIES if identity is None else 0
        shapes = model.expressions[self.shapes][:, at].astype(np.float64)
        self.basis = np.concatenate([modes[: self.modes], shapes])  # (C, 68, 3)
        self.first_weight = 6 + self.modes
        self.normal = _contour_normals(points)
        self._prior = self._priors()
        self._project = self._projector()

    def geometry(self, x: Double) -> Double:
        """Landmark vertices (68, 3)."""
        out: Double = self.rest + np.tensordot(x[6:], self.basis, 1)
        return out

    @staticmethod
    def camera(x: Double) -> Camera:
        return Camera(x[:3].copy(), float(np.exp(x[3])), x[4:6].copy())

    def solve(self) -> Double:
        size = 6 + len(self.basis)
        start, low, high = np.zeros(size), np.full(size, -np.inf), np.full(size, np.inf)
        a, b = EYE_CORNERS
        start[3] = np.log(_ruler(self.points) / np.linalg.norm(self.rest[a] - self.rest[b]))
        start[4:6] = self.points[30] + [0, np.exp(start[3]) * self.rest[30, 1]]
        w = slice(self.first_weight, size)
        low[w], high[w] = SLACK_RANGE if self.neutral else (0, 1)
        if not self.neutral:
            start[w] = 0.05
            low[w] = [SLACK_RANGE[0] if n in SLACK else 0 for n in self.names]
        scale = np.concatenate([[0.1, 0.1, 0.1, 0.05, 5, 5], np.full(len(self.basis), 0.5)])
        solved = least_squares(
            self.residuals, start, self.jacobian, (low, high), x_scale=scale, max_nfev=25
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
        columns = np.empty((len(x), 68, 3))
        columns[:3] = np.einsum("ijk,nk->inj", derivative.reshape(3, 3, 3), geometry)
        columns[6:] = self.basis @ rotation.T
        columns[3:6] = 0
        # p = origin + scale * near * (x, -y), near depends on z
        out = np.empty((len(x), 68, 2))
        bend = turned * (near**2 / DISTANCE)[:, None]
        out[..., 0] = camera.scale * (near * columns[..., 0] + bend[:, 0] * columns[..., 2])
        out[..., 1] = -camera.scale * (near * columns[..., 1] + bend[:, 1] * columns[..., 2])
        out[3] = camera.scale * near[:, None] * turned[:, :2] * [1, -1]
        out[4], out[5] = [1, 0], [0, 1]
        return np.concatenate([self._project @ out.reshape(len(x), -1).T, self._prior])

    def _projector(self) -> Double:
        """Rows (R, 136) that weigh landmark differences: contour along and across, the rest by x and y."""
        weight = np.ones(68)
        weight[17:27], weight[36:48], weight[48:60], weight[60:] = 0.7, 1.5, 1.2, 1.3
        weight /= NOISE
        out = np.zeros((34 + 102, 136))
        for i, (nx, ny) in enumerate(self.normal):
            out[i, 2 * i : 2 * i + 2] = 0.5 * weight[i] * np.array([nx, ny])
            out[17 + i, 2 * i : 2 * i + 2] = 0.05 * weight[i] * np.array([-ny, nx])
        out[34:, 34:] = np.diag(np.repeat(weight[INNER], 2))
        return out

    def _priors(self) -> Double:
        """Rows that pull coefficients to 0, the head upright, and left and right together."""
        size = 6 + len(self.basis)
        pull = np.zeros(size)
        pull[:3] = 1.5, 0.5, 0.2  # pitch is what a fit confuses with identity
        pull[6 : self.first_weight] = 0.9
        pull[self.first_weight :] = [
            1.0 if n in SLACK else 4.0 if n.startswith(SHY) else 2.0 for n in self.names
        ]
        pairs = np.zeros((0, size))
        for left, name in enumerate(self.names):
            if name.endswith("_L"):
                row = np.zeros((1, size))
                row[0, self.first_weight + left] = 3.0
                row[0, self.first_weight + self.names.index(name[:-1] + "R")] = -3.0
                pairs = np.concatenate([pairs, row])
        return np.concatenate([np.diag(pull), pairs])


def _contour_normals(points: Double) -> Double:
    """Unit normals (17, 2) of the jaw line."""
    line = points[CONTOUR]
    ahead, behind = line[[*range(1, 17), 16]], line[[0, *range(16)]]
    tangent = (ahead - behind) / np.linalg.norm(ahead - behind, axis=1, keepdims=True)
    return np.stack([-tangent[:, 1], tangent[:, 0]], 1)

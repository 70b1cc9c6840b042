"""The least-squares problem of a fit: points of a photograph, seen once or twice, against the face
model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Real
from mien.face_model.bounded import TOLERANCE, Bounds, least_squares
from mien.face_model.camera import DISTANCE, Camera
from mien.face_model.mesh import IDENTITIES, FaceModel
from mien.face_model.template import Markers
from mien.face_model.threads import one_thread

EYE_CORNERS = (36, 45)
"""Outer eye corners; their distance is the ruler here."""

SLACK = ("eyeBlink_L", "eyeBlink_R")
"""Shapes that a face at rest may use too: lids rest at different heights."""
SLACK_RANGE = (-0.6, 0.7)
SHY = ("noseSneer", "mouthFunnel", "mouthPucker", "mouthRoll", "mouthShrug", "jawLeft", "jawRight",
       "mouthLeft", "mouthRight", "mouthPress")  # fmt: skip
"""Shapes that landmark noise mimics: a stronger prior."""

ALONG, ACROSS = 0.05, 0.5
"""How far an outline's points count along it and across it: which skin lies there depends on the
pose."""
PULL_IDENTITY, PULL_SLACK, PULL_SHAPE, PULL_SHY = 0.9, 1.0, 2.0, 4.0
"""Priors, as one over the standard deviation of a coefficient."""
PULL_ROTATION = (1.5, 0.5, 0.2)
"""The same for pitch, yaw and roll, per rad: pitch is what a fit confuses with identity."""
PULL_SYMMETRY = 3.0
"""The same for the difference of the left and the right weight of a shape."""
ROUNDS = 25
NEARLY = 3e-5
"""Tolerance of a solution that is sought from one nearby."""
START_ROOM = 0.02
"""How far within its bounds a weight is then taken to be."""
OFF_BOUND = 0.05
"""Weight from which a shape starts, or it would stay on its bound."""


@dataclass(frozen=True)
class View:
    """Points (K, 2) px of K markers, the shapes that may explain them, how much they are believed,
    weights (53,) of shapes that are known already, and what is expected of the others."""

    markers: Markers
    points: Double
    shapes: tuple[str, ...]
    trust: float = 1.0
    known: Float | None = None
    expected: Expected | None = None


@dataclass(frozen=True)
class Expected:
    """A prior for the weights of a view, in place of the one around 0: weights (53,) that something
    else than the points has read, and one over the standard deviation of its error."""

    weights: Float
    pull: float


@dataclass(frozen=True)
class Solution:
    """Camera, identity (50,), and per view its weights and projected points (K, 2) px."""

    camera: Camera
    identity: Float
    weights: list[Double]
    projected: list[Double]


@dataclass(frozen=True)
class Start:
    """From where to look: a camera, and weights (53,) of the only view, of one whose identity is
    known, such as those of a film's last frame."""

    camera: Camera
    weights: Float


def solve(
    model: FaceModel,
    views: Sequence[View],
    identity: Float | None,
    start: Start | None = None,
) -> Solution:
    """One camera and one identity (given or found) that explain all `views`; found from `start` on,
    if it is given, and then less exactly: to `NEARLY`."""
    problem = _Problem(model, views, identity)
    x = problem.minimise(None if start is None else problem.unknowns(start, model))
    camera, geometry = problem.camera(x), problem.geometry(x)
    found = x[6 : 6 + problem.modes] if identity is None else identity
    weights, first = [], 6 + problem.modes
    for view in views:
        weights.append(x[first : first + len(view.shapes)])
        first += len(view.shapes)
    ends = np.cumsum([len(view.points) for view in views])[:-1]
    projected = np.split(camera.project(geometry)[0], ends)
    return Solution(camera, found.astype(np.float32), weights, projected)


def ruler(points: Real) -> float:
    """Distance of the outer eye corners, px."""
    a, b = EYE_CORNERS
    return float(np.linalg.norm(points[a] - points[b]))


def outline_normals(line: Double) -> Double:
    """Unit normals (M, 2) of a line of points (M, 2)."""
    ahead, behind = np.roll(line, -1, 0), np.roll(line, 1, 0)
    ahead[-1], behind[0] = line[-1], line[0]
    tangent = (ahead - behind) / np.linalg.norm(ahead - behind, axis=1, keepdims=True)
    return np.stack([-tangent[:, 1], tangent[:, 0]], 1)


class _Problem:
    """Unknowns: rotation 3, log scale, origin 2, identity, then the weights of every view."""

    def __init__(self, model: FaceModel, views: Sequence[View], identity: Float | None) -> None:
        self.views = views
        self.names = [name for view in views for name in view.shapes]
        self.points = np.concatenate([view.points for view in views])
        self.modes = IDENTITIES if identity is None else 0
        self.neutral = np.zeros((len(self.points), 3))
        self.basis = np.zeros((self.modes + len(self.names), len(self.points), 3))
        row, start = self.modes, 0
        for view in views:
            part = slice(start, start + len(view.points))
            neutral, modes, expressions = model.at(view.markers)
            self.neutral[part] = neutral
            if identity is not None:
                self.neutral[part] += np.tensordot(identity.astype(np.float64), modes, 1)
            if view.known is not None:
                self.neutral[part] += np.tensordot(view.known, expressions, 1)
            self.basis[: self.modes, part] = modes[: self.modes]
            shapes = [model.index[name] for name in view.shapes]
            self.basis[row : row + len(shapes), part] = expressions[shapes]
            row, start = row + len(shapes), part.stop
        self._mean = np.zeros(6 + len(self.basis))
        self._prior = self._priors()
        self._expect(model)
        self._weights = self._weights_of_points()

    def geometry(self, x: Double) -> Double:
        """All views' markers (P, 3)."""
        out: Double = self.neutral + np.tensordot(x[6:], self.basis, 1)
        return out

    @staticmethod
    def camera(x: Double) -> Camera:
        return Camera(x[:3].copy(), float(np.exp(x[3])), x[4:6].copy())

    def minimise(self, start: Double | None) -> Double:
        """The unknowns, sought from `start` on, or from a face at rest."""
        size = 6 + len(self.basis)
        low, high = np.full(size, -np.inf), np.full(size, np.inf)
        for k, name in enumerate(self.names, 6 + self.modes):
            low[k], high[k] = SLACK_RANGE if name in SLACK else (0, 1)
        scale = np.concatenate([[0.1, 0.1, 0.1, 0.05, 5, 5], np.full(len(self.basis), 0.5)])
        tolerance = TOLERANCE if start is None else NEARLY
        begin = self._start() if start is None else start
        with one_thread():
            return least_squares(
                self.residuals, self.jacobian, begin, Bounds(low, high), scale, ROUNDS, tolerance
            )

    def _start(self) -> Double:
        start = np.zeros(6 + len(self.basis))
        a, b = EYE_CORNERS
        points = self.views[0].points
        start[3] = np.log(ruler(points) / np.linalg.norm(self.neutral[a] - self.neutral[b]))
        start[4:6] = points[30] + [0, np.exp(start[3]) * self.neutral[30, 1]]
        for k, name in enumerate(self.names, 6 + self.modes):
            start[k] = 0 if name in SLACK else OFF_BOUND
        return start

    def unknowns(self, start: Start, model: FaceModel) -> Double:
        """Those of a camera and of the weights of the only view."""
        out = self._start()
        out[:3], out[3], out[4:6] = (
            start.camera.rotation, np.log(start.camera.scale), start.camera.origin,
        )  # fmt: skip
        for k, name in enumerate(self.names, 6):
            low, high = SLACK_RANGE if name in SLACK else (0.0, 1.0)
            weight = float(start.weights[model.index[name]])
            out[k] = np.clip(weight, low + START_ROOM, high - START_ROOM)
        return out

    def residuals(self, x: Double) -> Double:
        moved = self.camera(x).project(self.geometry(x))[0] - self.points
        return np.concatenate([self._weigh(moved).ravel(), self._prior @ (x - self._mean)])

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
        return np.concatenate([self._weigh(out).reshape(len(x), -1).T, self._prior])

    def _weigh(self, off: Double) -> Double:
        """Differences (..., P, 2) px in expected errors."""
        (a, b), (c, d) = self._weights.transpose(1, 2, 0)
        x, y = off[..., 0], off[..., 1]
        return np.stack([a * x + b * y, c * x + d * y], -1)

    def _weights_of_points(self) -> Double:
        """One over the expected errors (P, 2, 2): an outline's across and along it, the others' by
        x and y."""
        out = []
        for view in self.views:
            trust = view.trust * view.markers.trust
            rows = np.tile(np.eye(2), (len(trust), 1, 1))
            normal = outline_normals(view.points[view.markers.outline])
            tangent = normal[:, ::-1] * [-1, 1]
            rows[view.markers.outline] = np.stack([ACROSS * normal, ALONG * tangent], 1)
            out.append(trust[:, None, None] * rows)
        return np.concatenate(out)

    def _expect(self, model: FaceModel) -> None:
        """Put the views' own expectations in place of the common priors."""
        start = 6 + self.modes
        for view in self.views:
            part = slice(start, start + len(view.shapes))
            if view.expected is not None:
                read = view.expected.weights[[model.index[name] for name in view.shapes]]
                self._mean[part] = read.clip(0, 1)
                at = np.arange(part.start, part.stop)
                self._prior[at, at] = view.expected.pull
            start = part.stop

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

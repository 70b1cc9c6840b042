"""Fit the face model to 68 landmarks: camera, identity, and (for a face that is not neutral)
expression.

Nonlinear least squares with a prior on every coefficient. Contour points count along their normal
only, because which skin lies on the outline depends on the pose. What is left over is not lost:
`FaceModel.residual` spreads it over the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.camera import Camera
from mien.face_model.confidence import DRAWABLE, confidence, strains
from mien.face_model.mesh import FaceModel
from mien.face_model.neutral import shipped
from mien.face_model.problem import SLACK, Start, View, outline_normals, ruler, solve
from mien.face_model.template import FITTED, LIPS_MEET

UPPER_LIP, LOWER_LIP = (61, 62, 63), (67, 66, 65)
"""Inner-lip points that meet when the mouth is closed."""
CLOSED_NEUTRAL, CLOSED_OTHER = 0.08, 0.035
"""Lip gap, in eye-corner distances, under which the mouth counts as closed. A neutral face is
expected to have it closed, so there a gap of landmark noise is forgiven."""

UNFITTED = ("eyeLook", "cheekPuff", "mouthClose", "jawForward")
"""Shapes that 68 points cannot tell."""
NEUTRAL_TRUST = 0.4
"""How far the predicted face at rest is believed, against the points that are seen: it errs two
to three times theirs."""


@dataclass(frozen=True)
class Fit:
    """The model brought onto one photograph.

    identity (50,); weights (53,) of the expression shown; rest_weights (53,), where this person's
    lids stand at rest; landmarks (68, 2) as used (lips of a closed mouth merged); residual (K, 2)
    px, what the markers ask beyond the model (K is 68, more with a template); rest_residual, the
    same of the face at rest; error: mean distance of the 51 inner points px; contour_error: along
    the normal, px; checked: whether hand-checked points were used.
    """

    camera: Camera
    identity: Float
    weights: Float
    neutral_weights: Float
    landmarks: Double
    closed: bool
    residual: Double
    neutral_residual: Double
    error: float
    contour_error: float
    checked: bool = False

    @property
    def strains(self) -> dict[str, float]:
        """What is odd about the fit, by name, 1 being the limit of what is used.

        An odd face is no fault where somebody has checked the points.
        """
        eyes = ruler(self.landmarks)
        return strains(
            self.camera,
            None if self.checked else self.identity,
            self.error / eyes,
            self.contour_error / eyes,
            eyes,
        )

    @property
    def confidence(self) -> float:
        """How far the fit can be believed, 0..1; from one half on it is accepted."""
        return confidence(max(self.strains.values()))

    @property
    def fault(self) -> str | None:
        """Why the fit should not be used to make data; None if it can be."""
        worst, strain = max(self.strains.items(), key=lambda item: item[1])
        return worst if strain > 1 else None

    @property
    def undrawable(self) -> str | None:
        """Why the face should not even be drawn; None if it can be."""
        over = {what: strain / DRAWABLE[what] for what, strain in self.strains.items()}
        worst, strain = max(over.items(), key=lambda item: item[1])
        return worst if strain > 1 else None

    @property
    def accepted(self) -> bool:
        """Whether the fit can be used."""
        return self.fault is None

    @property
    def relative_error(self) -> float:
        """`error` in distances of the outer eye corners."""
        return self.error / ruler(self.landmarks)


def fit(
    model: FaceModel,
    landmarks: Float,
    neutral: bool,
    identity: Float | None = None,
    template: Float | None = None,
    gaze: Float | None = None,
    before: Fit | None = None,
) -> Fit:
    """Fit `model` to landmarks (68, 2) px, and to hand-checked `template` (189, 2) px if given.

    `gaze`: weights (53,) of the eyeLook shapes, which move the lids, if they are known.

    With `neutral` only the lids may differ from the model's rest. Otherwise 41 shapes may, and the
    same identity must explain how the person looks at rest, which `rest` predicts. `identity`
    (50,) holds the person fixed instead, for a second photograph of the same one; then it may be
    sought from a fit `before` on, such as that of a film's last frame.
    """
    points, closed = merge_lips(landmarks.astype(np.float64), neutral)
    shapes = SLACK if neutral else fitted(model)
    if template is None:
        views = [View(model.markers, points, shapes, known=gaze)]
    else:
        every = np.concatenate([points, placed(template.astype(np.float64), closed)])
        views = [View(model.template_markers, every, shapes, known=gaze)]
    if not neutral and identity is None:
        resting, _ = merge_lips(shipped()(landmarks.astype(np.float64)), neutral=True)
        views.append(View(model.markers, resting, SLACK, NEUTRAL_TRUST))
    start = None if before is None else Start(before.camera, before.weights)
    solved = solve(model, views, identity, start)
    weights = [np.zeros(len(model.names), np.float32) for _ in views]
    for out, view, found in zip(weights, views, solved.weights, strict=True):
        out[[model.index[name] for name in view.shapes]] = found
    if gaze is not None:
        weights[0] += gaze
    left = [_left_over(v, p) for v, p in zip(views, solved.projected, strict=True)]
    lids = np.array([name in SLACK for name in model.names])
    return Fit(
        camera=solved.camera,
        identity=solved.identity,
        weights=weights[0],
        neutral_weights=weights[-1] * lids,
        landmarks=points,
        closed=closed,
        residual=left[0],
        neutral_residual=left[-1],
        error=float(np.linalg.norm((points - solved.projected[0][:68])[17:], axis=1).mean()),
        contour_error=float(np.linalg.norm(left[0][:17], axis=1).mean()),
        checked=template is not None,
    )


def fitted(model: FaceModel) -> tuple[str, ...]:
    """The shapes that 68 points can tell."""
    return tuple(name for name in model.names if not name.startswith(UNFITTED))


def merge_lips(points: Double, neutral: bool) -> tuple[Double, bool]:
    """Bring the inner lips of a closed mouth onto one line; landmarks put a slit there.

    Returns the points (68, 2) and whether the mouth is closed.
    """
    points, upper, lower = points.copy(), list(UPPER_LIP), list(LOWER_LIP)
    gap = float((points[lower, 1] - points[upper, 1]).mean())
    closed = gap < (CLOSED_NEUTRAL if neutral else CLOSED_OTHER) * ruler(points)
    if closed:
        points[upper] = points[lower] = (points[upper] + points[lower]) / 2
    return points, closed


def placed(template: Double, closed: bool) -> Double:
    """The points of a template (189, 2) px that the fit uses, in the order of the markers; lips of
    a closed mouth merged."""
    points = template.copy()
    if closed:
        for upper, lower in LIPS_MEET:
            points[[upper, lower]] = points[[upper, lower]].mean(0)
    out: Double = points[FITTED]
    return out


def _left_over(view: View, projected: Double) -> Double:
    """Points minus projected (K, 2); on the outline only across it."""
    left = view.points - projected
    edge = view.markers.outline
    normal = outline_normals(view.points[edge])
    left[edge] = (left[edge] * normal).sum(1, keepdims=True) * normal
    return left

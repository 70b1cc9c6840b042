"""How a moved face catches the photograph's light: second-order spherical harmonics, as a ratio."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float, Real
from mien.face_model.mesh import FACE, SIDES, FaceModel
from mien.face_model.sampling import LUMA, sample

DARKEST, BRIGHTEST = 0.6, 1.35
"""Bounds of the ratio: nine harmonics know no cast shadows, so what they say far out is not to be
believed."""
GAIN_UP, GAIN_DOWN = 0.45, 0.75
"""Damping of brighter and of darker: a photograph already burns its highlights."""
KEY = 0.42
"""What a key light moved by 1 adds to skin that faces it, in units of the face's median."""
KEY_BOUNDS = 0.4, 1.7
"""Least and most of the ratio that a moved key light may make."""
HAIRY = 0.25, 0.6
"""Difference of log-brightness from skin under this light, where hair begins and is certain."""
ROUGH = 0.06, 0.14
"""The same for the texture's contrast."""
SHINY = 120.0
"""Brightness of skin, 0..255, from which on shine is a small part of it. It adds the light's own
colour, as much on dark skin as on fair, so what is brighter is compared as if skin were as fair."""
LIDS_FOLD, CORNERS_FOLD = 0.6, 0.7
"""How little the normals of lids and of the corners of the mouth are believed: skin that folds."""
FLOOR = 0.15
"""Smallest shade that is divided by, relative to the face's median."""


class Light:
    """The light of a photograph, estimated on its skin.

    Attributes:
        bare: (F,) how far each face vertex is bare skin, 0..1.
    """

    bare: Float

    def __init__(self, model: FaceModel, coefficients: Float, normals: Float) -> None:
        """Of nine `coefficients` (9,), on a face with camera normals (N, 3)."""
        self._model, self._smoothing = model, model.smoothing
        self._coefficients = coefficients
        self._source = self._shade(normals)
        facing = np.clip(normals[FACE, 2] * 3 - 0.3, 0, 1)
        self._trust = facing * (1 - model.once(_folded))

    @classmethod
    def of(cls, model: FaceModel, photo: Float, points: Float, normals: Float) -> Light:
        """Fit to the photograph (H, W, 3) at vertex points (N, 2) px with camera normals (N, 3)."""
        plain = (normals[FACE, 2] > 0.2) & model.once(_plain)
        inside = (points[FACE] > 1).all(1) & (points[FACE] < len(photo) - 2).all(1)
        at = np.flatnonzero(plain & inside)
        light = _robust(_harmonics(normals[at]), sample(photo @ LUMA, points[at]))
        out = cls(model, light, normals)
        out.bare = out._bare(photo, points[FACE])
        return out

    def turned(self, normals: Float) -> Light:
        """The same light and skin in another frame of a film, with camera normals (N, 3)."""
        out = Light(self._model, self._coefficients, normals)
        out.bare = self.bare
        return out

    def ratio(self, normals: Float, strength: float = 1.0) -> Float:
        """Brightness (F,) of each face vertex at camera normals (N, 3), relative to the
        photograph."""
        ratio = np.clip(self._shade(normals) / self._source, DARKEST, BRIGHTEST) - 1
        ratio *= np.where(ratio > 0, GAIN_UP, GAIN_DOWN) * strength * self._trust
        out: Float = self._smoothing @ (self._smoothing @ (1 + ratio).astype(np.float32))
        return out

    def keyed(self, normals: Float, key: tuple[float, float]) -> Float:
        """Brightness (F,) of each face vertex after the key light moved to the person's left and
        up by `key`, relative to before; normals (N, 3) in camera axes."""
        left, up = key
        own = self._shade(normals)
        added = KEY * (left * normals[FACE, 0] + up * normals[FACE, 1])
        ratio = np.clip(1 + added / np.maximum(own, 0.5), *KEY_BOUNDS).astype(np.float32)
        out: Float = self._smoothing @ (self._smoothing @ ratio)
        return out

    def _bare(self, photo: Float, points: Float) -> Float:
        """How far each face vertex (F,) at points (F, 2) px is bare skin: as bright as skin here
        is, and no texture of hair."""
        light = (photo @ LUMA).astype(np.float32)
        blurred = np.asarray(cv2.GaussianBlur(light, (0, 0), 2.0), np.float32)
        rough = np.asarray(cv2.GaussianBlur((light - blurred) ** 2, (0, 0), 2.0), np.float32)
        typical = float(np.median(sample(light, points)))
        seen, expected = sample(blurred, points), self._source * typical
        missing = max(SHINY - typical, 0.0)
        padded = np.where(seen > expected, np.float32(missing), np.float32(0))
        off = np.abs(np.log((seen + 5 + padded) / (expected + 5 + padded)))
        shine = np.clip(seen - expected, 0, missing)  # pores glitter in it
        grain = np.sqrt(np.maximum(sample(rough, points), 0)) / (typical + 5 + shine)
        bare = np.clip((HAIRY[1] - off) / (HAIRY[1] - HAIRY[0]), 0, 1)
        bare *= np.clip((ROUGH[1] - grain) / (ROUGH[1] - ROUGH[0]), 0, 1)
        out: Float = self._smoothing @ bare.astype(np.float32)
        return out

    def _shade(self, normals: Float) -> Float:
        shade: Float = np.maximum(_harmonics(normals[FACE]) @ self._coefficients, FLOOR)
        return shade


def _harmonics(n: Float) -> Float:
    """The nine real harmonics (N, 9) of unit normals (N, 3), unnormalised."""
    x, y, z = n.T
    return np.stack(
        [np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], 1
    )


def _plain(model: FaceModel) -> Bool:
    """Which face vertices (F,) are neither lid nor lip."""
    lids = (model.lids["L"] + model.lids["R"])[FACE]
    return np.asarray((lids == 0) & (model.lips[FACE] == 0))


def _folded(model: FaceModel) -> Float:
    """How little the normal of each face vertex (F,) says, 0..1: lids fold, and so do the corners
    of the mouth."""
    lids = (model.lids["L"] + model.lids["R"])[FACE]
    return np.asarray(np.maximum(LIDS_FOLD * lids, CORNERS_FOLD * _corners(model)))


def _corners(model: FaceModel) -> Float:
    """How far each face vertex (F,) belongs to the corners of the mouth, 0..1: what is drawn into
    the cheek there."""
    moved = sum(model.expressions[model.index[f"mouthDimple_{side}"], FACE] for side in SIDES)
    travel = np.linalg.norm(moved, axis=1)
    out: Float = np.clip(2 * travel / travel.max(), 0, 1).astype(np.float32)
    return out


def _robust(basis: Float, light: Float) -> Float:
    """Coefficients (9,) in units of the median, with hair, brows and shine weighed down."""
    ridge = np.diag([1e-3] + [20.0] * 8)
    weight: Real = np.ones(len(light))
    x: Real = np.zeros(9)
    for _ in range(5):
        x = np.linalg.solve(basis.T @ (basis * weight[:, None]) + ridge, basis.T @ (weight * light))
        off = light - basis @ x
        spread = 1.48 * np.median(np.abs(off)) + 1
        weight = 1 / (1 + (off / (1.5 * spread)) ** 2)
    out: Float = (x / max(float(np.median(light)), 1.0)).astype(np.float32)
    return out

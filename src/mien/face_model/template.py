"""Points of the mesh that a fit looks for in a photograph: the 68 landmarks, and the 189-point FRL
template of the Face Research Lab sets where somebody has checked it by hand.

Where the template's points lie on the mesh was learnt once, by `mien.tables.template`, from the
training people of those sets. Points on hair, ears, neck and clothes have no place on the face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from mien.face_model.arrays import Bool, Double, Index, Real

TABLE = Path(__file__).with_name("template.safetensors")
COUNT = 189

PUPILS = (0, 1)
"""Centres of the pupils: the person's right eye, then the left."""
IRISES = (tuple(range(2, 10)), tuple(range(10, 18)))
"""Eight points around each iris; the upper ones lie on the lid where it hides the rim."""
OUTLINE = (109, 185, 110, 186, 111, 125, 126, 127, 128, 129,
           130, 131, 132, 133, 114, 188, 113, 187, 112)  # fmt: skip
"""The face's edge from ear to ear: which skin lies there depends on the pose."""
ELSEWHERE = {
    "ears": tuple(range(115, 125)),
    "hairline": tuple(range(134, 145)),
    "hair and neck": tuple(range(145, 158)),
    "throat": (183, 184),
}
"""Points without a place on the face, by what they lie on."""
PLACED: Index = np.array(
    [i for i in range(18, COUNT) if not any(i in points for points in ELSEWHERE.values())]
)
"""The template's points that have a place on the mesh (K,)."""
FITTED: Index = PLACED[~np.isin(PLACED, OUTLINE)]
"""The placed points but the outline, which the landmarks hold already."""
LANDMARK_NOISE = 1.6
"""Expected error of one of the 68 landmarks, px at 320."""
SHARED = 0.5
"""Factor on the trust in template points: they say again much of what the landmarks say."""
SHARP, VAGUE = 0.05, 9.0
"""Noise of a landmark, and the error, px at 320, at which a template point is noise altogether."""
OUTLINE_NOISE = 0.3
"""The outline slides along the cheek: trust it less."""
LANDMARK_WEIGHTS = ((slice(17, 27), 0.7), (slice(36, 48), 1.5), (slice(48, 60), 1.2),
                    (slice(60, 68), 1.3))  # fmt: skip
"""Brows are vague, lids and lips sharp: factors on the trust in some of the 68."""
LIPS_MEET = ((94, 99), (95, 100), (96, 101), (97, 102), (98, 103))
"""Upper and lower inner lip: one point each when the mouth is closed."""


@dataclass(frozen=True, eq=False)
class Markers:
    """K points on the mesh, each inside a triangle.

    vertices (K, 3) of the triangle; shares (K, 3) of each corner, sum 1; trust (K,), one over the
    expected error in px at 320; noise (K,), the share of a left-over difference's variance that is
    error; outline: which markers form the face's edge, in order along it.
    """

    vertices: Index
    shares: Double
    trust: Double
    noise: Double
    outline: Index

    def __len__(self) -> int:
        return len(self.vertices)

    def of(self, values: Real) -> Double:
        """Values (..., N, C) of the vertices at the markers: (..., K, C)."""
        out: Double = np.einsum("...kjc,kj->...kc", values[..., self.vertices, :], self.shares)
        return out

    @property
    def inner(self) -> Bool:
        """Which markers (K,) do not lie on the outline."""
        out = np.ones(len(self), bool)
        out[self.outline] = False
        return out


@dataclass(frozen=True)
class Places:
    """Where the placed points of the template lie: vertices (K, 3), shares (K, 3), and the error
    (K,) px at 320 with which training people's points lie there."""

    vertices: Index
    shares: Double
    error: Double

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        arrays: dict[str, NDArray[Any]] = {
            "points": PLACED.astype(np.int16),
            "vertices": self.vertices.astype(np.int16),
            "shares": self.shares.astype(np.float32),
            "error": self.error.astype(np.float32),
        }
        about = {
            "license": "CC-BY-4.0",
            "source": "Face Research Lab sets, doi 10.6084/m9.figshare.5047666 and 4220517, "
            "training people",
        }
        save_file(arrays, path, about)


@cache
def shipped() -> Places:
    """The places that come with mien."""
    arrays = load_file(TABLE)
    return Places(
        arrays["vertices"].astype(np.intp),
        arrays["shares"].astype(np.float64),
        arrays["error"].astype(np.float64),
    )


def of_landmarks(vertices: Index) -> Markers:
    """Markers of the 68 landmarks, at `vertices` (68,)."""
    trust = np.full(len(vertices), 1 / LANDMARK_NOISE)
    for part, factor in LANDMARK_WEIGHTS:
        trust[part] *= factor
    corners = np.repeat(vertices[:, None], 3, 1)
    shares, noise = np.tile([1.0, 0.0, 0.0], (len(vertices), 1)), np.full(len(vertices), SHARP)
    noise[:17] = OUTLINE_NOISE
    return Markers(corners, shares, trust, noise, np.arange(17))


def with_template(landmarks: Markers, places: Places) -> Markers:
    """The 68 landmarks and, behind them, the template's placed points.

    Only the landmarks' own outline counts as one: it is the template's, evenly spaced.
    """
    kept = np.isin(PLACED, FITTED)
    return Markers(
        np.concatenate([landmarks.vertices, places.vertices[kept]]),
        np.concatenate([landmarks.shares, places.shares[kept]]),
        np.concatenate([landmarks.trust, SHARED / np.hypot(LANDMARK_NOISE, places.error[kept])]),
        np.concatenate([landmarks.noise, SHARP + (places.error[kept] / VAGUE) ** 2]),
        landmarks.outline,
    )

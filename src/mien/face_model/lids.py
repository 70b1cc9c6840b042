"""The skin between lid and brow: folded in most photographs, and unfolded when the brow rises.

The mesh folds it along one line. Carried to a raised brow as it is, that line, a pixel high in the
photograph, would fill the whole lid. So what the fold gives out is taken from all the skin around
it that the photograph does show.
"""

from __future__ import annotations

import numpy as np

from mien.face_model.arrays import Double, Float, Index
from mien.face_model.mesh import EYE_SOCKETS, FACE, SIDES, FaceModel
from mien.face_model.neighbours import Nearest, depth_within

EYES = {"R": (36, 37, 38, 39), "L": (42, 43, 44, 45)}
"""Landmarks of the upper lid's edge."""
BROWS = {"R": (17, 18, 19, 20, 21), "L": (22, 23, 24, 25, 26)}
SHARE, NEIGHBOURS = 3.0, 40
"""Distance, px, over which skin shares its motion, and among how many vertices at most."""
MARGIN = 4.0
"""How far around lid and brow skin takes part, px."""

FOLD_REACH = 1.0
"""Distance from an eye, px, up to which its lashes and the shade of its lid lie on the skin."""


class LidFolds:
    """The upper lids of one photograph."""

    def __init__(self, model: FaceModel, points: Float, landmarks: Double) -> None:
        """points (N, 2) px of the mesh and landmarks (68, 2) px in the photograph."""
        edges = {side: model.lash_lines[side] for side in SIDES}
        self._parts = {
            side: _sharing(points, landmarks[list(EYES[side])], landmarks[list(BROWS[side])], edge)
            for side, edge in edges.items()
        }

    def smooth(self, moved: Float, blink: dict[str, float]) -> None:
        """Spread the motion (N, 2) of each upper lid, in place; a lid that closes, by `blink`
        0..1, goes its own way."""
        for side, (at, near, share) in self._parts.items():
            if len(at):
                own = np.float32(1 - min(1.0, 3 * blink[side]))
                for axis in moved.T:  # NumPy is slow at broadcasting to two
                    mean = np.einsum("km,km->k", np.take(axis, near), share)
                    axis[at] += own * (mean - axis[at])


def _sharing(points: Float, lid: Double, brow: Double, edge: Index) -> tuple[Index, Index, Float]:
    """Vertices (K,) of the fold, those (K, M) each shares its motion with, and the shares."""
    outline = np.concatenate([lid, brow[::-1]]).astype(np.float32)
    low, high = outline.min(0) - MARGIN, outline.max(0) + MARGIN
    face = points[FACE]
    around = np.flatnonzero(((face > low) & (face < high)).all(1))
    off = depth_within(outline, face[around]).astype(np.float32)
    own = np.clip(off / MARGIN + 1, 0, 1)  # to nothing at the margin's edge
    part, own = around[own > 0], own[own > 0]
    free = np.isin(part, edge, invert=True)
    if free.sum() < 2:
        nobody = np.zeros((0, 1), np.intp)
        return nobody[:, 0], nobody, nobody.astype(np.float32)
    at, own = part[free], own[free]
    far, near = Nearest(face[part])(face[at], min(NEIGHBOURS, len(part)))
    share = np.exp(-0.5 * (far / SHARE) ** 2)
    share *= own[:, None] / share.sum(1, keepdims=True)
    shares = np.column_stack([share, 1 - own]).astype(np.float32)
    return at, np.column_stack([part[near], at]), shares


def folded_lid(eye: Double, points: Float) -> Float:
    """How far (N,) a vertex of the skin, the mesh being at points (N, 2) px, lies where the
    photograph shows the eye (6, 2) px: skin that is folded away there, and that a rising or a
    closing lid brings out."""
    outline = eye.astype(np.float32)
    low, high = outline.min(0) - FOLD_REACH, outline.max(0) + FOLD_REACH
    skin = points[: EYE_SOCKETS.stop]
    at = np.flatnonzero(((skin > low) & (skin < high)).all(1))
    off = depth_within(outline, skin[at]).astype(np.float32)
    found = np.zeros(len(points), np.float32)
    found[at] = np.clip(off / FOLD_REACH + 1, 0, 1)
    return found


def closing(model: FaceModel, weights: Float, at: Index) -> Float:
    """How far, cm, vertices `at` (K,) of the lids go (K, 3) when they close, from where `weights`
    (53,) have them."""
    blinks = [model.index[f"eyeBlink_{side}"] for side in SIDES]
    moves = model.expressions[blinks][:, at]
    return np.asarray(np.tensordot(1 - weights[blinks], moves, 1), np.float32)

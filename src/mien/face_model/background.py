"""What surrounds the face moves along: a coarse grid over the photograph, pulled by the skin.

The displacement of the grid solves a screened Laplace equation: the face's own displacement where
the face is, zero at the top and the sides of the crop, free at the bottom (neck and shoulders). The
matrix is the photograph's, so it is factored once.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Int, Layer
from mien.face_model.mesh import SKIN_LAYER
from mien.face_model.raster import in_sight, over_centre, rasterise
from mien.face_model.sampling import sample

STEP = 5
"""Grid spacing, px at 320."""
REACH = 55.0
"""Distance, px at 320, over which hair and background forget the face's motion (the screening
length)."""
LOW, HEAVY = 70.0, 14.0
"""Below the chin the pull to 0 grows, up to this many times more at this distance, px: shoulders
stay where they are, and the neck is pressed together between them and the jaw."""
STEEP = 0.6
"""Change of the displacement, per px, up to which it can be undone step by step."""
NEAR = 22.0
"""The same for a change of light: hair, ears and neck take it."""
CORNER, BACKDROP = 16, 50.0
"""Side, px, of the upper corners, which show what stands behind the head, and the difference of
colour, of 255, that a wall's shades stay under: the wall takes no part in the face's light."""


HUE, SHADE = 2.5, 0.45
"""How much a difference of hue counts for that, and one of brightness."""
RIM = 2
"""How far, px, from the wall something must lie to take part: between both lies a mixture."""
ROUNDS = 8
"""Steps that turn "where does this go" into "where does this come from"; each leaves at most a
half of the error."""


class Background:
    """The grid of one photograph: points (G, 2) px."""

    def __init__(
        self, size: int, points: Float, depth: Float, triangles: Int, layers: Layer, chin: float
    ) -> None:
        """From the source face: its points (N, 2) px, depths (N,), the triangles that are drawn,
        and the row, px, of its chin."""
        axis = np.arange(0, size + STEP, STEP, dtype=np.float32)
        self._n = len(axis)
        ys, xs = np.meshgrid(axis, axis, indexing="ij")
        self.points = np.stack([xs, ys], -1).reshape(-1, 2)
        self._pin(points, depth, triangles, layers)
        still = np.zeros((self._n, self._n), bool)
        still[0] = still[:, 0] = still[:, -1] = True
        self._free = ~(self._on_face | still.ravel())
        low = np.clip((self.points[:, 1] - chin) / LOW, 0, 1)
        self._heavy = (1 + HEAVY * low).reshape(self._n, self._n)
        self._grids: dict[float, _Grid] = {}

    def _pin(self, points: Float, depth: Float, triangles: Int, layers: Layer) -> None:
        """Find which grid points lie on skin, and between which vertices."""
        n, points = self._n, points / np.float32(STEP)  # a pixel to each point of the grid
        near = over_centre(points, triangles)  # a quarter of them
        triangles, layers = triangles[near], layers[near]
        raster = rasterise(points, depth, triangles, (n, n))
        hit = raster.index.ravel()
        self._on_face = (hit >= 0) & (layers[np.maximum(hit, 0)] == SKIN_LAYER)
        self._corners = triangles[hit[self._on_face]]
        on_face = self._on_face.reshape(n, n)
        self._weights = raster.shares(on_face)[..., None]

    def _grid(self, reach: float) -> _Grid:
        """The solved matrix of a screening length, px."""
        if reach not in self._grids:
            self._grids[reach] = _Grid(
                self._free.reshape(self._n, -1), self._heavy * (STEP / reach) ** 2
            )
        return self._grids[reach]

    def spread(self, values: Float, reach: float = REACH) -> Float:
        """Values (G, C) on the grid, given those of every vertex (N, C), such as displacements;
        forgotten over `reach` px."""
        known = np.zeros((self._n * self._n, values.shape[1]))
        known[self._on_face] = (values[self._corners] * self._weights).sum(1)
        return self._grid(reach).filled(known.reshape(self._n, self._n, -1)).astype(np.float32)

    def sample(self, values: Float, points: Float) -> Float:
        """Values (G, C) of the grid at points (K, 2) px."""
        return sample(values.reshape(self._n, self._n, -1), points / STEP)

    def folds(self, drift: Float) -> bool:
        """Whether a displacement (G, 2) px of the grid brings neighbours so near, or so far apart,
        that what came from where cannot be found step by step."""
        grid = drift.reshape(self._n, self._n, 2)
        free = ~self._on_face.reshape(self._n, self._n)  # under the face nobody sees it
        seen = (free[1:] | free[:-1], free[:, 1:] | free[:, :-1])
        steps = (np.abs(np.diff(grid, axis=axis)).max(-1) for axis in (0, 1))
        most = max(float((step * at).max()) for step, at in zip(steps, seen, strict=True))
        return most > STEEP * STEP

    def origins(self, drift: Float) -> Float:
        """Where what lies at each grid point came from (G, 2) px, when the grid was displaced by
        `drift` (G, 2) px."""
        out = self.points.copy()
        for _ in range(ROUNDS):
            out = self.points - self.sample(drift, out)
        return out

    def drawn(self, drift: Float, to_raster: Callable[[Float], Float], places: Float) -> Float:
        """Where each pixel of a raster, at `places` (2, H, W) px, came from, when the grid was
        displaced by `drift` (G, 2) px, if that folds it: of what lies on top of one another,
        something shows. `to_raster` turns points of the crop into the raster's.
        """
        ids = np.arange(self._n**2, dtype=np.int32).reshape(self._n, self._n)
        a, b, c, d = (q.ravel() for q in (ids[:-1, :-1], ids[:-1, 1:], ids[1:, :-1], ids[1:, 1:]))
        triangles = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
        points = to_raster(self.points + drift)
        flat = np.zeros(len(points), np.float32)
        triangles = triangles[in_sight(points, triangles, places.shape[1:])]
        raster = rasterise(points, flat, triangles, places.shape[1:])
        seen = raster.index >= 0
        out = places.copy()  # beyond the grid nothing moves
        for axis, found in zip(out, raster.spread(self.points, seen).T, strict=True):
            np.place(axis, seen, found)
        return out

    def over(self, values: Float, places: Float) -> Float:
        """Values (G, C) of the grid at places, x and y (2, H, W) px: (C, H, W)."""
        x, y = places / np.float32(STEP)
        out = np.empty((values.shape[1], *x.shape), np.float32)
        for into, channel in zip(out, np.ascontiguousarray(values.T), strict=True):
            grid = channel.reshape(self._n, self._n)
            cv2.remap(grid, x, y, cv2.INTER_LINEAR, into, cv2.BORDER_REPLICATE)
        return out


class _Grid:
    """A screened Laplace equation on a square grid, some of whose points are free.

    Row by row a point's equation has its row and the two beside it, so the matrix is tridiagonal in
    blocks of a row, and elimination row after row solves it.
    """

    def __init__(self, free: Bool, screening: Float) -> None:
        """free (n, n): which points are solved for; screening (n, n): pull to 0, relative to one
        neighbour's."""
        self._free = free
        n = len(free)
        edges = np.full(n, 4.0)
        edges[[0, -1]] = 3
        beside = np.eye(n, k=1) + np.eye(n, k=-1)
        inverse: Double = np.zeros((n, n))
        self._inverses: list[Double] = []
        for y, row in enumerate(free):
            degree = edges - (y in (0, n - 1))
            own = np.diag(degree + screening[y]) - beside
            if y:
                own -= inverse  # it is 0 where the row before is known
            inverse, solved = np.zeros((n, n)), np.ix_(row, row)
            inverse[solved] = np.linalg.inv(own[solved])
            self._inverses.append(inverse)

    def filled(self, known: Double) -> Double:
        """Values (n * n, C), those of the free points from the `known` (n, n, C) of the others."""
        free = self._free[..., None]
        held = np.where(free, 0, known)
        pull = np.zeros_like(held)  # what known neighbours give
        pull[1:] += held[:-1]
        pull[:-1] += held[1:]
        pull[:, 1:] += held[:, :-1]
        pull[:, :-1] += held[:, 1:]
        pull *= free
        out = np.zeros_like(held)
        for y, inverse in enumerate(self._inverses):
            out[y] = inverse @ (pull[y] + out[y - 1] if y else pull[y])
        for y in range(len(out) - 2, -1, -1):
            out[y] += self._inverses[y] @ out[y + 1]
        return (out + held).reshape(-1, known.shape[-1])


def before_wall(photo: Float) -> Float:
    """How little (H, W) each pixel of the photograph (H, W, 3) looks like what its upper corners
    show, 0..1."""
    soft = np.asarray(cv2.GaussianBlur(photo, (0, 0), 1.2), np.float32)
    corners = (soft[:CORNER, :CORNER], soft[:CORNER, -CORNER:])
    off = [_distances(soft - np.median(c, (0, 1)).astype(np.float32)) for c in corners]
    unlike = (1 - np.exp(-((np.minimum(*off) / BACKDROP) ** 4))).astype(np.float32)
    certain = cv2.erode(unlike, np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
    return np.asarray(cv2.GaussianBlur(certain, (0, 0), 0.5 * RIM), np.float32)


def _distances(difference: Float) -> Float:
    """How far (H, W) colours that differ by (H, W, 3) lie apart: a wall has shades of one hue."""
    red, green, blue = (np.ascontiguousarray(difference[..., i]) for i in range(3))
    grey = (red + green + blue) / np.float32(3)
    hue = np.sqrt((red - grey) ** 2 + (green - grey) ** 2 + (blue - grey) ** 2)
    return np.asarray(np.hypot(HUE * hue, SHADE * np.sqrt(3) * grey), np.float32)

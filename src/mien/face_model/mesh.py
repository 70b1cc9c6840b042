"""The 3-D face model: ICT Face Model Light.

Lengths are centimetres; x points to the person's left, y up, z to the viewer. The vertices come in
blocks (face, mouth socket, eye sockets, gums, teeth, eyeballs, then eyelashes and fluid, which are
not kept), so a part of the face is a range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

import cv2
import numpy as np
from safetensors import SafetensorError

from mien.errors import AssetMissing, DataError
from mien.face_model import packed, template
from mien.face_model.arrays import Bool, Double, Float, Index, Int, Layer
from mien.face_model.neighbours import Nearest, Sums
from mien.face_model.raster import Normals
from mien.face_model.template import Markers

if TYPE_CHECKING:
    from mien.face_model.lip_chart import LipChart

T = TypeVar("T")

FACE = slice(0, 9409)
HEAD = slice(9409, 11248)
MOUTH_SOCKET = slice(11248, 13294)
EYE_SOCKETS = slice(13294, 14062)
GUMS = slice(14062, 17039)
TONGUE = slice(16000, 17039)
TEETH = slice(17039, 21451)
GUMS_AND_TEETH = slice(14062, 21451)
EYE = {"L": slice(21451, 23021), "R": slice(23021, 24591)}
EYEBALLS = slice(21451, 24591)
KEPT = 24591
"""Vertices that are rendered; eyelashes and fluid lie behind this one."""

SKIN_LAYER, SOCKET_LAYER, GUM_LAYER, TEETH_LAYER, EYE_LAYER, MOUTH_LAYER = 1, 2, 3, 4, 5, 6
BACKGROUND_LAYER = 9
MOUTH_LAYERS = MOUTH_LAYER, GUM_LAYER, TEETH_LAYER
"""What a triangle belongs to; decides how its pixels are coloured."""

IDENTITIES = 50
"""Identity modes used: the other fifty move landmarks by less than the landmarks' own error."""

SEWN = 0.8
"""How deep under the skin, cm, things still follow it."""

ROWS = 512
"""Rows of a large kernel matrix that are worked on at a time."""

SIDES = ("L", "R")

BROKEN = (BadZipFile, SafetensorError)
"""What the readers of the two file formats raise besides the built-in errors."""


@dataclass(frozen=True)
class FaceModel:
    """A linear face: neutral + identity @ coefficients + expression @ weights.

    neutral (N, 3); names of the 53 expressions; expressions (53, N, 3) at full weight; identities
    (50, N, 3), coefficients ~ N(0, 1); triangles (T, 3) and their layers (T,); landmarks (68,)
    vertices in iBUG order.
    """

    neutral: Float
    names: tuple[str, ...]
    expressions: Float
    identities: Float
    triangles: Int
    layers: Layer
    landmarks: Index

    @classmethod
    def load(cls, path: Path | None = None) -> FaceModel:
        """The model that comes with mien, or the one that `mien data import ict-facekit` wrote to
        `path` (.npz).

        Raises:
            AssetMissing: it is not there; the message says how to get it.
            DataError: the file is not the model.
        """
        where = path or packed.FILE
        remedy = "run `mien data import ict-facekit` again" if path else "install mien again"
        if not where.is_file():
            raise AssetMissing(f"the face model is not at {where}: {remedy}")
        try:
            if path is None:
                return cls(*packed.read())
            with np.load(path, allow_pickle=False) as arrays:
                return cls.from_arrays(arrays)
        except (OSError, ValueError, KeyError, IndexError, EOFError, *BROKEN) as error:
            raise DataError(f"{where} is not a usable face model ({error}): {remedy}") from None

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> FaceModel:
        """The model of the arrays in `ict_facekit.npz`; ValueError or KeyError if they do not
        fit."""
        neutral = np.asarray(arrays["neutral"], np.float32)
        names = tuple(str(name) for name in arrays["expression_names"])
        landmarks = np.asarray(arrays["landmark_vertices"], np.intp)
        if neutral.ndim != 2 or len(neutral) < KEPT or landmarks.shape != (68,):
            raise ValueError("vertices or landmarks are missing")
        deltas = np.asarray(arrays["expression_deltas"])[:, :KEPT].astype(np.float32)
        identities = np.asarray(arrays["identity_deltas"])[:IDENTITIES, :KEPT].astype(np.float32)
        if deltas.shape != (len(names), KEPT, 3) or identities.shape != (IDENTITIES, KEPT, 3):
            raise ValueError("blendshapes do not match the vertices")
        if not all(np.isfinite(a).all() for a in (neutral, deltas, identities)):
            raise ValueError("a vertex is not a finite number")
        triangles, layers = _layered(np.asarray(arrays["faces"], np.int32))
        return cls(neutral[:KEPT], names, deltas, identities, triangles, layers, landmarks)

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each expression in `names`."""
        return {name: i for i, name in enumerate(self.names)}

    def once(self, make: Callable[[FaceModel], T]) -> T:
        """What `make` says of this model, which is asked once: for what depends on nothing else."""
        if make not in self._made:  # two threads may ask: the same
            self._made[make] = make(self)
        out: T = self._made[make]
        return out

    def __reduce__(self) -> tuple[type[FaceModel], tuple[Any, ...]]:
        parts = tuple(getattr(self, part.name) for part in fields(self))
        return type(self), parts  # what was made of it stays behind

    @cached_property
    def _made(self) -> dict[Callable[[FaceModel], Any], Any]:
        return {}

    def shape(self, identity: Float) -> Float:
        """Vertices (N, 3) of the neutral face with identity coefficients (50,)."""
        known, shape = self._last_shape
        if not np.array_equal(known, identity):
            moved = np.tensordot(identity.astype(np.float32), self.identities, 1)
            known, shape = identity.copy(), self.neutral + moved
            shape.setflags(write=False)
            self.__dict__["_last_shape"] = known, shape
        return shape

    def moved(self, weights: Float) -> Float:
        """How far (N, 3) expressions of `weights` (53,) move each vertex."""
        out = np.zeros_like(self.neutral)
        for k in np.flatnonzero(weights):
            cv2.scaleAdd(self.expressions[k], float(weights[k]), out, out)
        return out

    @cached_property
    def _last_shape(self) -> tuple[Float, Float]:
        """Whom `shape` was asked for last: the frames of a film ask for one person."""
        return np.zeros(0, np.float32), self.neutral

    def at(self, markers: Markers) -> tuple[Double, Double, Double]:
        """The neutral face (K, 3), identities (50, K, 3) and expressions (53, K, 3) at K markers;
        known already for the model's own."""
        found: tuple[Double, Double, Double] | None = self._at.get(id(markers))
        if found is None:
            every = (self.neutral, self.identities, self.expressions)
            found = (markers.of(every[0]), markers.of(every[1]), markers.of(every[2]))
            if markers is self.markers or markers is self.template_markers:
                self._at[id(markers)] = found
        return found

    @cached_property
    def _at(self) -> dict[int, tuple[Double, Double, Double]]:
        return {}

    def normals(self, vertices: Float) -> Float:
        """Unit normals (N, 3) of the skin's vertices, pointing out of the face; 0 for all others,
        which no light is reckoned on."""
        out = np.zeros_like(vertices)
        out[FACE] = self._normals(vertices) * self._outward
        return out

    @cached_property
    def _normals(self) -> Normals:
        return Normals(self.triangles, FACE.stop)

    @cached_property
    def _outward(self) -> np.float32:
        """+1 or -1: the winding of the file, found by the tip of the nose."""
        return np.float32(np.sign(self._normals(self.neutral)[self.landmarks[30], 2]))

    @cached_property
    def markers(self) -> Markers:
        """The 68 landmarks as points of the mesh."""
        return template.of_landmarks(self.landmarks)

    @cached_property
    def template_markers(self) -> Markers:
        """The 68 landmarks, and behind them the points of the 189-point template that have a place
        on the mesh."""
        return template.with_template(self.markers, template.shipped())

    def spread(self, residual: Float) -> Float:
        """What a fit left over at its markers (K, C), spread over all vertices (N, C).

        K tells whether they are the landmarks or the template's markers.
        """
        landmarks = len(residual) == len(self.markers)
        return (self.residual if landmarks else self._template_residual) @ residual

    @cached_property
    def residual(self) -> Float:
        """Operator (N, 68) that spreads what a fit left over at the landmarks over all vertices."""
        return self._kriging(self.markers)

    @cached_property
    def _template_residual(self) -> Float:
        return self._kriging(self.template_markers)

    def _kriging(self, markers: Markers) -> Float:
        """Operator (N, K) that spreads what is known at K markers over all vertices.

        Kriging with a Matern-3/2 kernel, on a rest shape with mouth and eyes open so that the two
        lips, and the two lids, do not pull each other. The back of the head is held in place by
        anchors. Eyeballs move as one; teeth and gums do not move.
        """
        rest = self.neutral + 0.8 * self.expressions[self.index["jawOpen"]]
        rest += 0.5 * sum(self.expressions[self.index[f"eyeWide_{side}"]] for side in SIDES)
        scalp = np.flatnonzero(self.neutral[FACE, 1] > 10)[::40]
        anchors = np.concatenate([np.arange(HEAD.start, HEAD.stop, 60), scalp])
        known = np.concatenate([markers.of(rest).astype(np.float32), rest[anchors]])
        noise = np.full(len(known), 0.05)
        noise[: len(markers)] = markers.noise
        inverse = np.linalg.inv(_matern(known, known) + np.diag(noise))[:, : len(markers)]
        out = (_matern(rest, known) @ inverse.astype(np.float32)).astype(np.float32)
        for eye in EYE.values():
            out[eye] = out[eye].mean(0)
        out[GUMS_AND_TEETH] = 0
        return out

    def follow(self, moved: Float) -> Float:
        """All vertices (N, C) when the skin's are moved by (F, C): what is sewn to the skin goes
        with its nearest vertex, the less the deeper it lies; eyeballs, gums and teeth stay."""
        nearest, share = self._followers
        return np.concatenate([moved, moved[nearest] * share])

    @cached_property
    def _followers(self) -> tuple[Index, Float]:
        far, near = Nearest(self.neutral[FACE])(self.neutral[FACE.stop :])
        share = np.exp(-((far[:, 0] / SEWN) ** 2)).astype(np.float32)
        for part in (EYEBALLS, GUMS_AND_TEETH):
            share[part.start - FACE.stop : part.stop - FACE.stop] = 0
        return near[:, 0], share[:, None]

    @cached_property
    def smoothing(self) -> Sums:
        """Mean (F, F) over a skin vertex and its neighbours."""
        n = FACE.stop
        a, b, c = self.triangles[self.layers == SKIN_LAYER].T
        own = np.arange(n)
        rows, columns = (
            np.concatenate([a, b, c, b, c, a, own]),
            np.concatenate([b, c, a, a, b, c, own]),
        )
        pairs = np.sort(rows * n + columns)
        first = np.flatnonzero(np.diff(pairs, prepend=-1))  # an edge is named by both its triangles
        often = np.diff(first, append=len(pairs)).astype(np.float32)
        row, column = np.divmod(pairs[first][::-1], n)
        share = (1 / np.bincount(rows, minlength=n)).astype(np.float32)
        return Sums(row, column, share[row] * often[::-1], n)

    @cached_property
    def lids(self) -> dict[str, Float]:
        """Per side, how much a vertex (N,) belongs to that eye's lids, 0..1."""
        moved = self._travel("eyeBlink_L") + self._travel("eyeBlink_R")
        lid = np.clip((moved - 0.05) / 0.25, 0, 1).astype(np.float32)
        lid[HEAD.start : EYE_SOCKETS.start] = 0
        lid[EYE_SOCKETS.stop :] = 0
        left = self.neutral[:, 0] * self.neutral[EYE["L"], 0].mean() > 0
        return {"L": lid * left, "R": lid * ~left}

    @cached_property
    def lips(self) -> Float:
        """1 for the vertices (N,) of the red of the lips, found by the roll shapes; else 0."""
        moved = self._travel("mouthRollUpper") ** 2 + self._travel("mouthRollLower") ** 2
        lip = (moved > 0.02).astype(np.float32)
        lip[FACE.stop :] = 0
        return lip

    @cached_property
    def jaw_parts(self) -> tuple[Index, Index, Index]:
        """Vertices of the upper teeth and gum, of the lower ones, and of the tongue."""
        rides = self._travel("jawOpen") >= 0.02  # the upper jaw stays when the mouth opens
        inside = np.arange(GUMS_AND_TEETH.start, GUMS_AND_TEETH.stop)
        tongue = np.arange(TONGUE.start, TONGUE.stop)
        tongue = tongue[rides[tongue]]
        lower = inside[rides[inside]]
        return inside[~rides[inside]], lower[~np.isin(lower, tongue)], tongue

    @cached_property
    def lash_lines(self) -> dict[str, Index]:
        """Per side, the upper lid's edge from corner to corner, as vertices (<= 25,)."""
        out = {}
        for side in SIDES:
            drop = -self.expressions[self.index[f"eyeBlink_{side}"], :, 1]
            ids = np.flatnonzero(self.lids[side][FACE] > 0)
            x = self.neutral[ids, 0]
            edges = np.linspace(x.min(), x.max(), 26)
            bins = [ids[(x >= a) & (x <= b)] for a, b in pairwise(edges)]
            falling = [b[drop[b] > 0] for b in bins]
            out[side] = np.array([b[np.argmax(drop[b])] for b in falling if len(b)], np.intp)
        return out

    @cached_property
    def lip_chart(self) -> LipChart:
        """The frame in which lips are laid flat."""
        from mien.face_model.lip_chart import LipChart  # it stands on this module

        return LipChart(self)

    def _travel(self, name: str) -> Float:
        """How far (N,) an expression at full weight moves each vertex, cm."""
        out: Float = np.linalg.norm(self.expressions[self.index[name]], axis=1)
        return out


def _layered(faces: Int) -> tuple[Int, Layer]:
    """Triangles and layers of the rendered part of a mesh of quads (Q, 4), -1 marking a
    triangle."""
    if faces.ndim != 2 or faces.shape[1] != 4:
        raise ValueError("faces are not quads")
    quads = faces[faces[:, 3] >= 0]
    triangles = np.concatenate([faces[:, :3], quads[:, [0, 2, 3]]])
    low, high = triangles.min(1), triangles.max(1)
    mouth, sockets = MOUTH_SOCKET, EYE_SOCKETS

    def within(part: slice) -> Bool:
        inside: Bool = (low >= part.start) & (high < part.stop)
        return inside

    layers = np.zeros(len(triangles), np.int8)
    layers[within(FACE)] = SKIN_LAYER
    # A socket is sewn to the face by triangles with corners in both.
    layers[(high >= mouth.start) & (high < mouth.stop)] = MOUTH_LAYER
    layers[
        within(sockets) | ((high >= sockets.start) & (high < sockets.stop) & (low < FACE.stop))
    ] = SOCKET_LAYER
    layers[within(GUMS)] = GUM_LAYER
    layers[within(TEETH)] = TEETH_LAYER
    layers[within(EYEBALLS)] = EYE_LAYER
    kept = layers > 0
    return np.ascontiguousarray(triangles[kept], dtype=np.int32), layers[kept]


def _matern(a: Float, b: Float) -> Float:
    """Matern-3/2 kernel (A, B) of points (A, 3) and (B, 3); length scale 1.6 cm, about a lip's
    width."""
    out = np.empty((len(a), len(b)), np.result_type(a, b))
    to = (b * b).sum(1)
    for start in range(0, len(a), ROWS):  # a few rows stay in the cache
        some, r = a[start : start + ROWS], out[start : start + ROWS]
        np.add((some * some).sum(1)[:, None], to, out=r)
        r -= 2 * (some @ b.T)
        np.maximum(r, 0, out=r)
        np.sqrt(r, out=r)
        r /= 1.6
        near = np.exp(-r)
        r += 1
        r *= near
    return out

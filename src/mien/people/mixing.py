"""A face mixed from several: shape and skin on the face model's mesh, laid into one photograph.

The photograph is the *frame*: it gives hair, ears, neck, clothes and the fine texture of bare skin.
The face takes the colours of its large forms from all sources by their shares; its fine structure
comes from one source a part, eyes with brows, nose, mouth, so that nothing is seen twice as in an
average. Parts join by bands of detail (Burt & Adelson, "A multiresolution spline with application
to image mosaics", ACM Trans. Graphics 1983). Its shape is given (`people/shapes.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay

from mien.errors import FaceUndrawable
from mien.face_model.arrays import Index, Int
from mien.face_model.eyes import disc
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.raster import rasterise
from mien.faces.align import side_of, similarity, transform
from mien.people.sources import SourceFace
from mien.types import Face, Float, UInt8

ROOM = 1.7
"""Side of the picture in sides of the frame's crop, where the photograph is that large."""
EYES_AT = 0.45
"""Height of the eyes in the picture, in its sides."""
FACING = 0.5
"""Least facing of a vertex whose place in a photograph is believed."""
PARTS = {"eyes": (*range(17, 27), *range(36, 48)), "nose": tuple(range(27, 36)),
         "mouth": tuple(range(48, 68))}  # fmt: skip
"""Landmarks of the parts whose fine structure comes from one source each."""
REACH = {"eyes": 0.2, "nose": 0.14, "mouth": 0.16}
"""How far a part goes beyond its landmarks, in distances of the eyes."""
BANDS = (0.006, 0.012, 0.025, 0.05, 0.1)
"""Bounds of the bands of detail, in distances of the eyes (standard deviations): beyond the last
all sources are averaged."""
FOLDED = 2e-4
"""Share of the surroundings that may be turned over; an ear is torn from about 5e-4 on."""
THROAT = 0.5
"""How far below the chin skin is mixed, in distances of the eyes: collars differ below."""
GRID = 40
"""Cells a side in which the frame's surroundings follow the face."""


@dataclass(frozen=True)
class Recipe:
    """Who is mixed: `shares` of the sources in the skin (sum 1), which of them is the `frame`, and
    which gives each of `PARTS`."""

    shares: tuple[float, ...]
    frame: int
    parts: tuple[int, int, int]


def mix(
    model: FaceModel, sources: Sequence[SourceFace], recipe: Recipe, shape: Float, size: int
) -> UInt8:
    """The mixed person, uint8 (size, size, 3) RGB, at rest as the frame is, in the shape (N, 3)
    cm.

    Raises:
        FaceUndrawable: the frame's hair and ears cannot follow the shape without folding.
    """
    frame = sources[recipe.frame]
    crop = SOURCE_SIZE * float(np.hypot(*frame.matrix[:, 0]))
    matrix = _window(frame.pixels, frame.face, crop, size)
    own = transform(matrix, frame.points)
    target = transform(matrix, transform(frame.matrix, _target(model, frame, shape)))
    known = _known(model, sources, size, target)
    grid = _surroundings(own, target, known, size)
    points = np.concatenate([target[known], grid[0]])
    mesh = Delaunay(points).simplices.astype(np.int32)
    _check_folds(points, np.concatenate([own[known], grid[0] + grid[1]]), mesh, len(known))
    raster = rasterise(points.astype(np.float32), np.zeros(len(points), np.float32), mesh,
                       (size, size))  # fmt: skip
    inside = np.ones((size, size), bool)

    def drawn(source: SourceFace) -> Float:
        to = matrix if source is frame else _onto(source, target, known)
        moved = transform(to, source.points)[known] - target[known]
        around = grid[1] if source is frame else np.zeros_like(grid[0])
        field = raster.spread(np.concatenate([moved, around]).astype(np.float32), inside)
        smooth = _blur(field.reshape(size, size, 2), 0.03 * _distance(target[model.landmarks]))
        return _drawn(source.pixels, to, smooth)

    pictures = [drawn(source) for source in sources]
    landmarks = target[model.landmarks]
    face = _face(frame, raster.index, mesh, known, landmarks, size)
    toned = [_toned(p, pictures[recipe.frame], face) for p in pictures]

    def bare(source: SourceFace) -> Float:
        shown = np.concatenate([source.bare[known], np.zeros(len(grid[0]), np.float32)])
        return raster.spread(shown[:, None], inside).reshape(size, size)

    believed = [_forehead(bare(s), landmarks) for s in sources]
    out = _joined(toned, believed, recipe, face, landmarks)
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def portrait(pixels: UInt8, face: Face, size: int) -> UInt8:
    """A photograph (H, W, 3) as a mixed person's picture would show it, uint8 (size, size, 3): the
    same window, resampled in the same way."""
    matrix = _window(pixels, face, side_of(face), size)
    still = np.zeros((size, size, 2), np.float32)
    return np.clip(np.rint(_drawn(pixels, matrix, still)), 0, 255).astype(np.uint8)


def _target(model: FaceModel, frame: SourceFace, shape: Float) -> Float:
    """Every vertex (N, 2) of a shape (N, 3) in the frame's crop of 320 px."""
    moved = shape + frame.shown  # what the frame's face shows stays
    points, _ = frame.camera.project(moved.astype(np.float32))
    own, _ = frame.camera.project(frame.neutral + frame.shown)
    eyes = model.landmarks[36:48]
    out: Float = points + (own[eyes].mean(0) - points[eyes].mean(0))
    return out


def _window(pixels: UInt8, face: Face, crop: float, size: int) -> Float:
    """Photograph px -> px of the picture (2, 3): the head in the middle, inside the photograph.
    crop: side of the face's crop, photograph px."""
    height, width = pixels.shape[:2]
    side = min(ROOM * crop, height, width)
    eyes = face.landmarks[36:48].mean(0)
    left = float(np.clip(eyes[0] - side / 2, 0, width - side))
    top = float(np.clip(eyes[1] - EYES_AT * side, 0, height - side))
    scale = size / side
    shift = np.array([-left, -top]) * scale + 0.5 * scale - 0.5
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)


def _onto(source: SourceFace, target: Float, known: Index) -> Float:
    """Photograph px -> picture px (2, 3): the similarity that maps a source onto the target."""
    return similarity(source.points[known], target[known])


def _known(model: FaceModel, sources: Sequence[SourceFace], size: int, target: Float) -> Index:
    """The face's vertices (K,) that every source shows and that lie inside the picture."""
    seen = np.min([s.facing for s in sources], axis=0)[FACE] > FACING
    at = target[FACE]
    return np.flatnonzero(seen & ((at > 2) & (at < size - 3)).all(1))


def _surroundings(own: Float, target: Float, known: Index, size: int) -> tuple[Float, Float]:
    """Points (G, 2) around the face, and where (G, 2) px from there the frame has what they show:
    as the face's edge moves, and less with distance (a membrane that is fixed at the border)."""
    step = (size - 1) / GRID
    count = GRID + 1
    cells = np.rint(target[known] / step).astype(int)
    flat = cells[:, 1] * count + cells[:, 0]
    moved = (own - target)[known]
    fixed = np.zeros((count * count, 2))
    held = np.zeros(count * count)
    np.add.at(fixed, flat, moved)
    np.add.at(held, flat, 1)
    fixed /= np.maximum(held, 1)[:, None]
    line = np.arange(count * count)
    x, y = line % count, line // count
    border = (x == 0) | (y == 0) | (x == GRID) | (y == GRID)
    is_face = held > 0
    line_graph = sparse.diags([1.0, 1.0], [-1, 1], (count, count))
    eye = sparse.eye(count)
    neighbours = sparse.kron(eye, line_graph) + sparse.kron(line_graph, eye)
    system = sparse.diags(np.asarray(neighbours.sum(1)).ravel() * 1.01) - neighbours
    keep = (border | is_face).astype(float)
    system = sparse.diags(1 - keep) @ system + sparse.diags(keep)
    right = np.where(is_face[:, None] & ~border[:, None], fixed, 0.0)
    solved = np.stack([spsolve(system.tocsc(), right[:, i]) for i in (0, 1)], 1)
    near = cv2.dilate(is_face.reshape(count, count).astype(np.uint8), np.ones((3, 3), np.uint8))
    hull = np.zeros((count, count), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.argwhere(near)[:, ::-1].astype(np.int32)), 1)
    free = hull.ravel() == 0
    at = np.stack([x, y], 1)[free] * step
    return at.astype(np.float32), solved[free].astype(np.float32)


def _check_folds(points: Float, origin: Float, mesh: Int, face: int) -> None:
    """FaceUndrawable if triangles (T, 3) around the face, whose points (P, 2) px have the first
    `face` on it, are turned over where they come from, (P, 2) px, by more than a few pixels."""
    around = mesh[(mesh >= face).any(1)]
    here, there = (_areas(at[around]) for at in (points, origin))
    folded = float(np.abs(here)[here * there < 0].sum())
    if folded > FOLDED * float(np.abs(here).sum()):
        raise FaceUndrawable("hair and ears of the frame cannot follow this shape")


def _areas(triangles: Float) -> Float:
    """Signed areas (T,) of triangles (T, 3, 2)."""
    a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return np.asarray(0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]), np.float32)


def _drawn(pixels: UInt8, to: Float, field: Float) -> Float:
    """A photograph through `to` (2, 3) and then a backward `field` (S, S, 2) px, float32."""
    size = len(field)
    ys, xs = np.mgrid[:size, :size].astype(np.float32)
    at = np.stack([xs, ys], -1) + field
    back = cv2.invertAffineTransform(to.astype(np.float64)).astype(np.float32)
    shrink = 1 / float(np.hypot(*to[:, 0]))
    # finer than the picture: what it cannot hold would be aliased
    source = _blur(pixels.astype(np.float32), 0.35 * shrink if shrink > 1.1 else 0.0)
    where = at @ back[:, :2].T + back[:, 2]
    x, y = np.ascontiguousarray(where.transpose(2, 0, 1))
    out = cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def _face(
    frame: SourceFace, index: Int, mesh: Int, known: Index,
    landmarks: Float, size: int,
) -> Float:  # fmt: skip
    """Where the mixed face shows, (S, S) in 0..1: inside the outline, up to the frame's hair,
    and down to the throat."""
    corners = mesh[np.maximum(index, 0)]
    on_face = ((corners < len(known)).all(-1) & (index >= 0)).astype(np.uint8)
    eyes = _distance(landmarks)
    inner = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.rint(landmarks[:27]).astype(np.int32))
    cv2.fillConvexPoly(inner, hull, 1)
    bare = np.zeros(len(known) + 1, np.float32)
    bare[:-1] = frame.bare[known]
    skin = bare[np.minimum(corners, len(known))].min(-1) * on_face
    skin = np.maximum(skin, cv2.erode(inner, disc(0.12 * eyes)))
    firm = (skin > 0.5).astype(np.uint8) * on_face
    firm[max(0, round(float(landmarks[8, 1]) + THROAT * eyes)) :] = 0
    opened = cv2.morphologyEx(firm, cv2.MORPH_OPEN, disc(0.08 * eyes))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc(0.05 * eyes))
    out = cv2.erode(closed, disc(0.2 * eyes))
    return np.asarray(out, np.float32)


def _distance(landmarks: Float) -> float:
    """Distance of the eyes, px."""
    return float(np.linalg.norm(landmarks[36:42].mean(0) - landmarks[42:48].mean(0)))


def _toned(picture: Float, frame: Float, face: Float) -> Float:
    """A picture with the frame's complexion: mean and spread of each colour over the face."""
    inside = face > 0
    a, b = picture[inside], frame[inside]
    spread = np.clip(b.std(0) / np.maximum(a.std(0), 1), 0.8, 1.25)
    out: Float = ((picture - np.median(a, 0)) * spread + np.median(b, 0)).astype(np.float32)
    return out


def _forehead(bare: Float, landmarks: Float) -> Float:
    """How far a source is believed, (S, S): above the brows only where it shows bare skin, or its
    fringe would lie on the forehead as a shadow."""
    eyes = _distance(landmarks)
    brows = float(landmarks[17:27, 1].min()) - 0.08 * eyes
    above = np.clip((brows - np.arange(len(bare), dtype=np.float32)) / (0.08 * eyes), 0, 1)
    clear = cv2.erode((bare > 0.6).astype(np.float32), disc(0.12 * eyes))
    return np.asarray(1 - above[:, None] * (1 - clear), np.float32)


def _joined(
    pictures: Sequence[Float], believed: Sequence[Float], recipe: Recipe, face: Float,
    landmarks: Float,
) -> Float:  # fmt: skip
    """All in one picture (S, S, 3), band by band."""
    eyes = _distance(landmarks)
    count, side = len(pictures), len(face)
    chosen = np.zeros((count, side, side), np.float32)
    left = np.ones((side, side), np.float32)
    for source, (name, part) in zip(recipe.parts, PARTS.items(), strict=True):
        mask = np.zeros((side, side), np.uint8)
        pieces = (part,) if name != "eyes" else (
            (*range(17, 22), *range(36, 42)), (*range(22, 27), *range(42, 48))
        )  # fmt: skip
        for piece in pieces:
            hull = cv2.convexHull(np.rint(landmarks[list(piece)]).astype(np.int32))
            cv2.fillConvexPoly(mask, hull, 1)
        own = cv2.dilate(mask, disc(REACH[name] * eyes)).astype(np.float32) * left * face
        chosen[source] += own
        left -= own
    chosen[recipe.frame] += left
    averaged = np.array(recipe.shares, np.float32)[:, None, None] * face * np.stack(believed)
    averaged[recipe.frame] += 1 - averaged.sum(0)
    bounds = [0.0, *(b * eyes for b in BANDS)]
    out = np.zeros_like(pictures[0])
    for i, picture in enumerate(pictures):
        blurred = [_blur(picture, bound) for bound in bounds]
        for (fine, coarse), bound in zip(pairwise(blurred), bounds[1:], strict=True):
            out += _blur(chosen[i], bound)[..., None] * (fine - coarse)
        out += _blur(averaged[i], bounds[-1])[..., None] * blurred[-1]
    return out


def _blur(image: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32) if sigma else image

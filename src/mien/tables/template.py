"""Learn where the 189-point template lies on the mesh: `python -m mien.tables.template`.

Every training person with hand-checked points is fitted by the 68 landmarks that these imply, and
what is left over is spread over the mesh. A template point belongs where, over all people, the mesh
comes nearest to it; left and right are learnt together, each the mirror of the other.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from mien import images
from mien.data.adapters import DATASETS
from mien.data.adapters.tem import read_tem, to_68
from mien.errors import DataError
from mien.face_model.animate import person, pose
from mien.face_model.arrays import Bool, Double, Float, Index, UInt8
from mien.face_model.camera import Camera
from mien.face_model.fit import fit
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.mesh import EYE_LAYER, FACE, SKIN_LAYER, FaceModel
from mien.face_model.raster import Normals
from mien.face_model.template import COUNT, FITTED, IRISES, PLACED, PUPILS, TABLE, Places, shipped
from mien.faces.align import STABLE, align, similarity, transform
from mien.faces.align import template as mean_landmarks
from mien.types import Face
from mien.zoo import data_home

FACING = 0.1
"""Skin must face the camera by this cosine, or nobody could have seen a point there."""
NEAREST = 12
"""Triangles around this many of the best vertices are tried."""


@dataclass(frozen=True)
class Example:
    """One person: template points (189, 2) and where the skin's vertices (F, 2) fall, crop px."""

    points: Double
    skin: Double
    facing: Bool


def templates(home: Path, split: str) -> Iterator[Float]:
    """Hand-checked points (189, 2), px of the aligned crop, of the people of a split."""
    stable = list(STABLE)
    for name in ("london", "canada"):
        for record in DATASETS[name].records(home / name):
            path = (home / name / record.file_name).with_suffix(".tem")
            if record.split == split and path.is_file():
                points = read_tem(path)
                goal = mean_landmarks(SOURCE_SIZE)[stable]
                yield transform(similarity(to_68(points)[stable], goal), points)


def example(model: FaceModel, points: Float) -> Example:
    """Fit a person by the 68 landmarks that the template implies."""
    found = fit(model, to_68(points), neutral=True)
    vertices = pose(model, person(model, found), found.weights)
    skin, _ = found.camera.project(vertices[FACE].astype(np.float64))
    facing = found.camera.turn(model.normals(vertices))[FACE, 2] > FACING
    return Example(points.astype(np.float64), skin, facing)


def learn(model: FaceModel, examples: list[Example]) -> Places:
    """Where each placed point lies, from people whose mesh is known."""
    points = np.stack([e.points[PLACED] for e in examples])  # (P, K, 2)
    skin = np.stack([e.skin for e in examples])  # (P, F, 2)
    seen = np.mean([e.facing for e in examples], 0) > 0.5
    partner, other = _mirror_points(points.mean(0)), _mirror_skin(model)
    skin_triangles = model.triangles[(model.triangles < FACE.stop).all(1)].astype(np.intp)
    skin_triangles = skin_triangles[seen[skin_triangles].all(1)]
    shape = (len(PLACED), 3)
    vertices, shares = np.zeros(shape, np.intp), np.zeros(shape)
    for k in range(len(PLACED)):
        if vertices[k].any():
            continue
        there, here = partner[k], points[:, k]
        beyond = points[:, there]
        off = ((skin - here[:, None]) ** 2).sum(2) + ((skin[:, other] - beyond[:, None]) ** 2).sum(
            2
        )
        best = np.argsort(np.where(seen, off.mean(0), np.inf))[:NEAREST]
        near = skin_triangles[np.isin(skin_triangles, best).any(1)]
        tried = [_share(skin, t, other[t], here, beyond) for t in near]
        win = int(np.argmin([error for _, error in tried]))
        vertices[k], shares[k] = near[win], tried[win][0]
        vertices[there], shares[there] = other[near[win]], tried[win][0]
    placed = np.einsum("pkjc,kj->pkc", skin[:, vertices], shares)
    error = np.sqrt(((placed - points) ** 2).sum(2).mean(0) / 2)
    return Places(vertices, shares, (error + error[partner]) / 2)


def _spread(skin: Double, points: Double) -> Double:
    """Mean square distance (F,) of each vertex to a point, over all people."""
    out: Double = ((skin - points[:, None]) ** 2).sum(2).mean(0)
    return out


def _share(
    skin: Double, triangle: Index, mirrored: Index, here: Double, beyond: Double
) -> tuple[Double, float]:
    """The place (3,) in a triangle that comes nearest to one point of everybody, and how near."""
    corners = np.concatenate([skin[:, triangle], skin[:, mirrored]])  # (2P, 3, 2)
    goal = np.concatenate([here, beyond])
    a = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1).reshape(-1, 2)
    b = (goal - corners[:, 0]).ravel()
    u, v = np.clip(np.linalg.lstsq(a, b, rcond=None)[0], 0, 1)
    total = max(1.0, u + v)
    u, v = u / total, v / total
    return np.array([1 - u - v, u, v]), float(((a @ [u, v] - b) ** 2).mean())


def _mirror_points(mean: Double) -> Index:
    """For each of K mean points, the one that is its mirror image."""
    flipped = mean * [-1, 1] + [2 * mean[:, 0].mean(), 0]
    distance = ((mean[:, None] - flipped[None]) ** 2).sum(2)
    rows, columns = linear_sum_assignment(distance + distance.T)
    out: Index = columns[np.argsort(rows)]
    if (out[out] != np.arange(len(out))).any():
        raise DataError("the template's points have no mirror images")
    return out


def _mirror_skin(model: FaceModel) -> Index:
    """For each vertex of the skin, the one opposite."""
    skin = model.neutral[FACE]
    _, out = cKDTree(skin).query(skin * [-1, 1, 1])
    return np.asarray(out, np.intp)


def picture(model: FaceModel, photo: UInt8, points: Float) -> UInt8:
    """A crop (S, S, 3) with its checked points (189, 2), and beside it the mesh with the places.

    Green: fitted; yellow: fitted as the 68 landmarks' outline; blue: gaze; red: without a place.
    """
    scale, places = 2, shipped()
    left = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    camera = Camera(np.zeros(3), 11.0 * scale, np.array([left.shape[1] / 2, left.shape[0] * 0.58]))
    right = _shaded(model, camera, left.shape)
    skin = camera.project(model.neutral.astype(np.float64))[0]
    on_mesh = np.einsum("kjc,kj->kc", skin[places.vertices], places.shares)
    for i in range(COUNT):
        at = (points[i] + 0.5) * scale - 0.5
        cv2.circle(left, _pixel(at), 3, _colour(i), -1, cv2.LINE_AA)
    for i, at in zip(PLACED, on_mesh, strict=True):
        cv2.circle(right, _pixel(at), 3, _colour(int(i)), -1, cv2.LINE_AA)
    return np.concatenate([left, right], 1)


def _colour(point: int) -> tuple[int, int, int]:
    if point not in PLACED:
        gaze = point in PUPILS or any(point in ring for ring in IRISES)
        return (90, 160, 255) if gaze else (230, 60, 50)
    return (60, 220, 90) if point in FITTED else (250, 210, 50)


def _pixel(at: Double) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def _shaded(model: FaceModel, camera: Camera, shape: tuple[int, ...]) -> UInt8:
    """The skin and eyes of the mean face, grey by how they face the camera, far to near."""
    out = np.full(shape, 255, np.uint8)
    points, depth = camera.project(model.neutral)
    every = Normals(model.triangles, len(model.neutral))  # of the eyes too
    light = np.abs(every(model.neutral)[:, 2])  # what looks away is painted over
    shown = model.triangles[np.isin(model.layers, (SKIN_LAYER, EYE_LAYER))]
    for triangle in shown[np.argsort(depth[shown].mean(1))]:
        grey = int(np.clip(70 + 150 * light[triangle].mean(), 40, 230))
        corners = np.round(points[triangle] * 16).astype(np.int32)
        cv2.fillConvexPoly(out, corners, (grey, grey, grey), cv2.LINE_AA, shift=4)
    return out


def main() -> None:
    """Learn the places and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=data_home(), help="holds london/, canada/")
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--picture", type=Path, help="draw the shipped places instead of learning")
    parser.add_argument(
        "--photo", default="london/neutral_front/029_03.jpg", help="for the picture"
    )
    options = parser.parse_args()
    model = FaceModel.load()
    if options.picture:
        photo = options.data / options.photo
        points = read_tem(photo.with_suffix(".tem"))
        face = Face((0, 0, 0, 0), 1.0, to_68(points))
        crop = align(images.read(photo).pixels, face, SOURCE_SIZE)
        drawn = picture(model, crop.pixels, transform(crop.matrix, points))
        cv2.imwrite(str(options.picture), np.ascontiguousarray(drawn[..., ::-1]))
        return
    found = [example(model, points) for points in templates(options.data, "train")]
    if len(found) < 20:
        raise DataError(f"{len(found)} people with points in {options.data}: 20 or more are needed")
    places = learn(model, found)
    places.save(options.out)
    print(
        f"{options.out}: learnt from {len(found)} people, {np.median(places.error):.2f} px at 320"
    )


if __name__ == "__main__":
    main()

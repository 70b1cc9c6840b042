"""Learn where the 189-point template lies on the mesh: `python -m mien.training.template`.

Every training person with hand-checked points is fitted by the 68 landmarks that these imply, and
what is left over is spread over the mesh. A template point belongs where, over all people, the mesh
comes nearest to it; left and right are learnt together, each the mirror of the other.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from mien.data.adapters import DATASETS
from mien.data.adapters.tem import read_tem, to_68
from mien.errors import DataError
from mien.faces.align import STABLE, similarity, transform
from mien.faces.align import template as mean_landmarks
from mien.rig.animate import person, pose
from mien.rig.arrays import Bool, Double, Float, Index
from mien.rig.fit import fit
from mien.rig.mesh import FACE, FaceModel
from mien.rig.render import SOURCE_SIZE
from mien.rig.template import PLACED, TABLE, Places
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


def main() -> None:
    """Learn the places and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=data_home(), help="holds london/, canada/")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    model = FaceModel.load()
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

"""The raster on triangles that can be checked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import ArrayLike

from mien.face_model.arrays import Float, Int
from mien.face_model.mesh import FaceModel
from mien.face_model.raster import Normals, Raster, rasterise, rasterise_behind


def raster(
    points: ArrayLike,
    depth: Sequence[float],
    triangles: ArrayLike,
    shape: tuple[int, int] = (8, 8),
) -> Raster:
    return rasterise(
        np.array(points, np.float32), np.array(depth, np.float32), np.array(triangles, np.int32),
        shape,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(8, 8), (8, 13), (11, 8)])
def test_a_triangle_covers_its_pixels_and_no_other(shape: tuple[int, int]) -> None:
    seen = raster([(0.9, 0.9), (5.2, 0.9), (0.9, 5.2)], [0, 0, 0], [(0, 1, 2)], shape)
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    assert ((seen.index == 0) == ((xs >= 1) & (ys >= 1) & (xs + ys <= 6))).all()


def test_either_winding_is_drawn() -> None:
    a = raster([(1, 1), (5, 1), (1, 5)], [0, 0, 0], [(0, 1, 2)])
    b = raster([(1, 1), (5, 1), (1, 5)], [0, 0, 0], [(0, 2, 1)])
    assert (a.index == b.index).all()


def test_the_nearer_triangle_wins_whatever_the_order() -> None:
    points = [(0, 0), (7, 0), (0, 7)] * 2
    for triangles, near in (([(0, 1, 2), (3, 4, 5)], 1), ([(3, 4, 5), (0, 1, 2)], 0)):
        assert raster(points, [0, 0, 0, 1, 1, 1], triangles).index[1, 1] == near


def test_shared_edges_leave_no_hole() -> None:
    seen = raster([(0, 0), (7, 0), (7, 7), (0, 7)], [0] * 4, [(0, 1, 2), (0, 2, 3)])
    assert (seen.index >= 0).all()


def test_what_lies_outside_the_raster_is_cut() -> None:
    assert (raster([(-50, -50), (60, -50), (-50, 60)], [0] * 3, [(0, 1, 2)]).index[0] == 0).all()
    assert (raster([(20, 20), (30, 20), (20, 30)], [0] * 3, [(0, 1, 2)]).index == -1).all()


def test_nothing_to_draw() -> None:
    seen = rasterise(
        np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.zeros((0, 3), np.int32), (4, 5)
    )
    assert seen.index.shape == (4, 5)
    assert (seen.index == -1).all()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_behind_is_seen_through_gaps_alone_as_if_all_were_drawn_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middles = rng.uniform(-10, 90, (300, 1, 2))
    points = (middles + rng.normal(0, (4, 9)[seed % 2], (300, 3, 2))).reshape(-1, 2)
    depth = np.repeat(np.where(np.arange(300) < 60, 3, -3), 3) + rng.uniform(-1, 1, 900)
    triangles = np.arange(900, dtype=np.int32).reshape(-1, 3)
    at, deep = points.astype(np.float32), depth.astype(np.float32)
    shape = (70, 90)
    whole = rasterise(at, deep, triangles, shape)
    seen, kept = rasterise_behind(at, deep, triangles[:60], triangles[60:], shape)
    numbers = np.append(np.concatenate([np.arange(60), 60 + kept]), -1)
    assert (numbers[seen.index] == whole.index).mean() > 0.999  # pixels on an edge
    same = (numbers[seen.index] == whole.index) & (whole.index >= 0)
    assert np.abs(seen.shares(same) - whole.shares(same)).max() < 1e-3
    assert len(kept) < 240
    visible = np.unique(whole.index[whole.index >= 60]) - 60
    assert np.isin(visible, kept).all()


def test_nothing_is_behind() -> None:
    points, depth = np.array([(0, 0), (90, 0), (0, 90)], np.float32), np.zeros(3, np.float32)
    triangles = np.array([(0, 1, 2)], np.int32)
    for behind in (triangles[:0], triangles):  # nothing there, and no gap
        seen, kept = rasterise_behind(points, depth, triangles, behind, (8, 8))
        assert (seen.index == 0).all()
        assert not len(kept)


def test_interpolation_is_linear() -> None:
    points = np.array([(0, 0), (7, 0), (0, 7)], np.float32)
    triangles = np.array([(0, 1, 2)], np.int32)
    seen = raster(points, [0, 0, 0], triangles)
    where = seen.index >= 0
    values = seen.spread(points, where)
    ys, xs = np.nonzero(where)
    assert np.allclose(values, np.stack([xs, ys], 1), atol=1e-3)


def test_the_whole_face_is_the_same_for_any_number_of_threads(model: FaceModel) -> None:
    points = np.ascontiguousarray(model.neutral[:, :2] * [10, -10] + 160, np.float32)
    before = cv2.getNumThreads()
    try:
        seen = []
        for threads in (1, 2, 5):
            cv2.setNumThreads(threads)
            seen.append(rasterise(points, model.neutral[:, 2], model.triangles, (320, 320)))
    finally:
        cv2.setNumThreads(before)
    assert (seen[0].index >= 0).mean() > 0.2
    for other in seen[1:]:
        assert (other.index == seen[0].index).all()
        shown = other.index >= 0
        assert (other.shares(shown) == seen[0].shares(shown)).all()


def opencv(points: Float, depth: Float, triangles: Int, side: int) -> Int:
    """The nearest triangle of each pixel by OpenCV's z-buffer, its camera 10 m away."""
    away, corners = np.float32(1000), triangles.reshape(-1)
    far, half = away - depth[corners], np.float32(side / 2)
    scene = np.stack(
        [
            (points[corners, 0] + np.float32(0.5) - half) / half * far,
            (half - np.float32(0.5) - points[corners, 1]) / half * far,
            -far,
        ],
        1,
    )
    numbers = np.repeat(np.arange(1, len(triangles) + 1, dtype=np.float32), 3)
    settings = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_FLAT)
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    shown = np.zeros((side, side, 3), np.float32)
    cv2.triangleRasterize(
        scene, np.arange(len(corners), dtype=np.int32).reshape(-1, 3), np.stack([numbers] * 3, 1),
        shown, np.full((side, side), 2 * away, np.float32), np.eye(4, dtype=np.float32), np.pi / 2,
        1.0, 2 * float(away), settings,
    )  # fmt: skip
    return np.rint(shown[..., 0]).astype(np.int32) - 1


def test_the_whole_face_is_what_opencv_shows(model: FaceModel) -> None:
    points = np.ascontiguousarray(model.neutral[:, :2] * [10, -10] + 160.3, np.float32)
    seen = rasterise(points, model.neutral[:, 2], model.triangles, (320, 320)).index
    expected = opencv(points, model.neutral[:, 2], model.triangles, 320)
    assert ((seen >= 0) == (expected >= 0)).all()
    assert (seen == expected).mean() > 0.999


def test_normals_of_a_flat_square() -> None:
    square = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (9, 9, 9)], np.float32)
    out = Normals(np.array([(0, 1, 2), (0, 2, 3)], np.int32), 5)(square)
    assert np.allclose(out[:4], (0, 0, 1))
    assert (out[4] == 0).all()

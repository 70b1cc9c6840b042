"""The inner loops on triangles that can be checked by hand."""

from __future__ import annotations

import numpy as np

from mien.face_model import kernels


def raster(points, depth, triangles, size=8):
    index = np.empty((size, size), np.int32)
    weights = np.zeros((size, size, 2), np.float32)
    buffer = np.empty((size, size), np.float32)
    kernels.rasterise(
        np.array(points, np.float32), np.array(depth, np.float32), np.array(triangles, np.int32),
        index, weights, buffer,
    )  # fmt: skip
    return index, weights, buffer


def test_a_triangle_covers_its_pixels_and_no_other() -> None:
    index, _, _ = raster([(1, 1), (5, 1), (1, 5)], [0, 0, 0], [(0, 1, 2)])
    ys, xs = np.mgrid[:8, :8]
    assert ((index == 0) == ((xs >= 1) & (ys >= 1) & (xs + ys <= 6))).all()


def test_either_winding_is_drawn() -> None:
    a, _, _ = raster([(1, 1), (5, 1), (1, 5)], [0, 0, 0], [(0, 1, 2)])
    b, _, _ = raster([(1, 1), (5, 1), (1, 5)], [0, 0, 0], [(0, 2, 1)])
    assert (a == b).all()


def test_the_nearer_triangle_wins_whatever_the_order() -> None:
    points = [(0, 0), (7, 0), (0, 7)] * 2
    for triangles, near in (([(0, 1, 2), (3, 4, 5)], 1), ([(3, 4, 5), (0, 1, 2)], 0)):
        index, _, buffer = raster(points, [0, 0, 0, 1, 1, 1], triangles)
        assert index[1, 1] == near
        assert buffer[1, 1] == 1


def test_shared_edges_leave_no_hole() -> None:
    index, _, _ = raster([(0, 0), (7, 0), (7, 7), (0, 7)], [0] * 4, [(0, 1, 2), (0, 2, 3)])
    assert (index >= 0).all()


def test_what_lies_outside_the_raster_is_cut() -> None:
    index, _, _ = raster([(-50, -50), (60, -50), (-50, 60)], [0, 0, 0], [(0, 1, 2)])
    assert (index[0] == 0).all()
    index, _, _ = raster([(20, 20), (30, 20), (20, 30)], [0, 0, 0], [(0, 1, 2)])
    assert (index == -1).all()


def test_interpolation_is_linear_and_keeps_the_rest() -> None:
    points = np.array([(0, 0), (7, 0), (0, 7)], np.float32)
    triangles = np.array([(0, 1, 2)], np.int32)
    index, weights, _ = raster(points, [0, 0, 0], triangles)
    out = np.full((8, 8, 2), -9, np.float32)
    kernels.interpolate(index, weights, triangles, points, out)
    assert np.allclose(out[2, 3], (3, 2), atol=1e-4)
    assert (out[7, 7] == -9).all()


def test_normals_of_a_flat_square() -> None:
    square = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (9, 9, 9)], np.float32)
    out = np.full((5, 3), 7, np.float32)
    kernels.normals(square, np.array([(0, 1, 2), (0, 2, 3)], np.int32), out)
    assert np.allclose(out[:4], (0, 0, 1))
    assert (out[4] == 0).all()

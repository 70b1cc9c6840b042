"""What an edit solves without SciPy, against SciPy."""

from __future__ import annotations

import gc
import weakref

import cv2
import numpy as np
import pytest
import scipy.sparse as sparse
from scipy import optimize
from scipy.interpolate import make_interp_spline
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from mien import images
from mien.face_model import spline
from mien.face_model.arrays import Double
from mien.face_model.background import _Grid
from mien.face_model.bounded import Bounds, in_box, least_squares
from mien.face_model.mesh import FaceModel
from mien.face_model.neighbours import Nearest, Sums, depth_within
from mien.face_model.render import Rig
from mien.faces.align import align
from mien.faces.detect import detect
from mien.zoo.samples import samples

RANDOM = np.random.default_rng(7)


def exponentials(x: Double) -> Double:
    """Two decays that are hard to tell apart, and a weak prior."""
    at = np.linspace(0, 4, 40)
    decays = x[0] * np.exp(-x[1] * at) + x[2] * np.exp(-x[3] * at)
    return np.concatenate([decays - (2 * np.exp(-0.5 * at) + np.exp(-3 * at)), 1e-3 * x])


def slopes(x: Double) -> Double:
    at = np.linspace(0, 4, 40)
    a, b = np.exp(-x[1] * at), np.exp(-x[3] * at)
    columns = np.stack([a, -x[0] * at * a, b, -x[2] * at * b], 1)
    return np.concatenate([columns, 1e-3 * np.eye(4)])


@pytest.mark.parametrize("most", [4, 9, 60])
@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((-9, -9, -9, -9), (9, 9, 9, 9)),
        ((0, 0, 0, 0), (1.5, np.inf, 0.8, 2)),  # the best lies on bounds
        ((-np.inf, 0.4, 0.2, -np.inf), (np.inf, 2, 0.9, np.inf)),
    ],
)
def test_least_squares_goes_scipys_way(low: object, high: object, most: int) -> None:
    """Not only to the same end: a fit that is stopped early stands where it stood."""
    start, scale = np.array([1.0, 1, 0.5, 1.5]), np.array([0.5, 1, 0.5, 2])
    bounds = Bounds(np.array(low, float), np.array(high, float))
    found = least_squares(exponentials, slopes, start, bounds, scale, most)
    theirs = optimize.least_squares(
        exponentials, start, slopes, (low, high), x_scale=scale, max_nfev=most
    )
    np.testing.assert_allclose(found, theirs.x, atol=1e-7)
    assert bounds.hold(found)


def test_the_box_is_solved_exactly() -> None:
    for _ in range(20):
        matrix, goal = RANDOM.normal(size=(30, 12)), 2 * RANDOM.normal(size=30)
        found = in_box(matrix, goal)
        theirs = optimize.lsq_linear(matrix, goal, (0, 1), method="bvls").x
        np.testing.assert_allclose(found, theirs, atol=1e-9)
        assert ((found >= 0) & (found <= 1)).all()
        assert ((found == 0) | (found == 1)).any(), "no bound was met: nothing is tested"


@pytest.mark.parametrize("count", [2, 3, 4, 5, 11])
def test_splines_are_scipys(count: int) -> None:
    knots = np.cumsum(RANDOM.uniform(0.3, 1, count))
    values, at = RANDOM.normal(size=(count, 2)), np.linspace(knots[0], knots[-1], 60)
    theirs = make_interp_spline(knots, values, k=min(3, count - 1))(at)
    np.testing.assert_allclose(spline.through(knots, values, at), theirs, atol=1e-12)
    one = spline.through(knots, values[:, 0], at)
    np.testing.assert_allclose(one, theirs[:, 0], atol=1e-12)


@pytest.mark.parametrize("axes", [2, 3])
def test_nearest_points_are_exact(axes: int) -> None:
    points, at = RANDOM.normal(size=(3000, axes)), RANDOM.normal(size=(200, axes))
    far, near = Nearest(points)(at, 7)
    theirs = cKDTree(points.astype(np.float32)).query(at.astype(np.float32), 7)
    np.testing.assert_array_equal(near, theirs[1])
    np.testing.assert_allclose(far, theirs[0], atol=1e-6)


def test_sums_are_a_sparse_product() -> None:
    rows, columns = RANDOM.integers(0, 50, 400), RANDOM.integers(0, 70, 400)
    shares = RANDOM.normal(size=400).astype(np.float32)
    ours = Sums(rows, columns, shares, 60)  # rows 50 to 59 have nothing
    theirs = sparse.csr_matrix((shares, (rows, columns)), (60, 70))
    for values in (RANDOM.normal(size=70), RANDOM.normal(size=(70, 3))):
        seen = values.astype(np.float32)
        np.testing.assert_allclose(ours @ seen, theirs @ seen, atol=1e-5)


def test_the_grid_is_solved() -> None:
    n, screening = 12, float(np.float32(0.1))
    free = RANDOM.random((n, n)) < 0.7
    free[0] = free[:, 0] = free[:, -1] = False
    free[5] = False  # a whole row is known
    known = RANDOM.normal(size=(n, n, 3))
    line = sparse.diags([1.0, 1.0], [-1, 1], (n, n))
    links = sparse.kron(sparse.eye(n), line) + sparse.kron(line, sparse.eye(n))
    laplacian = (sparse.diags(np.asarray(links.sum(1)).ravel()) - links).tocsr()
    at, held = np.flatnonzero(free), np.flatnonzero(~free)
    inside = laplacian[at][:, at] + screening * sparse.eye(len(at))
    wanted = known.reshape(n * n, 3).copy()
    wanted[at] = spsolve(inside.tocsc(), -laplacian[at][:, held] @ wanted[held])
    solved = _Grid(free, np.full((n, n), screening, np.float32)).filled(known)
    np.testing.assert_allclose(solved, wanted, atol=1e-12)


def test_a_fitted_face_is_freed_with_its_last_name() -> None:
    """By its own count: what waits for the garbage collector is 45 MB for each photograph."""
    pixels = images.read(samples()["anna"]).pixels
    crop = align(pixels, detect(pixels)[0], 256)
    gc.disable()
    try:
        rig = Rig(FaceModel.load(), crop.pixels, crop.landmarks, neutral=False)
        rig.draw(rig.fit.weights, 256)
        alive = weakref.ref(rig)
        del rig
        assert alive() is None
    finally:
        gc.enable()


def test_depth_within_is_opencvs() -> None:
    """Of a polygon with a notch, from within, from outside and on its corners."""
    outline = np.array([[0, 0], [9, 1], [10, 8], [5, 3], [1, 9]], np.float32)
    random = np.random.default_rng(0).uniform(-4, 14, (300, 2)).astype(np.float32)
    points = np.concatenate([random, outline])
    wanted = [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in points]
    assert min(wanted) < -1
    assert max(wanted) > 1
    np.testing.assert_allclose(depth_within(outline, points), wanted, atol=1e-5)

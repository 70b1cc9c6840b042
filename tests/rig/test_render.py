"""A photograph, animated: what must stay, what must move, and whether the truth is true."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien import facs
from mien.rig.fit import fit
from mien.rig.mesh import FaceModel
from mien.rig.render import Render, Rig, shrink_flow

SIZE = 160


def show(rig: Rig, **units: float) -> Render:
    return rig.render(facs.vector(units), SIZE)


def eyes_apart(r: Render) -> float:
    return float(np.linalg.norm(r.landmarks[36] - r.landmarks[45]))


def width(r: Render) -> float:
    return float(np.linalg.norm(r.landmarks[48] - r.landmarks[54])) / eyes_apart(r)


def lip_gap(r: Render) -> float:
    p = r.landmarks
    return float((p[[67, 66, 65], 1] - p[[61, 62, 63], 1]).mean()) / eyes_apart(r)


def inner_brows(r: Render) -> float:
    p = r.landmarks
    return float(p[[39, 42], 1].mean() - p[[21, 22], 1].mean()) / eyes_apart(r)


def lids(r: Render) -> float:
    p = r.landmarks
    return float((p[[41, 40, 47, 46], 1] - p[[37, 38, 43, 44], 1]).mean()) / eyes_apart(r)


def test_fit_error_on_hand_checked_points(neutral: Rig, smiling: Rig) -> None:
    assert neutral.fit.relative_error < 0.02
    assert smiling.fit.relative_error < 0.02
    assert neutral.fit.closed
    assert np.abs(neutral.fit.identity).max() < 5


def test_a_fit_with_a_known_identity_keeps_it(model: FaceModel, neutral: Rig) -> None:
    points = neutral.fit.landmarks.astype(np.float32)
    again = fit(model, points, neutral=False, identity=neutral.fit.identity)
    assert (again.identity == neutral.fit.identity).all()


def test_no_units_change_nothing(neutral: Rig) -> None:
    a, b = neutral.original(SIZE).image, show(neutral).image
    assert np.abs(a.astype(int) - b).mean() < 1.0
    assert (neutral.units == 0).all()


def test_the_original_is_the_crop(neutral: Rig) -> None:
    r = neutral.original(SIZE)
    small = cv2.resize(neutral.crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    assert np.abs(r.image.astype(int) - small).max() <= 1
    assert (r.flow == 0).all()
    assert (r.visibility == 1).all()


@pytest.mark.parametrize("label", ["happy", "surprise", "anger", "disgust"])
def test_flow_finds_the_picture_where_it_says_so(neutral: Rig, label: str) -> None:
    """Warp the crop by the flow and compare with the render, where visible."""
    r = neutral.render(facs.prototype(label), SIZE)
    side = neutral.crop.shape[0]
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    x = (axis[None] + r.flow[..., 0]) * side - 0.5
    y = (axis[:, None] + r.flow[..., 1]) * side - 0.5
    soft = cv2.GaussianBlur(neutral.crop, (0, 0), 0.8)  # what two raster pixels a pixel average
    warped = cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = r.visibility > 0.95
    moved = seen & (np.linalg.norm(r.flow, axis=-1) > 0.005)
    assert seen.mean() > 0.85
    assert moved.sum() > 200

    def psnr(a: np.ndarray, mask: np.ndarray) -> float:
        error = (a.astype(float)[mask] - r.image[mask]) ** 2
        return float(10 * np.log10(255**2 / error.mean()))

    still = neutral.original(SIZE).image
    assert psnr(warped, seen) > 27
    assert psnr(warped, moved) > psnr(still, moved) + 2


def test_happy(neutral: Rig) -> None:
    a, b = show(neutral), neutral.render(facs.prototype("happy"), SIZE)
    assert width(b) > width(a) + 0.08
    corners = [r.landmarks[[48, 54], 1].mean() - r.landmarks[51, 1] for r in (a, b)]
    assert corners[1] < corners[0]


def test_surprise(neutral: Rig) -> None:
    a, b = show(neutral), neutral.render(facs.prototype("surprise"), SIZE)
    assert lip_gap(b) > lip_gap(a) + 0.1
    assert lids(b) > lids(a) + 0.01
    assert b.mouth.sum() > 50
    assert b.visibility[b.mouth > 0.9].max() < 0.1


def test_anger_lowers_the_inner_brows(neutral: Rig) -> None:
    a, b = show(neutral), neutral.render(facs.prototype("anger"), SIZE)
    assert inner_brows(b) < inner_brows(a) - 0.02


def test_a_smile_closes(smiling: Rig) -> None:
    first, last = smiling.original(SIZE), show(smiling)
    assert smiling.units[list(facs.columns("AU12"))].mean() > 0.1
    assert width(last) < width(first) - 0.05
    assert lip_gap(last) < 0.02
    assert last.mouth.sum() < 5


def test_one_sided_units_stay_on_their_side(neutral: Rig) -> None:
    moved = show(neutral, AU12L=1.0).landmarks - show(neutral).landmarks
    assert moved[54, 0] > 1.5  # the person's left is the picture's right
    assert np.abs(moved[48]).max() < 0.6


def test_gaze_moves_the_iris_to_the_persons_left(neutral: Rig) -> None:
    left, right = show(neutral, AU61=0.8).image, show(neutral, AU62=0.8).image
    p = neutral.original(SIZE).landmarks[36:42]
    (x0, y0), (x1, y1) = p.min(0).astype(int), p.max(0).astype(int) + 1

    def dark_at(image: np.ndarray) -> float:
        light = image[y0:y1, x0:x1].mean((0, 2))
        weight = np.clip(np.median(light) - light, 0, None)
        return float((weight * np.arange(len(weight))).sum() / weight.sum())

    assert dark_at(left) > dark_at(right) + 1


def test_closed_eyes_hide_the_iris(neutral: Rig) -> None:
    shut = show(neutral, AU43=1.0)
    assert lids(shut) < 0.3 * lids(show(neutral))
    p = neutral.original(SIZE).landmarks[36:42]
    (x0, y0), (x1, y1) = p.min(0).astype(int), p.max(0).astype(int) + 1
    redness = [
        np.ptp(image[y0:y1, x0:x1].astype(float), axis=-1).mean()
        for image in (neutral.original(SIZE).image, shut.image)
    ]
    assert redness[1] > 1.5 * redness[0]  # skin has colour, iris and white hardly any


def test_sizes_agree(neutral: Rig) -> None:
    units = facs.prototype("fear")
    small, large = neutral.render(units, 80), neutral.render(units, SIZE)
    halved = cv2.resize(large.image, (80, 80), interpolation=cv2.INTER_AREA)
    assert np.abs(halved.astype(int) - small.image).mean() < 2
    assert np.allclose((large.landmarks + 0.5) / 2 - 0.5, small.landmarks, atol=1e-3)
    flow, seen = shrink_flow(large.flow, large.visibility, 2)
    assert np.abs(seen - small.visibility).mean() < 0.02
    assert np.abs(flow - small.flow).mean() < 1e-3


def test_wrong_input_is_refused(model: FaceModel, neutral: Rig) -> None:
    points = neutral.fit.landmarks.astype(np.float32)
    with pytest.raises(ValueError, match="not uint8"):
        Rig(model, neutral.crop[:300], points, True)
    with pytest.raises(ValueError, match="finite points"):
        Rig(model, neutral.crop, np.full((68, 2), np.nan, np.float32), True)

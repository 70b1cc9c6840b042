"""A photograph, animated: what must stay, what must move, and whether the truth is true."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from mien import facs
from mien.face_model.eyes import polygon
from mien.face_model.fit import fit
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Render, Rig, shrink_flow
from mien.types import AlignedFace, Float

LUMA = np.array([0.299, 0.587, 0.114])

SIZE = 160
NEUTRAL = "neutral_front/003_03"
"""The photograph of the fixture `neutral`."""


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


def test_fit_error_on_hand_checked_points(
    model: FaceModel, crop: Callable[[str], AlignedFace], smiling: Rig
) -> None:
    face = crop(NEUTRAL)
    found = Rig(model, face.pixels, face.landmarks, neutral=True).fit
    assert found.relative_error < 0.02
    assert smiling.fit.relative_error < 0.02
    assert found.closed
    assert np.abs(found.identity).max() < 5


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
    flow, seen = shrink_flow(large.flow.transpose(2, 0, 1), large.visibility, 2)
    assert np.abs(seen - small.visibility).mean() < 0.02
    assert np.abs(flow.transpose(1, 2, 0) - small.flow).mean() < 1e-3


def test_wrong_input_is_refused(model: FaceModel, neutral: Rig) -> None:
    points = neutral.fit.landmarks.astype(np.float32)
    with pytest.raises(ValueError, match="not uint8"):
        Rig(model, neutral.crop[:300], points, True)
    with pytest.raises(ValueError, match="finite points"):
        Rig(model, neutral.crop, np.full((68, 2), np.nan, np.float32), True)


def turned(rig: Rig, pitch: float = 0, yaw: float = 0, roll: float = 0) -> Render:
    return rig.render(facs.vector({}), SIZE, pose_light=PoseAndLight(turn=(pitch, yaw, roll)))


def lit(rig: Rig, left: float = 0, up: float = 0, stops: float = 0) -> Render:
    return rig.render(facs.vector({}), SIZE, pose_light=PoseAndLight(light=(left, up, stops)))


def test_its_own_units_give_the_photograph(neutral: Rig) -> None:
    same = neutral.render(neutral.units, SIZE)
    assert np.array_equal(same.image, neutral.original(SIZE).image)
    assert not same.flow.any()
    assert not np.array_equal(
        neutral.render(neutral.units, SIZE, pose_light=PoseAndLight(turn=(0, 5, 0))).image,
        same.image,
    )


def test_the_default_stage_is_the_photographs_own(neutral: Rig) -> None:
    a, b = show(neutral, AU12=0.6), turned(neutral)
    same = neutral.render(facs.vector({"AU12": 0.6}), SIZE, pose_light=PoseAndLight())
    assert (same.image == a.image).all()
    assert b.camera == neutral.fit.camera


def test_a_head_turns_to_the_side_that_is_asked(neutral: Rig) -> None:
    """The nose runs ahead of the eye corners: to the right of the picture, up, or round with
    them."""

    def nose(r: Render) -> Float:
        ahead: Float = r.landmarks[30] - r.landmarks[[36, 39, 42, 45]].mean(0)
        return ahead / eyes_apart(r)

    rest = nose(turned(neutral))
    assert nose(turned(neutral, yaw=15))[0] > rest[0] + 0.1
    assert nose(turned(neutral, yaw=-15))[0] < rest[0] - 0.1
    assert nose(turned(neutral, pitch=10))[1] < rest[1] - 0.05
    tilted = turned(neutral, roll=10).landmarks
    across = tilted[45] - tilted[36]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(10, abs=3)


def test_the_camera_of_a_turned_head_says_so(neutral: Rig) -> None:
    r = turned(neutral, yaw=15)
    turn = r.camera.matrix @ neutral.fit.camera.matrix.T
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(15, abs=0.01)
    assert np.arctan2(turn[0, 2], turn[2, 2]) > 0


@pytest.mark.parametrize("yaw", [-20, 20])
def test_a_turned_head_does_not_tear(neutral: Rig, yaw: float) -> None:
    """Neighbours in the render are neighbours in the photograph, except where the nose, the cheek
    or the jaw hides something: along a few lines."""
    flow = turned(neutral, yaw=yaw).flow
    jump = np.maximum(
        np.abs(np.diff(flow, axis=0)).max(-1)[:, :-1], np.abs(np.diff(flow, axis=1)).max(-1)[:-1]
    )
    assert (jump > 0.02).mean() < 0.02


def test_a_light_from_the_left_brightens_the_left(neutral: Rig) -> None:
    """The person's left is the picture's right."""
    p = neutral.original(SIZE).landmarks
    cheeks = [p[[a, b]].mean(0).round().astype(int) for a, b in ((2, 31), (14, 35))]

    def ratio(r: Render) -> float:
        right, left = (r.image[y - 3 : y + 4, x - 3 : x + 4].mean() for x, y in cheeks)
        return float(left / right)

    own = ratio(show(neutral))
    assert ratio(lit(neutral, left=0.7)) > own * 1.15
    assert ratio(lit(neutral, left=-0.7)) < own / 1.15


def test_exposure_is_of_the_whole_picture(neutral: Rig) -> None:
    own = show(neutral).image.astype(float)
    brighter, darker = (lit(neutral, stops=s).image.astype(float) for s in (0.7, -0.7))
    for part in (own > 20) & (own < 200), np.indices(own.shape)[0] < 10:
        assert brighter[part].mean() > own[part].mean() + 4
        assert darker[part].mean() < own[part].mean() - 4
    assert brighter.max() <= 255
    assert (brighter[own < 250] < 255).all()


def brightness(r: Render, place: np.ndarray) -> float:
    """Of a patch around a place that is given in the photograph, followed by the flow."""
    axis = (np.arange(SIZE) + 0.5) / SIZE
    x, y = axis[None] + r.flow[..., 0], axis[:, None] + r.flow[..., 1]
    near = np.hypot(x - place[0], y - place[1]) < 0.012
    assert near.any()
    return float(r.image[near].mean())


def test_a_smile_folds_the_skin_beside_the_nose(neutral: Rig) -> None:
    """The fold is darker than the cheek above it, compared with the same smile without folds."""
    p = (neutral.original(SIZE).landmarks + 0.5) / SIZE
    weights = neutral.weights(facs.vector({"AU6": 1.0, "AU12": 1.0}))
    folded, smooth = (neutral.render_weights(weights, SIZE, folded=f) for f in (True, False))
    change = np.log(folded.image.mean(-1) + 1) - np.log(smooth.image.mean(-1) + 1)
    assert change.min() < -0.08
    fold = p[31] * 0.45 + p[48] * 0.55 + [-0.028, 0]
    cheek = p[31] * 0.5 + p[2] * 0.5
    darker, brighter = (
        brightness(folded, place) / brightness(smooth, place) for place in (fold, cheek)
    )
    assert darker < brighter - 0.03


@pytest.mark.parametrize("unit", ["AU1", "AU2", "AU4", "AU9", "AU10", "AU15", "AU17", "AU14"])
def test_units_crease_the_more_the_stronger_they_are(neutral: Rig, unit: str) -> None:
    def creased(strength: float) -> float:
        weights = neutral.weights(facs.vector({unit: strength}))
        a, b = (neutral.render_weights(weights, SIZE, folded=f).image for f in (True, False))
        return float(np.abs(a.astype(float) - b).sum())

    assert creased(1.0) > creased(0.4)
    assert creased(1.0) > 500
    assert creased(0.0) == 0


def test_the_same_photograph_makes_the_same_bytes(
    model: FaceModel, sample_face: AlignedFace, neutral: Rig
) -> None:
    again = Rig(model, sample_face.pixels, sample_face.landmarks, True)
    pose_light = PoseAndLight(turn=(3, 12, -4), light=(0.4, -0.2, 0.3))
    a, b = (
        r.render(facs.prototype("disgust"), SIZE, pose_light=pose_light) for r in (neutral, again)
    )
    assert a.image.tobytes() == b.image.tobytes()
    assert a.flow.tobytes() == b.flow.tobytes()
    assert a.visibility.tobytes() == b.visibility.tobytes()


def test_fields_say_what_the_picture_says_between_pressed_lips(rig: Rig) -> None:
    """Where lips are rolled in, skin meets skin that was apart: fields that are averaged to the
    result's size may not say "from between them", where the photograph has its dark line."""
    weights = rig.weights(facs.prototype("anger"))
    image = rig.render_weights(weights, 320).image.astype(np.float32)
    drawing = rig.draw(weights, 320)
    x, y = np.stack(np.meshgrid(*[np.arange(320, dtype=np.float32)] * 2)) + drawing.flow * 320
    moved = cv2.remap(rig.crop.astype(np.float32), x, y, cv2.INTER_CUBIC)
    made = moved * (drawing.visibility * drawing.gain)[..., None] + drawing.paint.transpose(1, 2, 0)
    lips = drawing.landmarks[60:68]
    low, high = np.floor(lips.min(0) - 3).astype(int), np.ceil(lips.max(0) + 3).astype(int)
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    off = np.abs(made[part] - image[part]).max(-1)
    assert off.max() < 22


def test_moved_light_leaves_the_wall_and_lights_a_grey_face(
    model: FaceModel, anna: AlignedFace
) -> None:
    """No rim of light beside ears and neck, where the mesh is wider than the head; but a face may
    be as bright as the wall behind it."""
    key = PoseAndLight(light=(0.7, 0.0, 0.0))
    grey = np.repeat((anna.pixels @ LUMA).astype(np.uint8)[..., None], 3, -1)
    for pixels in (anna.pixels, grey):
        rig = Rig(model, pixels, anna.landmarks, neutral=True)
        drawing = rig.draw(rig.fit.weights, 320, pose_light=key)
        changed = np.abs(drawing.gain - 1)
        wall = np.abs(pixels.astype(int) - np.median(pixels[:16, :16], (0, 1))).max(-1) < 12
        points = drawing.landmarks
        inner = polygon((320, 320), points[[0, 2, 4, 8, 12, 14, 16, 24, 19]]) > 0
        outside = cv2.erode((wall & ~inner).astype(np.uint8), np.ones((7, 7))) > 0
        assert outside.sum() > 5000
        assert np.percentile(changed[outside], 99.9) < 0.04
        x, y = points[13] * 0.6 + points[35] * 0.4
        lit = drawing.gain[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4]
        assert abs(float(lit.mean()) - 1) > 0.05

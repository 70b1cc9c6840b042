"""Lids: what is folded away in a narrowed eye, and motion shared where the mesh folds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien import facs
from mien.face_model.closed_lids import close
from mien.face_model.lids import LidFolds
from mien.face_model.render import Render, Rig


def test_a_fold_shares_its_motion_with_the_skin_around(neutral: Rig) -> None:
    """Two vertices at one place of the photograph may not be torn apart by the mesh's fold."""
    folds = LidFolds(neutral.model, neutral.source.points, neutral.fit.landmarks)
    raised = neutral.pose(neutral.weights(facs.vector({"AU1": 1, "AU2": 1})), neutral.fit.camera)
    moved = raised.points - neutral.source.points
    smooth = moved.copy()
    folds.smooth(smooth, {"L": 0.0, "R": 0.0})

    def tear(motion: np.ndarray) -> float:
        worst = 0.0
        for at, near, _ in folds._parts.values():
            here, there = neutral.source.points[at], neutral.source.points[near[:, :6]]
            apart = np.linalg.norm(there - here[:, None], axis=-1) + 0.5
            off = np.linalg.norm(motion[near[:, :6]] - motion[at][:, None], axis=-1)
            worst = max(worst, float(np.percentile(off / apart, 99)))
        return worst

    assert tear(smooth) < 0.7 * tear(moved)
    assert np.abs(smooth - moved).max() > 0.5


def test_a_closing_lid_goes_its_own_way(neutral: Rig) -> None:
    folds = LidFolds(neutral.model, neutral.source.points, neutral.fit.landmarks)
    moved = np.random.default_rng(0).normal(size=(len(neutral.model.neutral), 2))
    shut = moved.astype(np.float32)
    folds.smooth(shut, {"L": 1.0, "R": 1.0})
    assert (shut == moved.astype(np.float32)).all()


@pytest.mark.parametrize("units", [{"AU43": 1.0}, {"AU1": 1.0, "AU2": 1.0, "AU5": 1.0}])
def test_no_iris_is_carried_onto_a_lid(smiling: Rig, units: dict[str, float]) -> None:
    """Above the lid's edge of a smiling face there is skin only: nothing as dark as its pupil."""
    r = smiling.render(facs.vector(units), 320)
    light = r.image.astype(float) @ [0.299, 0.587, 0.114]
    for lid, brow in ((slice(36, 40), slice(17, 22)), (slice(42, 46), slice(22, 27))):
        edge, above = r.landmarks[lid], r.landmarks[brow]
        band = np.concatenate(
            [np.add(edge, (0, -3)), (edge[::-1] * 0.45 + above[[4, 2, 1, 0]] * 0.55)]
        )
        mask = np.zeros(light.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(band).astype(np.int32)], 1)
        skin = np.median(light[mask > 0])
        assert np.percentile(light[mask > 0], 2) > 0.35 * skin


LUMA = [0.299, 0.587, 0.114]


def edge_shade(r: Render, corners: slice, part: float) -> float:
    """Brightness of an upper lid's edge where a `part` of it lies to the left, over its skin's."""
    light, p = r.image.astype(float) @ LUMA, r.landmarks[corners]
    x = round(float((1 - part) * p[0, 0] + part * p[3, 0]))
    y = round(float(np.interp(x, *p[:4].T)))
    edge = light[y - 6 : y + 5, x - 3 : x + 4].mean(1).min()
    return float(edge / np.median(light[y - 24 : y - 14, x - 3 : x + 4]))


def test_a_risen_lid_has_a_dark_edge(rig: Rig) -> None:
    """Also where the photograph's own edge lies on the white, which stays behind."""
    wide = rig.render(facs.vector({"AU5": 1}), 640)
    assert edge_shade(wide, slice(36, 42), 0.7) < 0.76
    assert edge_shade(wide, slice(42, 48), 0.3) < 0.76


def test_the_white_above_a_widened_iris_is_white(rig: Rig) -> None:
    """What a raised lid uncovers was shaded twice, by its edge and as if the lid hung over it: a
    grey band that outsiders take for lid."""
    wide = rig.render(facs.vector({"AU5": 1}), 640)
    y, x = np.mgrid[:640, :640]
    for side, corners in (("R", slice(36, 42)), ("L", slice(42, 48))):
        opened = np.zeros((640, 640), np.uint8)
        cv2.fillPoly(opened, [np.round(wide.landmarks[corners]).astype(np.int32)], 1)
        iris = rig.irises[side].at(2)
        beside = np.hypot(x - iris.centre[0], y - iris.centre[1]) > 1.1 * iris.radius
        above = (cv2.erode(opened, np.ones((5, 5))) > 0) & beside & (y < iris.centre[1])
        assert np.median(wide.image[above] @ LUMA) > 0.7 * (rig._skin.eyes.white @ LUMA)


def test_a_falling_lid_shades_the_eye(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half closed, the eye is darker right below the lid, and nothing else is."""
    shaded = rig.render(facs.vector({"AU43": 0.5}), 320)
    monkeypatch.setattr("mien.face_model.shade.FALLEN", 0.0)
    plain = rig.render(facs.vector({"AU43": 0.5}), 320)
    one, other = (r.image.astype(float) @ LUMA for r in (shaded, plain))
    eyes = np.zeros(one.shape, np.uint8)
    for corners in (slice(36, 42), slice(42, 48)):
        p = shaded.landmarks[corners]
        cv2.fillPoly(eyes, [np.round(p).astype(np.int32)], 1)
        x, y = np.round(p[[1, 2]].mean(0)).astype(int)
        assert one[y + 2, x - 4 : x + 5].mean() < 0.9 * other[y + 2, x - 4 : x + 5].mean()
    beyond = cv2.dilate(eyes, np.ones((7, 7), np.uint8)) == 0
    assert np.array_equal(shaded.image[beyond], plain.image[beyond])


def test_a_closed_lid_ends_in_the_shade_that_lies_there() -> None:
    """Skin in shade beside an eye used to be taken for paint: a pale rim stood in its place."""
    light = np.linspace(170, 70, 240, dtype=np.float32)
    photo = np.repeat(np.broadcast_to(light, (160, 240))[..., None], 3, 2).copy()
    x, y = np.array([80, 100, 130, 150, 130, 100]), np.array([80, 68, 68, 80, 90, 90])
    corners = np.stack([x, y], 1).astype(np.float64)
    brow = np.stack([np.linspace(70, 165, 5), np.full(5, 30.0)], 1)
    photo[74:86, 90:140] = 20  # the eye
    skin = photo.copy()
    close(photo, corners, brow, "L", 1.0)
    beyond = np.s_[70:90, 168:175]  # past the outer corner, where the lid ends
    assert np.abs(photo[beyond] - skin[beyond]).mean() < 4
    assert photo[80, 115].mean() > 60  # the eye itself is covered


def test_a_closed_lid_has_no_fan_of_open_lashes() -> None:
    """Long lashes that point up and out stand on the skin, and went into a grey smear there."""
    photo = np.full((160, 240, 3), 170, np.float32)
    x, y = np.array([80, 100, 130, 150, 130, 100]), np.array([80, 68, 68, 80, 90, 90])
    corners = np.stack([x, y], 1).astype(np.float64)
    brow = np.stack([np.linspace(70, 165, 5), np.full(5, 30.0)], 1)
    photo[74:86, 90:140] = 20
    for root, tip in (((84, 74), (70, 66)), ((90, 70), (80, 57)), ((100, 67), (95, 52))):
        cv2.line(photo, root, tip, (40, 40, 40), 2, cv2.LINE_AA)
    close(photo, corners, brow, "R", 1.0)
    assert photo[40:80, 60:110].min() > 0.85 * 170


@pytest.mark.parametrize("hair", [70, 150])
def test_a_thick_brow_stays_and_makes_no_lid(hair: int) -> None:
    """The brow reaches down to where a lid closes; its lower half was painted over as skin, and
    the lid with its hair."""
    corners = np.array([[60, 100], [75, 88], [95, 88], [110, 100], [95, 108], [75, 108]], float)
    brow = np.array([[55, 62], [70, 58], [85, 57], [100, 58], [115, 62]], float)
    photo = np.full((160, 170, 3), 190, np.float32)
    line = np.interp(np.arange(170), *brow.T)
    down = np.arange(160)[:, None] - line
    thick = (np.abs(down) < 14) & (np.arange(170) > 50) & (np.arange(170) < 120)
    photo[thick] = hair
    photo[86:102, 62:108] = 40
    before = photo.copy()
    close(photo, corners, brow, "L", 1.0)
    middle = np.s_[:, 80:90]
    kept = thick[middle]
    assert np.abs(photo - before)[middle][kept].max() < 8
    lid = photo[84:100, 75:100] @ np.array(LUMA, np.float32)
    assert lid.min() > 160


def eye_of_skin(light: float = 170) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A left eye on even skin (160, 240, 3), its corners (6, 2) and its brow (5, 2)."""
    photo = np.full((240, 240, 3), light, np.float32)
    x, y = np.array([80, 100, 130, 150, 130, 100]), np.array([80, 68, 68, 80, 90, 90])
    corners = np.stack([x, y], 1).astype(np.float64)
    photo[74:86, 90:140] = 20
    return photo, corners, np.stack([np.linspace(70, 165, 5), np.full(5, 20.0)], 1)


def test_a_closed_lid_keeps_the_fold_of_the_open_one() -> None:
    """It was as smooth as an egg: skin keeps the line in which it folds, fainter."""
    photo, corners, brow = eye_of_skin()
    plain = photo.copy()
    fold = np.array([[88, 62], [104, 55], [118, 53], [132, 56]], np.int32)
    cv2.polylines(photo, [fold], False, (90, 90, 90), 3, cv2.LINE_AA)
    for picture in (photo, plain):
        close(picture, corners, brow, "L", 1.0)
    fainter = (plain - photo)[:, 100:130].mean(-1)
    assert fainter[50:58].max(0).min() > 0.06 * 170
    assert fainter.max() < 0.25 * 170
    assert np.abs(fainter[64:72]).max() < 2  # and nothing of it below


def test_lashes_that_cross_a_fold_are_no_fold() -> None:
    photo, corners, brow = eye_of_skin()
    plain = photo.copy()
    for x in range(96, 140, 9):
        cv2.line(photo, (x, 66), (x + 3, 50), (60, 60, 60), 2, cv2.LINE_AA)
    for picture in (photo, plain):
        close(picture, corners, brow, "L", 1.0)
    assert np.abs(photo - plain)[53:70, 95:140].max() < 0.05 * 170


def test_a_closing_lid_leaves_the_lower_lashes_where_they_are() -> None:
    photo, corners, brow = eye_of_skin()
    for x in range(100, 135, 6):
        cv2.line(photo, (x, 95), (x + 1, 104), (60, 60, 60), 1, cv2.LINE_AA)
    before = photo.copy()
    close(photo, corners, brow, "L", 1.0)
    assert np.abs(photo - before)[96:110].max() < 0.1 * 170


def test_a_lid_has_no_texture_of_lashes() -> None:
    """What lends its texture lay so near below the eye that the ghosts of lashes stood on lids."""
    photo, corners, brow = eye_of_skin()
    for x in range(84, 150, 7):
        cv2.line(photo, (x, 92), (x + 1, 106), (30, 30, 30), 2, cv2.LINE_AA)
        cv2.line(photo, (x, 70), (x + 2, 58), (30, 30, 30), 2, cv2.LINE_AA)
    close(photo, corners, brow, "L", 1.0)
    assert np.std(photo[44:80, 90:140] @ np.array(LUMA)) < 6


def test_what_a_lid_is_made_of_has_no_edges() -> None:
    """Where the skin of one side met that of another, an edge ran over the lid."""
    photo, corners, brow = eye_of_skin()
    photo[:, :115] *= np.float32(0.7)
    close(photo, corners, brow, "L", 1.0)
    lid = photo[72:84, 95:135].mean((0, 2))
    assert np.abs(np.diff(lid)).max() < 0.05 * 170
    assert lid[-1] - lid[0] > 0.1 * 170

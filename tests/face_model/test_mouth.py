"""What the rig paints: mouth, lips and lids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien import facs
from mien.face_model.eye_textures import eye_textures
from mien.face_model.eyes import Iris, polygon
from mien.face_model.frame import Frame, Window
from mien.face_model.gaze import irises_of
from mien.face_model.mesh import BACKGROUND_LAYER, FaceModel
from mien.face_model.mouth import own_mouth
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Render, Rig
from mien.face_model.shade import _own_share
from mien.types import AlignedFace, Float

SIZE = 160
LIGHT = np.array([0.299, 0.587, 0.114])


def show(rig: Rig, **units: float) -> Render:
    return rig.render(facs.vector(units), SIZE)


def within(points: Float) -> NDArray[np.bool_]:
    return polygon((SIZE, SIZE), points) > 0


def teeth(r: Render) -> NDArray[np.bool_]:
    """Pixels (S, S) between the lips' outer borders that are nearly as colourless as teeth."""
    red, green = (r.image[..., i].astype(float) for i in (0, 1))
    pale = (red - green) / np.maximum(red, 1) < 0.18
    found: NDArray[np.bool_] = pale & (r.image @ LIGHT > 90) & within(r.landmarks[48:60])
    return found


def open_mouth(r: Render) -> np.ndarray:
    return np.asarray(r.image[r.mouth > 0.95] @ LIGHT)


def test_closing_a_smile_leaves_no_tooth(smiling: Rig) -> None:
    before, after = teeth(smiling.original(SIZE)), teeth(show(smiling))
    assert before.sum() > 30
    assert after.sum() == 0


def test_closed_lips_keep_the_lower_lips_colour_above_and_below(smiling: Rig) -> None:
    r, own = show(smiling), smiling._skin.mouth.lip
    p = r.landmarks
    for inner, outer in ((62, 51), (66, 57)):
        x, y = np.round(p[inner] * 0.6 + p[outer] * 0.4).astype(int)
        colour = np.median(r.image[y : y + 2, x - 4 : x + 5].reshape(-1, 3), axis=0)
        assert np.abs(colour - own).max() < 45


def test_a_closed_smile_opens_again(smiling: Rig) -> None:
    r = smiling.render(facs.prototype("surprise"), SIZE)
    assert (r.mouth > 0.9).sum() > 50
    dark = open_mouth(r) < 0.5 * float(smiling._skin.mouth.skin @ LIGHT)
    assert dark.mean() > 0.4


@pytest.mark.parametrize("seed", range(3))
def test_no_hole_at_any_strength(neutral: Rig, smiling: Rig, seed: int) -> None:
    """Ten mixes each of six units at 1: inside eyes, nose and mouth the face covers everything."""
    rng = np.random.default_rng(seed)
    for rig in (neutral, smiling):
        for _ in range(5):
            units = np.zeros(len(facs.UNITS), np.float32)
            units[rng.choice(len(units), 6, replace=False)] = 1
            r = rig.render(units, SIZE, supersample=1)
            assert np.isfinite(r.flow).all()
            points = r.landmarks[27:].astype(np.float32)
            hull = np.asarray(cv2.convexHull(points), np.float32)[:, 0]
            scene, _ = rig._scene(
                rig.weights(units), rig.fit.camera, 1.0, True, PoseAndLight(), None
            )
            layer = Frame.of(scene, Window.whole(SIZE)).layer
            assert not (layer[within(hull)] == BACKGROUND_LAYER).any()


def test_a_dark_faces_mouth_is_dark_inside(
    model: FaceModel, crop: Callable[[str], AlignedFace]
) -> None:
    face = crop("neutral_front/061_03")
    rig = Rig(model, face.pixels, face.landmarks, neutral=True)
    skin = float(rig._skin.mouth.skin @ LIGHT)
    assert skin < 90
    r = rig.render(facs.vector({"AU26": 1.0, "AU27": 0.6}), SIZE)
    inside = r.image[r.mouth > 0.95].astype(float)
    light = inside @ LIGHT
    assert np.median(light) < 0.8 * skin
    deep = inside[light < np.median(light)]
    assert (deep[:, 0] - deep[:, 1]).max() < 40  # dark, not red


def test_a_grey_photograph_has_a_grey_mouth(model: FaceModel, neutral: Rig) -> None:
    grey = np.repeat((neutral.crop @ LIGHT).astype(np.uint8)[..., None], 3, axis=2)
    rig = Rig(model, grey, neutral.fit.landmarks.astype(np.float32), neutral=True)
    image = rig.render(facs.prototype("happy"), SIZE).image
    assert np.ptp(image.astype(int), axis=-1).max() <= 1


def test_the_opening_is_round(neutral: Rig) -> None:
    p = show(neutral, AU26=1.0).landmarks
    corners = p[[60, 64], 1].mean()
    middle, sides = p[66, 1] - corners, p[[67, 65], 1].mean() - corners
    assert middle < 1.25 * sides


def test_closed_lids_are_skin(neutral: Rig) -> None:
    """The painted lid is no darker than the skin around it by more than its shade."""
    p, photo = neutral.fit.landmarks, neutral.crop
    seen = photo.astype(np.float32)
    eyes, lids = eye_textures(seen, p, irises_of(photo, neutral.fit), 1.0), seen.copy()
    (left, top), (down, across) = eyes.corner, eyes.lids.shape[:2]
    lids[top : top + down, left : left + across] += eyes.lids
    for part in (slice(36, 42), slice(42, 48)):
        inside = lids[polygon(photo.shape[:2], p[part]) > 0] @ LIGHT
        x, y = p[part].mean(0)
        skin = float(photo[int(y + 0.45 * np.ptp(p[part][:, 0])), int(x)] @ LIGHT)
        assert inside.min() > 0.6 * skin
        assert inside.std() < 0.08 * skin


def test_what_lies_far_from_the_eyes_does_not_change_their_textures(neutral: Rig) -> None:
    """They are held where they are: a larger picture gives the same, elsewhere."""
    seen, by = neutral.crop.astype(np.float32), 40
    irises = irises_of(neutral.crop, neutral.fit)
    own = eye_textures(seen, neutral.fit.landmarks, irises, 1.0)
    assert own.kept.size < 0.7 * seen[..., 0].size
    moved = {side: Iris(iris.centre + by, iris.radius) for side, iris in irises.items()}
    room = ((by, by), (by, by), (0, 0))
    other = eye_textures(np.pad(seen, room), neutral.fit.landmarks + by, moved, 1.0)
    assert other.corner == (own.corner[0] + by, own.corner[1] + by)
    for name in ("hidden", "kept", "lids"):
        np.testing.assert_allclose(getattr(own, name), getattr(other, name), atol=1e-2)


def test_one_lid_closes_alone(neutral: Rig) -> None:
    wink = show(neutral, AU43L=1.0)
    # drawn, not the photograph itself, which its own units would give
    rest = neutral.render_weights(neutral.weights(neutral.units), len(wink.image))
    p = rest.landmarks
    left, right = within(p[42:48]), within(p[36:42])
    change = np.abs(wink.image.astype(int) - rest.image).mean(-1)
    assert change[left].mean() > 10
    assert change[right].mean() < 2


@pytest.mark.parametrize(("between", "are"), [((200, 148, 148), False), ((180, 165, 155), True)])
def test_a_lip_that_shines_is_no_tooth(rig: Rig, between: tuple[int, int, int], are: bool) -> None:
    """Landmarks part closed lips now and then; teeth of their colour were drawn in other labels."""
    points = rig.fit.landmarks.copy()
    points[[65, 66, 67], 1] += 9
    photo = np.full((320, 320, 3), (196, 164, 142), np.float32)
    photo[polygon((320, 320), points[48:60]) > 0] = (190, 140, 153)
    photo[polygon((320, 320), points[60:68]) > 0] = between
    mouth = own_mouth(photo, points, False, np.array([180, 176, 180], np.float32), 1.0)
    assert (mouth.enamel is not None) == are


def test_somebody_elses_teeth_are_not_mixed_with_ones_own(model: FaceModel, rig: Rig) -> None:
    """A donor's row stood behind what a photograph shows of the own one: teeth cut in two."""
    smile = rig.render(facs.prototype("happy"), 320)
    parted = Rig(model, smile.image, smile.landmarks, neutral=False)
    skin = replace(parted._skin, inside=rig._skin.inside)
    assert not skin.inside.is_own
    weights = parted.weights(facs.prototype("surprise"))
    scene, _ = parted._scene(weights, parted.fit.camera, 1.0, True, PoseAndLight(), None)
    assert _own_share(skin, Frame.of(scene, Window.whole(320))).max() == 0  # 1 on the upper teeth

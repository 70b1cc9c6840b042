"""What is seen behind the teeth of a wide mouth."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.face_model.cavity import Cavity, Place
from mien.face_model.jaw import Jaw
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Rig
from mien.face_model.tones import Tones
from mien.types import AlignedFace, Float

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
UNIT = 40.0
"""Px per cm of the made mouths."""


def seen_by(*colours: tuple[int, int, int]) -> Tones:
    white, skin, lip = (np.asarray(c, np.float32) for c in colours)
    return Tones(white, skin, lip, 215.0)


TONES = seen_by((220, 210, 205), (205, 160, 140), (180, 110, 110))


@pytest.fixture(scope="module")
def cavity(model: FaceModel) -> Cavity:
    return Cavity(model, TONES)


def opened(gap: float) -> Place:
    """A round mouth whose rows are `gap` cm apart, the lips a little more."""
    x = (np.arange(200, dtype=np.float32) - 99.5) / UNIT
    low = (gap + 0.3 - np.arange(round((gap + 0.6) * UNIT), dtype=np.float32) / UNIT)[:, None]
    low = np.repeat(low, len(x), 1)
    mask = (x / 2.2) ** 2 + ((low - gap / 2) / (gap / 2 + 0.2)) ** 2 < 1
    return Place(x, low, low - np.float32(gap), mask, UNIT)


def test_the_rows_gap_is_read_from_where_the_rows_are() -> None:
    assert opened(1.7).rows_gap == pytest.approx(1.7, abs=0.02)


def test_the_tongue_lies_before_a_dark_throat(cavity: Cavity) -> None:
    at = opened(2.4)
    picture = cavity(at, 0.0)
    light = picture @ LUMA
    middle = np.abs(at.across) < 0.5

    def seen(low: float, high: float) -> Float:
        return np.asarray(light[:, middle][((at.low > low) & (at.low < high))[:, middle]])

    tongue, throat = seen(0.4, 0.9), seen(1.75, 2.1)
    assert np.median(tongue) > 3 * np.median(throat)
    assert np.median(throat) < 0.2 * 165, "as dark as that of wide mouths, beside the cheeks"
    assert 0.3 * 160 < np.median(tongue) < 0.95 * 160
    assert tongue.std() > 3, "it has a grain"
    red, green = picture[..., 0], picture[..., 1]
    flesh = (at.low > 0.4) & (at.low < 0.9) & (np.abs(at.across) < 1)
    assert (red[flesh] > 1.3 * green[flesh]).mean() > 0.95


def test_its_outline_is_round(cavity: Cavity) -> None:
    """A mound: the tongue reaches higher in the middle than at its sides."""
    at = opened(2.4)
    light = cavity(at, 0.0) @ LUMA
    flesh = light > 2.2 * light[(at.low > 1.75) & (np.abs(at.across)[None] < 0.3)].mean()
    height = np.where(flesh, at.low, 0).max(0)
    middle, sides = (
        float(np.median(height[np.abs(np.abs(at.across) - x) < 0.1])) for x in (0.35, 1.6)
    )
    assert middle > sides + 0.2


def test_people_have_tongues_of_their_own(model: FaceModel) -> None:
    """The same in each picture of a person; of another height than others'; as red as the lips."""
    at = opened(2.4)
    few = [Cavity(model, TONES, seed)(at, 0.0) for seed in (1, 1, 2, 3, 4)]
    assert np.array_equal(few[0], few[1])
    high = [float((one @ LUMA)[:, 100].mean()) for one in few[1:]]
    assert max(high) - min(high) > 1
    pale = seen_by((220, 210, 205), (205, 160, 140), (180, 125, 120))
    red, other = (Cavity(model, tones, 1)(at, 0.0) for tones in (TONES, pale))
    low = (at.low > 0.4) & (at.low < 0.8) & (np.abs(at.across) < 1)
    ratio = [np.median(one[low][:, 0] / one[low][:, 1]) for one in (red, other)]
    assert ratio[0] > ratio[1] + 0.03


def test_the_depth_of_a_mouth_is_no_redder_than_wide_mouths_are(model: FaceModel) -> None:
    """Palate and cheeks follow the lips as the tongue does: brown ones have no scarlet behind
    them."""
    at = opened(2.4)
    brown = seen_by((150, 150, 148), (87, 66, 56), (95, 80, 78))
    aside = (np.abs(at.across) > 1.3)[None] & (at.low > 1.2) & (at.low < 1.8)
    ratio = [
        float(np.median(one[aside][:, 0] / one[aside][:, 1]))
        for one in (Cavity(model, tones, 1)(at, 0.0) for tones in (TONES, brown))
    ]
    assert ratio[0] < 2.1
    assert ratio[1] < ratio[0] - 0.1


def test_not_every_tongue_is_of_two_halves(model: FaceModel) -> None:
    """Some have a groove and some are round in the middle; some lie higher on one side."""
    at = opened(2.4)
    flat = at.low[:, 0] if at.low.ndim > 1 else at.low
    dips, tilts = [], []
    for seed in range(12):
        light = Cavity(model, TONES, seed)(at, 0.0) @ LUMA
        dark = light[(at.low > 1.75) & (np.abs(at.across)[None] < 0.3)].mean()
        top = np.where(light > 2.2 * dark, flat[:, None], 0).max(0)
        left, middle, right = (
            float(np.median(top[np.abs(at.across - x) < 0.12])) for x in (-0.6, 0.0, 0.6)
        )
        dips.append((left + right) / 2 - middle)
        tilts.append(right - left)
    assert min(dips) < 0 < max(dips)
    assert min(tilts) < -0.04
    assert max(tilts) > 0.04


def test_a_tongue_is_seen_behind_a_raised_lower_lip(cavity: Cavity) -> None:
    """Where the lip hides all that lies low, the tongue lies as much higher."""
    at = opened(2.6)
    at = Place(at.across, at.low, at.above, at.mask & (at.low > 1.4), UNIT)
    light = cavity(at, 0.0) @ LUMA
    middle = (np.abs(at.across) < 0.3)[None] & at.mask
    floor, ceiling = at.between
    part = (at.low - floor) / (ceiling - floor)
    assert floor == pytest.approx(1.4, abs=0.05)
    tongue, dark = (light[middle & (part > a) & (part < b)] for a, b in ((0.12, 0.25), (0.5, 0.65)))
    assert np.median(tongue) > 1.1 * np.median(dark)


def test_less_light_comes_in_between_nearer_lips(cavity: Cavity) -> None:
    levels = []
    for gap in (0.6, 1.2, 2.4):
        at = opened(gap)
        light = cavity(at, 0.0) @ LUMA
        levels.append(float(np.percentile(light[at.mask], 90)))
    assert levels[0] < 0.85 * levels[1] < 0.85 * levels[2]


def test_a_turned_head_shows_the_tongue_from_one_side(
    model: FaceModel, cavity: Cavity, anna: AlignedFace
) -> None:
    rig = Rig(model, anna.pixels, anna.landmarks, neutral=True)
    weights = rig.weights(facs.vector({"AU25": 1.0, "AU27": 1.0}))
    jaw = Jaw(model, upper=False)
    aside = []
    for yaw in (-20.0, 0.0, 20.0):
        camera = PoseAndLight(turn=(0.0, yaw, 0.0)).camera(rig.fit.camera)
        points = rig.pose(weights, camera).points
        aside.append(cavity.farther(jaw.place(points), points))
    left, straight, right = aside
    assert abs(straight) < 0.35
    assert min(left, right) < straight - 0.4
    assert max(left, right) > straight + 0.4


def test_a_wide_mouth_of_a_photograph_has_depth(model: FaceModel, anna: AlignedFace) -> None:
    """Beside the cheeks' light: its darkest fiftieth, a quarter, the middle, as wide mouths have
    it."""
    rig = Rig(model, anna.pixels, anna.landmarks, neutral=True)
    made = rig.render(facs.vector({"AU25": 1.0, "AU27": 1.0}), 320)
    light = (made.image @ LUMA)[made.mouth > 0.95] / float(rig._skin.mouth.skin @ LUMA)
    darkest, quarter, middle = np.percentile(light, (2, 25, 50))
    assert darkest < 0.15
    assert quarter < 0.3
    assert 0.12 < middle < 0.5

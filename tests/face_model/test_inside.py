"""The inside of the mouth in a render: the library's teeth, in the photograph's light."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mien import facs, images
from mien.face_model import mouths
from mien.face_model.cavity import Place
from mien.face_model.cuts import Row
from mien.face_model.inside import Mouth, Own, OwnRow
from mien.face_model.jaw import Jaw
from mien.face_model.lower import lower_row
from mien.face_model.mesh import TEETH, FaceModel
from mien.face_model.mouths import FLAT, MouthLibrary
from mien.face_model.render import Render, Rig
from mien.face_model.rows import hung
from mien.face_model.tones import Tones, _veil
from mien.faces import align
from mien.faces.detect import detect
from mien.types import AlignedFace, Float

SIZE = 320
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
SMILE, SCREAM = facs.prototype("happy"), facs.vector({"AU25": 1.0, "AU27": 1.0})


def drawn(rig: Rig, units: facs.Vector) -> Render:
    return rig.render(units, SIZE, supersample=1)


def of(tones: Tones, **changes: Any) -> Tones:
    return dataclasses.replace(tones, **changes)


def test_the_teeth_are_the_librarys(
    model: FaceModel, anna: AlignedFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Donors painted in stripes give a mouth in stripes: the rows hang on both jaws."""
    donors = MouthLibrary.load(mouths.SHIPPED).donors
    striped = []
    for donor in donors:
        pixels = donor.pixels.copy()
        pixels[:, ::12, :3] = pixels[:, 1::12, :3] = 0
        striped.append(dataclasses.replace(donor, pixels=pixels))
    plain = drawn(Rig(model, anna.pixels, anna.landmarks, neutral=True), SMILE)
    library = MouthLibrary(striped, {})
    monkeypatch.setattr(MouthLibrary, "load", classmethod(lambda cls, path=None: library))
    made = drawn(Rig(model, anna.pixels, anna.landmarks, neutral=True), SMILE)
    inside = plain.mouth > 0.9
    apart = np.abs(plain.image.astype(int) - made.image).mean(-1)
    assert apart[inside].mean() > 8
    assert apart[cv2.dilate(plain.mouth, np.ones((9, 9))) == 0].max() == 0


def test_one_donor_over_all_expressions(rig: Rig) -> None:
    donor = rig._skin.inside.donor
    drawn(rig, SMILE)
    drawn(rig, SCREAM)
    assert rig._skin.inside.donor is donor


def test_a_grey_photograph_has_a_grey_mouth(model: FaceModel, anna: AlignedFace) -> None:
    light = np.round(anna.pixels @ LUMA).astype(np.uint8)
    grey = Rig(model, np.repeat(light[..., None], 3, 2), anna.landmarks, neutral=True)
    for units in (SMILE, SCREAM):
        assert np.ptp(drawn(grey, units).image.astype(int), axis=-1).max() <= 1


def test_a_sepia_photograph_has_a_sepia_mouth(model: FaceModel, anna: AlignedFace) -> None:
    tint = np.array([1.1, 0.97, 0.8], np.float32)
    sepia = np.clip((anna.pixels @ LUMA)[..., None] * tint, 0, 255).round().astype(np.uint8)
    made = drawn(Rig(model, sepia, anna.landmarks, neutral=True), SMILE)
    bright = (made.mouth > 0.95) & (made.image @ LUMA > 60)
    inside = made.image[bright].astype(float)
    assert len(inside) > 50
    shares = (inside / (inside @ LUMA)[:, None]).mean(0)
    assert shares == pytest.approx(tint / (tint @ LUMA), abs=0.03)


def test_a_dim_photograph_has_a_dim_mouth(model: FaceModel, anna: AlignedFace, rig: Rig) -> None:
    dim = Rig(model, np.round(anna.pixels * 0.25).astype(np.uint8), anna.landmarks, neutral=True)
    for units in (SMILE, SCREAM):
        full, made = drawn(rig, units), drawn(dim, units)
        inside = full.mouth > 0.9
        assert np.median(made.image[inside]) < 0.35 * np.median(full.image[inside])
        assert (made.image[inside] @ LUMA).max() < 1.2 * 0.25 * 255


def test_teeth_are_no_brighter_than_the_light(rig: Rig) -> None:
    tones = rig._skin.inside.tones
    glaring = of(tones, white=np.full(3, 250, np.float32), bright=80.0)
    assert tones.level < 1.13 * max(tones.bright, float(tones.white @ LUMA))
    assert glaring.level < 180


def test_own_teeth_tell_their_colour(rig: Rig) -> None:
    own = of(rig._skin.inside.tones, enamel=np.array([120, 100, 60], np.float32))
    donor = rig._skin.inside.donor
    assert own.relit(donor.enamel, donor.enamel) == pytest.approx([120, 100, 60], abs=0.5)


def test_orange_light_tints_the_teeth_and_a_persons_own_colour_does_not(rig: Rig) -> None:
    tones = rig._skin.inside.tones
    orange = np.array([1.25, 0.97, 0.5], np.float32)
    lit = of(tones, white=tones.white * orange, skin=tones.skin * orange)
    assert lit.cast[0] / lit.cast[2] > 1.7
    bloodshot = of(tones, white=tones.white * np.array([1.1, 0.95, 0.95], np.float32))
    assert np.ptp(bloodshot.cast) < 0.05


def test_blue_light_is_read_of_own_teeth_where_skin_tells_nothing(rig: Rig) -> None:
    """Half of a face in another light told nothing of the one in the mouth; yellow teeth are no
    light, where the eyes are white."""
    tones, blue = rig._skin.inside.tones, np.array([0.5, 1.1, 1.5], np.float32)
    unlike = of(tones, white=tones.white * blue, enamel=tones.white * blue)
    assert unlike.cast[2] / unlike.cast[0] > 1.8
    yellow = of(tones, enamel=np.array([220, 195, 130], np.float32))
    assert yellow.cast == pytest.approx(tones.cast, abs=0.05)


def test_a_rising_smile_does_not_jump(rig: Rig) -> None:
    """No step of twelve changes the inside by more than thrice the median step: neither while it
    shows more teeth nor while the jaw drops."""
    frames = [drawn(rig, np.clip(SMILE * k, 0, 1)) for k in np.linspace(0.8, 1.4, 13)]
    frames += [
        drawn(rig, np.maximum(SMILE, facs.vector({"AU26": a}))) for a in np.linspace(0.05, 1, 12)
    ]
    steps = []
    for a, b in pairwise(frames):
        both = (a.mouth > 0.95) & (b.mouth > 0.95)
        steps.append(np.abs(a.image[both].astype(float) - b.image[both]).mean())
    assert max(steps[:12]) < 3 * np.median(steps[:12]) + 1
    assert max(steps[13:]) < 3 * np.median(steps[13:]) + 1


def test_upper_teeth_stay_when_the_jaw_drops(rig: Rig) -> None:
    """The row hangs on the skull: its edge does not follow the lower lip down."""
    small, wide = (facs.vector({"AU25": 1.0, "AU26": a}) for a in (0.6, 1.0))
    lowest = []
    for units in (small, wide):
        made = drawn(rig, units)
        x = int(made.landmarks[[62, 66], 0].mean())
        column = np.median(made.image[:, x - 3 : x + 4] @ LUMA, axis=1)
        inside = made.mouth[:, x] > 0.9
        top = np.flatnonzero(inside)[0]
        dark = np.flatnonzero(inside & (column < 90) & (np.arange(SIZE) > top + 2))
        lowest.append(dark[0])
    assert abs(lowest[0] - lowest[1]) <= 2


def test_a_wide_mouth_has_depth(rig: Rig) -> None:
    """Lower teeth, a tongue that is lit in front, a dark throat behind the upper teeth."""
    made = drawn(rig, SCREAM)
    x = int(made.landmarks[[62, 66], 0].mean())
    rows = np.flatnonzero(made.mouth[:, x - 8] > 0.95)
    light = (made.image[rows, x - 10 : x - 5] @ LUMA).mean(1)
    lower = light[-len(light) // 4 :].max()
    upper = (made.image[rows[: len(rows) // 4], x - 20 : x + 20] @ LUMA).max(0).mean()
    throat, tongue = light[len(light) // 3], light[int(0.68 * len(light))]
    assert upper > 90
    assert lower > 80
    assert throat < 0.6 * upper
    assert tongue > 1.1 * throat


def test_the_map_of_a_jaw_finds_its_teeth(model: FaceModel, rig: Rig) -> None:
    """Places on the flat row, where the mesh's own teeth lie in the picture, in a turned head
    too."""
    teeth = model.jaw_parts[0]
    teeth = teeth[(teeth >= TEETH.start) & (np.abs(model.neutral[teeth, 0]) < 1.5)]
    front = teeth[model.neutral[teeth, 2] > model.neutral[teeth, 2].max() - 0.35]
    points = rig.pose(rig.weights(SMILE), rig.fit.camera).points
    turned = points.copy()
    turned[:, 0] += 0.3 * (points[:, 0] - 160)
    for seen in (points, turned):
        place = Jaw(model, upper=True).place(seen)
        x, y = seen[front, 0], seen[front, 1]
        across = [place(x[i : i + 1], y[i : i + 1])[0][0] for i in range(0, len(x), 7)]
        assert np.abs(np.array(across) - model.neutral[front[::7], 0]).max() < 0.12


def test_an_own_row_hangs_where_the_photograph_has_it(model: FaceModel, rig: Rig) -> None:
    """One side lower than the other, as in a crooked smile: each column at its own place."""
    points = rig.source.points
    unit, (x, y) = float(rig.fit.camera.scale), points[model.landmarks[[62, 66]]].mean(0)
    off = np.linspace(-1.6, 1.6, FLAT.shape[1])
    edge = np.stack([x + off * unit, y + (0.2 * off - 0.1 * off**2) * unit], 1)
    middle, rise = edge[len(edge) // 2], np.array([0.0, -unit])
    nothing = np.zeros(FLAT.shape[1], np.float32)
    row = dataclasses.replace(MouthLibrary.load(mouths.SHIPPED).donors[0], arc=nothing)
    shape = (row.pixels, row.top, nothing, row.enamel, 0.2, 0.9, 1.0)
    cut = Row(*shape, middle, edge, rise, met=nothing, higher=nothing)
    place = Jaw(model, upper=True).place(points)
    hangs = OwnRow.of(Own(row, cut, points), place)
    across, high = place(*edge.T.astype(np.float32))
    column, above = hangs(across, high, nothing)
    assert column == pytest.approx(np.arange(len(column)), abs=0.05)
    assert np.diag(above) == pytest.approx(0, abs=0.01)
    _, higher = hangs(across, place(*(edge + rise).T.astype(np.float32))[1], nothing)
    assert np.diag(higher)[60:-60] == pytest.approx(1, abs=0.1)


def test_the_same_bytes_for_any_number_of_threads(rig: Rig) -> None:
    before = cv2.getNumThreads()
    try:
        pictures = []
        for count in (1, 4):
            cv2.setNumThreads(count)
            pictures.append(drawn(rig, SCREAM).image)
    finally:
        cv2.setNumThreads(before)
    one, other = pictures
    assert np.array_equal(one, other)


def test_a_sliver_of_a_mouth_is_drawn(model: FaceModel, rig: Rig) -> None:
    """Masks of one pixel and of one row are mouths too."""
    real = rig._skin.inside
    assert isinstance(real, Mouth)
    for units in (facs.vector({"AU25": 0.15}), facs.vector({"AU26": 0.12})):
        assert np.isfinite(rig.render(units, 64, supersample=1).image).all()


@pytest.fixture(scope="module")
def toothy(model: FaceModel, original: Callable[..., Path]) -> Rig:
    """A test person's smile."""
    pixels = images.read(original("london_1350", "smiling_front", "030_08.jpg")).pixels
    face = align.align(pixels, detect(pixels)[0], 320)
    return Rig(model, face.pixels, face.landmarks, neutral=False)


def test_who_shows_teeth_keeps_them(toothy: Rig) -> None:
    """The own row, in its place: the drawn smile is the photograph, and an opened one has its
    enamel."""
    assert toothy._skin.inside.is_own
    photo = toothy.original(SIZE)
    again = toothy.render_weights(toothy.fit.weights, SIZE, supersample=1)
    both = (photo.mouth > 0.9) & (again.mouth > 0.9)
    assert np.abs(photo.image[both].astype(int) - again.image[both]).mean() < 6
    wider = np.maximum(toothy.units, facs.vector({"AU25": 1.0, "AU27": 0.9}))
    made = drawn(toothy, wider)
    inside = made.image[made.mouth > 0.95].astype(float)
    pale = inside[inside @ LUMA > np.percentile(inside @ LUMA, 92)]
    enamel = toothy._skin.inside.donor.enamel
    assert np.abs(np.median(pale, 0) - enamel).max() < 0.12 * 255


def test_lips_that_moved_show_nothing_of_the_photographs_inside(toothy: Rig) -> None:
    """The gap alone does not tell: another mouth of the same gap is another mouth."""
    real, rig = toothy._skin.inside, toothy
    at = rig.pose(rig.fit.weights, rig.fit.camera).points
    unit = float(rig.fit.camera.scale)
    assert real.still(at, 1.0, unit) > 0.95
    parted = rig.pose(rig.weights(facs.vector({"AU25": 1.0, "AU26": 0.8})), rig.fit.camera).points
    assert real.still(parted, 1.0, unit) == 0


def test_a_hazy_photograph_has_no_black_hole(model: FaceModel, anna: AlignedFace) -> None:
    """Where pupils are grey, so is the depth of the mouth; where they are black, it is dark."""
    darkest = []
    for haze in (0.0, 0.4):
        pixels = np.round(anna.pixels * (1 - haze) + 200 * haze).astype(np.uint8)
        rig = Rig(model, pixels, anna.landmarks, neutral=True)
        made = drawn(rig, SCREAM)
        inside = (made.image @ LUMA)[made.mouth > 0.95]
        skin = float(rig._skin.mouth.skin @ LUMA)
        darkest.append(float(np.percentile(inside, 5)) / skin)
    clear, hazy = darkest
    assert clear < 0.2
    assert hazy > clear + 0.15


def test_a_few_dark_pixels_of_a_small_face_are_no_clear_air() -> None:
    """In a small grey face the darkest pixel or two are noise: it is as hazy without them."""
    grey = np.full(9_600, 200, np.float32)
    grey[:30] = 52  # pupils and nostrils under haze
    noisy = grey.copy()
    noisy[:4] = 20
    assert _veil(grey, 200.0) == _veil(noisy, 200.0) > 0.3
    grey[:30] = 20
    assert _veil(grey, 200.0) == 0


def test_a_strip_of_lower_teeth_is_not_shown(rig: Rig) -> None:
    """They come into view when the lip leaves a third of a centimetre of them free."""
    mouth = rig._skin.inside

    def lower(tall: float) -> float:
        """How much of them a mouth shows whose lower lip leaves `tall` cm above their edge."""
        points = rig.source.points.copy()
        unit = float(rig.fit.camera.scale)
        jaw = mouth._jaws[1].place(points)
        x = np.arange(320, dtype=np.float32)
        across, above = jaw(x, x)
        free = (np.abs(across) < 1.0)[None] & (above < 0.1) & (above > -tall)
        row, light = mouth._lower(Place(across, above, above, free, unit))
        assert light.max() > 2 * light.min(), "cheeks stand before the outer ones"
        return float((row[..., 3] * free).max())

    assert lower(0.02) < 0.3 < 0.8 < lower(0.6)


def test_the_lower_row_is_drawn_as_this_person_has_it(
    model: FaceModel, anna: AlignedFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A green one is green in an open mouth, and it is made by the person's own seed."""
    seeds = []

    def green(enamel: Float, gum: Float, tinted: bool, seed: int) -> tuple[Float, ...]:
        seeds.append(seed)
        levels = lower_row(enamel, gum, tinted, seed)
        return tuple(level * np.array([0, 1, 0, 1], np.float32) for level in levels)

    plain = drawn(Rig(model, anna.pixels, anna.landmarks, neutral=True), SCREAM)
    monkeypatch.setattr("mien.face_model.inside.lower_row", green)
    rig = Rig(model, anna.pixels, anna.landmarks, neutral=True)
    made = drawn(rig, SCREAM)
    more = made.image.astype(int) - plain.image
    is_green = (more[..., 0] < -40) & (made.image[..., 1] > 60)
    assert is_green.sum() > 50
    assert np.nonzero(is_green)[0].min() > made.landmarks[62, 1], "below the upper lip"
    assert seeds == [rig.seed]


def test_no_wedge_of_gum_where_an_own_row_meets_a_donors() -> None:
    """An own row that a lip cut low and a donor's beside it, seen higher: both reach up to the lip
    that lets them be seen."""
    donor, unit = MouthLibrary.load().donors[0], 40.0
    columns = np.arange(FLAT.shape[1], dtype=np.float32)
    top = np.where(np.abs(columns - columns.mean()) < 40, 0.45, 0.8).astype(np.float32)
    above = np.repeat(np.linspace(1.0, 0.0, 41, dtype=np.float32)[:, None], len(columns), 1)
    cut = np.full(len(columns), 0.85, np.float32)
    _, over, _ = hung(donor.levels, dataclasses.replace(donor, top=top), columns, above, cut, unit)
    middle = slice(40, len(columns) - 40)
    assert over[above[:, 0] < 0.74][:, middle].max() < 0.01
    assert over[above[:, 0] > 0.86][:, middle].min() > 0.99  # above what the lip shows


def test_gum_comes_down_between_teeth_where_a_lip_bares_it() -> None:
    """It used to be one even band."""
    donor = MouthLibrary.load().donors[0]
    columns = np.arange(FLAT.shape[1], dtype=np.float32)
    donor = dataclasses.replace(donor, top=np.full(len(columns), 0.7, np.float32))
    above = np.repeat(np.linspace(1.4, 0.0, 141, dtype=np.float32)[:, None], len(columns), 1)

    def lowest(cut: float) -> np.ndarray:
        """How high gum begins in each column under a lip `cut` cm above the teeth's edge."""
        lip = np.full(len(columns), cut, np.float32)
        _, over, _ = hung(donor.levels, donor, columns, above, lip, 40.0)
        begins: np.ndarray = np.where(over > 0.5, above, 9).min(0)
        return begins

    bared, covered = lowest(1.3), lowest(0.7)
    amid, touch = donor.arches < 0.02, donor.arches > 0.98
    assert bared[amid].mean() - bared[touch].mean() > 0.1
    assert np.ptp(covered) < 0.03
    front = np.abs(columns - columns.mean()) < 1.2 * FLAT.density
    light = donor.pixels[round((FLAT.above - 0.4) * FLAT.density), :, :3] @ LUMA
    assert light[front & amid].mean() > 1.1 * light[front & touch].mean()  # they do touch there


def test_shining_lips_are_no_teeth_of_ones_own(model: FaceModel, anna: AlignedFace) -> None:
    """Landmarks part closed lips of some: pale where they shine, but redder than teeth. Another's
    teeth were then as brown as these."""
    rest = Rig(model, anna.pixels, anna.landmarks, neutral=True)
    smile = rest.render(facs.prototype("happy"), 640)
    own = Rig(model, smile.image, smile.landmarks, neutral=False)
    assert own._skin.inside.is_own
    skin = own._skin.inside.tones.skin
    hue = skin / skin.max()
    red = smile.image * (1 - smile.mouth[..., None] * (1 - hue ** np.float32(0.8)))
    shining = Rig(model, np.round(red).astype(np.uint8), smile.landmarks, neutral=False)
    inside = shining._skin.inside
    assert not inside.is_own
    assert inside.tones.enamel is None

"""The library of mouths: what ships, how a row of teeth is cut, and how one is chosen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from mien.data.split import split_of
from mien.errors import DataError
from mien.face_model import mouths
from mien.face_model.cuts import INSET, cut
from mien.face_model.mouths import ALIKE, FLAT, MouthLibrary, own
from mien.types import UInt8

SKIN, LIP, TOOTH, DARK = (190, 150, 130), (170, 95, 100), (205, 196, 186), (40, 22, 20)


def softened(picture: UInt8) -> UInt8:
    """Edges as a lens draws them."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


@dataclass(frozen=True)
class MadeSmile:
    """A picture with landmarks (68, 2) px, px per cm, and the rows of lip and teeth in its
    middle."""

    picture: UInt8
    landmarks: NDArray[np.float64]
    unit: float
    lip: float
    edge: float


@pytest.fixture(scope="session")
def made_smile() -> MadeSmile:
    """Eight white rectangles between two pink arcs; landmarks miss the upper lip by 0.06 cm."""
    unit, side = 40.0, 800
    picture: UInt8 = np.full((side, side, 3), SKIN, np.uint8)
    x0, y0 = side / 2, 560.0
    cv2.ellipse(picture, (400, 560), (130, 62), 0, 0, 360, LIP, -1)
    cv2.rectangle(picture, (300, 535), (500, 590), DARK, -1)
    for k in range(-4, 4):
        left = int(400 + k * 24)
        cv2.rectangle(picture, (left + 1, 535), (left + 22, 575), TOOTH, -1)
    picture = softened(picture)
    points = np.zeros((68, 2))
    eyes = 6.51 * unit / 2
    points[36:42], points[42:48] = (x0 - eyes, 300), (x0 + eyes, 300)
    points[48:60, 0] = [x0 + dx for dx in (-130, -85, -40, 0, 40, 85, 130, 85, 40, 0, -40, -85)]
    drop = 62 * np.sqrt(np.clip(1 - ((points[48:60, 0] - x0) / 130) ** 2, 0, 1))
    points[48:60, 1] = y0 + drop * np.array([0, -1, -1, -1, -1, -1, 0, 1, 1, 1, 1, 1])
    inner = [(-100, 22), (-50, 0), (0, 0), (50, 0), (100, 22), (50, 55), (0, 55), (-50, 55)]
    points[60:68] = [(x0 + dx, 535 + dy - 0.06 * unit * (dy == 0)) for dx, dy in inner]
    return MadeSmile(picture, points, unit, 535.0, 575.5)


def test_what_ships_is_small_and_from_training_people() -> None:
    library = MouthLibrary.load(mouths.SHIPPED)
    assert len(library.donors) >= 10
    assert mouths.SHIPPED.stat().st_size < 3e6
    assert library.about["licence"] == "CC-BY-4.0"
    assert "10.6084/m9.figshare.5047666" in library.about["source"]
    for donor in library.donors:
        assert split_of(f"london/{donor.name.partition('_')[0]}") == "train"


def test_every_shipped_row_shows_teeth_and_no_lip() -> None:
    """Enamel is pale, and nothing much redder than it is among what covers the front."""
    for donor in MouthLibrary.load(mouths.SHIPPED).donors:
        heights, front = FLAT.heights[:, None], np.abs(FLAT.across) < 1.0
        teeth = (heights > 0.08) & (heights < 0.6 * donor.top) & front
        rgb = donor.pixels[..., :3].astype(float)
        assert (donor.pixels[teeth, 3] > 200).mean() > 0.95, donor.name
        red = (rgb[..., 0] - rgb[..., 1]) / np.maximum(rgb[..., 0], 1)
        enamel = (donor.enamel[0] - donor.enamel[1]) / donor.enamel[0]
        assert (red[teeth] > enamel + 0.2).mean() < 0.03, donor.name


def test_edges_are_found_to_a_pixel_where_landmarks_miss_them(made_smile: MadeSmile) -> None:
    row = cut(made_smile.picture, made_smile.landmarks, FLAT)
    assert row is not None
    middle = slice(FLAT.shape[1] // 2 - 30, FLAT.shape[1] // 2 + 30)
    seen = (made_smile.edge - made_smile.lip) / made_smile.unit
    assert row.top[middle] + INSET == pytest.approx(seen, abs=1.5 / made_smile.unit)
    covered = (row.pixels[:, middle, 3] > 127).any(1)
    lowest = FLAT.heights[np.flatnonzero(covered)[-1]]
    assert abs(lowest) < 2 / FLAT.density
    assert np.abs(row.enamel - [205, 196, 186]).max() < 6
    assert row.arc == pytest.approx(0, abs=0.03)


def test_a_row_ends_where_a_lower_one_begins(made_smile: MadeSmile) -> None:
    """Lower teeth close behind the upper ones end more sharply, against the dark: not there."""
    picture = made_smile.picture.copy()
    rows = slice(round(made_smile.edge) + 3, round(made_smile.edge) + 12)
    picture[rows, 320:480] = TOOTH
    row = cut(softened(picture), made_smile.landmarks, FLAT)
    assert row is not None
    assert row.place[1] == pytest.approx(made_smile.edge, abs=1.5)
    below = FLAT.heights < -0.12
    assert (row.pixels[below, :, 3] < 40).all()


def test_a_lower_tooth_that_touches_the_row_is_no_part_of_it(made_smile: MadeSmile) -> None:
    """Where one stands against the edge, the row's edge goes on as beside it."""
    picture = made_smile.picture.copy()
    edge = round(made_smile.edge)
    picture[edge - 2 : edge + 6, 404:416] = TOOTH
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)
    row = cut(soft, made_smile.landmarks, FLAT)
    assert row is not None
    middle = slice(FLAT.shape[1] // 2 - 30, FLAT.shape[1] // 2 + 30)
    ends = (row.pixels[:, middle, 3] > 127).sum(0)
    assert np.ptp(ends) <= 2


@pytest.mark.parametrize(("wide", "stays"), [(10, False), (30, True)])
def test_a_gap_between_teeth_is_none_in_the_row(
    made_smile: MadeSmile, wide: int, stays: bool
) -> None:
    """Dark between two teeth is in the picture of the row; a tooth that is shorter is shorter."""
    picture = made_smile.picture.copy()
    edge = round(made_smile.edge)
    picture[edge - 4 : edge + 1, 400 - wide // 2 : 400 + wide // 2] = DARK
    row = cut(picture, made_smile.landmarks, FLAT)
    assert row is not None
    middle = slice(FLAT.shape[1] // 2 - 30, FLAT.shape[1] // 2 + 30)
    ends = (row.pixels[:, middle, 3] > 127).sum(0)
    assert (np.ptp(ends) > 2) == stays


def test_a_row_says_where_its_edge_is_in_the_photograph(made_smile: MadeSmile) -> None:
    row = cut(made_smile.picture, made_smile.landmarks, FLAT)
    assert row is not None
    x, y = row.edge[len(row.edge) // 2 - 50 : len(row.edge) // 2 + 50].T
    assert np.diff(x) == pytest.approx(made_smile.unit / FLAT.density, abs=1e-3)
    assert y == pytest.approx(made_smile.edge, abs=1.5)
    assert row.rise == pytest.approx([0, -made_smile.unit], abs=0.5)


def test_a_narrow_own_row_goes_on_as_a_donors(made_smile: MadeSmile) -> None:
    """Its own teeth stay to the bit; beside them stand the donor's, as dark as its own ends."""
    widest = max(MouthLibrary.load(mouths.SHIPPED).donors, key=lambda d: min(d.reach))
    pixels = widest.pixels.copy()
    middle, half = pixels.shape[1] // 2, round(0.4 * min(widest.reach) * FLAT.density)
    pixels[:, : middle - half, 3] = pixels[:, middle + half :, 3] = 0
    pixels[..., :3] //= 2
    narrow = dataclasses.replace(widest, pixels=pixels)
    wide = narrow.beside(widest, widest.pixels[..., :3].astype(np.float32))
    kept = pixels[..., 3] == 255
    for one, other, whole in zip(narrow.reach, wide.reach, widest.reach, strict=True):
        assert one < 0.6 * whole
        assert other > 0.95 * whole
    assert np.abs(wide.pixels[kept].astype(int) - pixels[kept]).max() <= 1
    beside = np.s_[:, middle + half + 4 : middle + half + 12]
    shown = wide.pixels[beside][..., 3] > 250
    light = [np.median(p[beside][shown][:, :3]) for p in (wide.pixels, widest.pixels)]
    assert light[0] < 0.75 * light[1]


def test_lip_is_no_teeth_where_a_dropped_jaw_shows_little_of_them() -> None:
    """Landmarks lie .2 cm up in the lip, a tongue is lit, the teeth are .24 cm high: its light
    made some of the lip look like teeth."""
    unit, lip, edge, floor = 40.0, 500.0, 509.5, 660.0
    picture: UInt8 = np.full((800, 800, 3), SKIN, np.uint8)
    cv2.ellipse(picture, (400, 580), (140, 130), 0, 0, 360, (188, 128, 128), -1)
    cv2.ellipse(picture, (400, 580), (110, 80), 0, 0, 360, DARK, -1)
    cv2.rectangle(picture, (310, 460), (490, int(lip) - 1), (188, 128, 128), -1)
    cv2.ellipse(picture, (400, 640), (80, 30), 0, 0, 360, (150, 92, 90), -1)
    for k in range(-3, 3):
        left = int(400 + k * 24)
        cv2.rectangle(picture, (left + 1, int(lip)), (left + 22, int(edge)), TOOTH, -1)
    picture = softened(picture)
    points = np.zeros((68, 2))
    eyes = 6.51 * unit / 2
    points[36:42], points[42:48] = (400 - eyes, 300), (400 + eyes, 300)
    angles = np.pi * (1 + np.arange(12) / 6)
    points[48:60] = np.stack([400 + 140 * np.cos(angles), 580 + 130 * np.sin(angles)], 1)
    high = lip - 0.2 * unit
    inner = [(-105, 580), (-60, high + 8), (0, high), (60, high + 8)]
    inner += [(105, 580), (60, floor - 25), (0, floor), (-60, floor - 25)]
    points[60:68] = [(400 + dx, y) for dx, y in inner]
    row = cut(picture, points, FLAT)
    assert row is not None
    assert (edge - lip) / unit - INSET - 0.02 < row.shown < (edge - lip) / unit
    assert own(picture, points, np.array(SKIN, np.float32)) is None


def test_a_large_photograph_gives_the_same_row(made_smile: MadeSmile) -> None:
    big = np.asarray(
        cv2.resize(made_smile.picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    one = cut(made_smile.picture, made_smile.landmarks, FLAT)
    two = cut(big, (made_smile.landmarks + 0.5) * 3 - 0.5, FLAT)
    assert one is not None
    assert two is not None
    both = (one.pixels[..., 3] > 200) & (two.pixels[..., 3] > 200)
    assert both.sum() > 3000
    apart = np.abs(one.pixels[both].astype(int) - two.pixels[both])
    assert np.median(apart) <= 4


def test_a_lip_that_leaves_little_of_ones_own_row_leaves_a_donors(made_smile: MadeSmile) -> None:
    """A quarter of a centimetre, drawn out over a bared row, were a blurred band."""
    skin = np.array(SKIN, np.float32)
    assert own(made_smile.picture, made_smile.landmarks, skin) is not None
    picture, landmarks = made_smile.picture.copy(), made_smile.landmarks.copy()
    lower = round(0.75 * made_smile.unit)
    picture[530 : 535 + lower, 300:501] = LIP
    landmarks[61:64, 1] += lower
    row = cut(picture, landmarks, FLAT)
    assert row is not None
    assert 0.2 < row.shown < 0.29
    assert own(picture, landmarks, skin) is None


def test_a_closed_mouth_lends_nothing(made_smile: MadeSmile) -> None:
    shut = made_smile.landmarks.copy()
    shut[60:68, 1] = 560
    assert cut(made_smile.picture, shut, FLAT) is None


def test_a_mouth_that_is_wider_than_the_eyes_allow_is_cut_all_the_same(
    made_smile: MadeSmile,
) -> None:
    """Of a head seen from the side: a crash on one of 745 press portraits."""
    near = made_smile.landmarks.copy()
    middle = near[36:48, 0].mean()
    near[36:48, 0] = middle + 0.6 * (near[36:48, 0] - middle)
    row = cut(made_smile.picture, near, FLAT)
    assert row is None or np.isfinite(row.place).all()


def test_the_choice_goes_by_complexion_then_by_turn() -> None:
    library = MouthLibrary.load(mouths.SHIPPED)
    for brown in (0.35, 0.8):
        near = sorted(library.donors, key=lambda d: abs(np.log(d.brown / brown)))[:ALIKE]
        chosen = {library.choose(brown, turn=t).name for t in range(ALIKE)}
        assert chosen == {d.name for d in near}
        assert library.choose(brown, turn=2) is library.choose(brown, turn=2 + ALIKE)


def test_of_people_alike_the_nearest_in_age_is_chosen() -> None:
    donor = MouthLibrary.load(mouths.SHIPPED).donors[0]
    twins = [dataclasses.replace(donor, name=str(a), age=float(a)) for a in range(20, 90, 10)]
    library = MouthLibrary(twins, {})
    assert library.choose(donor.brown, age=71.0).name == "70"


def test_a_library_is_read_as_it_was_written(tmp_path: Path) -> None:
    library = MouthLibrary.load(mouths.SHIPPED)
    path = tmp_path / "own.safetensors"
    MouthLibrary(library.donors[:2], {"licence": "mine"}).save(path)
    again = MouthLibrary.load(path)
    assert [d.name for d in again.donors] == [d.name for d in library.donors[:2]]
    assert np.array_equal(again.donors[1].pixels, library.donors[1].pixels)
    assert again.about == {"licence": "mine"}


def test_the_users_own_library_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.safetensors"
    MouthLibrary(MouthLibrary.load(mouths.SHIPPED).donors[:1], {}).save(path)
    monkeypatch.setenv("MIEN_MOUTHS", str(path))
    assert len(MouthLibrary.load().donors) == 1


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    junk, other = tmp_path / "junk", tmp_path / "other"
    junk.write_bytes(b"no safetensors")
    save_file({"pixels": np.zeros(3, np.uint8)}, other)
    for path in (junk, other, tmp_path / "absent"):
        with pytest.raises(DataError, match="library of mouths"):
            MouthLibrary.load(path)
    with pytest.raises(DataError, match="at least one"):
        MouthLibrary([], {})

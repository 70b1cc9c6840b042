from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import facs
from mien.data import Record, write_manifest
from mien.data.photographs import Photographs
from mien.errors import DataError
from mien.faces.align import MIRROR, template

SIDE = 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten aligned crops of five people; the dark half of each says where its left is."""
    units = np.full(len(facs.UNITS), np.nan, np.float32)
    units[facs.INDEX["AU12L"]] = 0.8
    records = []
    for i in range(10):
        pixels = np.full((SIDE, SIDE, 3), 20 * i + 40, np.uint8)
        pixels[:, : SIDE // 2] = 0
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        emotion = ("neutral", "happy", None)[i % 3]
        known = units if i % 2 else None
        records.append(
            Record(f"{i}.png", f"p{i % 5}", emotion, known, template(SIDE), "CC0-1.0", "here",
                   "test" if i % 5 == 4 else "train")
        )  # fmt: skip
    write_manifest(tmp_path, records)
    return tmp_path


def test_photographs_of_a_split(folder: Path) -> None:
    faces = Photographs(folder, "train", size=SIDE, augment=False)
    assert len(faces) == 8
    assert faces.people == ["p0", "p1", "p2", "p3"]
    first = faces.photograph(1, np.random.default_rng(0))
    assert (first.label, first.person) == (facs.EMOTIONS.index("happy"), 1)
    assert first.pixels.shape == (SIDE, SIDE, 3)
    assert first.pixels[5, -5, 0] == 60
    np.testing.assert_allclose(first.landmarks, template(SIDE), atol=1e-3)
    assert first.units[facs.INDEX["AU12L"]] == np.float32(0.8)
    assert np.isnan(first.units).sum() == 46
    third = faces.photograph(2, np.random.default_rng(0))
    assert third.label == -1
    assert np.isnan(third.units).all()
    assert len(Photographs(folder, "test")) == 2


def test_draws_depend_on_seed_and_number_alone(folder: Path) -> None:
    one, two = (Photographs(folder, "train", size=32, seed=3) for _ in range(2))
    other = Photographs(folder, "train", size=32, seed=4)
    for i in (0, 7, 1000):
        np.testing.assert_array_equal(one.any(i).pixels, two.any(i).pixels)
    assert any((one.any(i).pixels != other.any(i).pixels).any() for i in range(5))


def test_draws_in_turn_show_every_emotion_once(folder: Path) -> None:
    faces = Photographs(folder, "train", size=16)
    drawn = [faces.named(i) for i in range(80)]
    turns = [drawn[k : k + 2] for k in range(0, 80, 2)]  # as many as there are emotions
    assert all(len({photo.label for photo, _ in turn}) == 2 for turn in turns)
    assert len({turn[0][0].label for turn in turns}) == 2  # in no order
    assert all(photo.label != wanted for photo, wanted in drawn)


def test_as_many_as_are_asked_share_emotions_and_all_come_up(folder: Path) -> None:
    faces = Photographs(folder, "train", size=16)
    drawn = [faces.named(i, 4) for i in range(80)]
    asked = {(photo.label, wanted) for photo, wanted in drawn}
    neutral, happy = facs.EMOTIONS.index("neutral"), facs.EMOTIONS.index("happy")
    assert asked == {(neutral, happy), (happy, neutral)}
    batches = [drawn[k : k + 4] for k in range(0, 80, 4)]
    assert all(len({(p.label, w) for p, w in batch}) == 1 for batch in batches)
    assert len({p.person for p, _ in drawn}) > 2


def test_a_mirrored_face_has_its_sides_changed(folder: Path) -> None:
    faces = Photographs(folder, "train", size=SIDE)
    seen = [faces.photograph(1, np.random.default_rng(i)) for i in range(12)]
    mirrored = [p.pixels[:, -4:].mean() < p.pixels[:, :4].mean() for p in seen]
    assert 0 < sum(mirrored) < 12
    for photo, changed in zip(seen, mirrored, strict=True):
        assert (photo.units[facs.INDEX["AU12R"]] == np.float32(0.8)) == changed
        apart = np.abs(photo.landmarks - template(SIDE)).mean()
        assert apart < np.abs(photo.landmarks[MIRROR] - template(SIDE)).mean()
        assert apart < 4  # turned and zoomed a little, its points come along


def test_mistakes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="of the split 'validation'"):
        Photographs(folder, "validation")
    raw = tmp_path / "raw"
    raw.mkdir()
    Image.new("RGB", (30, 40)).save(raw / "KA.AN1.39.tiff")
    with pytest.raises(DataError, match="mien data align"):
        Photographs(raw, "train")
    same = Record("KA.AN1.39.tiff", "a", "happy", None, None, "CC0", "here", "train")
    write_manifest(raw, [same])
    with pytest.raises(DataError, match="are not aligned"):
        Photographs(raw, "train")
    Image.new("RGB", (SIDE, SIDE)).save(raw / "KA.AN1.39.tiff")
    write_manifest(raw, [replace(same, landmarks=template(SIDE))])
    with pytest.raises(DataError, match="shows happy: unpaired training needs two"):
        Photographs(raw, "train").named(0, 4)

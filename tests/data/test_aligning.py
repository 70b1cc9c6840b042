from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import facs, images
from mien.data import Record, read_manifest, write_manifest
from mien.data.aligning import align_photographs
from mien.data.checking import check
from mien.data.rigging import neutral_and_smile
from mien.data.split import split_of
from mien.errors import DataError
from mien.face_model.frame import SOURCE_SIZE
from mien.faces.align import align, template
from mien.faces.detect import detect
from mien.types import Face, UInt8
from mien.zoo.samples import samples


def record(name: str, person: str, points: np.ndarray | None = None) -> Record:
    units = np.full(len(facs.UNITS), np.nan, np.float32)
    units[0] = 0.5
    return Record(name, person, "neutral", units, points, "CC-BY-4.0", "here", "test", "a/b", 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundled sample, the same with points that somebody checked, and a wall."""
    place = tmp_path / "photographs"
    (place / "a").mkdir(parents=True)
    sample = samples()["anna"]
    for name in ("a/anna.jpg", "checked.jpg"):
        Image.open(sample).convert("RGB").save(place / name, quality=95)
    Image.new("RGB", (64, 64)).save(place / "wall.png")
    points = template(200) + 20
    write_manifest(
        place, [record("a/anna.jpg", "anna"), record("checked.jpg", "b", points),
                record("wall.png", "c")],
    )  # fmt: skip
    return place


def test_crops_say_what_their_photographs_say(folder: Path, tmp_path: Path) -> None:
    out, reasons = tmp_path / "crops", list[str]()
    records = align_photographs(folder, out, size=96, workers=2, left_out=reasons.append)
    assert [r.file_name for r in records] == ["a/anna.jpg.png", "checked.jpg.png"]
    assert len(reasons) == 1
    assert reasons[0].startswith("wall.png: ")
    for crop, original in zip(read_manifest(out), read_manifest(folder), strict=False):
        for name in ("person", "emotion", "licence", "source", "split", "sequence", "frame"):
            assert getattr(crop, name) == getattr(original, name)
        np.testing.assert_array_equal(crop.units, original.units)
    pixels = images.read(folder / "a/anna.jpg").pixels
    wanted = align(pixels, detect(pixels)[0], 96)
    np.testing.assert_array_equal(images.read(out / "a/anna.jpg.png").pixels, wanted.pixels)
    assert records[0].landmarks is not None
    np.testing.assert_allclose(records[0].landmarks, wanted.landmarks, atol=1e-3)
    checked = align(pixels, Face((0, 0, 0, 0), 1.0, template(200) + 20), 96)
    np.testing.assert_array_equal(images.read(out / "checked.jpg.png").pixels, checked.pixels)
    assert check(out).problems == []


def test_earlier_crops_are_replaced_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops"
    align_photographs(folder, out, size=64)
    write_manifest(folder, read_manifest(folder)[1:])
    align_photographs(folder, out, size=64)
    assert sorted(p.name for p in out.rglob("*.*")) == ["checked.jpg.png", "metadata.jsonl"]
    own = tmp_path / "own"
    own.mkdir()
    Image.new("RGB", (64, 64)).save(own / "me.png")
    write_manifest(own, [record("me.png", "me")])
    for place, says in ((own, "other photographs"), (folder, "themselves")):
        with pytest.raises(DataError, match=says):
            align_photographs(folder, place)
    assert (own / "me.png").is_file()


def test_no_photographs_and_no_faces(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mien data import"):
        align_photographs(tmp_path / "nowhere", tmp_path / "out")
    write_manifest(folder, [record("wall.png", "c")])
    with pytest.raises(DataError, match="shows a face"):
        align_photographs(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_people_at_rest_and_smiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training people whose face is found on both of their photographs, which tell the two."""

    def found(pixels: UInt8) -> list[Face]:
        return [Face.at(template(64))] if pixels.max() > 20 else []

    monkeypatch.setattr("mien.faces.detect.detect", found)
    numbers = [f"{n:03d}" for n in range(200)]
    training = [n for n in numbers if split_of(f"london/{n}") == "train"]
    tested = next(n for n in numbers if split_of(f"london/{n}") == "test")
    whole, unseen, alone = training[:3]
    for number, smile in ((whole, 200), (unseen, 0), (alone, None), (tested, 200)):
        for name, level in (
            (f"neutral_front/{number}_03.jpg", 100),
            (f"smiling_front/{number}_08.jpg", smile),
        ):
            if level is not None:
                (tmp_path / name).parent.mkdir(exist_ok=True)
                Image.new("RGB", (64, 64), (level,) * 3).save(tmp_path / name)
    ((_, neutral, smiling),) = neutral_and_smile(tmp_path)
    assert neutral.pixels.shape == smiling.pixels.shape == (SOURCE_SIZE, SOURCE_SIZE, 3)
    assert np.median(neutral.pixels) == pytest.approx(100, abs=3)
    assert np.median(smiling.pixels) == pytest.approx(200, abs=3)
    np.testing.assert_allclose(neutral.landmarks, template(SOURCE_SIZE), atol=1e-2)

"""Every set that users bring, read from a made folder in its makers' layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import yaml
from PIL import Image

from mien import facs, images
from mien.data import read_manifest
from mien.data.adapters import DATASETS, KNOWN, recognised, records_in
from mien.data.checking import check
from mien.data.films import farthest
from mien.data.importing import import_photographs
from mien.data.manifest import Record
from mien.data.split import split_of
from mien.errors import DataError, VideoError
from mien.faces.align import template, transform
from mien.types import Float, UInt8

LAYOUTS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("layouts.yaml").read_text())
FRAMES = 9
"""Frames of every made film."""
BROUGHT = sorted(KNOWN.keys() - DATASETS.keys())
NEED_A_LOOK = ("adfes", "crema-d", "disfa", "grid", "mead", "mmi", "mug", "ravdess")
"""Sets whose frames an import chooses."""


def film(path: Path) -> Iterator[UInt8]:
    """A made film: a place is written in the brightness of its frame, a name in its noise."""
    assert path.is_file()
    noise = np.random.default_rng(crc32(path.name.encode())).integers(0, 8, (16, 16, 3))
    for i in range(FRAMES):
        yield (noise + 20 * i).astype(np.uint8)


@pytest.fixture(autouse=True)
def _faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces whose mouth opens until the sixth look and closes again."""
    looks = iter(range(10**6))

    def landmarks(pixels: UInt8) -> Float:
        points = template(128)
        points[48:] += (0, 5 - abs(5 - next(looks) % FRAMES))
        return points

    monkeypatch.setattr("mien.data.films._landmarks", landmarks)


def make(name: str, folder: Path) -> Path:
    """A folder in the layout of a set."""
    layout = LAYOUTS[name]
    for file in (*layout["files"], *layout.get("others", ())):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if images.of_name(path) is None:
            path.write_bytes(b"")
        else:
            noise = np.random.default_rng(crc32(file.encode())).integers(0, 256, (8, 8, 3))
            Image.fromarray(noise.astype(np.uint8)).save(path)
    for file, text in layout.get("texts", {}).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        if file.endswith(".npy"):
            np.save(folder / file, np.array(text))
        else:
            (folder / file).write_text(text)
    return folder


def imported(name: str, tmp_path: Path, **options: Any) -> tuple[Path, list[Record]]:
    folder = make(name, tmp_path / "original")
    return import_photographs(name, folder, tmp_path / "out", film=film, **options)


def test_every_set_has_a_made_folder() -> None:
    assert sorted(LAYOUTS) == BROUGHT


@pytest.mark.parametrize("name", BROUGHT)
def test_a_layout_is_read(name: str, tmp_path: Path) -> None:
    folder, records = imported(name, tmp_path)
    assert {(r.file_name, r.person, r.emotion, r.moment) for r in records} == {
        tuple(row) for row in LAYOUTS[name]["records"]
    }
    assert len(records) == len(LAYOUTS[name]["records"])
    known = KNOWN[name]
    assert {(r.licence, r.source) for r in records} == {(known.licence, known.source)}
    assert all((r.sequence is None) == (r.frame is None) for r in records)
    result = check(folder)
    assert result.problems == []
    assert [r.file_name for r in read_manifest(folder)] == [r.file_name for r in records]


@pytest.mark.parametrize("name", BROUGHT)
def test_a_folder_is_recognised(name: str, tmp_path: Path) -> None:
    folder = make(name, tmp_path)
    known = recognised(folder)
    assert known is KNOWN[name]
    if name in NEED_A_LOOK:
        with pytest.raises(DataError, match=f"mien data import {name}"):
            records_in(folder)
    else:
        found = records_in(folder)
        assert found is not None
        assert {r.file_name for r in found} == {r[0] for r in LAYOUTS[name]["records"]}


def test_pictures_that_fit_nothing_do_not_hide_a_set(tmp_path: Path) -> None:
    for i in range(300):  # other views, which come first
        path = tmp_path / f"OriginalImg/NI/Strong/P001/Anger/{i:03d}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert recognised(make("oulu-casia", tmp_path)) is KNOWN["oulu-casia"]


def test_other_folders_are_no_known_set(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("train/1.jpg", "holiday.jpg"):  # FairFace's names, without its table
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    assert records_in(tmp_path) is None


def named(units: facs.Vector | None) -> dict[str, float]:
    assert units is not None
    return {n: round(float(u), 2) for n, u in zip(facs.UNITS, units, strict=True) if u == u}


@pytest.mark.parametrize(
    ("name", "last", "units"),
    [
        ("ck-plus", 1, {"AU9L": 1.0, "AU9R": 1.0, "AU17": 0.5}),  # 0: there, not how strongly
        ("mmi", 1, {"AU12L": 0.5, "AU12R": 0.5}),
        ("disfa", 2, {"AU12L": 1.0, "AU12R": 1.0, "AU25": 0.5}),
        ("disfa-plus", 1, {"AU1L": 0.75, "AU1R": 0.75}),
        ("bp4d", 2, {"AU1L": 0.5, "AU1R": 0.5, "AU12L": 1.0, "AU12R": 1.0}),
    ],
)
def test_units(name: str, last: int, units: dict[str, float], tmp_path: Path) -> None:
    _, records = imported(name, tmp_path)
    found = named(records[last].units)
    assert {n: u for n, u in found.items() if u} == units
    complete = name in ("ck-plus", "mmi")  # what is not listed there is not shown
    assert (found.get("AU2L") == 0) == complete
    assert "AU61" not in found


def test_what_nobody_could_tell_is_not_zero(tmp_path: Path) -> None:
    _, records = imported("bp4d", tmp_path)
    assert named(records[1].units) == {"AU12L": 0.1, "AU12R": 0.1}  # AU1 is 9 there


def test_more_frames_between_onset_and_peak(tmp_path: Path) -> None:
    _, records = imported("oulu-casia", tmp_path, frames=3)
    assert [(r.frame, r.moment, r.emotion) for r in records] == [
        (0, "onset", "neutral"),
        (2, None, None),
        (3, "peak", "anger"),
    ]
    with pytest.raises(DataError, match="1 or more"):
        imported("oulu-casia", tmp_path / "none", frames=0)


def test_what_makers_hold_out_is_the_test_split(tmp_path: Path) -> None:
    for name in ("raf-db", "affectnet", "fairface"):
        _, records = imported(name, tmp_path / name)
        held = {r.split for r in records if "test" in r.file_name or "val" in r.file_name}
        assert held == {"test"}
        assert {r.split for r in records} - held <= {"train", "validation"}


def test_splits_are_by_person(tmp_path: Path) -> None:
    names = [f"{i:03d}_y_m_{e}_a.jpg" for i in range(40) for e in "nh"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    records = KNOWN["faces"].records(tmp_path)
    assert all(r.split == split_of(r.person) for r in records)
    assert len({(r.person, r.split) for r in records}) == 40


def test_the_older_affectnet(tmp_path: Path) -> None:
    (tmp_path / "Manually_Annotated_Images/689").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "Manually_Annotated_Images/689/ab.jpg")
    (tmp_path / "training.csv").write_text(
        "subDirectory_filePath,face_x,expression\n689/ab.jpg,1,6\n"
    )
    (record,) = KNOWN["affectnet"].records(tmp_path)
    assert record.emotion == "anger"


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        ("raf-db", "basic/EmoLabel/list_patition_label.txt", "train_00001.jpg 9\n"),
        ("bp4d", "AUCoding/AU_OCC/F001_T1.csv", "0,1\n2440,x,1\n"),
        ("ck-plus", "Emotion/S005/001/S005_001_00000004_emotion.txt", "happy\n"),
        ("mmi", "Sessions/1/session.xml", "<session>"),
        ("fairface", "fairface_label_val.csv", ""),
        ("affectnet", "train_set/annotations/0_exp.npy", "x"),
    ],
)
def test_broken_labels_are_named(name: str, file: str, text: str, tmp_path: Path) -> None:
    folder = make(name, tmp_path / "original")
    (folder / file).write_text(text)
    reasons: list[str] = []
    try:
        import_photographs(name, folder, tmp_path / "out", film=film, left_out=reasons.append)
    except DataError as error:
        reasons.append(str(error))
    (reason,) = [r for r in reasons if file in r.replace("\\", "/")]
    assert "\n" not in reason


def test_a_film_that_cannot_be_read_is_left_out_and_told(tmp_path: Path) -> None:
    folder = make("crema-d", tmp_path / "original")

    def broken(path: Path) -> Iterator[UInt8]:
        if "ANG" in path.name:
            raise VideoError(f"{path} is damaged")
        yield from film(path)

    reasons: list[str] = []
    _, records = import_photographs(
        "crema-d", folder, tmp_path / "out", film=broken, left_out=reasons.append
    )
    assert {r.person for r in records} == {"crema-d/1002"}
    assert len(reasons) == 1
    assert "1001_DFA_ANG_XX.flv" in reasons[0]


def test_the_peak_is_where_the_face_is_farthest_whatever_the_head_does() -> None:
    rest = template(100)
    smile, still = rest.copy(), rest.copy()
    smile[48] -= (4, 2)
    turned = np.array([[0.0, -2.0, 300.0], [2.0, 0.0, 20.0]], np.float32)
    assert farthest([rest, transform(turned, still), smile, None]) == 2
    assert farthest([None, smile]) is None
    assert farthest([rest, None]) is None

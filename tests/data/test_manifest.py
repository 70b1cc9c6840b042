import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import facs
from mien.data import Record, read_manifest, split_of, write_manifest
from mien.data.manifest import FILE_NAME, scan_manifest
from mien.data.split import splits_of
from mien.errors import DataError

BARE = Record("a/b.jpg", "set/1", None, None, None, "CC0-1.0", "https://example.org", "train")
FULL = replace(
    BARE,
    emotion="happy",
    units=facs.prototype("happy"),
    landmarks=np.linspace(0, 100, 136, dtype=np.float32).reshape(68, 2),
    split="test",
)


def row(**changes: object) -> dict[str, object]:
    return {
        "file_name": "a.jpg",
        "person": "set/1",
        "emotion": None,
        "units": None,
        "landmarks": None,
        "licence": "CC0-1.0",
        "source": "here",
        "split": "train",
    } | changes


def write(folder: Path, *rows: dict[str, object]) -> None:
    (folder / FILE_NAME).write_text("".join(json.dumps(line) + "\n" for line in rows))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_manifest(tmp_path / "new", [BARE, FULL])
    bare, full = read_manifest(tmp_path / "new")
    assert (bare.file_name, bare.units, bare.landmarks, bare.emotion) == (
        "a/b.jpg",
        None,
        None,
        None,
    )
    assert (full.person, full.emotion, full.split) == ("set/1", "happy", "test")
    assert full.units is not None
    assert full.landmarks is not None
    assert full.units.dtype == full.landmarks.dtype == np.float32
    np.testing.assert_allclose(full.units, facs.prototype("happy"), atol=1e-4)
    np.testing.assert_allclose(full.landmarks, np.asarray(FULL.landmarks), atol=1e-3)
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [FILE_NAME]


def test_unknowns_are_null_on_disk(tmp_path: Path) -> None:
    write_manifest(tmp_path, [BARE])
    line = json.loads((tmp_path / FILE_NAME).read_text())
    assert line["emotion"] is line["units"] is line["landmarks"] is None


MISTAKES: list[tuple[dict[str, object], str]] = [
    ({"file_name": "../../secret.jpg"}, "must stay inside"),
    ({"file_name": "/etc/passwd"}, "must stay inside"),
    ({"file_name": "C:/x.jpg"}, "must stay inside"),
    ({"file_name": "a\\..\\b.jpg"}, "must stay inside"),
    ({"file_name": ""}, "not empty"),
    ({"file_name": None}, "every line names a picture"),
    ({"person": ""}, "not empty"),
    ({"person": 7}, "not empty"),
    ({"split": "dev"}, "choose from train, validation, test"),
    ({"units": [0.0] * 46}, "47 numbers"),
    ({"units": ["a"] * 47}, "47 numbers"),
    ({"units": [1.5] * 47}, "outside 0..1"),
    ({"units": [float("inf")] * 47}, "47 numbers"),
    ({"units": {"AU12": 1.5}}, "outside 0..1"),
    ({"units": {"AU12": "C"}}, "no number for AU12"),
    ({"units": {"AU99": 0.5}}, "unknown action unit 'AU99'"),
    ({"landmarks": [[0.0, float("nan")]] * 68}, "(68, 2)"),
    ({"landmarks": [[0.0, 1.0]] * 5}, "(68, 2)"),
    ({"licence": ""}, "not empty"),
    ({"emotion": 3}, "must be null or a text"),
    ({"emotion": "angry"}, "choose from neutral, happy"),
    ({"moment": "apex"}, "choose from onset, peak"),
    ({"frame": -1}, "whole number"),
    ({"frame": True}, "whole number"),
    ({"sequence": 1}, "must be null or a text"),
    ({"license": "MIT"}, "did you mean 'licence'?"),
    ({"emotions": "happy"}, "did you mean 'emotion'?"),
]


@pytest.mark.parametrize(("changes", "says"), MISTAKES, ids=str)
def test_a_mistake_is_one_line(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    write(tmp_path, row(), row(**changes))
    with pytest.raises(DataError, match="line 2") as caught:
        read_manifest(tmp_path)
    assert says in str(caught.value)
    assert next(iter(changes)) in str(caught.value)
    assert "\n" not in str(caught.value)
    records, errors = scan_manifest(tmp_path)
    assert len(records) == len(errors) == 1


def test_every_mistake_of_a_line_is_told(tmp_path: Path) -> None:
    write(tmp_path, row(emotion="joy", units=[2] * 47, split="dev"), row())
    records, errors = scan_manifest(tmp_path)
    assert len(records) == 1
    assert [next(w for w in ("emotion", "units", "split") if w in e) for e in sorted(errors)] == [
        "units",
        "emotion",
        "split",
    ]


def test_a_picture_is_all_that_a_line_must_name(tmp_path: Path) -> None:
    write(tmp_path, {"file_name": "a/b.jpg"}, {"file_name": "c.jpg", "person": "anna"})
    bare, anna = read_manifest(tmp_path)
    assert (bare.person, anna.person) == ("a/b", "anna")
    assert (bare.emotion, bare.units, bare.landmarks, bare.sequence) == (None,) * 4
    assert bare.licence == bare.source == "not stated"
    assert anna.split == split_of("anna")


def test_units_by_name_and_units_that_nobody_coded(tmp_path: Path) -> None:
    listed: list[float | None] = [None] * 47
    listed[facs.INDEX["AU12L"]] = 0.3
    write(
        tmp_path,
        row(units={"AU12": 0.5, "AU12L": 0.7, "AU45": 1}),
        row(units=listed),
        row(units=[None] * 47),
    )
    named, some, none = (r.units for r in read_manifest(tmp_path))
    assert named is not None
    told = {n: round(float(v), 3) for n, v in zip(facs.UNITS, named, strict=True) if v == v}
    assert told == {"AU12L": 0.7, "AU12R": 0.5, "AU43L": 1.0, "AU43R": 1.0}
    assert some is not None
    assert np.isnan(some).sum() == 46
    assert none is None
    write_manifest(tmp_path, read_manifest(tmp_path))
    np.testing.assert_array_equal(read_manifest(tmp_path)[0].units, named)
    assert "NaN" not in (tmp_path / FILE_NAME).read_text()


def test_splits_that_are_missing_are_made_by_person(tmp_path: Path) -> None:
    rows = [row(file_name=f"{i}.jpg", person=f"p{i % 9}", split=None) for i in range(18)]
    rows[0]["split"] = "test"  # p0: the other picture follows
    write(tmp_path, *rows)
    records = read_manifest(tmp_path)
    assert {r.split for r in records if r.person == "p0"} == {"test"}
    assert all(len({r.split for r in records if r.person == f"p{i}"}) == 1 for i in range(9))
    made = splits_of(f"p{i}" for i in range(1, 9))
    assert all(r.split == made[r.person] for r in records if r.person != "p0")


def test_frames_of_a_sequence(tmp_path: Path) -> None:
    onset = replace(BARE, sequence="set/1/a", frame=0, moment="onset", emotion="neutral")
    write_manifest(tmp_path, [onset, BARE])
    back, bare = read_manifest(tmp_path)
    assert (back.sequence, back.frame, back.moment) == ("set/1/a", 0, "onset")
    assert (bare.sequence, bare.frame, bare.moment) == (None, None, None)
    assert "moment" not in (tmp_path / FILE_NAME).read_text().splitlines()[1]


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text + "\n")
    with pytest.raises(DataError, match="line 1"):
        read_manifest(tmp_path)


def test_no_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mien data import"):
        read_manifest(tmp_path)


def test_a_manifest_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot write"):
        write_manifest(tmp_path / "file" / "below", [BARE])
    assert [p.name for p in tmp_path.iterdir()] == ["file"]

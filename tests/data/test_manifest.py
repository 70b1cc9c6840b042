import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import facs
from mien.data import Record, read_manifest, write_manifest
from mien.data.manifest import FILE_NAME
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


@pytest.mark.parametrize(
    "changes",
    [
        {"file_name": "../../secret.jpg"},
        {"file_name": "/etc/passwd"},
        {"file_name": "C:/x.jpg"},
        {"file_name": "a\\..\\b.jpg"},
        {"file_name": ""},
        {"person": None},
        {"split": "dev"},
        {"units": [0.0] * 46},
        {"units": ["a"] * 47},
        {"units": {"AU12": 0.4}},
        {"landmarks": [[0.0, float("nan")]] * 68},
        {"landmarks": [[0.0, 1.0]] * 5},
        {"licence": ""},
        {"emotion": 3},
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, changes: dict[str, object]) -> None:
    lines = (row(), row(**changes))
    (tmp_path / FILE_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(DataError, match="line 2") as caught:
        read_manifest(tmp_path)
    assert next(iter(changes)) in str(caught.value)
    assert "\n" not in str(caught.value)


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

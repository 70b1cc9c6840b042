"""Photographs of one's own become a set, whatever their folder looks like."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.data import importing, read_manifest
from mien.data.own import import_own
from mien.errors import DataError


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = len(path.as_posix()) % 200
    Image.fromarray(np.full((8, 8, 3), shade, np.uint8)).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in ("happy/anna.png", "Neutral/anna.png", "angry/Jörg 人.png", "smiling/ben,2.png"):
        _picture(folder / name)
    (folder / "happy/cut.png").write_bytes((folder / "happy/anna.png").read_bytes()[:40])
    (folder / "happy/none.jpg").touch()
    (folder / "happy/notes.txt").write_text("x")
    _picture(folder / "odd/cora.png")
    return folder


def test_folders_of_expressions_are_read_in_others_words_too(photos: Path, tmp_path: Path) -> None:
    reasons: list[str] = []
    records = import_own(photos, tmp_path / "set", licence="CC0-1.0", left_out=reasons.append)
    assert {(r.person, r.emotion) for r in records} == {
        ("own/anna", "happy"), ("own/anna", "neutral"), ("own/Jörg 人", "anger"),
        ("own/ben,2", "happy"),
    }  # fmt: skip
    assert len(reasons) == 3
    assert any("odd/cora.png: its name does not look like" in reason for reason in reasons)
    again = read_manifest(tmp_path / "set")
    assert [(r.file_name, r.licence) for r in again] == [(r.file_name, "CC0-1.0") for r in records]
    assert all((tmp_path / "set" / r.file_name).is_file() for r in again)


@pytest.mark.parametrize(
    ("layout", "name", "person", "emotion"),
    [
        ("{person}-{emotion}", "mary-ann-surprised", "own/mary-ann", "surprise"),
        ("{person}/*_{emotion}", "p1/a_sad", "own/p1", "sad"),
        ("{person}/*", "p1/a_sad", "own/p1", None),
        ("*{emotion}*", "x_fear_2", "own/x_fear_2.png", "fear"),
    ],
)
def test_a_layout_says_what_names_mean(
    tmp_path: Path, layout: str, name: str, person: str, emotion: str | None
) -> None:
    _picture(tmp_path / "in" / f"{name}.png")
    (record,) = import_own(tmp_path / "in", tmp_path / "out", layout=layout)
    assert (record.person, record.emotion) == (person, emotion)


def test_a_table_says_it_instead(photos: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file;person;label\nhappy/anna.png;A;joy\nodd/cora.png;C;\n")
    records = import_own(photos, tmp_path / "set", table=table)
    assert [(r.person, r.emotion) for r in records] == [("own/A", "happy"), ("own/C", None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file,lable\n", "did you mean 'label'"),
        ("person\n", "no column 'file'"),
        ("file,label\nhappy/anna.png,hapy\n", "line 2: unknown expression 'hapy'"),
        ("file\n../x.png\n", "line 2: file is not a path below"),
        ("file\na.png\na.png\n", "line 3: a.png has a line above"),
    ],
)
def test_a_table_that_is_wrong_is_told(photos: Path, tmp_path: Path, text: str, told: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(DataError, match=told):
        import_own(photos, tmp_path / "set", table=table)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("{persn}", "did you mean '{person}'"),
        ("{person}-{person}", "twice"),
        ("*", "neither"),
        ("{emotion}/{person}/x", "can be taken: .* does not look like .* '{person}-{emotion}', or"),
    ],
)
def test_a_layout_that_is_wrong_is_told(
    photos: Path, tmp_path: Path, layout: str, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        import_own(photos, tmp_path / "set", layout=layout)


def test_out_is_never_inside_the_photographs(photos: Path) -> None:
    with pytest.raises(DataError, match="choose a folder beside it"):
        import_own(photos, photos / "set")


def test_an_import_that_is_stopped_leaves_nothing_and_can_be_made_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importing.put
    brought: list[Path] = []

    def stopped(original: Path, copy_at: Path, copy: bool) -> None:
        if brought:
            raise KeyboardInterrupt
        real(original, copy_at, copy)
        brought.append(copy_at)

    monkeypatch.setattr("mien.data.own.put", stopped)
    with pytest.raises(KeyboardInterrupt):
        import_own(photos, tmp_path / "set")
    assert brought
    assert not (tmp_path / "set").exists()
    monkeypatch.undo()
    for _ in range(2):
        assert import_own(photos, tmp_path / "set")
    assert len(read_manifest(tmp_path / "set")) == 4


def test_a_full_disk_is_told_and_leaves_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(original: Path, copy_at: Path, copy: bool) -> None:
        copy_at.parent.mkdir(parents=True, exist_ok=True)
        copy_at.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mien.data.own.put", full)
    with pytest.raises(DataError, match="No space left on device"):
        import_own(photos, tmp_path / "set")
    assert not (tmp_path / "set").exists()

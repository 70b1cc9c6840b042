from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data import Record, read_manifest, write_manifest
from mien.data.checking import check
from mien.data.importing import import_photographs
from mien.data.manifest import FILE_NAME
from mien.errors import DataError


@pytest.fixture
def folder(london: Path, tmp_path: Path) -> Path:
    return import_photographs("london", london, tmp_path / "out", copy=True)[0]


def found(folder: Path) -> set[tuple[str, str]]:
    return {(p.kind, p.where) for p in check(folder).problems}


def change(folder: Path, index: int, **fields: Any) -> Record:
    records = read_manifest(folder)
    records[index] = replace(records[index], **fields)
    write_manifest(folder, records)
    return records[index]


def test_an_import_is_clean(folder: Path) -> None:
    result = check(folder)
    assert result.problems == []
    assert len(result.records) == 6


def test_missing_truncated_and_false_pictures(folder: Path) -> None:
    names = [r.file_name for r in read_manifest(folder)]
    (folder / names[0]).unlink()
    (folder / names[1]).write_bytes((folder / names[1]).read_bytes()[:500])
    (folder / names[2]).write_text("not a picture")
    assert found(folder) == {("picture", name) for name in names[:3]}


def test_duplicates_by_content(folder: Path) -> None:
    names = [r.file_name for r in read_manifest(folder)]
    (folder / names[4]).write_bytes((folder / names[1]).read_bytes())
    assert found(folder) == {("duplicate", names[4])}


def test_a_person_in_two_splits(folder: Path) -> None:
    change(folder, 0, split="validation")
    assert found(folder) == {("split", "london/003")}


def test_landmarks_outside_their_picture(folder: Path) -> None:
    far = change(folder, 2, landmarks=np.full((68, 2), 64.5, np.float32)).file_name
    assert found(folder) == {("landmarks", far)}


def test_names(folder: Path) -> None:
    records = read_manifest(folder)
    write_manifest(folder, [*records[:-1], records[0]])
    assert found(folder) == {("name", records[0].file_name), ("name", records[-1].file_name)}


def test_schema_lists_every_bad_line(folder: Path) -> None:
    lines = (folder / FILE_NAME).read_text().splitlines()
    lines[1], lines[3] = "{}", "nonsense"
    (folder / FILE_NAME).write_text("\n".join(lines))
    problems = check(folder).problems
    assert [p.kind for p in problems] == ["schema", "schema"]
    assert "line 2" in problems[0].what
    assert "line 4" in problems[1].what


def test_an_empty_manifest(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("\n")
    with pytest.raises(DataError, match="empty"):
        check(tmp_path)


@pytest.mark.parametrize("name", ["london", "canada", "congress"])
def test_the_real_sets_are_clean(original: Callable[..., Path], tmp_path: Path, name: str) -> None:
    folder, records = import_photographs(name, original(name), tmp_path / name)
    result = check(folder)
    assert result.problems == []
    assert len(result.records) == len(records)

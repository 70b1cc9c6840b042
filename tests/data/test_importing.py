import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.data import Record, read_manifest, split_of, write_manifest
from mien.data.adapters import DATASETS, KNOWN
from mien.data.adapters.tem import read_tem, to_68
from mien.data.importing import import_photographs
from mien.errors import DataError


def test_london(london: Path, tmp_path: Path) -> None:
    folder, records = import_photographs("london", london, tmp_path / "out")
    assert [r.file_name for r in read_manifest(folder)] == [r.file_name for r in records]
    assert {r.person for r in records} == {"london/003", "london/005", "london/144"}
    assert [r.emotion for r in records] == ["neutral"] * 3 + ["happy"] * 3
    assert all(r.split == split_of(r.person) for r in records)
    assert all(r.licence == "CC-BY-4.0" and "5047666" in r.source for r in records)
    for r in records:
        assert (folder / r.file_name).read_bytes() == (london / r.file_name).read_bytes()
        assert (r.landmarks is None) == (r.emotion == "happy")  # only the neutral have templates
    wanted = to_68(read_tem(london / "neutral_front/003_03.tem"))
    assert records[0].landmarks is not None
    np.testing.assert_array_equal(records[0].landmarks, wanted)


def test_checked_points_come_along_and_go_with_the_import(london: Path, tmp_path: Path) -> None:
    folder, _ = import_photographs("london", london, tmp_path / "out")
    points = folder / "neutral_front/003_03.tem"
    assert points.read_bytes() == (london / "neutral_front/003_03.tem").read_bytes()
    (london / "neutral_front/003_03.tem").unlink()
    import_photographs("london", london, tmp_path / "out")
    assert not points.exists()


def test_canada_takes_photographs_and_leaves_averages(canada: Path, tmp_path: Path) -> None:
    _, records = import_photographs("canada", canada, tmp_path / "out")
    assert [(r.person, r.emotion) for r in records] == [
        ("canada/008f", "neutral"),
        ("canada/025m", "neutral"),
    ]


@pytest.mark.parametrize("below", [".", "congress", "congress/225x275"])
def test_congress_from_any_folder_on_the_way(congress: Path, tmp_path: Path, below: str) -> None:
    folder, records = import_photographs("congress", congress / below, tmp_path / "out")
    assert [r.person for r in records] == ["congress/A000022", "congress/Z000017"]
    assert all(r.emotion is None for r in records)
    assert len(list(folder.rglob("*.jpg"))) == 2  # one size of each


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_another_folder_is_refused_and_nothing_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "holiday.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=re.escape(KNOWN[name].obtain)) as caught:
        import_photographs(name, tmp_path / "other", tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="not a folder"):
        import_photographs(name, tmp_path / "nowhere", tmp_path / "out")


def test_links_by_default_and_copies_on_demand(canada: Path, tmp_path: Path) -> None:
    linked, _ = import_photographs("canada", canada, tmp_path / "linked")
    copied, _ = import_photographs("canada", canada, tmp_path / "copied", copy=True)
    original = (canada / "008f.jpg").stat().st_ino
    assert (linked / "008f.jpg").stat().st_ino == original
    assert (copied / "008f.jpg").stat().st_ino != original


def test_an_earlier_import_is_replaced_and_nothing_else(canada: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    import_photographs("canada", canada, out)
    (canada / "025m.jpg").unlink()
    import_photographs("canada", canada, out)
    assert sorted(p.name for p in out.iterdir()) == ["008f.jpg", "metadata.jsonl"]

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(DataError, match="something else"):
        import_photographs("canada", canada, tmp_path / "mine")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    write_manifest(tmp_path / "mine", [Record("a", "me", None, None, None, "CC0", "here", "train")])
    with pytest.raises(DataError, match="other photographs"):
        import_photographs("canada", canada, tmp_path / "mine")
    (tmp_path / "mine" / "metadata.jsonl").unlink()
    with pytest.raises(DataError, match="is a file"):
        import_photographs("canada", canada, tmp_path / "mine" / "thesis.txt")


@pytest.mark.parametrize(
    ("name", "people", "pictures", "landmarks"),
    [("london", 81, 162, 81), ("canada", 32, 32, 32), ("congress", 745, 745, 0)],
)
def test_the_real_sets(
    original: Callable[..., Path], name: str, people: int, pictures: int, landmarks: int
) -> None:
    """The published sets only grow beyond what development has."""
    folder = original(name)
    records = DATASETS[name].records(folder)
    assert len(records) >= pictures
    assert len({r.person for r in records}) >= people
    assert sum(r.landmarks is not None for r in records) >= landmarks
    assert all((folder / r.file_name).is_file() for r in records)

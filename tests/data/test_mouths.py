"""Who lends teeth to a library, and building one by the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mien.cli.main import app
from mien.data.mouths import build, donor_photographs
from mien.data.split import split_of
from mien.errors import DataError
from mien.face_model.mouths import MouthLibrary
from mien.zoo.samples import samples


@pytest.fixture
def london(tmp_path: Path) -> Path:
    """The layout of the London Set, with empty photographs of people of all splits."""
    for person in ("003", "005", "024", "032", "107"):
        for folder, ending in (("neutral_front", "_03"), ("smiling_front", "_08")):
            photo = tmp_path / folder / f"{person}{ending}.jpg"
            photo.parent.mkdir(exist_ok=True)
            photo.write_bytes(b"")
    (tmp_path / "london_info.csv").write_text("face_id,face_age\n005,28\n107,x\n")
    return tmp_path


def test_only_smiles_of_training_people_lend(london: Path) -> None:
    for folder in (london, london / "smiling_front"):
        names = [photograph.name for photograph in donor_photographs(folder)]
        assert names == ["005_08", "107_08"]
        assert all(split_of(f"london/{n[:3]}") == "train" for n in names)


def test_age_and_terms_come_along(london: Path) -> None:
    young, unknown = donor_photographs(london)
    assert young.age == 28
    assert unknown.age != unknown.age
    assert young.licence == "CC-BY-4.0"


def test_some_are_left_out_by_name(london: Path) -> None:
    assert [photograph.name for photograph in donor_photographs(london, ["005_08"])] == ["107_08"]
    with pytest.raises(DataError, match="003_08"):
        donor_photographs(london, ["003_08"])


def test_a_folder_without_smiles_is_refused(tmp_path: Path, london: Path) -> None:
    empty = tmp_path / "empty" / "er"
    empty.mkdir(parents=True)
    for folder, says in ((empty, "no photographs"), (tmp_path / "no", "not a folder")):
        with pytest.raises(DataError, match=says):
            donor_photographs(folder)


def test_faces_that_show_no_teeth_make_no_library(tmp_path: Path) -> None:
    (tmp_path / "anna.jpg").write_bytes(samples()["anna"].read_bytes())
    with pytest.raises(DataError, match="upper teeth"):
        build(donor_photographs(tmp_path))


def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "anna.jpg").write_bytes(samples()["anna"].read_bytes())
    for folder in ("in", "nowhere"):
        done = CliRunner().invoke(app, ["mouths", "build", str(tmp_path / folder), "-o", str(out)])
        assert done.exit_code == 2
        assert not out.exists()


def test_a_library_is_built_by_the_command(original: Callable[..., Path], tmp_path: Path) -> None:
    photo = original("london_1350", "smiling_front", "100_08.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / photo.name).write_bytes(photo.read_bytes())
    out = tmp_path / "out.safetensors"
    done = CliRunner().invoke(app, ["mouths", "build", str(tmp_path / "in"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    (donor,) = MouthLibrary.load(out).donors
    assert donor.top.max() > 0.7
    shown = CliRunner().invoke(app, ["mouths", "show", str(out)])
    assert "100_08" in shown.output

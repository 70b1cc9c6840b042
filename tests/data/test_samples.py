"""The bundled samples are what the package says they are, and can be made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien.cli.main import app
from mien.data.samples import CROP, MORPHS, make
from mien.data.split import split_of
from mien.errors import DataError
from mien.faces.detect import detect
from mien.zoo.samples import samples


def test_every_sample_averages_several_training_people() -> None:
    assert samples().keys() == {morph.name for morph in MORPHS}
    for morph in MORPHS:
        assert len(morph.people) >= 5
        assert morph.frame in morph.people
        assert {split_of(f"london/{person}") for person in morph.people} == {"train"}


def test_the_readme_names_the_source_and_everybody() -> None:
    readme = (samples()["anna"].parent / "README.md").read_text()
    assert "10.6084/m9.figshare.5047666" in readme
    assert "CC BY 4.0" in readme
    for morph in MORPHS:
        assert f"| `{morph.name}` | {', '.join(morph.people)} | {morph.frame} |" in readme


@pytest.mark.parametrize("path", samples().values(), ids=samples().keys())
def test_samples_are_small_pictures_of_one_face(path: Path) -> None:
    assert path.stat().st_size < 150_000
    with Image.open(path) as image:
        assert image.size == (CROP, CROP)
        faces = detect(np.asarray(image.convert("RGB")))
    assert len(faces) == 1
    left, top, right, bottom = faces[0].box
    assert (right - left) * (bottom - top) > 0.08 * CROP**2


def test_samples_can_be_made_again(original: Callable[..., Path], tmp_path: Path) -> None:
    arguments = ["data", "samples", str(original("london")), str(tmp_path / "new")]
    result = CliRunner().invoke(app, arguments, prog_name="mien")
    assert result.exit_code == 0, result.output
    for name, shipped in samples().items():
        new, old = (
            np.asarray(Image.open(p), float) for p in (tmp_path / "new" / f"{name}.jpg", shipped)
        )
        assert np.abs(new - old).mean() < 0.5


def test_without_the_london_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="London"):
        make(tmp_path, tmp_path / "new")
    assert not list((tmp_path / "new").glob("*.jpg"))

"""`mien data` as a user types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien.cli.main import app
from mien.data.adapters import DATASETS


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    folder = tmp_path / "portraits"
    folder.mkdir()
    for seed, name in enumerate(("A000022", "B000944")):
        noise = np.random.default_rng(seed).integers(0, 256, (60, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{name}.jpg")
    return folder


def test_import_then_check(portraits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("import", "congress", portraits, "--out", out)
    assert result.exit_code == 0, result.output
    assert "never publish" in result.stdout
    result = run("check", out)
    assert result.exit_code == 0, result.output
    assert "no problems" in result.stdout


def test_check_finds_and_exits_with_2(portraits: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("import", "congress", portraits, "--out", out, "--copy")
    (out / "A000022.jpg").write_text("no picture")
    result = run("check", out)
    assert result.exit_code == 2
    assert "A000022.jpg" in result.stdout
    assert result.stderr.startswith("mien: 1 problems")


def test_the_default_place_is_the_cache(portraits: Path, cache: Path) -> None:
    assert run("import", "congress", portraits).exit_code == 0
    assert (cache / "datasets" / "congress" / "metadata.jsonl").is_file()
    assert "imported" in run("list").stdout


@pytest.mark.usefixtures("cache")
def test_list_shows_terms_and_where_to_get_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    result = run("list")
    assert result.exit_code == 0
    for d in DATASETS.values():
        assert d.name in result.stdout
        assert d.source in result.stdout
    assert result.stdout.count("not here") == len(DATASETS) + 1  # and the face model


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "rafd", "."), "choose from london, canada, congress, ict-facekit"),
        (("import", "london", "nowhere"), "not a folder"),
        (("import", "ict-facekit", "nowhere"), "vertex_indices.json"),
        (("check", "nowhere"), "mien data import"),
        (("samples", "nowhere", "out"), "London Set"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1

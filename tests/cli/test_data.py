"""`mien data` as a user types it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien.cli.main import app
from mien.data.adapters import FACE_MODELS, KNOWN


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


def test_films_give_frames_and_say_what_weights_may_be_used_for(tmp_path: Path) -> None:
    pytest.importorskip("av")
    import av

    (tmp_path / "Actor_01").mkdir()
    film = tmp_path / "Actor_01/01-01-03-02-01-01-01.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        for i in range(20):
            pixels = np.full((64, 64, 3), 10 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    (tmp_path / "Actor_01/01-01-04-02-01-01-01.mp4").write_text("no film")
    result = run("import", "ravdess", tmp_path, "-o", tmp_path / "out", "--frames", "2")
    assert result.exit_code == 0, result.output
    assert "weights trained on it: non-commercial research" in result.stdout
    assert "left out: Actor_01/01-01-04-02-01-01-01.mp4" in result.stderr
    frames = sorted((tmp_path / "out").rglob("*.jpg"))
    assert [f.stem for f in frames] == ["000005", "000014"]
    means = [np.asarray(Image.open(f)).mean() for f in frames]
    np.testing.assert_allclose(means, [50, 140], atol=4)
    result = run("check", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "weights trained on it: non-commercial research" in result.stdout


def test_align_writes_crops_and_names_what_shows_no_face(tmp_path: Path) -> None:
    from mien.zoo.samples import samples

    for name, person in (("anna", "a"), ("wall", "b")):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{name}.png")
        with (tmp_path / "metadata.jsonl").open("a") as file:
            file.write(f'{{"file_name": "{name}.png", "person": "{person}"}}\n')
    Image.open(samples()["anna"]).save(tmp_path / "anna.png")
    result = run("align", tmp_path, "-o", tmp_path / "faces", "--size", "96", "--workers", "1")
    assert result.exit_code == 0, result.output
    assert "left out: wall.png" in result.stderr
    assert Image.open(tmp_path / "faces" / "anna.png.png").size == (96, 96)


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
    assert result.stdout.count("not here") == len(KNOWN) + len(FACE_MODELS)
    for d in KNOWN.values():
        assert d.name in result.stdout
        assert d.weights in result.stdout
        about = run("list", d.name).stdout
        for text in (d.title, d.licence, d.terms, d.weights, d.source, d.obtain, d.example):
            assert text in about
    for name, model in FACE_MODELS.items():
        assert model.SOURCE in run("list", name).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "nobody", "."), "choose from london, canada, congress, crema-d"),
        (("import", "rafd", "."), "Rafd090_01_Caucasian_female_angry_frontal.jpg"),
        (("import", "rafd", ".", "--frames", "0"), "1 or more"),
        (("list", "nobody"), "choose from london"),
        (("list", "own"), "mien data check FOLDER"),
        (("import", "london", "nowhere"), "not a folder"),
        (("import", "ict-facekit", "nowhere"), "vertex_indices.json"),
        (("import", "gnm-head", "nowhere"), "gnm_head.npz"),
        (("align", "nowhere", "-o", "out"), "mien data import"),
        (("check", "nowhere"), "mien data import"),
        (("samples", "nowhere", "out"), "no photographs at nowhere"),
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

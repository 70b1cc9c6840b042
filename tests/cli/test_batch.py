"""A folder of photographs: nothing in it is left out unsaid, nothing that is there is lost, and no
file ends the others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import mien
from mien import images
from mien.cli import batch
from mien.cli.batch import Plan, plan
from mien.cli.main import app
from mien.editor import Editor, Result
from mien.errors import ConfigError, ImageError
from mien.methods.base import Method
from mien.zoo.samples import samples

Call = Callable[..., Any]


@pytest.fixture
def run(wide_mouth: Method[Any], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(mien, "load", lambda *_: wide_mouth, raising=False)
    return lambda *words: CliRunner().invoke(
        app, ["edit", *map(str, words)], prog_name="mien", env={"COLUMNS": "250"}
    )


@pytest.fixture
def quick(run: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command with an edit that costs nothing: every pixel one level up."""

    def edit(self: Editor, photo: Any, guide: Any, intensity: float, face: str) -> Result:
        step = 0 if intensity == 0 else 1 + ("sad" in str(guide))
        moved = images.Photo(photo.pixels + np.uint8(step), format=photo.format)
        told = {"method": "quick", "guide": str(guide), "weights": self.weights}
        return Result(moved, (), 1, told, photo)

    monkeypatch.setattr(Editor, "edit", edit)
    return run


def picture(path: Path, colour: str = "gray", kind: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), colour).save(path, kind)
    return path


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_every_file_is_edited_or_reported(quick: Call, tmp_path: Path) -> None:
    inside, out = tmp_path / "in", tmp_path / "out"
    for name, kind in {
        "a.jfif": "JPEG", "b.gif": None, "c.pgm": None, "d": "PNG", "e.TIFF": None, "f.dib": "BMP",
        "g.data": "WEBP", "h.jpe": "JPEG", "deep/i.png": None, "._j.jpg": "JPEG",
    }.items():  # fmt: skip
        picture(inside / name, kind=kind)
    (inside / "k.txt").write_text("notes")
    (inside / "l.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (inside / "m.jpg").symlink_to(tmp_path / "gone.jpg")
    os.mkfifo(inside / "n.png")
    result = quick(inside, "--to", "happy", "-o", out)
    assert result.exit_code == 1
    assert result.stdout.startswith("8 written, 2 failed")
    assert names(out) == ["a.jfif", "b.png", "c.png", "d.png", "e.png", "f.png", "g.png", "h.jpe"]
    for said in (
        "._j.jpg", "a folder: --recursive", "deep", "k.txt", "l.heic", "HEIF", "m.jpg",
        "a link to nothing", "n.png", "a pipe",
    ):  # fmt: skip
        assert said in result.stderr, said
    result = quick(inside, "--to", "happy", "-o", out, "--recursive")
    assert result.stdout.startswith("1 written, 8 there already")
    assert "deep/i.png" in names(out)


def test_workers_make_the_same_files(run: Call, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for path in samples().values():
        (source / path.name).write_bytes(path.read_bytes())
    (source / "wall.png").write_bytes(picture(tmp_path / "wall.png").read_bytes())
    for name, workers in (("one", 1), ("two", 2)):
        out = run(source, "--to", "happy", "-o", tmp_path / name, "--workers", workers, "--profile")
        assert out.exit_code == 1, out.output
        assert f"{len(samples())} written, 1 failed" in out.output
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--engine", "slurm"], "unknown engine 'slurm': say local or ray"),
        (["--address", "10.0.0.5:6379"], "--address is of --engine ray"),
        (["--engine", "ray"], "--engine ray needs Ray: pip install 'mien[ray]'"),
    ],
)
def test_engines_that_cannot_be(
    quick: Call, tmp_path: Path, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "in").mkdir()
    picture(tmp_path / "in" / "a.png")
    out = quick(tmp_path / "in", "--to", "sad", "-o", tmp_path / "out", *words)
    assert out.exit_code == 2
    assert told in out.output
    assert not list((tmp_path / "out").glob("*"))
    alone = quick(tmp_path / "in" / "a.png", "--to", "sad", "-o", tmp_path / "b.png", *words)
    assert alone.exit_code == 2
    assert not (tmp_path / "b.png").exists()


def test_recursion_ends_and_does_not_eat_its_results(quick: Call, tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "sub" / "a.png")
    (tmp_path / "in" / "sub" / "round").symlink_to(tmp_path / "in")
    for count in ("2 written", "0 written, 2 there already"):
        result = quick(tmp_path / "in", "--to", "happy", "-o", tmp_path / "in" / "out", "-r")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(count)
        assert names(tmp_path / "in" / "out") == ["a.png", "sub/a.png"]
        assert "round" in result.stderr


def test_formats_have_one_table() -> None:
    from mien.provenance.credentials import KINDS

    assert set(images.WRITTEN) <= set(KINDS)
    for kind in images.FORMATS:
        if kind.read:
            assert kind.name in Image.SAVE or Image.init()
            for suffix in kind.suffixes:
                assert images.of_name(Path(f"x{suffix.upper()}")) == kind


@pytest.mark.parametrize("kind", [f.name for f in images.FORMATS if f.read])
def test_formats_are_known_by_their_first_bytes(tmp_path: Path, kind: str) -> None:
    head = picture(tmp_path / "x", kind=kind).read_bytes()[:64]
    found = images.of_head(head)
    assert found is not None
    assert found.name == kind
    assert images.read(tmp_path / "x").pixels.shape == (6, 8, 3)


def test_another_request_is_made_anew(quick: Call, tmp_path: Path) -> None:
    source, out = picture(tmp_path / "in" / "a.jpg"), tmp_path / "out"

    def call(*words: object) -> str:
        result = quick(source.parent, "-o", out, *words)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    assert call("--to", "happy").startswith("1 written in")
    first = images.statement(out / "a.jpg")
    assert call("--to", "happy").startswith("0 written, 1 there already")
    over = "1 written, 1 of them over results of another request"
    assert call("--to", "sad").startswith(over)
    assert images.statement(out / "a.jpg")["guide"] != first["guide"]
    assert call("--to", "sad", "-i", "0.5").startswith(over)
    assert call("--to", "sad", "-i", "0.5", "--face", "all").startswith(over)
    assert call("--au", "AU12=0.5").startswith(over)
    assert call("--like", samples()["anna"]).startswith(over)
    assert call("--like", samples()["ben"]).startswith(over), "another reference"
    picture(source, "red")
    assert call("--like", samples()["ben"]).startswith(over), "another source of the same name"
    assert call("--like", samples()["ben"]).startswith("0 written, 1 there already")


def test_other_weights_are_another_request(quick: Call, tmp_path: Path) -> None:
    source, out = picture(tmp_path / "in" / "a.jpg"), tmp_path / "out"
    weights = tmp_path / "w.safetensors"
    for content, count in ((b"one", "1 written in"), (b"two", "1 written, 1 of them over")):
        weights.write_bytes(content)
        result = quick(source.parent, "-o", out, "--to", "sad", "--weights", weights)
        assert result.stdout.startswith(count), result.output


def test_what_mien_did_not_write_is_not_lost(quick: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("a.png", "b.png", "c.png", "d.png"):
        picture(tmp_path / "in" / name)
    mine = picture(out / "a.png", "red").read_bytes()
    (out / "b.png").write_text("junk")
    (out / "c.png").touch()
    result = quick(tmp_path / "in", "--to", "happy", "-o", out)
    assert result.exit_code == 1, "junk is not done"
    assert result.stdout.startswith("2 written, 2 failed")
    assert result.stderr.count("is not mien's") == 2
    assert (out / "a.png").read_bytes() == mine
    assert (out / "b.png").read_text() == "junk"
    result = quick(tmp_path / "in", "--to", "happy", "-o", out, "--force")
    assert result.stdout.startswith("4 written in")
    assert "method" in images.statement(out / "b.png")


def test_results_of_nothing_are_no_strangers(quick: Call, tmp_path: Path) -> None:
    """Intensity 0 copies the photograph, which says nothing; the next call may replace it."""
    picture(tmp_path / "in" / "a.jpg")
    picture(tmp_path / "in" / "b.tif")
    for words, count in ((("-i", "0"), "2 written"), (("-i", "0"), "2 written"), ((), "2 written")):
        result = quick(tmp_path / "in", "--to", "happy", "-o", tmp_path / "out", *words)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(count)


def test_no_file_ends_the_others(
    quick: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        picture(tmp_path / "in" / name)
    edit = Editor.edit
    calls: list[int] = []

    def fails(self: Editor, photo: Any, **more: Any) -> Result:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("shapes do not fit")
        if len(calls) == 3:
            raise MemoryError
        return edit(self, photo, **more)

    monkeypatch.setattr(Editor, "edit", fails)
    result = quick(tmp_path / "in", "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stdout.startswith("2 written, 2 failed")
    assert "mien failed (RuntimeError: shapes do not fit)" in result.stderr
    assert names(tmp_path / "out") == ["a.png", "d.png"]


def test_two_of_one_stem_get_two_names(tmp_path: Path) -> None:
    inside, out = tmp_path / "in", tmp_path / "out"
    for name in ("a.png", "a.tif", "b.bmp", "b.tif", "b.tif.png", "c.tif"):
        picture(inside / name)
    made = {j.source.name: j.target.name for j in plan([inside], out).jobs}
    assert made == {
        "a.png": "a.png", "a.tif": "a.tif.png", "b.bmp": "b.bmp.png", "b.tif": "b.tif-2.png",
        "b.tif.png": "b.tif.png", "c.tif": "c.png",
    }  # fmt: skip
    picture(tmp_path / "other" / "a.png")
    with pytest.raises(ConfigError, match="both become"):
        plan([inside, tmp_path / "other"], out)
    with pytest.raises(ConfigError, match=r"a\.png would be overwritten"):
        plan([inside / "a.png", inside / "a.tif"], inside)


def test_names_as_long_as_can_be(quick: Call, tmp_path: Path) -> None:
    long = ["ü" * 125 + ".png", "b" * 251 + ".tif", "c" * 255]
    for name in long:
        picture(tmp_path / "in" / name, kind="PNG")
    result = quick(tmp_path / "in", "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "out") == sorted(
        ["ü" * 125 + ".png", "b" * 251 + ".png", "c" * 251 + ".png"]
    )
    assert quick(tmp_path / "in" / long[0], "--to", "sad", "-o", tmp_path / long[0]).exit_code == 0


def test_swap_of_long_names(run: Call, tmp_path: Path) -> None:
    a, b = (tmp_path / (letter * 250 + ".jpg") for letter in "ab")
    for path, name in ((a, "anna"), (b, "ben")):
        path.write_bytes(samples()[name].read_bytes())
    words = ["swap", str(a), str(b), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words, prog_name="mien")
    assert result.exit_code == 0, result.output
    both = names(tmp_path / "out")
    assert len(both) == 2
    assert all("a" * 100 in n and "b" * 100 in n and "-as-" in n for n in both)


def test_swap_of_one_name(run: Call, tmp_path: Path) -> None:
    a, b = (tmp_path / folder / "x.jpg" for folder in "ab")
    for path, name in ((a, "anna"), (b, "ben")):
        path.parent.mkdir()
        path.write_bytes(samples()[name].read_bytes())
    words = ["swap", str(a), str(b), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words, prog_name="mien")
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "out") == ["a-x-as-x.jpg", "b-x-as-x.jpg"]


def test_links_are_written_through(quick: Call, tmp_path: Path) -> None:
    source, kept = picture(tmp_path / "a.png"), picture(tmp_path / "kept" / "b.png")
    link, ahead = tmp_path / "link.png", tmp_path / "ahead.png"
    link.symlink_to(kept)
    ahead.symlink_to(tmp_path / "kept" / "new.png")
    for target in (link, ahead):
        result = quick(source, "--to", "happy", "-o", target)
        assert result.exit_code == 0, result.output
        assert target.is_symlink()
        assert "method" in images.statement(target)
    assert names(tmp_path / "kept") == ["b.png", "new.png"]
    circle = tmp_path / "circle.png"
    circle.symlink_to(circle)
    result = quick(source, "--to", "happy", "-o", circle)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_a_folder_without_photographs(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "deep" / "a.png")
    with pytest.raises(ImageError, match=r"no photographs.*--recursive"):
        plan([tmp_path / "in"], tmp_path / "out")
    assert len(plan([tmp_path / "in"], tmp_path / "out", recursive=True).jobs) == 1
    with pytest.raises(ImageError, match="no such file"):
        batch.sources([tmp_path / "missing"], Plan())


def test_verify_goes_on_after_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("junk")
    words = ["verify", str(tmp_path / "bad.png"), str(samples()["anna"])]
    result = CliRunner().invoke(app, words, prog_name="mien")
    assert result.exit_code == 2
    assert "anna.jpg" in result.stdout
    assert "bad.png is not a picture" in result.stderr

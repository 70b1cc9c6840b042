"""`mien edit` and its sisters: files in, files out, and one line for every mistake."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import mien
from mien import images
from mien.cli.main import app
from mien.editor import Editor, Result
from mien.errors import ImageError
from mien.methods.base import Method
from mien.provenance import credentials
from mien.zoo.samples import samples


class Run:
    """Calls `mien` with a method that needs no weights, and counts how often these were loaded."""

    def __init__(self) -> None:
        self.loads = 0

    def __call__(self, *arguments: object) -> Any:
        words = [str(a) for a in arguments]
        return CliRunner().invoke(app, words, prog_name="mien", env={"COLUMNS": "200"})


@pytest.fixture
def run(wide_mouth: Method[Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    runner = Run()

    def load(*_: object) -> Method[Any]:
        runner.loads += 1
        return wide_mouth

    monkeypatch.setattr(mien, "load", load, raising=False)
    return runner


@pytest.fixture(scope="module")
def anna() -> Path:
    return samples()["anna"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two faces, a picture of nobody, a text called .jpg, and a file that is no picture."""
    inside = tmp_path / "in"
    inside.mkdir()
    for name in ("anna", "cora"):
        (inside / f"{name}.jpg").write_bytes(samples()[name].read_bytes())
    Image.new("RGB", (200, 200), "white").save(inside / "blank.png")
    (inside / "text.jpg").write_text("no picture")
    (inside / "notes.txt").write_text("not asked for")
    return inside


def huge_png(path: Path) -> None:
    """A PNG whose header says 30,000 x 30,000."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def test_one_photograph(run: Run, anna: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    result = run("edit", anna, "--to", "happy", "-o", out, "--profile")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{out}: happy on 1 face\n")
    assert "paste" in result.stdout
    edited = images.read(out).pixels
    assert edited.shape == (600, 600, 3)
    assert (edited != images.read(anna).pixels).any()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    "guide", [("--au", "AU12=0.8", "--au", "AU26=+0.3"), ("--like", samples()["ben"])]
)
def test_other_guides(run: Run, anna: Path, tmp_path: Path, guide: tuple[Any, ...]) -> None:
    result = run("edit", anna, *guide, "-o", tmp_path / "out.webp")
    assert result.exit_code == 0, result.output
    assert (images.read(tmp_path / "out.webp").pixels != images.read(anna).pixels).any()


def test_intensity_0_is_the_input_even_as_jpeg(run: Run, anna: Path, tmp_path: Path) -> None:
    for name in ("out.jpg", "out.png"):
        result = run("edit", anna, "--to", "happy", "--intensity", "0", "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert np.array_equal(images.read(tmp_path / name).pixels, images.read(anna).pixels)
    assert (tmp_path / "out.jpg").read_bytes() == anna.read_bytes()


BAD: dict[str, tuple[str, str]] = {
    "no face": ("{p}/nobody.png --to sad", "nobody.png: no face found"),
    "two faces": ("{p}/two.png --to sad", "2 faces of like size"),
    "face out of range": ("{a} --to sad --face index_3", "no face 3"),
    "face not understood": ("{a} --to sad --face leftmost", "leftmost"),
    "text called jpg": ("{p}/text.jpg --to sad", "not a picture"),
    "truncated": ("{p}/short.jpg --to sad", "cut short"),
    "bomb": ("{p}/huge.png --to sad", "100 megapixels or less"),
    "no such file": ("{p}/missing.jpg --to sad", "no such file"),
    "unknown label": ("{a} --to grin", "unknown expression 'grin'"),
    "unknown unit": ("{a} --au AU99=1", "unknown action unit"),
    "unit out of range": ("{a} --au AU12=7", "out of range"),
    "unit twice": ("{a} --au AU12=0.9 --au AU12=0.1", "AU12=0.9 and AU12=0.1 contradict"),
    "blink twice": ("{a} --au AU43=1 --au AU45=+0.1", "contradict"),
    "whole after side": ("{a} --au AU12L=0.9 --au AU12=0.1", "contradict"),
    "eyes both ways": ("{a} --au AU61=0.5 --au AU62=0.5", "AU61=0.5 and AU62=0.5 contradict"),
    "jaw both ways": ("{a} --au AU30L=0.5 --au AU30R=0.5", "contradict"),
    "pipe": ("{p}/pipe --to sad", "a pipe or a device"),
    "dead link": ("{p}/dead.png --to sad", "a link to nothing"),
    "no folder": ("{a} --to sad -o {p}/none/x.png", "does not exist"),
    "below a file": ("{a} --to sad -o {p}/text.jpg/x.png", "not a folder"),
    "suffix": ("{a} --to sad -o {p}/out.gif", ".gif"),
    "itself": ("{p}/two.png --to sad -o {p}/two.png", "overwritten"),
    "no reference": ("{a} --like {p}/missing.jpg", "no such file"),
    "reference of nobody": ("{a} --like {p}/nobody.png", "the reference: no face found"),
    "two guides": ("{a} --to sad --like {a}", "exclude one another"),
    "gaze": ("{a} --gaze left", "write LEFT,UP, such as 0.5,0"),
    "turn": ("{a} --turn 0,80,0", "30 degrees"),
    "light": ("{a} --light 3,0", "the light moves by -1 to 1"),
    "blendshapes": ("{a} --blendshapes {p}/none.json", "cannot be read"),
    "share": ("{a} --like {a} --share 3", "share 3 is out of range"),
    "share of nothing": ("{a} --to sad --share 0.5", "give a photograph too"),
    "expression": ("{a} --expression {p}/text.jpg", "is not JSON"),
    "no expression": ("{a} --expression {p}/none.json", "cannot be read"),
    "region": ("{a} --to sad --region nose", "choose from face, upper, lower"),
    "head of others": ("{a} --turn 0,5,0 -m aipgan", "use --method morphable"),
    "no guide": ("{a}", "say which expression"),
    "intensity": ("{a} --to sad --intensity nan", "intensity"),
    "method": ("{a} --to sad --method magic", "unknown method"),
    "weights": ("{a} --to sad --weights {p}/none.safetensors", "no weights"),
}
"""Name -> arguments after `mien edit`, and what the one line must say."""

NEEDS_WEIGHTS = {
    "no face",
    "two faces",
    "face out of range",
    "reference of nobody",
    "head of others",
}
"""What only the detector can tell; everything else is told before weights are loaded."""


@pytest.fixture(scope="module")
def couple() -> bytes:
    """A picture of two faces."""
    page, file = Image.new("RGB", (1200, 600), "gray"), io.BytesIO()
    for i, name in enumerate(("anna", "ben")):
        page.paste(Image.open(samples()[name]), (600 * i, 0))
    page.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def bad(tmp_path: Path, anna: Path, couple: bytes) -> Path:
    """A folder of pictures that cannot be edited."""
    Image.new("RGB", (300, 300), "gray").save(tmp_path / "nobody.png")
    (tmp_path / "text.jpg").write_text("this is no picture")
    (tmp_path / "short.jpg").write_bytes(anna.read_bytes()[:20_000])
    huge_png(tmp_path / "huge.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dead.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "two.png").write_bytes(couple)
    return tmp_path


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_code_2(run: Run, bad: Path, anna: Path, name: str) -> None:
    line, says = BAD[name]
    words = [w.format(p=bad, a=anna).replace("_3", " 3") for w in line.split()]
    words += [] if "-o" in words else ["-o", str(bad / "out.png")]
    before = {p: p.read_bytes() for p in bad.iterdir() if p.is_file()}
    result = run("edit", *words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("mien: ")
    assert result.stderr.count("\n") == 1
    assert says in result.stderr
    assert run.loads == (name in NEEDS_WEIGHTS)
    assert {p: p.read_bytes() for p in bad.iterdir() if p.is_file()} == before, (
        "nothing new, nothing changed"
    )


def test_a_folder_skips_and_reports(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("edit", folder, "--to", "happy", "-o", out)
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("2 written, 2 failed")
    assert "blank.png" in result.stderr
    assert "no face found" in result.stderr
    assert "text.jpg" in result.stderr
    assert sorted(p.name for p in out.iterdir()) == ["anna.jpg", "cora.jpg"]


def test_a_stopped_batch_goes_on(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second photograph is interrupted while it is written; a second call makes only what is
    missing.
    """
    (folder / "blank.png").unlink()
    (folder / "text.jpg").unlink()
    out, write = tmp_path / "out", images.encode
    calls: list[int] = []

    def stop_at_the_second(*arguments: Any, **more: Any) -> bytes:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(*arguments, **more)

    monkeypatch.setattr(images, "encode", stop_at_the_second)
    result = run("edit", folder, "--to", "happy", "-o", out)
    assert result.exit_code == 130, result.output
    assert [p.name for p in out.iterdir()] == ["anna.jpg"]
    first = (out / "anna.jpg").stat().st_mtime_ns

    result = run("edit", folder, "--to", "happy", "-o", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 written, 1 there already")
    assert (out / "anna.jpg").stat().st_mtime_ns == first
    assert sorted(p.name for p in out.iterdir()) == ["anna.jpg", "cora.jpg"]

    result = run("edit", folder, "--to", "sad", "-o", out, "--force")
    assert result.stdout.startswith("2 written in")
    assert (out / "anna.jpg").stat().st_mtime_ns > first


def test_several_files_may_not_become_one(run: Run, anna: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "anna.jpg").write_bytes(anna.read_bytes())
    result = run("edit", anna, tmp_path / "sub", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "both become" in result.stderr
    result = run("edit", tmp_path / "sub", "--to", "sad", "-o", tmp_path / "sub")
    assert result.exit_code == 2
    assert "overwritten" in result.stderr
    assert run.loads == 0


def test_a_write_that_fails_leaves_nothing(
    run: Run, anna: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Result, path: Path, *_: object) -> None:
        raise ImageError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(Result, "save", full)
    result = run("edit", anna, "--to", "sad", "-o", tmp_path / "out.png")
    assert result.exit_code == 2
    assert "No space left" in result.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_written_can_be_signed(run: Run, anna: Path, tmp_path: Path, keys: Any) -> None:
    out = tmp_path / "out.png"
    signing = ("--sign-with", keys.chain, "--key", keys.key)
    result = run("edit", anna, "--to", "sad", "-o", out, *signing)
    assert result.exit_code == 0, result.output
    claim = credentials.read(out)
    assert claim is not None
    assert claim.state == "Valid"
    assert run("edit", anna, "--to", "sad", "-o", out, *signing[:2]).exit_code == 2


def test_swap(run: Run, anna: Path, tmp_path: Path) -> None:
    result = run("swap", anna, samples()["ben"], "-o", tmp_path / "new")
    assert result.exit_code == 0, result.output
    names = sorted(p.name for p in (tmp_path / "new").iterdir())
    assert names == ["anna-as-ben.jpg", "ben-as-anna.jpg"]


def test_sheet(run: Run, anna: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = run("sheet", anna, "-o", out, "-e", "happy, surprise", "--size", "100")
    assert result.exit_code == 0, result.output
    assert images.read(out).pixels.shape[1] > 300
    result = run("sheet", anna, "-o", out, "-e", "grin")
    assert result.exit_code == 2
    assert run.loads == 1


def test_demo(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.cli.demo.SIDE", 64)
    monkeypatch.setattr("mien.cli.demo.WIDE", 96)
    result = run("demo", "-o", tmp_path / "demo.png")
    assert result.exit_code == 0, result.output
    height, width = images.read(tmp_path / "demo.png").pixels.shape[:2]
    assert width > 9 * 64
    assert height > 7 * 64


def test_demo_hands_out_the_sample_photographs(run: Run, tmp_path: Path) -> None:
    result = run("demo", "--samples", tmp_path / "faces")
    assert result.exit_code == 0, result.output
    copies = {p.stem: p.read_bytes() for p in (tmp_path / "faces").iterdir()}
    assert copies == {name: path.read_bytes() for name, path in samples().items()}
    assert run("demo", "--samples", tmp_path / "faces").exit_code == 0
    (tmp_path / "faces" / "ben.jpg").write_bytes(b"somebody's own")
    result = run("demo", "--samples", tmp_path / "faces")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert (tmp_path / "faces" / "ben.jpg").read_bytes() == b"somebody's own"
    assert run("demo", "--samples", tmp_path / "faces" / "ben.jpg").exit_code == 2
    assert run.loads == 0


def test_methods_and_doctor(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mtss" in run("methods").stdout
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "landmarks" in result.stdout
    monkeypatch.setattr("mien.cli.doctor.NEEDED", ("no-such-distribution",))
    result = run("doctor")
    assert result.exit_code == 1
    assert "1 broken" in result.stdout


def test_editor_is_what_the_command_uses(
    run: Run, anna: Path, tmp_path: Path, wide_mouth: Method[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options arrive: the file equals the call."""
    seen: list[tuple[Any, ...]] = []
    original: Callable[..., Result] = Editor.edit

    def spy(self: Editor, photo: Any, guide: Any, intensity: float, face: str) -> Result:
        seen.append((guide.names, intensity, face))
        return original(self, photo, guide, intensity, face)

    monkeypatch.setattr(Editor, "edit", spy)
    out = tmp_path / "out.png"
    run("edit", anna, "--to", "happy", "-i", "0.5", "--face", "near 300,300", "-o", out)
    assert seen == [(("happy",), 0.5, "near 300,300")]
    expected = original(Editor(wide_mouth), anna, mien.Label("happy"), 0.5)
    assert np.array_equal(images.read(out).pixels, expected.marked.pixels)

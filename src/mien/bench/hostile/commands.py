"""What `mien bench hostile` asks of the command line: in process through the command's own
root, with the edit itself a stub, and as commands of their own with everything real.
"""

from __future__ import annotations

import contextlib
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from mien import images
from mien.bench.hostile import files, pictures
from mien.bench.hostile.pictures import expect
from mien.zoo.samples import samples


def command(random: Random, folder: Path) -> str:
    """A folder of pictures through the command line."""
    inside, out = folder / "in", folder / "out"
    inside.mkdir()
    for i in range(8):
        name, data = pictures.picture(random)
        (inside / files.name(random, i, name)).write_bytes(data)
    words = files.arguments(random, inside, out)
    code, said, errors = called(words)
    clean(code, errors, folder)
    if words[0] == "edit" and words[1] == str(inside) and code in (0, 1):
        inputs = [p.name for p in inside.iterdir() if not p.name.startswith(".")]
        parts = re.findall(r"(\d+) (?:written|there already|failed)", said)
        beside = re.findall(r"^passed over, not a photograph: (.*)$", errors, re.MULTILINE)
        passed = sum(line.count(str(inside)) for line in beside)
        expect(sum(map(int, parts)) + passed == len(inputs), "a file is neither made nor reported")
    return "taken" if code == 0 else "refused"


def option(random: Random, folder: Path) -> str:
    """One good photograph, and options that mean no good."""
    return _ran(folder, called(files.options(random, folder, _photo())))


def process(random: Random, folder: Path) -> str:
    """The same as a command of its own: nothing is a stub."""
    if random.random() < 0.5:
        photo = folder / f"p.{random.choice(('jpg', 'png'))}"
        data = _photo().read_bytes()
        photo.write_bytes(pictures.spoilt(data[:3000], random, 6) + data[3000:])
        words = ["edit", str(photo), "--to", "happy", "-o", str(folder / "out.png")]
    else:
        words = files.options(random, folder, _photo())
    command = [sys.executable, "-m", "mien.cli.main", *words]
    done = subprocess.run(command, capture_output=True, check=False)
    errors = done.stderr.decode("utf-8", "backslashreplace")
    return _ran(folder, (done.returncode, "", errors))


def _photo() -> Path:
    return samples()["anna"]


def _ran(folder: Path, outcome: tuple[int, str, str]) -> str:
    code, _, errors = outcome
    clean(code, errors, folder)
    written = [p for p in folder.glob("out*") if p.is_file()]
    expect((code == 0) == bool(written), f"code {code}, and {len(written)} files written")
    for path in written:
        if path.suffix != ".mp4":
            images.read(path)
    return "taken" if code == 0 else "refused"


def clean(code: int, errors: str, folder: Path) -> None:
    """Wrong unless a command ended as it may: a code of its own, a line, nothing half-written."""
    expect(code in (0, 1, 2), f"code {code}: {errors[-200:]!r}")
    expect("Traceback" not in errors, f"a traceback on standard error: {errors[-200:]!r}")
    parts = [p.name for p in folder.rglob("*.part")]
    expect(not parts, f"half-written: {parts}")
    if code == 2:
        line = re.sub(r"\x1b\[[\d;]*m", "", errors)
        expect(
            line.startswith("mien: ") and line.count("\n") == 1,
            f"not one line: {errors[:200]!r}",
        )


def called(words: list[str]) -> tuple[int, str, str]:
    """`mien WORDS` in process: exit code, standard output and error."""
    from mien.cli.main import app

    with stubbed():
        result = _runner().invoke(app, words, prog_name="mien", env={"COLUMNS": "1000"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@functools.cache
def _runner() -> Any:
    from typer.testing import CliRunner

    return CliRunner()


@contextlib.contextmanager
def stubbed() -> Iterator[None]:
    """`Editor` without a method: an edit is a level up, a face the whole picture."""
    from types import SimpleNamespace
    from unittest.mock import patch

    import mien
    from mien.editor import Editor, Result
    from mien.types import Face

    def edit(self: Editor, photo: Any, guide: Any, intensity: float = 1, face: str = "") -> Result:
        source = images.photograph(photo)
        moved = images.Photo((source.pixels + np.uint8(1)), source.alpha, source.icc,
                             source.format, source.mode, source.exif)  # fmt: skip
        return Result(moved, (), 1, self.metadata("stub", f"{intensity:g}", 1), source)

    def portrait(self: Editor, photo: Any, size: int = 256, face: str = "") -> Any:
        return np.zeros((size, size, 3), np.uint8), Face.at(np.zeros((68, 2), np.float32))

    def swap(self: Editor, a: Any, b: Any, face: str = "") -> Any:
        return edit(self, a, None), edit(self, b, None)

    stubs = {"edit": edit, "swap": swap, "portrait": portrait, "reference": lambda *_: None,
             "on_portrait": lambda self, shown, *_: shown,
             "sheet": lambda *_, **__: np.zeros((64, 64, 3), np.uint8)}  # fmt: skip
    with contextlib.ExitStack() as stack:
        for name, stub in stubs.items():
            stack.enter_context(patch.object(Editor, name, stub))
        method = SimpleNamespace(name="x", read_by="")
        stack.enter_context(patch.object(mien, "load", lambda *_, **__: method, create=True))
        stack.enter_context(patch("mien.provenance.evidence.detect", lambda _: []))
        yield

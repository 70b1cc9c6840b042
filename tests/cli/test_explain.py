"""`mien explain`: a row of pictures, and one line for a method that shows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import mien
from mien import images
from mien.cli.main import app
from mien.editor import Editor
from mien.errors import ConfigError
from mien.faces.detect import detect
from mien.guides import Label
from mien.methods.aipgan.config import Architecture
from mien.methods.aipgan.method import AIPGAN
from mien.methods.base import Method
from mien.methods.registry import METHODS
from mien.provenance.evidence import FOUND
from mien.provenance.mark import look
from mien.sheet import GAP
from mien.zoo.samples import samples

ANNA = samples()["anna"]
NAMES = ["source", "expression looks", "identity looks", "landmarks", "intrinsic", "result"]


@pytest.fixture(scope="module")
def tiny() -> AIPGAN:
    torch.manual_seed(0)
    small = Architecture(
        size=64, stem=2, width=16, width_max=16, code=8, identity=0, features=8, features_max=8,
        decoder=8, decoder_max=8, rank=8, norm="group",
    )  # fmt: skip
    return AIPGAN(small).eval().requires_grad_(False)


def run(*arguments: object) -> Any:
    words = ["explain", *(str(a) for a in arguments)]
    return CliRunner().invoke(app, words, prog_name="mien", env={"COLUMNS": "200"})


def test_a_row_of_pictures(tiny: AIPGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mien, "load", lambda *_: tiny, raising=False)
    out = tmp_path / "sheet.png"
    result = run(ANNA, "--method", "aipgan", "--to", "sad", "--size", 80, "-o", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}: {', '.join(NAMES)}\n"
    page = images.read(out).pixels
    assert page.shape[1] > 6 * (80 + GAP)
    told = images.statement(out)
    assert (told["method"], told["guide"], told["intensity"]) == ("aipgan", "sad", "1")
    assert told["DigitalSourceType"] == images.SOURCE_TYPE
    row = page[-GAP - 80 : -GAP]
    shown = Editor(tiny).explain(ANNA, Label("sad"), 80)
    assert list(shown) == NAMES
    for k, picture in enumerate(shown.values()):
        end = page.shape[1] - GAP - (5 - k) * (80 + GAP)
        assert np.array_equal(row[:, end - 80 : end], picture)


def test_the_result_is_marked(tmp_path: Path) -> None:
    editor = Editor(mien.load("aipgan"))
    shown = editor.explain(ANNA, Label("sad"), 128)
    (face,) = detect(shown["source"])
    assert look(shown["result"], face).chance < FOUND < look(shown["source"], face).chance


def test_a_method_without_insides(wide_mouth: Method[Any], tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = run(ANNA, "--method", "mtss", "-o", out)
    assert result.exit_code == 2
    assert result.stdout == ""
    told = "mien: mtss has nothing inside to look at: choose from aipgan, decoupling\n"
    assert result.stderr == told
    assert not out.exists()
    with pytest.raises(ConfigError, match="wide-mouth has nothing inside"):
        Editor(wide_mouth).explain(ANNA, Label("sad"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "grin"), "unknown expression 'grin'"),
        (("--method", "magic"), "unknown method"),
        (("--method", "bare"), "no weights ship for bare"),
        (("-o", "none/x.png"), "does not exist"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "bare", METHODS["aipgan"])  # a method for which no weights ship
    result = run(ANNA, "-o", tmp_path / "sheet.png", *words)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert says in result.stderr
    assert not list(tmp_path.iterdir())

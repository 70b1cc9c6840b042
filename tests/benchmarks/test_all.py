"""Every question of `mien bench` can be asked: what is renamed in mien would break a command that
the documents name."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mien.bench import answers
from mien.bench.options import some
from mien.bench.questions import QUESTIONS
from mien.cli import main
from mien.cli.bench import _loaded
from mien.errors import ConfigError
from mien.methods.decoupling.method import Decoupling

TOOLS = Path(__file__).parents[2] / "tools"
OUTSIDE = {"tflite", "mediapipe", "dlib", "tensorflow", "onnxruntime", "playwright", "skimage"}
"""Judges and tools that the suite does not install everywhere."""


def loaded(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in OUTSIDE:
            pytest.skip(f"needs {error.name}")
        raise


@pytest.mark.parametrize("name", sorted(p.stem for p in TOOLS.glob("*.py")))
def test_a_tool_can_be_imported(name: str) -> None:
    loaded(name)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_says_what_it_measures(name: str) -> None:
    module = loaded(f"mien.bench.{QUESTIONS[name].module}")
    assert module.__doc__
    said = CliRunner().invoke(main.app, ["bench", name, "--help"], prog_name="mien")
    assert said.exit_code == 0, said.output
    first = " ".join(module.__doc__.split()[:4]).strip("`:*")
    assert first in " ".join(said.output.split())
    assert "--out" in said.output


@pytest.mark.parametrize("name", QUESTIONS)
def test_its_first_lines_can_be_typed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The help of a question begins with its commands: options that are gone would be named."""
    module = loaded(f"mien.bench.{QUESTIONS[name].module}")
    lines = (module.__doc__ or "").replace("\\\n", " ").splitlines()
    shown = [shlex.split(line, comments=True) for line in lines if line.startswith("    mien ")]
    for _, _, asked, *words in [w for w in shown if w[1] == "bench"]:
        command = _loaded(asked)
        for param in command.params:  # no folder is looked for or made
            param.callback = None
        plain = [word.strip("[]") for word in words]  # what may be left out
        with command.make_context(asked, plain):
            pass


def test_a_head_that_is_named_draws() -> None:
    """`decoupling head=picture` was a row of its own, and the same numbers as `decoupling`."""
    from mien.bench.networks import entered
    from mien.metrics.report import entrants

    plain, picture = (entered(one) for one in entrants(["decoupling", "decoupling head=picture"]))
    assert isinstance(plain, Decoupling)
    assert isinstance(picture, Decoupling)
    assert plain.architecture.head != picture.architecture.head == "picture"


def test_the_list_of_questions_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['mien', 'bench', '--help']\n"
        "from mien.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        "heavy = {'torch', 'cv2', 'dlib', 'scipy', 'mien.bench.options'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "eyewear" in done.stdout


def test_what_is_not_there_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no" / "out.json")
    done = CliRunner().invoke(main.app, ["bench", "rising", "-o", nowhere], prog_name="mien")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "does not exist" in done.stderr


def test_a_part_that_is_not_there_is_told() -> None:
    assert some(None, ("a", "b")) == ["a", "b"]
    assert some(["b", "b"], {"a": 1, "b": 2}) == ["b"]
    with pytest.raises(ConfigError, match="no 'c' here: choose from a, b"):
        some(["c"], ("a", "b"))


def test_an_answer_says_how_it_came_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "there.json"
    monkeypatch.setattr(sys, "argv", ["/usr/bin/mien", "bench", "fit", "-o", "a b.json"])
    answers.write(out, answers.conditions() | {"value": 0.5})
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["command"] == "mien bench fit -o 'a b.json'"
    assert found["value"] == 0.5
    assert {"commit", "version", "machine"} <= found.keys()
    assert json.loads(capsys.readouterr().out) == found


def test_no_requirement_is_told_in_a_line() -> None:
    installed = importlib.import_module("installed")
    with pytest.raises(ConfigError, match="write a requirement"):
        installed.closure(["mien[web"], set())

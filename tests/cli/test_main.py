"""The root command: quick, lazy, and one line for every mistake."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from importlib import metadata, util
from typing import Any

import pytest
from typer.testing import CliRunner

from mien.cli.main import COMMANDS, app, leaves
from mien.errors import DataError
from mien.methods.registry import METHODS

Place = Callable[[Any], None]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), prog_name="mien")


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Place:
    """`edit(function)` puts a function in the place of `mien edit`."""

    def place(function: Any) -> None:
        module = types.ModuleType("mien.cli.edit")
        module.command = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "mien.cli.edit", module)

    return place


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    """In a fresh interpreter: this one has torch loaded already."""
    code = (
        "import sys\n"
        "sys.argv = ['mien', '--help']\n"
        "from mien.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as e:\n    assert not e.code, e.code\n"
        "heavy = {'torch', 'lightning', 'cv2', 'dlib', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def test_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout == f"mien {metadata.version('mien')}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    assert util.find_spec(f"mien.cli.{name}") is not None
    for flag in ("--help", "-h"):
        result = run(name, flag)
        assert result.exit_code == 0, result.output
        assert f"Usage: mien {name}" in " ".join(result.stdout.split())


def test_a_users_mistake_is_one_line_and_exit_code_2(edit: Place) -> None:
    def command() -> None:
        raise DataError("the [first] line\nand the second, " + "long " * 60)

    edit(command)
    result = run("edit")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("mien: the [first] line and the second, long")
    assert result.stderr.count("\n") == 1


def test_a_missing_extra_says_how_to_get_it(edit: Place) -> None:
    def command() -> None:
        raise ModuleNotFoundError("No module named 'lightning'", name="lightning.pytorch")

    edit(command)
    result = run("edit")
    assert result.exit_code == 2
    assert "pip install 'mien[train]'" in result.stderr


def test_who_measures_is_sent_for_all_that_measuring_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def command() -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    module = types.ModuleType("mien.cli.score")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mien.cli.score", module)
    assert "pip install 'mien[score]'" in run("score").stderr


def test_a_bug_is_not_dressed_up_as_a_mistake(edit: Place) -> None:
    def command() -> None:
        raise ModuleNotFoundError("No module named 'mein'", name="mein")

    edit(command)
    assert isinstance(run("edit").exception, ModuleNotFoundError)


def test_interrupt(edit: Place) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    edit(command)
    assert run("edit").exit_code == 130


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("serve --port 80000", "invalid value for '--port': "),
        ("serve --port many", "; see `mien serve --help`"),
        ("edit a.jpg --out b.jpg --tow happy", "no such option: --tow"),
        ("edit --to happy", "see `mien edit --help`"),
        ("edit a.jpg --to happy", "missing option '--out' / '-o'; see `mien edit --help`"),
        ("video a.mp4 b.mp4 -o c.mp4", "unexpected extra argument"),
        ("rig draw", "no such command 'draw'; see `mien rig --help`"),
        ("--quick", "no such option: --quick"),
    ],
)
def test_a_misused_command_is_told_in_one_line(line: str, told: str) -> None:
    pytest.importorskip("fastapi", reason="needs mien[web]")
    result = run(*line.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert result.stderr.startswith("mien: ")
    assert result.stderr.count("\n") == 1


def test_without_anything_to_do_there_is_help() -> None:
    assert "Usage: mien rig" in " ".join(run("rig").output.split())


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    result = run("edti")
    assert result.exit_code == 2
    assert "edit" in result.stderr


VALUES = ("neutral", "real", "test", "stargan", "cpu", "largest", "local", "mixing", "photograph",
          "speech", "torch-fidelity")  # fmt: skip
"""Values of options, with which a help text may begin."""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_written_alike_in_every_command(name: str) -> None:
    wrong = []
    for leaf, command in leaves(name).items():
        for one in command.params:
            text, said = getattr(one, "help", None) or "", f"{name} {leaf}: {one.opts}"
            if getattr(one, "hidden", False):
                continue
            if one.param_type_name == "argument" and not (one.metavar or "").isupper():
                wrong.append(f"{said} has no metavar in capitals")
            first = text.split(" ")[0].strip(",:'")
            small = first[:1].islower() and first.partition("'s")[0] not in (*VALUES, *METHODS)
            if small or not text.endswith((".", "?")):
                wrong.append(f"{said} is no sentence: {text!r}")
            if {"-o", "--out"} & {*one.opts} and {"-o", "--out"} - {*one.opts}:
                wrong.append(f"{said}: -o and --out go together")
    assert wrong == []


@pytest.mark.parametrize("name", ["data", "bench", "rig", "mouths"])
def test_completion_is_offered_by_the_root_alone(name: str) -> None:
    assert "--install-completion" not in run(name, "--help").output
    assert "--install-completion" in run("--help").output

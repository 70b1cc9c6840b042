"""What is copied out of the studio does what the studio did."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from typer.testing import CliRunner

from mien.cli import asking, edit
from mien.cli.main import app
from mien.guides import ExpressionSpec
from mien.studio.copying import as_command, as_file, as_python
from mien.zoo.samples import samples

SPECS: list[dict[str, Any]] = [
    {"to": "anger:open"},
    {"au": ["AU12L=0.8", "AU4=+0.3"], "gaze": [-0.6, 0.0], "turn": [0.0, -8.0, 0.0]},
    {"to": "happy", "light": [0.5, 0.0], "region": "lower"},
    {"to": "sad", "like": str(samples()["ben"]), "share": 0.5},
]


@pytest.mark.parametrize("values", SPECS)
def test_the_command_asks_for_the_same(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    original = asking.asked_for

    def seen(*args: Any, **settings: Any) -> Any:
        asked.append(original(*args, **settings).spec.to_json())
        raise SystemExit

    monkeypatch.setattr(edit, "asked_for", seen)
    spec = ExpressionSpec.of(values)
    command = as_command(spec, 0.7, "my photo; rm -rf.jpg", "morphable")
    program, *rest = shlex.split(command)
    CliRunner().invoke(app, rest)
    assert (program, asked) == ("mien", [values])
    assert rest[1] == "my photo; rm -rf.jpg"
    assert rest[rest.index("--intensity") + 1] == "0.7"


@pytest.mark.parametrize("values", SPECS)
def test_the_python_says_the_same(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    code = as_python(ExpressionSpec.of(values), 0.7, 'a "photo".jpg', "morphable")
    compile(code, "copied", "exec")
    line = next(line for line in code.splitlines() if line.startswith("spec = "))
    import mien

    names: dict[str, Any] = {"mien": mien}
    exec(line, names)
    assert names["spec"].to_json() == values


def test_a_networks_own_picture_is_asked_for_as_well() -> None:
    asked = (ExpressionSpec(to="sad"), 1.0, "a.jpg", "aipgan head=own")
    assert as_command(*asked) == "mien edit a.jpg --to sad -m aipgan --set head=own -o a-mien.png"
    assert "mien.load('aipgan', head='own')" in as_python(*asked)


def test_the_file_is_read_back() -> None:
    text = as_file(ExpressionSpec(to="sad", intensity=0.5))
    assert json.loads(text) == {"to": "sad", "intensity": 0.5}
    assert as_command(
        ExpressionSpec(blendshapes={"jawOpen": 1.0}), 1.0, "a.jpg", "morphable"
    ).startswith("mien edit a.jpg --expression expression.json")

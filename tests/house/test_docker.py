"""The Dockerfile builds by its text: hadolint reads it, and what it copies and runs exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mien.cli import main

HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}") or shutil.which(
    "hadolint"
)


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint (mien[test])")
def test_hadolint_has_nothing_to_say(root: Path) -> None:
    assert HADOLINT is not None
    said = subprocess.run(
        [HADOLINT, "--no-color", root / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, ""), said.stdout + said.stderr


def test_what_it_copies_is_there_and_not_ignored(root: Path) -> None:
    text = (root / "Dockerfile").read_text()
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.M)
        for source in line.split()[:-1]
    ]
    assert sources
    wanted = re.findall(r"^!(.+)$", (root / ".dockerignore").read_text(), re.M)
    assert sorted(sources) == sorted(wanted)
    assert all((root / source).exists() for source in sources)


def test_it_does_not_listen_to_the_world_without_a_token(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the container runs, run here: it must refuse."""
    pytest.importorskip("fastapi", reason="needs mien[web]")
    monkeypatch.delenv("MIEN_TOKEN", raising=False)
    command = re.findall(r"^CMD (\[.*\])$", (root / "Dockerfile").read_text(), re.M)[-1]
    result = CliRunner().invoke(main.app, json.loads(command), prog_name="mien")
    assert result.exit_code == 2
    assert "MIEN_TOKEN" in result.output

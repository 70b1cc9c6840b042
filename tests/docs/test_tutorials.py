"""Every tutorial is typed from top to bottom, as its page says it, on the sample faces."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mien.cli import main

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```", re.M | re.S)
NEEDS = {"stimuli": "dlib", "training_set": "dlib", "measure": "dlib", "train": "lightning",
         "add_method": "torch"}  # fmt: skip
"""What a page asks its reader to install, beyond the package."""
INSTALL = (["python3", "-m"], [".", ".venv/bin/activate"], ["pip", "install"])


def steps(page: Path) -> list[tuple[str, str, str]]:
    """Language, file name and text of each block of code."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    assert all(kind in ("sh", "python", "csv", "json", "text") for kind, _, _ in found)
    return found


def run(text: str) -> None:
    """Lines of a shell: those of `mien`; what installs it is `.ci/newcomer.py`'s to try."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[:2] not in INSTALL:
            assert words[0] == "mien", line
            result = CliRunner().invoke(main.app, words[1:], prog_name="mien")
            assert result.exit_code == 0, (line, result.output)


@pytest.mark.usefixtures("loaded_once")
def test_it_runs(tutorial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if tutorial.stem in NEEDS:
        pytest.importorskip(NEEDS[tutorial.stem])
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path / "cache"))
    if tutorial.stem == "train":  # what it does once at its end: on few faces, at few strengths
        monkeypatch.setattr("mien.training.log.CHECKED", 4)
        monkeypatch.setattr("mien.methods.fitting.GRID", (0.5, 1.0))
    names: dict[str, Any] = {"__name__": "tutorial"}
    first = ROOT / "docs" / "tutorials" / "index.md"
    blocks = steps(first) + (steps(tutorial) if tutorial != first else [])
    for kind, title, text in blocks:
        if title:
            Path(title).write_text(text, encoding="utf-8")
        elif kind == "sh":
            run(text)
        elif kind == "python":
            exec(compile(text, str(tutorial), "exec"), names)
    made = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    for wanted in PRODUCTS[tutorial.stem]:
        assert wanted in made, sorted(made)


PRODUCTS = {
    "index": ["anna.jpg", "ben.jpg", "cora.jpg"],
    "edit": ["happy.png", "wink.png", "like.png", "aside.png", "happy-80.png"],
    "stimuli": ["series.csv", "study.html", "study.key.csv"],
    "training_set": ["metadata.jsonl", "person.json"],
    "train": ["00000.tar", "mtss.safetensors", "mine.png"],
    "measure": ["study.html"],
    "add_method": ["blush.png", "blush-like-ben.png"],
}

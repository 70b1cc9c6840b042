"""Editing by the default method needs no torch: where it is installed it is not imported, and where
it is not, all but the learnt methods works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = """
import sys

class NotInstalled:
    "A finder that does not find these."
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "lightning", "torchmetrics", "scipy"}:
            return None
        return self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = map(NotInstalled, sys.meta_path)
"""
STEPS = """
import contextlib, io, sys
from pathlib import Path

def mien_(*words):
    "A command in this process: its exit code, and what it said on standard error."
    from mien.cli.main import app
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = app([str(w) for w in words], prog_name="mien", standalone_mode=False) or 0
        except SystemExit as left:
            code = left.code or 0
    return code, said.getvalue()

def works(*words):
    code, said = mien_(*words)
    assert code == 0, (words, code, said)
    assert not {"torch", "scipy"} & set(sys.modules), words

def refused(*words):
    code, said = mien_(*words)
    assert code == 2 and said.count("\\n") == 1, (words, code, said)
    return said

from mien.zoo.samples import samples
anna, ben = samples()["anna"], samples()["ben"]
"""
EDITS = """
works("edit", anna, "--to", "happy", "-o", "happy.png")
works("edit", anna, "--au", "AU12=0.8", "--like", ben, "--share", "0.5", "-o", "more.png")
works("swap", anna, ben, "-o", "swapped")

import mien
editor = mien.Editor(mien.load())
result = editor.edit(anna, mien.Label(["anger:open"]), 0.5)
assert (result.pixels != result.source.pixels).any()
assert "torch" not in sys.modules
"""
FILM = """
import av
import numpy as np
from mien import images
face = images.read(anna).pixels[::2, ::2]
with av.open("talk.mp4", "w") as out:
    stream = out.add_stream("libx264", rate=25)
    stream.height, stream.width, stream.pix_fmt = *face.shape[:2], "yuv420p"
    for shift in range(2):
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(face, shift, 1), format="rgb24")))
    out.mux(stream.encode(None))
works("video", "talk.mp4", "--to", "happy", "-o", "happy.mp4")
"""
SERVER = """
from mien.cli.session import open_workshop
from mien.server import app
workshop = open_workshop("morphable", None, "auto")
app.create(workshop, studio=STUDIO)
workshop.warm()
assert "torch" not in sys.modules
"""
SERIES = """
Path("plan.csv").write_text("label,intensity\\nhappy,1\\n")
code, said = mien_("series", anna, "plan.csv", "-o", "stimuli", "--size", "256")
assert code == 0 and "the judges' columns stay empty" in said, (code, said)
table = Path("stimuli/series.csv").read_text().splitlines()
assert "judge_a" in table[0] and len(table) == 2, table
assert "torch" not in sys.modules
"""
WITHOUT = """
for words in (
    ("edit", anna, "--to", "happy", "-m", "mtss", "-o", "no.png"),
    ("edit", anna, "--to", "happy", "-m", "aipgan", "--set", "head=own", "-o", "no.png"),
    ("explain", anna, "-o", "no.png"),
    ("people", "--by", "decoupling", "-o", "nobody"),
    ("people", "--from", "samples", "-o", "nobody"),
    ("train", "recipe.yaml", "--data", "."),
):
    said = refused(*words)
    assert "pip install 'mien[" in said, (words, said)
assert not list(Path().glob("no*"))
works("methods")
works("doctor")

from mien.cli.main import COMMANDS
for name in COMMANDS:
    works(name, "--help")

import mien, pytest
editor = mien.Editor(mien.load())
edited = editor.edit(anna, mien.Label(["anger:open"]), 0.5)
assert (edited.pixels != edited.source.pixels).any()
from mien.errors import ConfigError
with pytest.raises(ConfigError, match="auswap needs torch"):
    mien.load("auswap")
assert workshop.methods == ("morphable",)
with pytest.raises(ConfigError, match="mtss needs torch"):
    workshop.check("mtss")
"""


def ran(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_edits_does_not_import_torch(tmp_path: Path) -> None:
    for module in ("av", "fastapi", "jinja2"):
        pytest.importorskip(module)
    ran(STEPS + EDITS + FILM + "STUDIO = True" + SERVER, tmp_path)


@pytest.mark.same_without_data
def test_without_torch_all_but_learnt_methods_works(tmp_path: Path) -> None:
    for module in ("fastapi", "multipart"):
        pytest.importorskip(module)
    ran(BLOCKED + STEPS + "STUDIO = False" + SERVER + SERIES + WITHOUT, tmp_path)

"""Photographs among films: what moves one, and where a film must be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien import images
from mien.cli.main import app
from mien.editor import Editor
from mien.errors import VideoError
from mien.methods.base import Method
from mien.video.evidence import statement
from mien.video.reading import is_photograph, look
from mien.video.still import LONGEST, RATE, frames_until, write_still


def test_a_photograph_is_no_film(tmp_path: Path, clip: Path) -> None:
    """Whatever it is called; a moving GIF or PNG is one."""
    picture = next(look(clip).frames()).pixels
    for suffix in (".jpg", ".png", ".webp"):
        photo = tmp_path / f"photo{suffix}"
        images.write(photo, picture)
        photo.rename(tmp_path / "photo.mp4")
        with pytest.raises(VideoError, match="is a photograph, no film"):
            look(tmp_path / "photo.mp4")
    frames = [Image.fromarray(picture), Image.fromarray(255 - picture)]
    for suffix in (".gif", ".png"):  # a PNG may move too
        moves = tmp_path / f"moves{suffix}"
        frames[0].save(moves, save_all=True, append_images=frames[1:], duration=100)
        assert not is_photograph(moves)
        assert len(list(look(moves).frames())) == 2


def test_a_photograph_moves_as_long_as_what_moves_it(
    wide_mouth: Method[Any], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its face from the photograph's to all that is asked, mouth too; else a line says what to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.cli.video.open_editor", lambda *_: Editor(wide_mouth))
    images.write(Path("photo.jpg"), next(look(clip).frames()).pixels)
    Path("c.csv").write_text("0,0\n0.1,1\n")
    Path("k.json").write_text('[{"time": 0}, {"time": 0.16, "to": "surprise"}]')
    for words, frames in (
        (["--to", "surprise", "--curve", "c.csv"], 4),
        (["--keyframes", "k.json"], 5),
    ):
        words = ["video", "photo.jpg", *words, "-o", "out.mp4"]
        said = CliRunner().invoke(app, words, prog_name="mien")
        assert said.exit_code == 0, said.output
        assert f"of {frames} frames edited" in said.output
        first, *_, last = (frame.pixels.astype(int) for frame in look(Path("out.mp4")).frames())
        assert np.abs(last - first).max() > 40
        assert "speech" not in statement(Path("out.mp4"))["guide"]
    said = CliRunner().invoke(app, ["video", "photo.jpg", "--to", "sad", "-o", "no.mp4"])
    assert said.exit_code == 2
    assert "`mien edit` changes it; for a film say what moves it" in " ".join(
        str(said.output).split()
    )
    assert not Path("no.mp4").exists()


def test_a_still_lasts_until_its_last_moment(tmp_path: Path) -> None:
    pixels = np.full((64, 64, 3), 90, np.uint8)
    for seconds, frames in ((0.0, 1), (1 / RATE, 2), (0.05, 3)):
        write_still(tmp_path / "still.mp4", pixels, frames_until(seconds))
        assert len(list(look(tmp_path / "still.mp4").frames())) == frames
    with pytest.raises(VideoError, match="at most"):
        frames_until(LONGEST + 1)

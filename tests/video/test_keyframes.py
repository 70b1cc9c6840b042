"""Expressions one after another: the file, the way between two, and a film of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from mien import images
from mien.cli.main import app
from mien.editor import Editor
from mien.errors import GuideError
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import Between, Gaze, Label
from mien.methods.base import Method
from mien.methods.registry import load
from mien.types import Faces
from mien.video.evidence import statement
from mien.video.keyframes import Keyframes, of_values, read
from mien.video.reading import look
from mien.zoo.samples import samples

KEYS = [{"time": 0.2}, {"time": 0.6, "to": "happy"}, {"time": 1, "to": "sad", "intensity": 0.5}]


def test_the_way_from_one_expression_to_another() -> None:
    method = load("morphable")
    pixels = images.read(samples()["anna"]).pixels
    anna = method.seen(Faces.stack([align(pixels, detect(pixels)[0], 192)]))
    own = method.encode(anna)
    drive = Keyframes.of(of_values(KEYS))

    def code(guide: Any) -> Any:
        return own.code if guide is None else method.wanted(anna, own, guide, 1.0).code

    happy, sad = code(Label("happy")), method.wanted(anna, own, Label("sad"), 0.5).code
    assert np.abs(happy - sad).max() > 0.2, "else nothing below says anything"
    for time, wanted in (
        (0.0, own.code), (0.2, own.code), (0.3, 0.75 * own.code + 0.25 * happy), (0.6, happy),
        (0.9, 0.25 * happy + 0.75 * sad), (1.0, sad), (9.0, sad),
    ):  # fmt: skip
        assert np.allclose(code(drive.at(time)), wanted, atol=1e-5), time
    assert np.allclose(code(drive.later(0.2).at(0.1)), code(drive.at(0.3)), atol=1e-6)
    half = Between(None, Label("happy"), 0.5)
    assert np.allclose(method.expression(half, anna).code, (own.code + happy) / 2, atol=0.2)
    with pytest.raises(GuideError, match="give the source face too"):
        method.expression(half)


def test_what_is_kept_stays_in_between() -> None:
    keys = of_values([{"time": 0, "to": "happy"}, {"time": 1, "gaze": [0.5, 0]}])
    told = Keyframes.of(keys, "speech")
    assert told.describe() == "happy keeping speech at 0 s; gaze=0.5,0 at 1 s"
    assert told.at(0.25) == Between(told.guides[0], Gaze(0.5, 0), 0.25)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, "a list"),
        ([], "a list"),
        ([3], "keyframe 1: a keyframe is an object"),
        ([{"to": "happy"}], "keyframe 1: a keyframe has a time"),
        ([{"time": True}], "has a time"),
        ([{"time": 10**400}], "has a time"),
        ([{"time": -1}], "keyframe 1: a keyframe's time is from 0"),
        ([{"time": 0}, {"time": 0, "to": "sad"}], "keyframe 2: times must rise"),
        ([{"time": 0}, {"time": 1, "to": "joy"}], "keyframe 2"),
        ([{"time": 0, "smile": 1}], "unknown field 'smile'"),
        ([{"time": i} for i in range(201)], "up to 200"),
    ],
)
def test_what_is_no_keyframe(tmp_path: Path, values: Any, wrong: str) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(values))
    with pytest.raises(GuideError, match=rf"keys\.json: .*{wrong}"):
        read(tmp_path / "keys.json")


def test_a_file_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps([*KEYS, {"time": 2, "like": "ben.jpg"}]))
    found = read(tmp_path / "keys.json")
    assert [key.to_json() for key in found[:3]] == KEYS
    assert found[3].spec.like == str(tmp_path / "ben.jpg"), "relative to the file"
    (tmp_path / "keys.json").write_text("[")
    (tmp_path / "large.json").write_text(" " * 1_000_001)
    for name, told in (
        ("keys.json", "is not JSON"), ("none.json", "cannot be read"), ("large.json", "larger than")
    ):  # fmt: skip
        with pytest.raises(GuideError, match=told):
            read(tmp_path / name)


def test_the_command(
    wide_mouth: Method[Any], make_film: Any, moving: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.cli.video.open_editor", lambda *_: Editor(wide_mouth, "0" * 64))
    source = make_film(tmp_path / "in.mp4", moving[:6])
    Path("keys.json").write_text('[{"time": 0.08}, {"time": 0.2, "to": "surprise"}]')

    def run(*words: str) -> Any:
        words = ("video", str(source), "--keyframes", "keys.json", "-o", "out.mp4", *words)
        return CliRunner().invoke(app, words, prog_name="mien")

    for words, told in ((("--to", "sad"), "goes without --to"),
                        (("--region", "upper"), "say it in each keyframe"),
                        (("--like-film", "in.mp4"), "goes without")):  # fmt: skip
        refused = run(*words)
        assert refused.exit_code == 2
        assert told in " ".join(refused.output.split())
        assert not Path("out.mp4").exists()
    said = run()
    assert said.exit_code == 0, said.output
    assert "3 of 6 frames edited" in said.output
    told = statement(Path("out.mp4"))["guide"]
    assert told == "source at 0.08 s; surprise keeping speech at 0.2 s"
    frames = [f.pixels.astype(int) for f in look(Path("out.mp4")).frames()]
    change = [np.abs(a - b).mean() for a, b in zip(frames, moving[:6], strict=True)]
    assert change[5] > change[3] > change[1], "it comes little by little"

"""Recordings of blendshapes: what they say at which moment, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.errors import VideoError
from mien.video.shapes import Shapes

HEADING = "Timecode,BlendshapeCount,EyeBlinkLeft,JawOpen,HeadYaw"


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((HEADING, *rows)) + "\n")
    return path


def test_a_recording_is_shown_in_its_time(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "10:00:01:30.5,61,0.1,0.2,0.0",
        "10:00:01:45.5,61,0.3,0.4,0.1",
        "10:00:02:00.5,61,0.5,0.6,0.1",
    )
    shapes = Shapes.read(path)
    assert shapes.times == pytest.approx((0, 0.25, 0.5))
    assert dict(shapes.at(0).weights) == {"eyeBlinkLeft": 0.1, "jawOpen": 0.2}
    assert dict(shapes.at(0.24).weights)["jawOpen"] == 0.2
    assert dict(shapes.at(0.25).weights)["jawOpen"] == 0.4
    assert dict(shapes.at(99).weights)["jawOpen"] == 0.6


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((), "has no rows"),
        (("10:00:01:30,61,0.1,0.2",), r"line 2: 4 values under 5 names"),
        (("soon,61,0.1,0.2,0",), "line 2: times must be there"),
        (("10:00:01:30,61,0,0,0", "10:00:01:10,61,0,0,0"), "line 3: times must"),
        (("10:00:01:30,61,wide,0,0",), "line 2: could not convert"),
        (("10:00:01:30,61,9,0,0",), "line 2: blendshape EyeBlinkLeft"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(VideoError, match=message):
        Shapes.read(write(tmp_path / "a.csv", *rows))


def test_without_times(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("JawOpen\n0.3\n")
    with pytest.raises(VideoError, match="no column Timecode or time"):
        Shapes.read(path)

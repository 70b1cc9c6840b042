"""Films in the studio without a browser: limits, names in messages, folders that go."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien.errors import GuideError, MienError, VideoError
from mien.web import films
from mien.web.answers import Refused
from mien.web.limits import Limits
from mien.web.sitting import Gone
from mien.web.workshop import Workshop
from mien.zoo.samples import samples

av = pytest.importorskip("av", reason="needs mien[video]")

from mien.web.reels import FILM, PHOTO, Order, Reel, Reels  # noqa: E402 - PyAV may be missing

LIMITS = Limits()


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """A new file of a still face each time."""
    face = Image.open(samples()["anna"]).resize((160, 160))

    def make(frames: int = 6, side: int = 160) -> Path:
        path = tmp_path / f"{frames}-{side}.mp4"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = side, 160, "yuv420p"
            for index in range(frames):
                page = Image.new("RGB", (side, 160))
                page.paste(face, (0, 0))
                frame = av.VideoFrame.from_image(page)
                frame.pts, frame.time_base = index, Fraction(1, 25)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return make


def files(reel: Reel) -> list[Path]:
    folder = Path(reel._folder.name)
    return list(folder.iterdir()) if folder.exists() else []


def made(workshop: Workshop, reel: Reel, order: Order = Order()) -> Any:  # noqa: B008 - frozen
    async def work() -> Any:
        reels = Reels(workshop)
        reels._open[reel.key] = reel
        making = reels.start(reel, workshop.default, order)
        with pytest.raises(Refused, match="a film is being made"):
            reels.start(reel, workshop.default, order)
        while not making.ended:
            await asyncio.sleep(0.01)
        return making

    return asyncio.run(work())


def test_made_in_turns_and_gone(workshop: Workshop, clip: Callable[..., Path]) -> None:
    reel = Reel()
    reel.open(clip(), "my film.mp4", LIMITS)
    making = made(workshop, reel, Order(label="surprise"))
    assert (making.whole, making.cut.frames, making.cut.edited) == (True, 6, 6)
    assert reel.result is not None
    assert reel.source is not None
    assert sorted(files(reel)) == sorted([reel.source.path, reel.result])
    reel.close()
    assert files(reel) == []


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Limits(film_seconds=0.1), r"my film\.mp4 takes 0 s: cut it to 0\.1 s"),
        (Limits(film_frames=5), "5 frames, or use mien video"),
        (Limits(film_pixels=20_000), r"my film\.mp4 is 160 x 160: shrink it to 0\.02 megapixels"),
    ],
)
def test_too_much(clip: Callable[..., Path], limits: Limits, told: str) -> None:
    reel, path = Reel(), clip()
    with pytest.raises(VideoError, match=told):
        reel.open(path, "my film.mp4", limits)
    assert reel.source is None
    assert files(reel) == []
    assert not path.exists()


@pytest.mark.parametrize("limits", [{"film_frames": 4}, {"film_written": 40}])
def test_a_header_that_lies(
    workshop: Workshop, clip: Callable[..., Path], limits: dict[str, int]
) -> None:
    """Frames and bytes are counted as they come."""
    workshop.limits = replace(LIMITS, **limits)
    reel = Reel()
    reel.open(clip(30), "endless.mp4", LIMITS)
    making = made(workshop, reel)
    assert isinstance(making.error, VideoError)
    assert "endless.mp4 has more than 4" in str(making.error) or "result has more" in str(
        making.error
    )
    assert reel.result is None
    assert len(files(reel)) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"#EXTM3U\nfile:///etc/hostname\n", b"ffconcat version 1.0\nfile x\n", b"RIFF1234AVI "],
)
def test_what_is_no_film(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(data)
    with pytest.raises(VideoError, match=r"notes\.mp4 is not a film: send an MP4"):
        Reel().open(path, "notes.mp4", LIMITS)


def test_what_an_order_needs(clip: Callable[..., Path], tmp_path: Path) -> None:
    reel = Reel()
    with pytest.raises(Gone, match="open a film first"):
        reel.check(Order())
    reel.open(clip(), "a.mp4", LIMITS)
    for by in (PHOTO, FILM):
        with pytest.raises(GuideError, match="that lends its expression"):
            reel.check(Order(by))
    wrong = tmp_path / "wrong.jpg"
    wrong.write_text("no picture")
    with pytest.raises(Refused, match="the photograph is not a picture"):
        reel.lend(PHOTO, wrong, "wrong.jpg", LIMITS)
    assert not wrong.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0,0\n0,1\n", r"up\.csv, line 2: times must rise"),
        ("0,1\n" + "1,1\n" * 300_000, r"up\.csv is too long"),
        ('0,"' + "1" * 200_000, r"up\.csv cannot be read: not text"),
    ],
)
def test_a_curve_that_is_none(tmp_path: Path, text: str, told: str) -> None:
    path, reel = tmp_path / "upload", Reel()
    path.write_text(text)
    with pytest.raises(MienError, match=told):
        reel.bend(path, "up.csv")
    assert reel.curve is None
    assert not path.exists()


def test_a_film_without_faces(workshop: Workshop, tmp_path: Path) -> None:
    path = tmp_path / "wall.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), 90, np.uint8), "rgb24")
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    reel = Reel()
    reel.open(path, "wall.mp4", LIMITS)
    making = made(workshop, reel)
    assert str(making.error).startswith("no face found in wall.mp4")
    assert len(files(reel)) == 1


def test_few_films_are_open_at_once(workshop: Workshop) -> None:
    reels = Reels(workshop, most=2)
    first, second, third = (reels.reel("", session) for session in "abc")
    assert not Path(first._folder.name).exists()
    with pytest.raises(Gone):
        reels.get(first.key)
    assert reels.get(second.key) is second
    reels.leave("c")
    assert not Path(third._folder.name).exists()


def test_without_pyav(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is drawn all the same, and imports nothing of PyAV."""
    load = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "av":
            raise ModuleNotFoundError(name=name)
        return load(name, *rest)

    monkeypatch.setattr(films, "possible", lambda: False)
    monkeypatch.setattr(builtins, "__import__", missing)
    from mien.web.events import Events
    from mien.web.studio import Page

    page = Page(workshop, Events(workshop))
    page.draw()
    assert page.films is None
    assert films.MISSING.count("\n") == 0

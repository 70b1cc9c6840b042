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

from mien.editor import Editor
from mien.errors import FaceNotFound, GuideError, MienError, VideoError
from mien.guides import ExpressionSpec
from mien.methods.learnt import Learnt
from mien.server.answers import Refused
from mien.server.limits import Limits
from mien.server.sitting import Gone
from mien.server.workshop import Workshop
from mien.studio import films
from mien.zoo.samples import samples

av = pytest.importorskip("av", reason="needs mien[video]")

from mien.server.orders import FILM, PHOTO, SHAPES, Order  # noqa: E402 - PyAV may be missing
from mien.server.reels import Reel, Reels  # noqa: E402

LIMITS = Limits()


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """A new file of a still face each time, with sound if wanted."""
    face = Image.open(samples()["anna"]).resize((160, 160))

    def make(frames: int = 6, side: int = 160, sound: bool = False) -> Path:
        path = tmp_path / f"{frames}-{side}.mp4"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = side, 160, "yuv420p"
            tone = out.add_stream("aac", rate=16_000) if sound else None
            for index in range(frames):
                page = Image.new("RGB", (side, 160))
                page.paste(face, (0, 0))
                frame = av.VideoFrame.from_image(page)
                frame.pts, frame.time_base = index, Fraction(1, 25)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if tone is not None:
                said = np.zeros((1, 16_000 * frames // 25), np.float32)
                heard = av.AudioFrame.from_ndarray(said, "fltp", "mono")
                heard.rate = 16_000
                out.mux([*tone.encode(heard), *tone.encode(None)])
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
    making = made(workshop, reel, Order(spec=ExpressionSpec(to="surprise")))
    assert (making.whole, making.cut.frames, making.cut.edited) == (True, 6, 6)
    assert reel.result is not None
    assert reel.source is not None
    assert sorted(files(reel)) == sorted([reel.source.path, reel.result])
    reel.close()
    assert files(reel) == []


def test_a_part_of_a_film_by_a_curve(workshop: Workshop, clip: Callable[..., Path]) -> None:
    """It begins where it was cut, sound too; points keep the film's own time."""
    reel = Reel()
    reel.open(clip(50, sound=True), "a.mp4", LIMITS)
    reel.set_point(0.4, 0.0)
    reel.set_point(1.0, 0.2)
    reel.set_point(1.2, 1.0, before=1.0)
    making = made(workshop, reel, Order(start=0.8, end=1.6))
    assert (making.whole, making.total, making.cut.frames, making.cut.edited) == (True, 20, 20, 20)
    assert reel.result is not None
    with av.open(str(reel.result)) as film:
        pictures = [float(frame.time) for frame in film.decode(video=0)]
    with av.open(str(reel.result)) as film:
        sound = [float(packet.pts * packet.time_base) for packet in film.demux(audio=0)
                 if packet.dts is not None]  # fmt: skip
    assert pictures == pytest.approx([i / 25 for i in range(20)], abs=1e-3)
    assert -0.07 <= sound[0] < 0.07
    assert 0.7 < sound[-1] < 0.8
    for start, end in ((1.0, 1.0), (3.0, 9.0), (-1.0, 1.0)):
        with pytest.raises(GuideError, match="nothing is left of the film"):
            reel.check(Order(start=start, end=end))
    before = made(workshop, reel, Order(start=0.0, end=0.4))
    assert (before.cut.frames, before.cut.edited) == (10, 0), "no intensity up to there"


def test_a_photograph_is_animated_by_a_recording(
    workshop: Workshop, wide_mouth: Learnt, tmp_path: Path
) -> None:
    upload, record = tmp_path / "upload", tmp_path / "record"
    Image.open(samples()["anna"]).resize((240, 240)).save(upload, "PNG")
    rows = "".join(f"{i / 10},{0.9 if i >= 5 else 0}\n" for i in range(8))
    record.write_text("time,jawOpen\n" + rows)
    reel = Reel()
    reel.open(upload, "anna.png", Limits(film_pixels=40_000))
    assert reel.source is not None
    assert (reel.source.width, reel.source.height, reel.source.count) == (200, 200, 250)
    assert not upload.exists()
    reel.set_reference(SHAPES, record, "face.csv", LIMITS)
    assert not record.exists()
    editor, order = Editor(wide_mouth, "0" * 64), Order(SHAPES, start=0.4, end=0.7)
    source = reel.source.frame_at(0.6).pixels.astype(float)
    shown = {time: reel.preview(editor, order, time) for time in (0.44, 0.6)}
    opened = {time: np.abs(picture - source).mean() for time, picture in shown.items()}
    assert opened[0.6] > 1.3 * opened[0.44], "the jaw opens"
    making = made(workshop, reel, order)
    assert (making.error, making.whole, making.cut.frames) == (None, True, 8)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("time,grin\n0,1\n")
    with pytest.raises(MienError, match=r"face\.csv, line 2"):
        reel.set_reference(SHAPES, wrong, "face.csv", LIMITS)


def test_points_of_the_intensity(clip: Callable[..., Path]) -> None:
    reel = Reel()
    with pytest.raises(Gone):
        reel.set_point(0, 1)
    reel.open(clip(), "a.mp4", LIMITS)
    for time in (1.0, 0.5, 1.01):
        reel.set_point(time, 0.5)
    assert reel.curve is not None
    assert reel.curve.points == ((0.5, 0.5), (1.01, 0.5)), "one that is next to another replaces it"
    for wrong in ((-1, 0.5), (0.5, 9), (float("nan"), 1), (1e9, 1)):
        with pytest.raises(GuideError, match="a point has"):
            reel.set_point(*wrong)
    for i in range(48):
        reel.set_point(2 + i, 1)
    with pytest.raises(GuideError, match="up to 50 points"):
        reel.set_point(100, 1)
    reel.bend(None)
    reel.set_point(1, 1)
    reel.drop_point(1)
    assert reel.curve is None


def test_a_preview_is_what_the_film_shows(
    wide_mouth: Learnt, clip: Callable[..., Path], workshop: Workshop
) -> None:
    editor = Editor(wide_mouth, "0" * 64)
    reel, order = Reel(), Order(spec=ExpressionSpec(to="happy", au=("AU26=0.8",)), speech=False)
    with pytest.raises(Gone):
        reel.preview(editor, order, 0.0)
    reel.open(clip(20), "a.mp4", LIMITS)
    shown = reel.preview(editor, order, 0.52)
    assert reel.source is not None
    assert reel.source.frame_at(0.52).time == pytest.approx(0.52)
    assert reel.source.frame_at(99).time == pytest.approx(0.76)
    making = made(workshop, reel, order)
    assert making.whole
    assert reel.result is not None
    from mien.video.reading import look

    frame = look(reel.result).frame_at(0.52).pixels
    source = reel.source.frame_at(0.52).pixels
    changes = [(picture.astype(float) - source).ravel() for picture in (shown, frame)]
    assert np.corrcoef(changes[0], changes[1])[0, 1] > 0.8, (
        "it is that edit, but for what coding loses"
    )
    change = np.abs(changes[0]).mean()
    still = reel.preview(editor, replace(order, intensity=0.0), 0.52)
    assert np.array_equal(still, source)
    reel.set_point(0.52, 0.0)
    assert np.array_equal(reel.preview(editor, order, 0.52), source), "the curve says so"
    reel.bend(None)
    half = reel.preview(editor, replace(order, by=PHOTO), 0.52)
    assert np.abs(half.astype(float) - source).mean() < change, "units alone: no photograph yet"


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
    for by, told in (
        (PHOTO, "reference photograph"),
        (FILM, "reference film"),
        (SHAPES, "give the recording"),
    ):
        with pytest.raises(GuideError, match=told):
            reel.check(Order(by))
    wrong = tmp_path / "wrong.jpg"
    wrong.write_text("no picture")
    with pytest.raises(Refused, match="the photograph is not a picture"):
        reel.set_reference(PHOTO, wrong, "wrong.jpg", LIMITS)
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
    with pytest.raises(FaceNotFound, match="no face found at this moment"):
        reel.preview(workshop.editor(workshop.default), Order(), 0.0)
    making = made(workshop, reel)
    assert str(making.error).startswith("no face found in wall.mp4")
    assert len(files(reel)) == 1


def test_few_films_are_open_at_once(workshop: Workshop) -> None:
    reels = Reels(workshop, most=2)
    first, second, third = (reels.take("", session) for session in "abc")
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
    from mien.studio.page import Studio

    studio = Studio(workshop)
    page = bytes(studio.page().body).decode()
    assert studio.films is None
    assert "Films need PyAV: run pip install" in page
    assert 'id="make"' not in page

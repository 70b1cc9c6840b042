"""A film in, a film out: sound, times, size and everything but the face stay; one line when it
cannot be.
"""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien import images
from mien.cli.main import app
from mien.editor import Editor
from mien.errors import FaceNotFound, VideoError
from mien.guides import Label
from mien.methods.base import Method
from mien.methods.registry import load
from mien.provenance import credentials
from mien.provenance.credentials import Signer
from mien.types import UInt8
from mien.video import reading
from mien.video.driving import Constant, Curve, DrivingFilm
from mien.video.evidence import examine_film, statement
from mien.video.film import Asked, ahead, edit_film, fitted
from mien.video.following import followed
from mien.video.reading import Film, look
from mien.video.steadying import steadied
from mien.zoo.samples import samples

SURPRISE = Constant(Label("surprise"))


@pytest.fixture(scope="module")
def editor(wide_mouth: Method[Any]) -> Editor:
    return Editor(wide_mouth, weights="abc123")


@pytest.fixture(scope="module")
def result(editor: Editor, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip with an opened mouth from half a second on."""
    target = tmp_path_factory.mktemp("out") / "out.mp4"
    done: list[int] = []
    late = Curve((0.48, 0.52), (0.0, 1.5))
    cut = edit_film(editor, look(clip), target, SURPRISE, late, progress=done.append)
    assert (cut.frames, cut.edited) == (28, 15)
    assert done == list(range(1, 29))
    return target


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        sound = container.streams.audio
        return [bytes(p) for p in container.demux(sound) if p.size] if sound else []


def times(path: Path) -> list[float]:
    return [round(frame.time, 4) for frame in look(path).frames()]


def difference(a: UInt8, b: UInt8) -> Any:
    return np.abs(a.astype(int) - b).max(-1)


def test_sound_is_copied_packet_by_packet(clip: Path, result: Path) -> None:
    assert packets(clip)
    assert packets(result) == packets(clip)


def test_only_the_face_changes_and_only_when_asked(clip: Path, result: Path) -> None:
    before, after = (list(look(path).frames()) for path in (clip, result))
    assert [f.time for f in before] == [f.time for f in after]
    changes = [difference(a.pixels, b.pixels) for a, b in zip(before, after, strict=True)]
    assert all(np.percentile(c, 99) < 12 for c in changes[:12]), "coding alone"
    assert all((c > 60).sum() > 100 for c in changes[14:]), "an open mouth"
    assert all(np.percentile(c[:, :90], 99) < 12 for c in changes), "away from the face"


def test_the_file_says_what_it_is(result: Path, clip: Path) -> None:
    told = statement(result)
    assert told["DigitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert (told["method"], told["guide"], told["weights"]) == ("wide-mouth", "surprise", "abc123")
    assert statement(clip) == {}
    said = CliRunner().invoke(app, ["verify", str(result)], prog_name="mien")
    assert said.exit_code == 0
    assert "method wide-mouth" in said.output


def test_a_whole_edit_carries_the_mark(
    editor: Editor, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained methods reach the whole face; here a tint does."""
    from mien.video import film as module

    def tinted(photo: UInt8, *_: object) -> UInt8:
        return np.asarray(np.clip(photo.astype(int) + 2, 0, 255), np.uint8)

    monkeypatch.setattr(module, "paste", tinted)
    edit_film(editor, look(clip), tmp_path / "a.mp4", SURPRISE)
    evidence = examine_film(tmp_path / "a.mp4")
    assert evidence.mark == "found"
    assert evidence.faces >= 8


@pytest.mark.parametrize(
    ("suffix", "made"),
    [(".mkv", {}), (".mov", {"sound": None}), (".mp4", {"pts": [0, 20, 70, 75, 160, 170, 300]})],
    ids=["matroska", "silent", "uneven"],
)
def test_containers_silence_and_uneven_times(
    editor: Editor, make_film: Any, moving: list[UInt8], tmp_path: Path, suffix: str, made: Any
) -> None:
    source = make_film(tmp_path / f"in{suffix}", moving[:7], **made)
    cut = edit_film(editor, look(source), tmp_path / f"out{suffix}", SURPRISE)
    assert cut.edited == 7
    assert times(tmp_path / f"out{suffix}") == times(source)
    assert packets(tmp_path / f"out{suffix}") == packets(source)
    if "pts" in made:
        assert times(source)[1:3] == [round(20 / 600, 4), round(70 / 600, 4)]
    assert statement(tmp_path / f"out{suffix}")["method"] == "wide-mouth"


def test_a_turned_film_comes_out_upright(
    editor: Editor, make_film: Any, moving: list[UInt8], tmp_path: Path
) -> None:
    lying = [np.ascontiguousarray(np.rot90(pixels, -1)) for pixels in moving[:4]]
    source = look(make_film(tmp_path / "in.mp4", lying, rotation=90))
    assert (source.width, source.height) == (320, 180)
    upright = next(source.frames()).pixels
    assert np.abs(upright.astype(int) - moving[0]).mean() < 4
    assert edit_film(editor, source, tmp_path / "out.mp4", SURPRISE).edited == 4
    with av.open(str(tmp_path / "out.mp4")) as out:
        frame = next(out.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (320, 180, 0)


@pytest.mark.parametrize(
    ("matrix", "store"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((-1, 0, 0, -1), lambda p: p[::-1, ::-1]),
        ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda p: p[::-1, ::-1].transpose(1, 0, 2)),
        ((0, 1, -1, 0), lambda p: np.rot90(p, 1)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, -1)),
    ],
)
def test_a_display_matrix_may_mirror(
    make_film: Any, moving: list[UInt8], tmp_path: Path, matrix: tuple[int, ...], store: Any
) -> None:
    """All eight ways to lie: the matrix is written over the one in the track's header."""
    path = make_film(tmp_path / "in.mp4", [np.ascontiguousarray(store(p)) for p in moving[:2]])
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (65536 * value for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    source = look(path)
    upright = next(source.frames()).pixels
    assert upright.shape == moving[0].shape == (source.height, source.width, 3)
    assert np.abs(upright.astype(int) - moving[0]).mean() < 4


def test_a_film_whose_pictures_change_their_size_keeps_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "call.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        out.start_encoding()
        for index, side in enumerate((48, 48, 96)):
            data = io.BytesIO()
            Image.new("RGB", (side * 4 // 3, side), "red").save(data, "JPEG")
            packet = av.Packet(data.getvalue())
            packet.stream, packet.pts, packet.dts = stream, index * 40, index * 40
            packet.time_base = Fraction(1, 1000)
            out.mux(packet)
    assert [frame.pixels.shape for frame in look(path).frames()] == 3 * [(48, 64, 3)]
    monkeypatch.setattr(reading, "MAX_PIXELS", 5000)
    with pytest.raises(VideoError, match="damaged"):
        list(look(path).frames())


def test_odd_sides_grow_by_one(
    editor: Editor, make_film: Any, moving: list[UInt8], tmp_path: Path
) -> None:
    odd = [np.ascontiguousarray(pixels[:179, :319]) for pixels in moving[:3]]
    source = make_film(tmp_path / "in.mkv", odd, codec="ffv1", pix_fmt="bgr0", sound=None)
    edit_film(editor, look(source), tmp_path / "out.mp4", SURPRISE)
    made = look(tmp_path / "out.mp4")
    assert (made.width, made.height) == (320, 180)


def test_another_films_expression(
    editor: Editor, clip: Path, moving: list[UInt8], make_film: Any, tmp_path: Path
) -> None:
    """The mouth is widened in the film that lends, and so in the result, at the same time."""
    wide = tmp_path / "wide.mp4"
    edit_film(editor, look(clip), wide, Constant(Label("happy")), Curve((0.4, 0.44), (0.0, 1.6)))
    drive = DrivingFilm(look(wide), editor.method)
    edit_film(editor, look(clip), tmp_path / "out.mp4", drive)
    before, after = (list(look(p).frames()) for p in (clip, tmp_path / "out.mp4"))
    changes = [
        (difference(a.pixels, b.pixels) > 25).sum() for a, b in zip(before, after, strict=True)
    ]
    assert np.mean(changes[20:]) > 5 * (np.mean(changes[:8]) + 5)


def test_no_face_is_told_and_nothing_is_left(
    editor: Editor, make_film: Any, tmp_path: Path
) -> None:
    blank = [np.full((120, 160, 3), 90, np.uint8)] * 7
    source = make_film(tmp_path / "in.mp4", blank)
    with pytest.raises(FaceNotFound, match="no face found in"):
        edit_film(editor, look(source), tmp_path / "out.mp4", SURPRISE)
    drive = DrivingFilm(look(source), editor.method)
    with pytest.raises(FaceNotFound, match="reference film"):
        edit_film(editor, look(source), tmp_path / "out.mp4", drive)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_a_film_that_lies_on_its_side_is_edited_as_it_lies(
    editor: Editor, make_film: Any, tmp_path: Path
) -> None:
    lying = np.ascontiguousarray(np.rot90(images.read(samples()["anna"]).pixels[::2, ::2]))
    lain = make_film(tmp_path / "in.mp4", [lying] * 3)
    assert edit_film(editor, look(lain), tmp_path / "out.mp4", SURPRISE).edited == 3


def test_a_film_that_breaks_off_leaves_nothing(
    editor: Editor, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Film.frames

    def broken(self: Film) -> Iterator[Any]:
        for index, frame in enumerate(whole(self)):
            if index == 5:
                raise av.error.InvalidDataError(1, "Invalid data", "in.mp4")
            yield frame

    monkeypatch.setattr(Film, "frames", broken)
    with pytest.raises(VideoError):
        edit_film(editor, look(clip), tmp_path / "out.mp4", SURPRISE)
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_films(tmp_path: Path, clip: Path, make_film: Any) -> None:
    (tmp_path / "a.mp4").write_bytes(clip.read_bytes()[:300])
    (tmp_path / "b.mp4").write_text("hello")
    with av.open(str(tmp_path / "c.mka"), "w", format="matroska") as out:
        stream = out.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    for name in ("a.mp4", "b.mp4", "c.mka", "missing.mp4"):
        with pytest.raises(VideoError) as error:
            look(tmp_path / name)
        assert "\n" not in str(error.value)


def test_signed_films_are_checked(
    editor: Editor, make_film: Any, moving: list[UInt8], tmp_path: Path, keys: Any
) -> None:
    source = make_film(tmp_path / "in.mp4", moving[:3])
    target = tmp_path / "out.mp4"
    edit_film(editor, look(source), target, SURPRISE, signer=Signer.load(keys.chain, keys.key))
    claim = credentials.read(target)
    assert claim is not None
    assert (claim.state, claim.altered_by_ai) == ("Valid", True)
    assert packets(target) == packets(source)
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "out.mp4"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--to", "happy", "-o", "out.avi"], "does not write .avi"),
        (["-o", "out.mp4"], "say which expression"),
        (["--to", "happy", "--like-film", "x.mp4", "-o", "out.mp4"], "--like-film goes without"),
        (["--like-film", "IN", "--region", "upper", "-o", "out.mp4"], "leave out --region"),
        (["--like-shapes", "bad.csv", "-o", "out.mp4"], "no column Timecode or time"),
        (["--to", "happy", "--keep", "hair", "-o", "out.mp4"], "choose from speech, none"),
        (["--to", "happy", "--curve", "bad.csv", "-o", "out.mp4"], "line 2"),
        (["--to", "happy", "-o", "IN"], "would be overwritten"),
        (["--to", "happy", "--key", "k.pem", "-o", "out.mp4"], "to sign give both"),
    ],
)
def test_mistakes_are_told_in_a_line(
    words: list[str], line: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text("0,0\n1,much\n")
    words = [str(clip) if word == "IN" else word for word in words]
    said = CliRunner().invoke(app, ["video", str(clip), *words], prog_name="mien")
    assert said.exit_code == 2
    assert line in " ".join(said.output.split())
    assert not Path("out.mp4").exists()


@pytest.mark.parametrize("asked", [["--to", "surprise", "--curve", "c.csv"], ["--like-film", "IN"]])
def test_the_command(
    asked: list[str],
    editor: Editor,
    make_film: Any,
    moving: list[UInt8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mien.cli.video.open_editor", lambda *_: editor)
    source = make_film(tmp_path / "in.mp4", moving[:4])
    Path("c.csv").write_text("time,intensity\n0.05,0\n0.06,1\n")
    words = [str(source), *(str(source) if word == "IN" else word for word in asked)]
    said = CliRunner().invoke(app, ["video", *words, "-o", "out.mp4"], prog_name="mien")
    assert said.exit_code == 0, said.output
    edited = 2 if "--curve" in asked else 4
    assert f"out.mp4: {edited} of 4 frames edited" in said.output
    guide = "surprise keeping speech" if "--curve" in asked else "reference film"
    assert statement(Path("out.mp4"))["guide"] == guide


def test_curves() -> None:
    curve = Curve((1.0, 2.0), (0.0, 1.0))
    assert [curve.at(t) for t in (0, 1.25, 5)] == [0, 0.25, 1]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no points"),
        ("1,1\n1,2", "line 2"),
        ("t,i\n0,1\nx,1", "line 3"),
        ("0;1\n2;0", "line 1: a semicolon"),
        ("time;intensity\n0,5;1\n", "line 2: a semicolon"),
        ("time\tintensity\n0\t1\n", "line 2: a tab"),
        ("0 1", "line 1: a blank"),
    ],
)
def test_curves_that_are_none(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(VideoError, match=wrong):
        Curve.read(tmp_path / "c.csv")
    (tmp_path / "c.csv").write_text("time,intensity\n# slowly\n0,0\n\n2.5,1\n")
    assert Curve.read(tmp_path / "c.csv") == Curve((0.0, 2.5), (0.0, 1.0))


def test_steps_ahead_keep_their_order_and_tell_what_fails() -> None:
    def steps() -> Iterator[int]:
        yield from (1, 2, 3)
        raise ValueError("the fourth")

    taken = ahead(steps())
    assert [next(taken) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="the fourth"):
        next(taken)


def test_a_step_is_taken_while_the_one_before_it_is_used() -> None:
    begun = threading.Event()

    def steps() -> Iterator[int]:
        yield 1
        begun.set()
        yield 2

    taken = ahead(steps())
    assert next(taken) == 1
    assert begun.wait(10)
    assert list(taken) == [2]


def test_a_frame_that_waits_holds_its_fit(
    make_film: Any, moving: list[UInt8], tmp_path: Path
) -> None:
    method = load("morphable")
    film = look(make_film(tmp_path / "in.mp4", moving[:2]))
    steps = fitted(
        Editor(method), steadied(followed(film.frames(), "largest")), Constant(Label("sad"))
    )
    ((ready,),) = [next(steps)]
    (asked,) = ready.faces
    assert isinstance(asked, Asked)
    (rig,) = method.model_head.rigs(asked.batch)
    assert asked.fit == [rig]

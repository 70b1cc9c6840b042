"""Series of stimuli: eyes in place, equal luminance, a plan with a bad row, a table, resumed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mien
from mien import images
from mien.cli.main import app
from mien.cli.series import _failed, _films
from mien.editor import Editor
from mien.errors import DataError
from mien.faces.detect import detect
from mien.jobs import Local
from mien.people import series, stimuli
from mien.people.oval import MARGIN, SHAPE, STEP, Oval, around
from mien.people.plan import read_plan
from mien.people.stimuli import Level
from mien.zoo.samples import samples

SIZE = 256
OVAL = Oval(0.5, 0.54, 0.25, 0.37)


def test_eyes_lie_at_the_same_place() -> None:
    for path in samples().values():
        pixels = images.read(path).pixels
        turned = np.ascontiguousarray(np.rot90(pixels, 1)) if path.stem == "ben" else pixels
        for photo in (pixels[40:560, 20:590], turned):
            shown, face = stimuli.placed(photo, detect(photo)[0], SIZE)
            assert shown.shape == (SIZE, SIZE, 3)
            assert np.abs(stimuli.eyes_of(face) - stimuli.places(SIZE)).max() < 0.5


def test_luminance_and_contrast_are_equal() -> None:
    oval, goal = OVAL.mask(SIZE), Level(110.0, 22.0)
    for path in samples().values():
        pixels = images.read(path).pixels
        shown, _ = stimuli.placed(pixels, detect(pixels)[0], SIZE)
        now = stimuli.level(stimuli.equated(shown, oval, goal), oval)
        assert now.luminance == pytest.approx(110, abs=stimuli.LEVELS)
        assert now.contrast == pytest.approx(22, abs=stimuli.LEVELS)
    with pytest.raises(DataError, match=r"cannot be reached.*Leave this person out.*or go without"):
        stimuli.equated(shown, oval, Level(250.0, 90.0))
    covered = stimuli.masked(shown, oval)
    assert (covered[0] == stimuli.GROUND).all()
    assert np.array_equal(covered[oval == 1], shown[oval == 1])


def plan(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_plan_crosses_its_factors_and_skips_bad_rows(tmp_path: Path) -> None:
    cells, faults = read_plan(
        plan(
            tmp_path / "plan.csv",
            "name,label,intensity,side,frames,repetitions,person\n"
            ",happy,0.5 1,both left,,3,\nbad,bored,,,,,\nrise,sad,1,,4,,anna\n,sad,1,,0,,\n"
            ",happy,1,,,,\n",
        )
    )
    assert [c.ask.name for c in cells[:4]] == ["happy-0.5", "happy-left-0.5", "happy", "happy-left"]
    assert {c.repetitions for c in cells[:4]} == {3}
    assert [c.strength for c in cells[4:]] == [0.25, 0.5, 0.75, 1.0]
    assert {c.people for c in cells[4:]} == {("anna",)}
    assert ["line 3" in faults[0], "frames is '0'" in faults[1], "a row above" in faults[2]] == [
        True, True, True,
    ]  # fmt: skip
    with pytest.raises(DataError, match="line 2"):
        read_plan(plan(tmp_path / "none.csv", "label\nbored\n"))


def test_two_workers_make_the_same_bytes(tmp_path: Path) -> None:
    """By the editor of the command, which crosses over to each worker."""
    editor = Editor(mien.load())
    cells, _ = read_plan(plan(tmp_path / "p.csv", "label\nhappy\n"))
    people, _ = series.sitters([samples()["anna"], samples()["ben"]], SIZE, None)
    made = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        look = series.Look(SIZE, None, None)
        _, failed = series.write(editor, people, cells, look, out, None, engine=Local(workers))
        assert failed == []
        made.append({p.relative_to(out): p.read_bytes() for p in sorted(out.rglob("*.png"))})
    assert len(made[0]) == 2
    assert made[0] == made[1]


def test_a_series_is_made_alike_told_and_resumed(editor: Editor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    cells, _ = read_plan(
        plan(tmp_path / "p.csv", "label,repetitions,person\nneutral,,\nhappy,2,anna\n")
    )
    photos = [samples()[name] for name in ("anna", "ben")]
    broken = plan(tmp_path / "broken.jpg", "no picture")
    people, faults = series.sitters([*photos, broken], SIZE, None)
    assert [s.name for s in people] == ["anna", "ben"]
    assert "broken.jpg" in faults[0]
    oval = series.common_oval(editor, people, cells)
    look = series.Look(SIZE, oval, series.common_level(people, oval))
    rows, failed = series.write(editor, people, cells, look, out, None)
    assert failed == []
    assert [(r["file"], r["repetition"]) for r in rows] == [
        ("anna/neutral.png", 1), ("anna/happy.png", 1), ("anna/happy.png", 2),
        ("ben/neutral.png", 1),
    ]  # fmt: skip
    with (out / series.TABLE).open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [r["checks"] for r in told] == ["passed"] * 4
    assert told[1]["judge_a"] == "happy"
    assert look.level is not None
    assert {r["oval"] for r in told} == {oval.label(SIZE)}
    for row in rows:
        now = stimuli.level(images.read(out / row["file"]).pixels, oval.mask(SIZE))
        assert now.luminance == pytest.approx(look.level.luminance, abs=1)
        assert now.contrast == pytest.approx(look.level.contrast, abs=1)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    assert series.write(editor, people, cells, look, out, None)[0] == rows
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert [r["name"] for r in told] == ["neutral", "happy", "happy", "neutral"]
    noisier, _ = read_plan(
        plan(tmp_path / "n.csv", "name,label,noise,person\nhappy,happy,9,anna\n")
    )
    (grainy,), _ = series.write(editor, people, noisier, look, out, None)
    assert grainy["file"] == rows[1]["file"]
    assert (grainy["noise"], rows[1]["noise"]) == (9, 0)
    assert (out / grainy["file"]).stat().st_mtime_ns != before[out / grainy["file"]]
    films = [{**r, "frames": 2, "frame": n, "file": f"anna/rise-{n:03d}.png"}
             for n, r in enumerate(rows[:2], 1)]  # fmt: skip
    for row, there in zip(films, rows, strict=False):
        (out / row["file"]).write_bytes((out / there["file"]).read_bytes())
    assert _films(out, films, 10) == 1
    av = pytest.importorskip("av")
    with av.open(str(out / "anna" / "rise.mp4")) as film:
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == 10
    assert len(shown) == 2
    for frame, row in zip(shown, films, strict=True):
        assert np.abs(frame.astype(float) - images.read(out / row["file"]).pixels).mean() < 3
    with pytest.raises(DataError, match=r"other people or settings \(level, oval\)"):
        series.write(editor, people, cells, series.Look(SIZE, None, None), out, None)
    other, _ = read_plan(plan(tmp_path / "q.csv", "label,person\nhappy,zoe\n"))
    with pytest.raises(DataError, match="nobody is called 'zoe'"):
        series.write(editor, people, other, look, out, None)


def test_one_oval_holds_everybody_at_their_widest(tmp_path: Path) -> None:
    """Not the same for everybody alone; a plan that asks for more gets a larger one, and what still
    lies outside is told."""
    editor = Editor(mien.load())
    people, _ = series.sitters([samples()[name] for name in ("anna", "ben")], SIZE, None)
    cells, _ = read_plan(plan(tmp_path / "p.csv", "label\nsurprise\n"))
    more, _ = read_plan(plan(tmp_path / "m.csv", "label,intensity\nsurprise,2\n"))
    oval, larger = (series.common_oval(editor, people, each) for each in (cells, more))
    assert (
        larger.wide
        > oval.wide
        >= max(series.common_oval(editor, [one], cells).wide for one in people)
    )
    assert 0 < oval.y - oval.high < oval.y + oval.high < 1
    look = series.Look(SIZE, oval, None)
    rows, _ = series.write(editor, people, cells, look, tmp_path / "out", None)
    for row, sitter in zip(rows, people, strict=True):
        assert oval.reach(sitter.face.landmarks, SIZE) < row["oval_reach"] < 1
        assert "oval" not in row["checks"]
        shown = images.read(tmp_path / "out" / row["file"]).pixels
        assert (shown[oval.mask(SIZE) == 0] == stimuli.GROUND).all()
    small = series.Look(SIZE, OVAL, None)
    rows, _ = series.write(editor, people, cells, small, tmp_path / "small", None)
    assert all("oval" in row["checks"] for row in rows), "the fixed oval of old cut every brow"


def test_an_oval_around_points() -> None:
    points = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.8]], np.float32)
    oval = around(points)
    inside = np.hypot((points[:, 0] - oval.x) / oval.wide, (points[:, 1] - oval.y) / oval.high)
    assert 1 - (MARGIN + STEP) / oval.wide - 1e-6 <= inside.max() <= 1 - MARGIN / oval.wide + 1e-6
    assert oval.high == pytest.approx(SHAPE * oval.wide, abs=1e-4)
    widest = around(np.array([[0.01, 0.5], [0.5, 0.99]], np.float32))
    assert widest.high == pytest.approx(min(widest.y, 1 - widest.y), abs=0.011)


def test_a_label_is_not_failed_where_no_judge_reads_it() -> None:
    facts = {
        "eyes_off": 0.0, "identity": None, "label": "sad", "side": "both", "intensity": 1.0,
        "judge_a": "", "judge_b": "", "face_model": "neutral",
    }  # fmt: skip
    look = series.Look(SIZE, None, None)
    assert series._checks(facts, look) == ""
    assert series._checks({**facts, "judge_a": "fear", "judge_b": "anger"}, look) == "label"
    assert series._checks({**facts, "judge_a": "sad", "judge_b": "anger"}, look) == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["p.csv", "."], "give the photographs first, then the plan"),
        (["nowhere", "p.csv"], "there is no nowhere: give a photograph, or a folder"),
        (["photos", "p.csv"], "column 'emotion': did you mean 'label'?"),
    ],
)
def test_mistakes_of_the_command(
    words: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    plan(Path("p.csv"), "emotion\nhappy\n")
    said = CliRunner().invoke(app, ["series", *words, "-o", "out"], prog_name="mien")
    assert said.exit_code == 2
    assert line in " ".join(said.output.split())
    assert not Path("out").exists()


def test_what_fails_is_counted() -> None:
    rows = [{"checks": text} for text in ("passed", "eyes oval", "oval")]
    assert _failed(rows) == " (failed: eyes 1, oval 2)"
    assert _failed(rows[:1]) == ""

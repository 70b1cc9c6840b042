"""Series in the studio without a browser: the pictures of `mien series`, stopped, gone on with, and
bounded.
"""

from __future__ import annotations

import asyncio
import copy
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mien.editor import Editor
from mien.errors import GuideError, MienError
from mien.guides import ExpressionSpec
from mien.methods.learnt import Learnt
from mien.methods.registry import MODEL, OWN
from mien.people import series
from mien.people.plan import read_plan
from mien.server.answers import Refused
from mien.server.limits import Limits
from mien.server.series import AllSeries, Plan, Run, Series
from mien.server.workshop import Workshop
from mien.studio.series_views import outcome
from mien.zoo.samples import samples

LIMITS = Limits()
PLAN = Plan(("anger:open",), (0.5,), 256)
"""With the fixture's people and file, four pictures."""


@pytest.fixture(autouse=True)
def without_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are tested with `people.series`, and take seconds."""
    monkeypatch.setattr(series, "torch_is_here", lambda: False)


@pytest.fixture
def made(tmp_path: Path) -> Series:
    made = Series()
    for who in ("anna", "ben"):
        upload = tmp_path / f"{who}.jpg"
        shutil.copy(samples()[who], upload)
        made.add_photo(upload, LIMITS)
        assert not upload.exists()
    made.add_expression(ExpressionSpec(name="my smile", au=("AU12=0.9",)), "file", LIMITS)
    return made


def run(
    workshop: Workshop, made: Series, plan: Plan = PLAN, watch: Callable[[Run], Any] = lambda _: _
) -> Run:
    async def work() -> Run:
        everyone = AllSeries(workshop)
        everyone._open[made.key] = made
        found = everyone.start(made, workshop.default, plan)
        with pytest.raises(Refused, match="being made"):
            everyone.start(made, workshop.default, plan)
        with pytest.raises(Refused, match="being made"):
            made.remove("photo", "anna")
        while not found.ended:
            watch(found)
            await asyncio.sleep(0.005)
        return found

    return asyncio.run(work())


def test_it_is_what_the_command_makes(
    workshop: Workshop, wide_mouth: Learnt, made: Series, tmp_path: Path
) -> None:
    found = run(workshop, made)
    assert (found.error, found.whole, found.done, found.total) == (None, True, 4, 4)
    assert outcome(found).startswith("4 pictures, ")
    assert made.zip is not None
    here, there = tmp_path / "here", tmp_path / "there"
    with zipfile.ZipFile(made.zip) as packed:
        packed.extractall(here)
    cells, faults = read_plan(here / "plan.csv")
    people, _ = series.sitters([samples()["anna"], samples()["ben"]], 256, None)
    look = series.Look(256, oval=None, level=None)
    rows, failed = series.write(Editor(wide_mouth, "0" * 64), people, cells, look, there, None)
    assert (faults, failed, len(rows)) == ([], [], 4)
    names = {path.relative_to(here) for path in here.rglob("*") if path.is_file()}
    assert Path("anna/my-smile-0.5.png") in names
    assert Path("ben/anger-open-0.5.png") in names
    for name in names - {Path("plan.csv")}:
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_stopped_gone_on_with_and_gone(workshop: Workshop, made: Series) -> None:
    def stop(found: Run) -> None:
        found.wanted = found.done < 1

    first = run(workshop, made, watch=stop)
    assert not first.whole
    assert 1 <= first.done < 4
    assert (made.zip, first.error) == (None, None)
    assert "Make the series goes on" in outcome(first)
    folder = Path(made._folder.name)
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}
    assert len(kept) >= 1
    assert run(workshop, made).whole
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "what is there stays"
    made.remove("photo", "ben")
    assert run(workshop, made).done == 2
    assert [path for path in kept if path.exists()] == [], "others' pictures are gone"
    made.close()
    assert not folder.exists()


def test_a_face_that_is_none_is_told_and_the_others_go_on(
    workshop: Workshop, made: Series, tmp_path: Path
) -> None:
    from PIL import Image

    wall = tmp_path / "wall.png"
    Image.new("RGB", (200, 200), "grey").save(wall)
    made.add_photo(wall, LIMITS)
    found = run(workshop, made, replace(PLAN, labels=(), intensities=(1.0,)))
    assert (found.whole, found.done, found.total) == (True, 2, 2)
    assert found.faults[0].startswith("wall: no face found")
    made.remove("photo", "anna")
    made.remove("photo", "ben")
    alone = run(workshop, made)
    assert "no face found" in str(alone.error)
    assert str(tmp_path) not in str(alone.error)


def test_pictures_of_another_drawing_are_not_taken_over(made: Series, wide_mouth: Learnt) -> None:
    """The same network and weights, once drawn by the face model, once by the network."""
    folders = []
    for drawn_by in (MODEL, OWN, MODEL):
        method = copy.copy(wide_mouth)
        method.drawn_by = drawn_by
        look = series.Look(256, oval=None, level=None)
        folders.append(made._place(Editor(method, "0" * 64), look))
    assert folders[0] == folders[2] != folders[1]


def test_limits(made: Series, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"these are 4 pictures: up to 3 of 256 px"):
        made.check(PLAN, Limits(series_pixels=3 * 256**2))
    made.check(PLAN, Limits(series_pixels=4 * 256**2))
    for wrong, told in (
        (replace(PLAN, size=4000), "size is 4000: choose from 256"),
        (replace(PLAN, intensities=()), "choose an intensity"),
        (replace(PLAN, labels=("joyful",)), "joyful"),
    ):
        with pytest.raises(GuideError, match=told):
            made.check(wrong, LIMITS)
    made.check(PLAN, Limits(series_expressions=2))
    with pytest.raises(Refused, match="up to 1 expressions"):
        made.check(PLAN, Limits(series_expressions=1))  # a label and a file
    twice = replace(PLAN, labels=("sad", "fear", "sad"), intensities=(1.0, 0.5, 1.0))
    assert (twice.labels, twice.intensities) == (("sad", "fear"), (1.0, 0.5))
    with pytest.raises(GuideError, match="add a photograph first"):
        Series().check(PLAN, LIMITS)
    upload = tmp_path / "anna.jpg"
    shutil.copy(samples()["anna"], upload)
    with pytest.raises(Refused, match="up to 2 photographs"):
        made.add_photo(upload, Limits(series_photos=2))
    assert not upload.exists()
    upload.write_text("no picture")
    with pytest.raises(Refused, match=r"anna\.jpg is not a picture"):
        made.add_photo(upload, LIMITS)
    assert not upload.exists()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"like": "a.jpg"}, "no `like`"),
        ({"to": "happy", "region": "upper"}, "no `region`"),
        ({"to": "happy", "intensity": 3.0}, "out of range"),
        ({}, "asks for nothing"),
    ],
)
def test_expressions_that_no_table_holds(fields: dict[str, Any], told: str) -> None:
    made = Series()
    with pytest.raises(MienError, match=told):
        made.add_expression(ExpressionSpec.of(fields), "mine", LIMITS)
    assert made.expressions == {}


def test_names_are_free_and_plain(tmp_path: Path) -> None:
    made = Series()
    for name in ("happy", "happy", "a b/../c", "x:y"):
        made.add_expression(ExpressionSpec(name=name, to="sad"), "file", LIMITS)
    assert list(made.expressions) == ["happy-2", "happy-3", "c", "x_y"]

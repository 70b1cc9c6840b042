"""The page of the studio, drawn from what methods declare and the vocabulary says."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing

import pytest
from starlette.testclient import TestClient

from mien import facs
from mien.methods.registry import METHODS
from mien.server.app import create
from mien.server.making import Making
from mien.server.workshop import Workshop
from mien.studio import units
from mien.studio.asking import PhotographAsked
from mien.studio.events import GUIDES, Events, native
from mien.studio.page import TABS, Studio
from mien.studio.progress import Words, shown_until_ended
from mien.studio.rendering import part
from mien.studio.units import PLAIN, REGIONS

WORDS = Words("Picture", "Begun", "Stopping", "bar", "status", "stop", "start")


def tabs(workshop: Workshop) -> list[str]:
    """Ids of the tabs of the photograph's panel, in order."""
    page = bytes(Studio(workshop).page().body).decode()
    return re.findall(r'role="tab" id="(by-\w+)-tab"', page)


@pytest.mark.parametrize("default", ["aipgan", "mtss"])
def test_names_come_first_and_then_a_methods_own_guides(workshop: Workshop, default: str) -> None:
    workshop.default = default
    own = {TABS[guide][0] for guide in {"Label", *native(default)} if guide in TABS}
    found = tabs(workshop)
    assert found[0] == "by-label"
    assert set(found[: len(own)]) == own
    assert set(found) == {place for place, _ in TABS.values()} | {"by-swap"}


@pytest.mark.parametrize("method", METHODS)
def test_what_goes_through_a_map_is_said(workshop: Workshop, method: str) -> None:
    if method not in {name for _, name in workshop.choices}:
        pytest.skip("needs torch")
    asked = PhotographAsked(method=method)
    shown = asyncio.run(Events(workshop).use(asked, [])).shown
    assert shown == {guide: guide not in native(method) for guide in GUIDES}
    assert not all(shown.values())


def test_every_unit_has_its_sliders(workshop: Workshop) -> None:
    assert sorted(n for region in REGIONS.values() for n in region) == sorted(facs.NAMES)
    assert len(set(units.NAMES)) == len(units.NAMES)
    assert set(facs.UNITS) <= set(units.NAMES)
    page = bytes(Studio(workshop).page().body).decode()
    for name in units.NAMES:
        assert page.count(f'id="unit-{name}"') == 1
    assert 'aria-label="Smile, left: lip corner puller (AU12L)"' in page
    assert PLAIN.keys() == facs.NAMES.keys()


def test_the_sliders_stand_where_the_face_is() -> None:
    at = units.standing({"AU12L": 0.2, "AU12R": 0.6, "AU26": 0.3})
    assert (at["unit-AU12"], at["unit-AU12L"], at["unit-AU26"]) == (0.4, 0.2, 0.3)
    sides = {row.name: row.side for rows in units.rows().values() for row in rows}
    assert [sides[n] for n in ("AU12", "AU12L", "AU12R", "AU26")] == ["both", "apart", "apart", ""]


def test_ids_are_of_one_part_each(workshop: Workshop) -> None:
    page = bytes(Studio(workshop).page().body).decode()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) > 200
    assert len(set(ids)) == len(ids)
    assert "&lt;" not in page, "HTML is shown as text"
    named = re.findall(r'aria-(?:controls|labelledby)="([^"]+)"', page)
    assert set(named) <= set(ids)


def test_what_comes_from_strangers_is_text() -> None:
    """A file may be called as an attack is; so may an expression in a file."""
    hostile = '"><img src=x onerror=alert(1)>'
    for made in (
        part("downloads", "key", hostile, 1, 1),
        part("history", "key", [{"name": "a", "words": hostile, "now": True}] * 2),
        part("copies", "key", {"command": hostile}),
        part("film_before", "url", hostile, hostile, ""),
        part("keyframes", "key", [("1", hostile)]),
        part("removable", "photo", "Photographs", [(hostile, "")]),
        part("series_result", "", [hostile]),
    ):
        assert "<img src=x" not in made
        assert "&lt;img src=x" in made


def test_the_page_runs_no_script_of_its_text(workshop: Workshop) -> None:
    with TestClient(create(workshop, studio=True), base_url="http://127.0.0.1") as client:
        answer = client.get("/")
        policy = answer.headers["content-security-policy"]
        assert re.search(r"default-src 'self';", policy)
        assert "unsafe-eval" not in policy
        assert re.findall(r"<script(?![^>]* src=)|\son\w+=", answer.text) == []
        for path in re.findall(r'(?:src|href)="(studio/static/[^"]+)"', answer.text):
            assert client.get(f"/{path}").status_code == 200, path


def test_what_is_being_made_alone_says_how_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of the stop button, which may come after the end, says nothing; a page that is
    closed stops what it had made.
    """
    monkeypatch.setattr("mien.studio.progress._TICK", 0)

    async def looks() -> tuple[list[str | None], bool]:
        making, said = Making(3), []
        answers = shown_until_ended(making, WORDS, lambda: "Ended", lambda: {"result": "made"})
        async with aclosing(answers) as seen:
            async for answer in seen:
                said.append(answer.html.get("status"))
                assert ("result" in answer.html) == making.ended
                making.wanted, making.ended = len(said) < 2, len(said) == 4
        left = Making(3)
        async with aclosing(shown_until_ended(left, WORDS, str, dict)) as seen:
            await anext(seen)
        return said, left.wanted

    said, wanted = asyncio.run(looks())
    status = [part("status", words) for words in ("Begun", "Stopping", "Ended")]
    assert said == [status[0], None, status[1], None, status[2]]
    assert not wanted

"""The layout of the studio, drawn from what methods declare and the vocabulary says."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from mien import facs
from mien.guides import Label
from mien.methods.registry import METHODS
from mien.web import parts, views
from mien.web.events import Events
from mien.web.making import Making
from mien.web.studio import GUIDES, Page, native
from mien.web.units import PLAIN, REGIONS
from mien.web.workshop import Workshop


@pytest.fixture(scope="module")
def page(shared_workshop: Workshop) -> Page:
    page = Page(shared_workshop, Events(shared_workshop))
    page.draw()
    return page


@pytest.mark.parametrize("default", ["aipgan", "mtss"])
def test_names_come_first_and_then_a_methods_own_guides(workshop: Workshop, default: str) -> None:
    workshop.default = default
    page = Page(workshop, Events(workshop))
    page.draw()
    own = {Label, *native(default)}
    assert page.guides[0] is Label
    assert set(page.guides[: len(own)]) == own
    assert set(page.guides) == set(GUIDES)


@pytest.mark.parametrize("method", METHODS)
def test_what_goes_through_a_map_is_said(page: Page, method: str) -> None:
    told = [update["visible"] for update in page._note(method)]
    assert told == [guide not in native(method) for guide in page.guides]
    assert not all(told)


def test_every_unit_has_its_sliders(page: Page) -> None:
    assert sorted(n for region in REGIONS.values() for n in region) == sorted(facs.NAMES)
    names = page.panel.names
    assert len(set(names)) == len(names)
    assert set(facs.UNITS) <= set(names)
    labels = [slider.label for slider in page.panel.sliders]
    assert "Smile, left: lip corner puller (AU12L)" in labels
    assert PLAIN.keys() == facs.NAMES.keys()


@pytest.mark.parametrize("apart", [True, False])
def test_the_sliders_stand_where_the_face_is(page: Page, apart: bool) -> None:
    updates = page.panel.at({"AU12L": 0.2, "AU12R": 0.6, "AU26": 0.3}, apart)
    at = dict(zip(page.panel.names, updates, strict=True))
    assert (at["AU12"]["value"], at["AU12L"]["value"], at["AU26"]["value"]) == (0.4, 0.2, 0.3)
    seen = [at[name]["visible"] for name in ("AU12", "AU12L", "AU12R", "AU26")]
    assert [value is True for value in seen] == [not apart, apart, apart, True]


def test_what_is_being_made_alone_says_how_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of the stop button, which may come after the end, says nothing; a page that is
    closed stops what it had made.
    """
    monkeypatch.setattr("mien.web.parts._TICK", 0)

    async def looks() -> tuple[list[str], bool]:
        making, said = Making(3), []
        async with aclosing(parts.watched(making, "Picture", "Begun", "Stopping")) as seen:
            async for _, status, _, result in seen:
                said.append(status if isinstance(status, str) else "")
                assert not isinstance(result, str)
                making.wanted, making.ended = len(said) < 2, len(said) == 4
        left = Making(3)
        async with aclosing(parts.watched(left, "Picture", "Begun", "Stopping")) as seen:
            await anext(seen)
        return said, left.wanted

    said, wanted = asyncio.run(looks())
    assert said == [views.status("Begun"), "", views.status("Stopping"), ""]
    assert not wanted

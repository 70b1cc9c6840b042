"""What pages would not send, but strangers do: names, numbers and indices of events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from mien.errors import GuideError, MienError
from mien.server.answers import Refused
from mien.server.posing import given
from mien.server.workshop import Workshop
from mien.studio.all_series import SeriesPanel, plan
from mien.studio.asking import PhotographAsked, SeriesAsked, index
from mien.studio.events import Events
from mien.studio.shapes import moved

ODD: tuple[Any, ...] = (
    None,
    "x",
    float("nan"),
    float("inf"),
    -1,
    1e9,
    [],
    {},
    True,
    "١",
    pytest.param(10**400, id="large"),
)


@pytest.mark.parametrize("value", ODD)
def test_numbers(value: Any) -> None:
    with pytest.raises(GuideError, match="a number from 0 to 1"):
        moved("jawOpen", value)
    with pytest.raises(Refused, match="no such face"):
        index(str(value))
    for field in ("intensity", "share"):
        if value is not True:
            with pytest.raises(ValidationError):
                PhotographAsked.model_validate({field: value})
    if value != 1e9 and value != -1:
        with pytest.raises(GuideError, match="no such field"):
            given("gaze-0", value)
    pytest.importorskip("av", reason="needs mien[video]")
    from mien.studio.films import number

    if value is not True and value != "١" and value != 1e9:
        with pytest.raises(GuideError, match="a time in seconds"):
            number(value)


@pytest.mark.parametrize("name", [*ODD, "tongueOut", "jawopen", "__class__", "<b>"])
def test_names(name: Any) -> None:
    with pytest.raises(GuideError, match="no slider"):
        moved(name, 0.5)
    with pytest.raises(GuideError, match="no such field"):
        given(str(name), 0.5)
    if name is True:
        return  # a number, 1
    with pytest.raises((GuideError, ValidationError)):
        plan(SeriesAsked.model_validate({"labels": ["happy"], "intensities": [name]}))


def test_a_slider_stays_in_its_range() -> None:
    assert given("turn-1", 1e9) == (3, 30.0)
    assert given("region", "upper") == (7, "upper")
    with pytest.raises(GuideError, match="no such field"):
        given("region", "whole")


def test_keys_of_nobody(workshop: Workshop) -> None:
    """A key that is not there is nobody's, whatever is asked of it."""
    panel = SeriesPanel(workshop, Events(workshop).sittings)
    asked = SeriesAsked(
        series="../../etc", name="photo/../../etc/passwd", labels=["happy"], intensities=[1]
    )

    async def tried() -> None:
        for event in (panel.remove, panel.stop):
            with pytest.raises(MienError, match="again"):
                await event(asked, [])
        with pytest.raises(MienError, match="again"):
            await panel.serve("../../etc", "series.zip")
        with pytest.raises(MienError, match="add a photograph first"):
            await panel.make(asked)

    asyncio.run(tried())

"""What pages would not send, but strangers do: names, numbers and indices of events."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from mien.errors import GuideError
from mien.web.answers import Refused
from mien.web.events import Events
from mien.web.parts import index
from mien.web.series_tab import SeriesTab, _plan
from mien.web.shapes import moved
from mien.web.workshop import Workshop

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
        moved(SimpleNamespace(shape="jawOpen", value=value))
    if value is not True:
        with pytest.raises(Refused, match="no such face"):
            index(SimpleNamespace(guest=value))
    pytest.importorskip("av", reason="needs mien[video]")
    from mien.web.film_time import number

    if value is not True and value != "١":
        with pytest.raises(GuideError, match="a time in seconds"):
            number(value)


@pytest.mark.parametrize("name", [*ODD, "tongueOut", "jawopen", "__class__", "<b>"])
def test_names(name: Any) -> None:
    with pytest.raises(GuideError, match="no slider"):
        moved(SimpleNamespace(shape=name, value=0.5))
    with pytest.raises(GuideError, match="no intensity"):
        _plan(["happy"], [name], 256, oval=False, equal=False)


def test_keys_of_nobody(workshop: Workshop) -> None:
    """A key that is not there is nobody's, whatever is asked of it."""
    import gradio as gr

    tab = SeriesTab(workshop, Events(workshop).sittings)
    event = SimpleNamespace(remove="photo/../../etc/passwd")

    async def asked() -> None:
        with pytest.raises(gr.Error, match="again"):
            await tab.remove("../../etc", event)
        with pytest.raises(gr.Error, match="again"):
            await tab.stop("../../etc")
        with pytest.raises(Exception, match="again"):
            await tab.serve("../../etc", "series.zip")
        with pytest.raises(gr.Error, match="add a photograph first"):
            async for _ in tab.run("../../etc", "", ["happy"], ["100 %"], 256, False, False):
                pass

    asyncio.run(asked())

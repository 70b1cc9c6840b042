"""Events of the studio before the desk: in order, patient, and bounded."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from functools import partial

import pytest

from mien.server.answers import Refused
from mien.server.line import Line
from mien.server.workshop import Workshop


def test_events_are_done_as_they_came_however_many(workshop: Workshop) -> None:
    line, done = Line(workshop), list[int]()

    async def crowd() -> None:
        await asyncio.gather(*(line.work(partial(done.append, n)) for n in range(30)))

    asyncio.run(crowd())
    assert done == list(range(30)), "more than may wait at the desk, and none is refused"


def test_an_event_waits_while_requests_take_all_places(workshop: Workshop) -> None:
    line, desk, go_on = Line(workshop), workshop.desk, threading.Event()

    async def crowd() -> str:
        async def request() -> None:
            with desk.place():
                await desk.work(go_on.wait)

        requests = [asyncio.create_task(request()) for _ in range(workshop.limits.waiting + 1)]
        await asyncio.sleep(0.05)
        event = asyncio.create_task(line.work(lambda: "done"))
        await asyncio.sleep(0.3)
        assert not event.done()
        go_on.set()
        await asyncio.gather(*requests)
        return await event

    assert asyncio.run(crowd()) == "done"


def test_too_many_and_too_late_are_told(workshop: Workshop) -> None:
    limits = replace(workshop.limits, events=2, seconds=0.3)
    workshop.limits, go_on = limits, threading.Event()
    line = Line(workshop)

    async def crowd() -> list[str]:
        tasks = [asyncio.create_task(line.work(lambda: go_on.wait(2))) for _ in range(4)]
        await asyncio.sleep(0.6)
        go_on.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        return [error.code if isinstance(error, Refused) else "done" for error in told]

    assert asyncio.run(crowd()) == ["done", "too_slow", "too_slow", "busy"]


def test_an_event_at_a_closed_desk(workshop: Workshop) -> None:
    line = Line(workshop)
    workshop.desk.close()
    with pytest.raises(Refused, match="ending") as told:
        asyncio.run(line.work(lambda: "done"))
    assert told.value.status == 503

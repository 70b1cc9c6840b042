"""Where events of the studio wait for the desk: one after the other, and not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mien.server.answers import Refused
from mien.server.workshop import Workshop

_AGAIN = 0.1  # s between two looks at whether the desk has a place
T = TypeVar("T")


class Line:
    """A page asks one thing at a time and would only ask again what was refused, so its events
    wait here where requests to the API hear at once that all places are taken.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._desk, self._limits = workshop.desk, workshop.limits
        self._turn = asyncio.Lock()  # first come, first served
        self._waiting = 0

    async def work(self, task: Callable[[], T]) -> T:
        """The result of `task`, done at the desk; Refused (429) when too many wait, (503) when its
        turn does not come in time.
        """
        if self._waiting >= self._limits.events:
            raise Refused(429, "busy", "too many use the studio at once: try again in a moment")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._turn.acquire()
        except TimeoutError:
            raise _late() from None
        finally:
            self._waiting -= 1
        try:
            return await self._at_desk(task)
        finally:
            self._turn.release()

    async def _at_desk(self, task: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.seconds
        while self._desk.full:
            if loop.time() > deadline:
                raise _late()
            await asyncio.sleep(_AGAIN)
        with self._desk.place():
            return await self._desk.work(task)


def _late() -> Refused:
    return Refused(503, "too_slow", "too many use the studio at once: try again in a moment")

"""How far something is that is being made, for the page, until it has ended."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from mien.errors import MienError
from mien.server.answers import Refused
from mien.server.making import Making
from mien.studio.answer import Answer
from mien.studio.rendering import part

_TICK = 0.4  # s between two looks at how far something is


@dataclass(frozen=True)
class Words:
    """What is counted, what is said of it, and the ids of the parts of the page that say it."""

    what: str
    begun: str
    stopping: str
    progress: str
    status: str
    stop: str
    """The button that ends it."""
    start: str
    """The button that begins it."""


class Failed(Exception):
    """What was made failed: `error` says why, after an answer that clears the page."""

    def __init__(self, error: MienError | Refused) -> None:
        super().__init__(str(error))
        self.error = error


async def shown_until_ended(
    making: Making, words: Words, outcome: Callable[[], str], result: Callable[[], dict[str, str]]
) -> AsyncGenerator[Answer, None]:
    """What the page shows of something that is being made: a bar, the status once begun and once it
    is no longer wanted, its stop button; at the end its `outcome` in words and the parts of its
    `result`; then Failed where it failed. Whatever stops it leaves the status to this: an answer of
    its own could come after the end, and stay. Nobody who looks any more: it is stopped.
    """
    said = ""
    try:
        while not making.ended:
            now = words.begun if making.wanted else words.stopping
            answer = Answer({words.progress: bar(making, words.what)})
            answer.enabled = {words.stop: making.wanted, words.start: False}
            if now != said:
                answer.status(words.status, now)
            said = now
            yield answer
            await asyncio.sleep(_TICK)
    finally:
        if not making.ended:
            making.wanted = False
    ended = Answer({words.progress: ""} | result())
    ended.enabled = {words.stop: False, words.start: True}
    yield ended.status(words.status, outcome())
    if making.error is not None:
        raise Failed(making.error)


def bar(making: Making, what: str) -> str:
    """A bar with the time left, while something is being made: so many of `what`."""
    left = making.left
    return part("progress", what, making.done, making.total, "" if left is None else _time(left))


def _time(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"

"""Requests that are coming in: so many bytes, in so much time, and all together no more than the
machine can hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive

from mien.server.answers import Refused
from mien.server.limits import Limits


def too_large(most: int) -> Refused:
    """The answer to a request of more than `most` bytes."""
    message = f"a request may have {most / 1e6:g} MB: shrink the picture"
    return Refused(413, "request_too_large", message)


class Arrival:
    """One request, as the app receives it. Refused (413, 408) when it has more bytes than allowed
    or comes in too slowly; `answered` says whether its answer has begun, from when on a client who
    leaves is none that was cut short.
    """

    def __init__(
        self, limits: Limits, arrivals: Arrivals, receive: Receive, answered: Callable[[], bool]
    ) -> None:
        self.limits, self.size, self.whole = limits, 0, False
        self._arrivals, self._receive, self._answered = arrivals, receive, answered
        self._deadline = asyncio.get_running_loop().time() + limits.arrival
        self._patience: asyncio.Timeout | None = None

    async def receive(self) -> Message:
        """The next part of it."""
        if self.whole:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        patience = asyncio.timeout_at(min(self._deadline, now + self.limits.stall))
        try:
            async with patience:
                self._patience = patience
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, "too_slow", "the request did not come in in time") from None
        finally:
            self._patience = None
        if message["type"] == "http.disconnect":
            if self._answered():
                return message
            raise Refused(400, "cut_short", "the request was not sent to its end")
        self.whole = not message.get("more_body", False)
        self.size += len(message.get("body", b""))
        if self.size > self.limits.body:
            raise too_large(self.limits.body)
        self._arrivals.bound()
        return message

    def hurry(self) -> None:
        """No more time: others need the room."""
        now = asyncio.get_running_loop().time()
        self._deadline = now
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(now)


class Arrivals:
    """All of them, the oldest first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._coming: dict[Arrival, None] = {}

    @contextmanager
    def one(self, receive: Receive, answered: Callable[[], bool]) -> Iterator[Arrival]:
        """A request, until it is answered."""
        arrival = Arrival(self._limits, self, receive, answered)
        self._coming[arrival] = None
        try:
            yield arrival
        finally:
            self._coming.pop(arrival, None)

    def bound(self) -> None:
        """Hurry the oldest until the rest is no more than may be held. What is in whole does not
        count: the desk bounds it.
        """
        for arrival in [a for a in self._coming if a.whole]:
            del self._coming[arrival]
        held = sum(arrival.size for arrival in self._coming)
        for arrival in list(self._coming):
            if held <= self._limits.held:
                break
            held -= arrival.size
            del self._coming[arrival]
            arrival.hurry()

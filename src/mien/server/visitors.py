"""Who is inside: every request from its first byte to the last byte of its answer, so that all can
get an answer when the server ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send

from mien.server.answers import Refused

SEAL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all, browsers may hide the origin from us too
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # the page's parts say where a face is by their own style; nothing is loaded from, sent to or
    # framed by another origin, and no script is run that is no file of the studio's
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
}
"""Headers that keep an answer from being taken for what it is not, or used by another page."""


def ending() -> Refused:
    """The answer to who asks of a server that ends."""
    return Refused(
        503, "ending", "the server is ending: ask again when it is back", {"Retry-After": "5"}
    )


class Answer:
    """The answer to one request, as the app sends it."""

    def __init__(self, send: Send) -> None:
        self.started = self.whole = self.stream = self._measured = False
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a part of it; its head is sealed."""
        if message["type"] == "http.response.start":
            self.started = True
            _seal(message)
            headers = Headers(scope=message)
            self._measured = "content-length" in headers
            self.stream = headers.get("content-type", "").startswith("text/event-stream")
        elif message["type"] == "http.response.body":
            self.whole = not message.get("more_body", False)
        await self._send(message)

    async def finish(self) -> None:
        """End what has no length of its own; one cut short of its length ends with its
        connection.
        """
        if self.started and not self.whole and not self._measured:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})


class Visitors:
    """All requests that are inside."""

    def __init__(self) -> None:
        self.ending = False
        """Whether whoever comes now is turned away."""
        self._inside: dict[asyncio.Timeout, Answer] = {}

    @property
    def waiting(self) -> int:
        """Requests whose answer is not whole yet; a stream of news never is, and does not count."""
        return sum(not (answer.whole or answer.stream) for answer in self._inside.values())

    @contextmanager
    def one(self, patience: asyncio.Timeout, answer: Answer) -> Iterator[None]:
        """A request, with what ends it early."""
        self._inside[patience] = answer
        try:
            yield
        finally:
            del self._inside[patience]

    def dismiss(self) -> None:
        """End every request that is inside: it gets an answer if its answer has not begun."""
        now = asyncio.get_running_loop().time()
        for patience in self._inside:
            if not patience.expired():
                patience.reschedule(now)


def _seal(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name in [name for name in headers if name.lower().startswith("access-control-")]:
        del headers[name]
    headers.update(SEAL)
    headers.setdefault("Cache-Control", "no-store")

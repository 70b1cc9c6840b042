"""Connections: how many, and how long one may take to say what it wants and to hear the answer.

uvicorn waits for ever for the head of a request and for whoever does not read the answer; so these
times are kept here, at the transport.
"""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from mien.server.answers import Refused
from mien.server.limits import Limits

_LINGER = 1.0  # s that a connection stays for its refusal to be read
_MOST_LINGERING = 50
_SLOWEST = 5_000  # bytes a second of an answer: the rate of a very poor line
_SPARE = 100  # descriptors for what else is open


def most(limits: Limits) -> int:
    """Connections that may be open: so many that descriptors are left for files."""
    if sys.platform == "win32":
        return limits.connections
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return limits.connections
    return max(1, min(limits.connections, allowed - _SPARE - _MOST_LINGERING))


def bounded(limits: Limits) -> type[H11Protocol]:
    """A class of connections within these limits, which uvicorn makes one of for each."""
    fields = {"limits": limits, "most": most(limits), "lingering": set()}
    return type("BoundedConnection", (Connection,), fields)


class Connection(H11Protocol):
    """An HTTP/1.1 connection within limits. Each of its waits has its own timer: for a head, for a
    body, for an answer to be taken.
    """

    limits: Limits
    most: int
    lingering: set[Connection]

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.refused = False
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._since = 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is asked on it, or not more than half a head."""
        return self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)

    @property
    def owed(self) -> bool:
        """Whether it is the client's turn: the server has been asked nothing in full."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # called for every byte that stays here, so that who takes nothing of an answer is noticed
        transport.set_write_buffer_limits(high=0)
        if len(self.connections) > self.most and not self._make_room():
            self._refuse(Refused(503, "full", "too many connections: try again in a moment"))
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_reading()
        self._stop_writing()
        self.lingering.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.refused:
            super().data_received(data)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.refused or self.transport.is_closing():
            self._stop_reading()
        elif self.cycle is not None and self.cycle.more_body:
            if self.cycle is not before:
                self._stop_reading()
                self._since = self.loop.time()
                # the app tells who is too slow (`Arrival`); this is for what no app reads
                after = self.limits.arrival + self.limits.stall
                self._reading = self.loop.call_later(after, self.transport.abort)
        elif self.idle:
            self._await_head()
        else:
            self._stop_reading()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.idle and not self.transport.is_closing():
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        self._refuse(Refused(400, "bad_request", msg))

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._writing is None:
            self._time_writing(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_writing()

    def give_up(self) -> None:
        """Close it if the client does not take what it is sent: the server ends."""
        if self._writing is not None:
            self.transport.abort()

    def _await_head(self) -> None:
        """A head must be in whole in time, from the end of what was before it."""
        if self._reading is None:
            self._since = self.loop.time()
            self._reading = self.loop.call_later(self.limits.head, self._too_late)

    def _too_late(self) -> None:
        self._reading = None
        self._refuse(Refused(408, "too_slow", "the request did not come in in time"))

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest, else the one whose request has been
        coming in for longest; whether there was one.
        """
        owed = [c for c in self.connections if isinstance(c, Connection) and c.owed]
        order = ((not c.idle, c._since, c) for c in owed if c is not self)
        oldest = min(order, key=lambda row: row[:2], default=(False, 0.0, None))[2]
        if oldest is None:
            return False
        self.connections.discard(oldest)
        oldest.refused = True
        oldest.transport.abort()
        return True

    def _refuse(self, refused: Refused) -> None:
        """Answer, and close slowly: closing on what was not read would take the answer back."""
        self.refused = True
        self._stop_reading()
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        begun = False
        if self.cycle is not None and not self.cycle.response_complete:
            begun = self.cycle.response_started
            self.cycle.disconnected = True  # what the app still says goes nowhere
            self.cycle.message_event.set()
        if begun or len(self.lingering) >= _MOST_LINGERING:
            self.transport.abort()
            return
        self.lingering.add(self)
        self.transport.write(_said(refused))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.abort)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _time_writing(self, left: int) -> None:
        """Look again in a while whether the answer is taken, `left` bytes of it now."""
        self._writing = self.loop.call_later(self.limits.stall, self._look_writing, left)

    def _look_writing(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if before - left < _SLOWEST * self.limits.stall:
            self.transport.abort()
        else:
            self._time_writing(left)

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


def _said(refused: Refused) -> bytes:
    """The answer as it goes over the line."""
    answer = refused.answer()
    kept = [(name, value) for name, value in answer.raw_headers if name != b"connection"]
    lines = [b"HTTP/1.1 %d %s" % (refused.status, HTTPStatus(refused.status).phrase.encode())]
    lines += [name + b": " + value for name, value in [*kept, (b"connection", b"close")]]
    return b"\r\n".join([*lines, b"", bytes(answer.body)])

"""Clients that take their time, on real sockets: none keeps a place, a connection or memory from
those who do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import Response

from mien.editor import Editor
from mien.methods.learnt import Learnt
from mien.server.answers import Refused
from mien.server.app import create
from mien.server.arrivals import Arrivals
from mien.server.connections import most
from mien.server.gate import Gate
from mien.server.limits import Limits
from mien.server.serve import Server
from mien.server.visitors import Visitors
from mien.server.workshop import Workshop

LIMITS = Limits(body=2_000_000, waiting=2, head=1, arrival=3, stall=1.5)
LARGE = 40_000_000  # bytes: more than the kernel keeps for who does not read
Start = Callable[..., tuple[int, Workshop]]


@pytest.fixture
def start(wide_mouth: Learnt) -> Iterator[Start]:
    """Starts a server with the limits given, on a thread of its own; its port and workshop."""
    with contextlib.ExitStack() as running:
        yield lambda **limits: running.enter_context(
            listening(wide_mouth, replace(LIMITS, **limits))
        )


@contextlib.contextmanager
def listening(method: Learnt, limits: Limits) -> Iterator[tuple[int, Workshop]]:
    workshop = Workshop(lambda _: Editor(method, "0" * 64), limits=limits)
    workshop.warm()
    app = create(workshop)
    app.add_api_route("/large", lambda: Response(bytes(LARGE)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(app, workshop, "127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port, workshop
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server does not end"


def said(port: int, data: bytes) -> socket.socket:
    """A connection on which this was said."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(data)
    return connection


def heard(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    connection.close()
    return b"".join(parts)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def health(port: int) -> float:
    """Seconds until the server said that it is well."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - began


def form(image: bytes) -> bytes:
    """A whole request for an edit."""
    edge = b"edge"
    body = (
        b'--%s\r\nContent-Disposition: form-data; name="to"\r\n\r\nhappy\r\n--%s\r\n'
        b'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n%s\r\n--%s--\r\n'
    ) % (edge, edge, image, edge)
    head = (
        b"POST /v1/edit HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n"
        b"Content-Type: multipart/form-data; boundary=%s\r\n\r\n"
    ) % (len(body), edge)
    return head + body


def test_half_sent_heads_are_dropped(start: Start) -> None:
    port, _ = start()
    began = time.monotonic()
    half = [said(port, b"GET /v1/methods HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ") for _ in range(300)]
    assert health(port) < 1
    time.sleep(0.6)
    half[0].sendall(b"a")  # a byte now and then buys no time
    answers = [heard(connection) for connection in half]
    assert time.monotonic() - began < 6
    answered = [answer for answer in answers if answer]
    assert {status(answer) for answer in answered} == {408}
    assert json.loads(answered[0].partition(b"\r\n\r\n")[2])["error"]["code"] == "too_slow"
    assert len(answered) >= 50, "the rest of a flood is dropped without a word"
    assert health(port) < 1


def test_connections_that_say_nothing_give_way(start: Start) -> None:
    port, _ = start(connections=20, head=30)
    silent = [said(port, b"GET / HT" if i % 2 else b"") for i in range(200)]
    assert health(port) < 1, "whoever asks gets through"
    open_still = 0
    for connection in silent:
        connection.settimeout(0.01)
        try:
            connection.recv(1)
        except TimeoutError:
            open_still += 1
        except ConnectionResetError:
            pass
        connection.close()
    assert open_still <= 20


def test_more_connections_than_allowed_are_told(start: Start, anna: bytes) -> None:
    """All are at work: nobody is thrown out, the next one hears why."""
    port, workshop = start(connections=3, seconds=20)
    go_on = threading.Event()
    with contextlib.ExitStack() as stack:
        stack.callback(go_on.set)
        editor, opener = workshop.editor(workshop.default), workshop.editor

        def waits(method: str) -> Editor:
            go_on.wait(20)
            return opener(method)

        workshop.editor = waits  # type: ignore[method-assign]
        working = [said(port, form(anna)) for _ in range(3)]
        while workshop.desk.queue < 3:
            time.sleep(0.01)
        answer = heard(said(port, form(anna)))
        assert status(answer) == 503
        assert b'"full"' in answer
        go_on.set()
        assert [status(heard(connection)) for connection in working] == [200] * 3
        assert editor is opener(workshop.default)


def test_slow_bodies_keep_nobody_waiting(start: Start, anna: bytes) -> None:
    """Nine of them, where three have a place at the desk."""
    port, workshop = start(arrival=4, stall=3)
    whole = form(anna)
    slow = [said(port, whole[:-2000]) for _ in range(9)]
    time.sleep(0.3)
    assert workshop.desk.queue == 0, "a place is taken by who is in whole"
    began = time.monotonic()
    assert status(heard(said(port, whole))) == 200
    assert health(port) < 1
    assert time.monotonic() - began < 2.5, "others wait for them"
    slow[0].sendall(whole[-2000:])
    assert status(heard(slow[0])) == 200, "who is slow and in time is served"
    answers = [heard(connection) for connection in slow[1:]]
    assert [status(answer) for answer in answers] == [408] * 8
    assert all(b'"too_slow"' in answer for answer in answers)
    assert time.monotonic() - began < 6


def test_a_body_that_trickles_has_an_end(start: Start, anna: bytes) -> None:
    port, _ = start(arrival=2, stall=1)
    began, connection = time.monotonic(), said(port, form(anna)[:1000])
    connection.settimeout(0.3)
    answer = b""
    while not answer and time.monotonic() - began < 10:
        with contextlib.suppress(TimeoutError, ConnectionError):
            connection.sendall(b"x")
            answer = connection.recv(65536)
    assert status(answer) == 408
    assert 1.5 < time.monotonic() - began < 4


def test_a_body_that_nobody_asked_for_has_an_end(start: Start) -> None:
    """It is answered before it is read; the connection does not stay for it."""
    port, _ = start(arrival=1, stall=0.5)
    head = b"POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"
    began = time.monotonic()
    assert status(heard(said(port, head))) == 404
    assert time.monotonic() - began < 5


def test_an_answer_that_is_not_taken_is_given_up(start: Start) -> None:
    port, _ = start()
    connection = said(port, b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert status(connection.recv(64)) == 200
    time.sleep(4)
    left = heard(connection)
    assert len(left) < LARGE, "the server still holds all of it"
    assert health(port) < 1


def test_the_server_ends_though_an_answer_is_not_taken(
    wide_mouth: Learnt, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening(wide_mouth, replace(LIMITS, stall=30, ending=0.5)) as (port, _):
        connection = said(port, b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert status(connection.recv(64)) == 200
        began = time.monotonic()
    assert time.monotonic() - began < 5
    connection.close()
    assert capfd.readouterr().err == ""


def test_an_answer_that_is_taken_slowly_comes_whole(start: Start) -> None:
    port, _ = start(stall=0.5)
    connection = said(port, b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    size, began = 0, time.monotonic()
    while part := connection.recv(1 << 20):
        size += len(part)
        time.sleep(0.03)
    connection.close()
    assert size > LARGE
    assert time.monotonic() - began > 1


def test_what_is_no_http(start: Start) -> None:
    port, _ = start()
    answer = heard(said(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"))
    assert status(answer) == 400
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"
    assert health(port) < 1


def test_a_client_that_leaves_in_the_midst(
    start: Start, anna: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    port, workshop = start()
    for cut in (100, 300, 2000):
        said(port, form(anna)[:cut]).close()
    time.sleep(0.3)
    assert workshop.desk.queue == 0
    assert status(heard(said(port, form(anna)))) == 200
    assert capfd.readouterr().err == "", "it is no news"


def test_all_bodies_together_are_bounded() -> None:
    """The oldest of those that are still coming in gives way."""

    async def three() -> list[str]:
        arrivals = Arrivals(Limits(body=1000, held=1500, stall=5))

        async def one(*sizes: int) -> str:
            parts = iter(sizes)

            async def receive() -> dict[str, object]:
                size = next(parts, None)
                if size is None:
                    await asyncio.sleep(30)
                await asyncio.sleep(0.05)
                return {"type": "http.request", "body": bytes(size or 0), "more_body": size != 1}

            with arrivals.one(receive, lambda: False) as arrival:
                try:
                    while not arrival.whole:
                        await arrival.receive()
                except Exception as error:
                    return str(getattr(error, "status", error))
                return "in"

        began = time.monotonic()
        heard = await asyncio.gather(one(900), one(600, 300, 1), one(200, 1))
        assert time.monotonic() - began < 2
        return list(heard)

    assert asyncio.run(three()) == ["408", "in", "in"]


@pytest.mark.parametrize("answered", [False, True])
def test_who_leaves_during_the_answer_cut_nothing_short(answered: bool) -> None:
    """The body of a request that has none may be asked for only while its answer is streamed."""

    async def left() -> Any:
        async def receive() -> dict[str, object]:
            return {"type": "http.disconnect"}

        with Arrivals(Limits()).one(receive, lambda: answered) as arrival:
            try:
                return (await arrival.receive())["type"]
            except Refused as refused:
                return refused.status

    assert asyncio.run(left()) == ("http.disconnect" if answered else 400)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [([], "http.disconnect"), ([(b"content-length", b"9")], "cut_short")],
)
def test_who_leaves_before_an_answer_that_is_held_back(
    headers: list[tuple[bytes, bytes]], wanted: str
) -> None:
    """A compressor keeps the head until it has a part: the answer listens, and has not begun."""
    heard: list[str] = []

    async def listens(scope: Any, receive: Any, send: Any) -> None:
        try:
            heard.append((await receive())["type"])
        except Refused as refused:
            heard.append(refused.code)

    async def leaves() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def nobody(message: Any) -> None:
        raise AssertionError(message)

    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *headers],
    }  # fmt: skip
    asyncio.run(Gate(listens, Limits(), Visitors())(scope, leaves, nobody))
    assert heard == [wanted]


def test_files_have_descriptors_left(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for allowed, heard in ((1024, 400), (256, 106), (64, 1), (resource.RLIM_INFINITY, 400)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, a=allowed: (a, a))
        assert most(Limits(connections=400)) == heard

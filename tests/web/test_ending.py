"""SIGTERM while the server is busy: at most five seconds, everybody is told, nothing is left."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mien.server.limits import Limits

AT_MOST = 5.0  # s
SLOW = """
import dataclasses, os, time
from mien.server import limits
@dataclasses.dataclass(frozen=True)
class Limits(limits.Limits):
    ending: float = float(os.environ["ENDING"])
limits.Limits = Limits
from mien.server import intake
def photo(data, *_, read=intake.photo):
    time.sleep(float(data[4:8]) if data.startswith(b"slow") else 0)
    return read(data.removeprefix(b"slow0.5 "), *_)
intake.photo = photo
from mien.cli.main import main
main()
"""
"""The command, for which a picture that begins with `slow0.5 ` or `slow60.0` takes so many seconds:
a thread that works cannot be stopped. What is worked on has `ENDING` seconds more.
"""
Start = Callable[..., Any]


class Command:
    """`mien serve` or `mien studio`, and where it may write."""

    def __init__(self, command: str, folder: Path, ending: float) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        paths = os.pathsep.join(filter(None, sys.path))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SLOW, command, "--port", str(self.port)],
            env=os.environ
            | {"TMPDIR": str(self.temporary), "PYTHONPATH": paths, "ENDING": str(ending)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.queue()
                return
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.1)
        raise AssertionError("the server does not start")

    def ask(self, path: str, body: bytes | None = None, kind: str = "") -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": kind} if kind else {}
        connection.request("GET" if body is None else "POST", path, body, headers)
        return connection.getresponse()

    def queue(self) -> int:
        return int(json.loads(self.ask("/healthz").read())["queue"])

    def edit(self, image: bytes) -> tuple[int, bytes]:
        answer = self.ask("/v1/edit", form(image, "image", to=b"happy"), FORM)
        return answer.status, answer.read()

    def busy(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while self.queue() < count:
            assert time.monotonic() < deadline, f"{count} requests are not at work"
            time.sleep(0.02)

    def end(self) -> tuple[float, str]:
        """Seconds that it took to end, and all that it said."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[0]
        return time.monotonic() - began, said


FORM = "multipart/form-data; boundary=edge"


def form(image: bytes, name: str, **fields: bytes) -> bytes:
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (k.encode(), v)
        for k, v in fields.items()
    ]
    parts.append(
        b'--edge\r\nContent-Disposition: form-data; name="%s"; filename="a.jpg"\r\n\r\n%s\r\n'
        b"--edge--\r\n" % (name.encode(), image)
    )
    return b"".join(parts)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Start]:
    with contextlib.ExitStack() as running:

        def start(name: str, ending: float = Limits().ending) -> Command:
            server = Command(name, tmp_path, ending)
            running.callback(server.process.kill)
            return server

        yield start


def ended_well(server: Command, took: float, said: str, at_most: float = AT_MOST) -> None:
    assert took < at_most, f"it took {took:.1f} s"
    assert said.count("\n") == 1, said
    assert server.process.returncode == 0
    assert list(server.temporary.iterdir()) == [], "something is left"


def code(body: bytes) -> str:
    return str(json.loads(body)["error"]["code"])


def test_everybody_is_told(command: Start, anna: bytes) -> None:
    """The one at work, those who wait, the one who is still sending, and the one who comes."""
    server = command("serve")
    with ThreadPoolExecutor(8) as clients:
        working = clients.submit(server.edit, b"slow60.0")
        server.busy(1)
        waiting = [clients.submit(server.edit, anna) for _ in range(4)]
        server.busy(5)
        sending = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        sending.sendall(
            b"POST /v1/edit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        time.sleep(0.2)
        took, said = server.end()
        for one in [working, *waiting]:
            status, body = one.result()
            assert (status, code(body)) == (503, "ending")
        head, _, body = sending.makefile("rb").read().partition(b"\r\n\r\n")
        assert b" 503 " in head
        assert code(body) == "ending"
        sending.close()
    ended_well(server, took, said)


def test_what_is_nearly_done_is_finished(command: Start, anna: bytes) -> None:
    server = command("serve", ending=60)  # the machine may be busy; it does not take it all
    with ThreadPoolExecutor(2) as clients:
        working = clients.submit(server.edit, b"slow0.5 " + anna)
        server.busy(1)
        took, said = server.end()
        status, body = working.result()
    assert (status, body[:4]) == (200, b"\x89PNG")
    assert body[-8:-4] == b"IEND", "the picture is whole"
    ended_well(server, took, said, at_most=30)


def test_the_studio_ends_too(command: Start, anna: bytes) -> None:
    """With a page open, an event at work, and an upload that is half sent."""
    server = command("studio")
    page = server.ask("/studio/page/somebody")
    assert page.status == 200
    news: list[bytes] = []
    asked = form(b"slow60.0", "files", asked=b"{}")
    reader = threading.Thread(target=open_it, args=(server, asked, news))
    reader.start()
    server.busy(1)
    half = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    half.sendall(
        b"POST /studio/photograph/open HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000000\r\n"
        b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
        + form(bytes(3_000_000), "files", asked=b"{}")[:-10]
    )
    time.sleep(0.5)
    took, said = server.end()
    reader.join(10)
    half.close()
    ended_well(server, took, said)
    assert b"the server is ending" in news[0]


def open_it(server: Command, event: bytes, news: list[bytes]) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        news.append(server.ask("/studio/photograph/open", event, FORM).read())

"""Load on the HTTP API: a crowd with slow clients in it, then many edits one after the other.

    mien bench load -o benchmarks/results/load.json

It starts `mien serve` by itself and speaks to 127.0.0.1 only. First 200 clients at once for 60
seconds: four of five ask without pause for edits of the sample faces, the fifth is slow, in turn by
half a head, a body that stops, a body that trickles, and an answer that is not read. All the while
somebody asks whether the server is well. Then four clients ask for 500 edits, and the server's
resident memory is taken after each: the median of the last quarter of them over that of the second
(the first is warming up).

Exit code 1 if an answer was neither a whole picture nor a 4xx or 503 with a reason, a slow client
of half a request had no 408, health took a second or more, or memory grew by over 5 %.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut, some
from mien.errors import ConfigError
from mien.facs import EMOTIONS
from mien.methods.registry import DEFAULT
from mien.zoo.samples import samples

GROWTH = 1.05
HEALTH = 1.0  # s
ONE_IN = 5  # clients: slow
SOONEST = 1.0  # s between two asks of a client that is to wait
LATEST = 90.0  # s until an answer: the server's own times are shorter


class Server:
    """`mien serve` or `mien studio` on a free port of 127.0.0.1."""

    def __init__(self, what: str = "serve") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "mien.cli.main", what, "--port", str(self.port)]
        self.process = subprocess.Popen(command)

    def wait(self, patience: float = 120) -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.health()
                return
            time.sleep(0.2)
        raise ConfigError("the server does not start")

    def health(self) -> float:
        """Seconds until it said that it is well; OSError if it did not."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise OSError(f"health says {answer.status}")
        return time.monotonic() - began

    def memory(self) -> float:
        """Resident memory, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def work(self) -> float:
        """Seconds of CPU that it used so far, which a busy machine does not change."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Record:
    """What clients were answered; lists and counters that threads add to."""

    answers: Counter[str] = field(default_factory=Counter)
    """Status and reason, such as `200` and `429 busy`."""
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Of each edit."""
    slow: Counter[str] = field(default_factory=Counter)
    """What slow clients were answered, by what they did."""


def form(number: int) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its headers: one sample face after the other, one expression after the
    other.
    """
    edge, images = b"mien-load-boundary", list(samples().values())
    image, to = images[number % len(images)].read_bytes(), EMOTIONS[number % len(EMOTIONS)]
    fields = [
        b'--%s\r\nContent-Disposition: form-data; name="to"\r\n\r\n%s\r\n' % (edge, to.encode()),
        b"--%s\r\nContent-Disposition: form-data; "
        b'name="image"; filename="a.jpg"\r\n\r\n%s\r\n' % (edge, image),
        b"--%s--\r\n" % edge,
    ]
    kind = f"multipart/form-data; boundary={edge.decode()}"
    return b"".join(fields), {"Content-Type": kind}


def judge(status: int, body: bytes) -> tuple[str, str]:
    """What an answer is, and what is wrong with it, if anything is."""
    if status == 200:
        try:
            Image.open(io.BytesIO(body)).load()
        except OSError as error:
            return "200", f"200, but no whole picture: {error}"
        return "200", ""
    try:
        said = json.loads(body)["error"]
        reason = f"{status} {said['code']}"
        fine = bool(said["message"]) and (400 <= status < 500 or status == 503)
    except (ValueError, KeyError, TypeError):
        return str(status), f"{status} without a reason: {body[:80]!r}"
    return reason, "" if fine else f"{reason} is neither a picture nor a refusal"


def ask(port: int, number: int, record: Record) -> int:
    """One edit, on a connection of its own; its status, 0 if there was no answer."""
    body, headers = form(number)
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LATEST)
    try:
        connection.request("POST", "/v1/edit", body, headers)
        answer = connection.getresponse()
        status, data = answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        record.wrong.append(f"no answer: {error!r}")
        return 0
    finally:
        connection.close()
    reason, wrong = judge(status, data)
    record.answers[reason] += 1
    if wrong:
        record.wrong.append(wrong)
    if status == 200:
        record.seconds.append(time.monotonic() - began)
    return status


def asker(port: int, start: int, end: float, record: Record) -> None:
    """Ask until `end`, one edit after the other; wait as asked when there is no place."""
    for number in itertools.count(start):
        if time.monotonic() > end:
            return
        if ask(port, number, record) != 200:
            time.sleep(SOONEST)


def half_head(connection: socket.socket, _: bytes) -> None:
    """Half of a request's head, and nothing more."""
    connection.sendall(b"POST /v1/edit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-")


def half_body(connection: socket.socket, request: bytes) -> None:
    """Half of a request, and nothing more."""
    connection.sendall(request[: len(request) // 2])


def trickle(connection: socket.socket, request: bytes) -> None:
    """The second half of a request, a byte every other second."""
    connection.sendall(request[: len(request) // 2])
    connection.settimeout(2)
    for byte in request[len(request) // 2 :]:
        connection.sendall(bytes([byte]))
        with contextlib.suppress(TimeoutError):
            if connection.recv(1, socket.MSG_PEEK):
                break
    connection.settimeout(LATEST)


def not_read(connection: socket.socket, request: bytes) -> None:
    """A whole request whose answer is not read for long."""
    connection.sendall(request)
    time.sleep(15)


SLOW: dict[str, Callable[[socket.socket, bytes], None]] = {
    way.__name__: way for way in (half_head, half_body, trickle, not_read)
}


def slow(port: int, number: int, end: float, record: Record, ways: Sequence[str]) -> None:
    """Be slow in one way, again and again until `end`."""
    way = SLOW[ways[number % len(ways)]]
    while time.monotonic() < end:
        body, headers = form(number)
        head = f"POST /v1/edit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        head += f"Content-Type: {headers['Content-Type']}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=LATEST) as connection:
            heard = b""
            with contextlib.suppress(ConnectionError):
                way(connection, head.encode() + body)
                while part := connection.recv(65536):
                    heard += part
        said = "dropped"
        if heard:
            start, _, rest = heard.partition(b"\r\n\r\n")
            said, wrong = judge(int(start.split(b" ", 2)[1]), rest)
            record.wrong += [f"{way.__name__}: {wrong}"] if wrong else []
        record.slow[f"{way.__name__}: {said}"] += 1
        if way is not not_read and not said.startswith(("408", "429")):
            record.wrong.append(f"{way.__name__} was answered {said}")
        time.sleep(SOONEST)


def together(threads: list[threading.Thread]) -> None:
    """Start threads and wait for them."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def health_measured(server: Server, record: Record) -> Iterator[list[float]]:
    """Ask for the server's health five times a second: the seconds that each answer took."""
    health, over = list[float](), threading.Event()

    def ask() -> None:
        while not over.wait(0.2):
            try:
                health.append(server.health())
            except (OSError, http.client.HTTPException) as error:
                record.wrong.append(f"health: {error!r}")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield health
    finally:
        over.set()
        asking.join()


def crowd(
    server: Server, clients: int, seconds: float, ways: Sequence[str] = tuple(SLOW)
) -> dict[str, Any]:
    """Many at once, slow ones among them."""
    record, end = Record(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=asker, args=(server.port, i, end, record))
        if i % ONE_IN
        else threading.Thread(target=slow, args=(server.port, i // ONE_IN, end, record, ways))
        for i in range(clients)
    ]
    with health_measured(server, record) as health:
        together(threads)
    return {
        "clients": clients,
        "of_them_slow": len(range(0, clients, ONE_IN)),
        "seconds": seconds,
        "answers": dict(sorted(record.answers.items())),
        "told_to_slow": dict(sorted(record.slow.items())),
        "edits_per_second": round(len(record.seconds) / seconds, 2),
        "p50_ms": percentile(record.seconds, 50),
        "p99_ms": percentile(record.seconds, 99),
        "health_asked": len(health),
        "health_slowest_ms": percentile(health, 100),
        "wrong": record.wrong,
    }


def memory(server: Server, edits: int, clients: int, patience: float) -> dict[str, Any]:
    """So many edits, and what memory does."""
    used: list[float] = []
    record, before = Record(), server.work()
    numbers, end = itertools.count(), time.monotonic() + patience

    def client() -> None:
        while next(numbers) < edits and time.monotonic() < end:
            ask(server.port, len(used), record)
            used.append(server.memory())

    together([threading.Thread(target=client) for _ in range(clients)])
    if record.answers["200"] < edits:
        record.wrong.append(f"{record.answers['200']} of {edits} edits in {patience:g} s")
    quarters = np.array_split(np.array(used), 4)
    second, last = float(np.median(quarters[1])), float(np.median(quarters[3]))
    return {
        "edits": record.answers["200"],
        "clients": clients,
        "cpu_ms_per_edit": round((server.work() - before) / max(1, len(record.seconds)) * 1e3),
        "p50_ms": percentile(record.seconds, 50),
        "p99_ms": percentile(record.seconds, 99),
        "memory_mb": {"second_quarter": round(second), "last_quarter": round(last)},
        "memory_growth": round(last / second, 4),
        "wrong": record.wrong,
    }


def percentile(seconds: list[float], at: float) -> int:
    """In ms."""
    return round(float(np.percentile(seconds, at)) * 1e3) if seconds else 0


def faults(found: dict[str, Any]) -> list[str]:
    """What is not as it must be, a line each."""
    wrong = [*found["crowd"]["wrong"], *found["memory"]["wrong"]]
    lines = [f"{line} (x {count})" for line, count in Counter(wrong).most_common(20)]
    if found["crowd"]["health_slowest_ms"] >= HEALTH * 1e3:
        lines.append(f"health took {found['crowd']['health_slowest_ms']} ms")
    if found["memory"]["memory_growth"] > GROWTH:
        lines.append(f"memory x {found['memory']['memory_growth']}")
    return lines


def command(
    clients: Annotated[int, typer.Option(help="Of the crowd.")] = 200,
    seconds: Annotated[float, typer.Option(help="Of the crowd.")] = 60,
    edits: Annotated[int, typer.Option(help="While memory is measured.")] = 500,
    patience: Annotated[float, typer.Option(help="Seconds for these edits.")] = 900,
    slow: Annotated[
        list[str] | None,
        typer.Option(help=f"Their ways: {', '.join(SLOW)}; repeat (default: all)."),
    ] = None,
    out: MaybeOut = None,
) -> None:
    """Measure, and write the answer."""
    ways = some(slow, SLOW)
    report(
        Server(),
        lambda server: {
            "crowd": crowd(server, clients, seconds, ways),
            "memory": memory(server, edits, 4, patience),
        },
        out,
    )


def report(
    server: Server,
    measure: Callable[[Server], dict[str, Any]],
    out: Path | None,
    faults: Callable[[dict[str, Any]], list[str]] = faults,
) -> None:
    """Measure a server, end it, say and keep what was found; exit code 1 where it is not fine, by
    what `faults` says of it."""
    try:
        began = time.monotonic()
        server.wait()
        started = time.monotonic() - began
        found = {
            **conditions(),
            "method": DEFAULT,
            "start_seconds": round(started, 2),
            "start_cpu_seconds": round(server.work(), 2),
            **measure(server),
            "load_average": round(os.getloadavg()[0], 1),
        }
    finally:
        server.process.terminate()
        server.process.wait(30)
    write(out, found)
    if lines := faults(found):
        typer.echo("not fine: " + "; ".join(lines), err=True)
        raise typer.Exit(1)

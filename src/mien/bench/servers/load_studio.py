"""Load on the studio: many browsers' worth of its page's events, a crowd and then for long.

    mien bench load-studio -o benchmarks/results/load_studio.json

It starts `mien studio` by itself and speaks to 127.0.0.1 only, as the page does: one event at a
time in each browser, in the order of its clicks. A visitor opens a sample, waits for the tiles and
the reading of the sliders, then clicks on expressions, moves a slider, takes steps back, and opens
another sample. First a crowd does so at once, and somebody asks all the while whether the server is
well; then a few visitors go on for so many events, and the server's resident memory is taken after
each: the median of the last quarter over that of the second (the first is warming up).

Exit code 1 if an answer was neither what the page shows, with its pictures whole, nor a refusal in
words, health took a second or more, or memory grew by over 5 %.
"""

from __future__ import annotations

import base64
import http.client
import io
import itertools
import json
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

from mien.bench.options import MaybeOut
from mien.bench.servers.load import (
    LATEST,
    SOONEST,
    Record,
    Server,
    health_measured,
    percentile,
    report,
    together,
)
from mien.facs import EMOTIONS
from mien.zoo.samples import samples

_PICTURE = re.compile(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)")
CLICKS = 6  # on expressions, of one visitor to one sample


OPENED = ("tiles", "reading", "variants")
"""What the page asks for once a photograph was opened."""
STEPS: tuple[tuple[str, Callable[[float], dict[str, Any]]], ...] = (
    ("express", lambda at: {"name": EMOTIONS[int(at * len(EMOTIONS))]}),
    ("set_unit", lambda at: {"name": "AU12", "value": at}),
    ("settled", lambda _: {}),
    ("undo", lambda _: {}),
)
"""What a visitor does again and again, and what is said then, by a number from 0 to 1."""


class Page:
    """What the page of one browser knows of itself."""

    def __init__(self, port: int) -> None:
        self.port, self.session, self.key = port, secrets.token_hex(6), ""

    def send(self, event: str, fields: Mapping[str, Any]) -> tuple[int, Any]:
        """The status of an answer and what it says."""
        body = {"session": self.session, "photograph": self.key, **fields}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LATEST)
        try:
            kind = {"Content-Type": "application/json"}
            path = f"/studio/photograph/{event}"
            connection.request("POST", path, json.dumps(body), kind)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        self.key = said.get("keys", {}).get("photograph", self.key)
        return answer.status, said


def judge(status: int, body: Any, pictures: int) -> tuple[str, str]:
    """What an answer is, and what is wrong with it, if anything is: so many pictures at least."""
    if status != 200:
        error = body.get("error") if isinstance(body, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        return f"answered: {message}", "" if message else f"{status} without a reason"
    found = [
        match[1] for match in _PICTURE.finditer(json.dumps([body.get("html"), body.get("picture")]))
    ]
    try:
        for data in found:
            Image.open(io.BytesIO(base64.b64decode(data))).load()
    except OSError as error:
        return "shown", f"no whole picture: {error}"
    few = len(found) < pictures
    return "shown", f"{len(found)} pictures instead of {pictures}" if few else ""


def visit(
    port: int, number: int, end: float, record: Record, seen: list[float], server: Server
) -> None:
    """Use the studio until `end`, as one person does."""
    page, names = Page(port), list(samples())

    def do(event: str, fields: Mapping[str, Any], pictures: int) -> bool:
        if time.monotonic() > end:
            return False
        began = time.monotonic()
        try:
            answer = page.send(event, fields)
        except (OSError, http.client.HTTPException, ValueError) as error:
            record.wrong.append(f"no answer: {error!r}")
            return False
        what, wrong = judge(*answer, pictures)
        record.answers[what] += 1
        record.wrong += [wrong] if wrong else []
        if what == "shown" and pictures:
            record.seconds.append(time.monotonic() - began)
        seen.append(server.memory())
        if what != "shown":
            time.sleep(SOONEST)
        return what == "shown"

    for turn in itertools.count(number):
        if time.monotonic() > end:
            return
        if not do("sample", {"name": names[turn % len(names)]}, 2):
            continue
        for view in OPENED:
            do(view, {}, 0 if view == "reading" else len(EMOTIONS))
        for click in range(CLICKS):
            at = (turn + click) % len(EMOTIONS) / len(EMOTIONS)
            for event, fields in STEPS:
                # the photograph is there already: the look alone comes, and changed sheets
                do(event, fields(at), 1)


def use(server: Server, visitors: int, seconds: float) -> dict[str, Any]:
    """Many visitors at once, health measured, memory taken after each event."""
    record, used = Record(), list[float]()
    before, end = server.work(), time.monotonic() + seconds
    crowd = [
        threading.Thread(target=visit, args=(server.port, n, end, record, used, server))
        for n in range(visitors)
    ]
    with health_measured(server, record) as health:
        together(crowd)
    return {
        "visitors": visitors,
        "seconds": seconds,
        "answers": dict(sorted(record.answers.items())),
        "p50_ms": percentile(record.seconds, 50),
        "p99_ms": percentile(record.seconds, 99),
        "cpu_ms_per_answer": round((server.work() - before) / max(1, len(record.seconds)) * 1e3),
        "health_asked": len(health),
        "health_slowest_ms": percentile(health, 100),
        "memory_mb": [round(float(np.median(q))) for q in np.array_split(np.array(used), 4)],
        "memory_growth": round(_growth(used), 4),
        "wrong": dict(Counter(record.wrong).most_common(20)),
    }


def _growth(used: list[float]) -> float:
    quarters = np.array_split(np.array(used), 4)
    return float(np.median(quarters[3]) / np.median(quarters[1])) if len(used) >= 8 else 1.0


def command(
    visitors: Annotated[int, typer.Option(help="Of the crowd.")] = 40,
    seconds: Annotated[float, typer.Option(help="Of the crowd.")] = 120,
    few: Annotated[int, typer.Option(help="Visitors while memory is measured.")] = 4,
    long: Annotated[float, typer.Option(help="Seconds of these.")] = 240,
    out: MaybeOut = None,
) -> None:
    """Measure, and write the answer."""
    report(
        Server("studio"),
        lambda server: {
            "crowd": use(server, visitors, seconds),
            "memory": use(server, few, long),
        },
        out,
    )

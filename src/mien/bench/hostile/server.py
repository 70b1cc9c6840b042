"""What `mien bench hostile` asks of the HTTP API: a real server on a port here, real requests.

What each answer must be is known beside the server's own code: the pixels of a picture that was
taken, the one guide that was named, numbers in their range.
"""

from __future__ import annotations

import base64
import functools
import http.client
import io
import json
import math
import socket
import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from mien import images
from mien.bench.hostile import files, pictures
from mien.bench.hostile.pictures import Wrong, expect
from mien.errors import ImageError

PIXELS, BODY = 4_000_000, 3_000_000
STATUSES = {200, 400, 403, 404, 405, 408, 413, 415, 422, 429, 503}
EDGE = "mien-hostile"
_EDGE = f"boundary={EDGE}"
CALLS = ("edit", "edit", "edit", "swap", "sheet")
PICTURES = {"edit": ("image", "like"), "swap": ("a", "b"), "sheet": ("image",)}
SHAPES = ("jawOpen", "mouthSmileLeft", "tongueOut", "jaw", "", "\ud800", "eyeBlink_L", "headYaw")
ODD: tuple[Any, ...] = (
    None, True, 7, -1, 10**400, 1e308, float("nan"), float("inf"), "", "nan", "\0", "\ud800", [],
    {}, [[]], [None], {"a": []}, "happy", ["happy"] * 99, "A" * 5000, "../../etc/passwd", "1e999",
)  # fmt: skip


# ---- the server ----------------------------------------------------------------------------------


class Served:
    """`mien.server` on a free port, in a thread; `asked` is what the last edit was asked."""

    def __init__(self) -> None:
        from mien.editor import Editor
        from mien.server.app import create
        from mien.server.limits import Limits
        from mien.server.serve import Server
        from mien.server.workshop import Workshop

        limits = Limits(body=BODY, pixels=PIXELS, head=1, arrival=2, stall=1, seconds=20)
        method: Any = type("Method", (), {"name": "x", "read_by": ""})()
        workshop = Workshop(lambda _: Editor(method), limits=limits)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        server = Server(create(workshop), workshop, "127.0.0.1", self.port)
        threading.Thread(target=server.run, daemon=True).start()
        while not server.started:
            time.sleep(0.01)

    def ask(self, path: str, body: bytes, headers: dict[str, str], how: str = "POST") -> Any:
        """Status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=25)
        try:
            connection.request(how, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """All that is answered to these bytes, until the server closes."""
        heard = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=25) as connection:
            try:
                connection.sendall(data)
                while part := connection.recv(65536):
                    heard += part
            except ConnectionError:
                pass
        return heard


@functools.cache
def served() -> Served:
    """One for the process."""
    return Served()


# ---- the requests --------------------------------------------------------------------------------


def shot(random: Random) -> bytes:
    """A picture, every second time a good one."""
    if random.random() < 0.5:
        return random.choice(pictures.good(random.choice(("jpg", "png", "webp"))))
    return pictures.picture(random)[1]


def value(random: Random, name: str) -> Any:
    """Something for a field: what it wants, or what it does not."""
    if random.random() < 0.25:
        return random.choice(ODD)
    number = float(random.choice(files.NUMBERS))
    wanted: dict[str, Callable[[], Any]] = {
        "to": lambda: random.choice(("happy", "sad", "anger:open", files.words(random))),
        "au": lambda: random.choice((["AU12=0.5"], files.words(random).split("|"))),
        "intensity": lambda: random.choice((0.5, 1, number, str(number))),
        "face": lambda: random.choice(("largest", "all", files.words(random))),
        "size": lambda: random.choice((32, 64, 0, number)),
        "expressions": lambda: random.choice((["happy"], ["sad", "happy"], ["x"])),
        "format": lambda: random.choice(("png", "jpeg", "gif")),
        "method": lambda: random.choice(("morphable", "mtss", "nobody")),
        "blendshapes": lambda: {random.choice(SHAPES): number, "jawOpen": 0.5},
        "gaze": lambda: random.choice(([0.5, 0], "0.5,0", [number, number], [1])),
        "turn": lambda: random.choice(([0, 10, 0], "0,10,0", [number] * 3)),
        "light": lambda: random.choice(([0.5, 0], [number, 0])),
    }
    return wanted.get(name, lambda: random.choice(ODD))()


def fields(random: Random, call: str) -> dict[str, Any]:
    """Of a request to `/v1/CALL`, pictures as bytes: those of the model, and others."""
    from mien.server import requests

    model = getattr(requests, f"{call.title()}Request")
    names = [*model.model_fields, "gaze", "turn", "blendshapes", "x", "__proto__"]
    made: dict[str, Any] = {name: shot(random) for name in PICTURES[call] if name != "like"}
    if call == "sheet":
        made["image"] = [made["image"]]
        made["expressions"] = ["happy"]
        made["size"] = 32
    if call == "edit":
        made["to"] = "happy"
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        name = random.choice(names)
        if name in PICTURES[call] and random.random() < 0.7:
            made[name] = shot(random)
        else:
            made[name] = value(random, name)
    for _ in range(random.choice((0, 0, 0, 1))):
        made.pop(random.choice(list(made)), None)
    return made


def plain(found: Any) -> Any:
    """Fields as JSON has them."""
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    if isinstance(found, list):
        return [plain(item) for item in found]
    return found


def text(found: Any) -> bytes:
    """As bytes, whatever it holds."""
    return str(found).encode("utf-8", "surrogatepass")


def form(random: Random, made: dict[str, Any]) -> bytes:
    """A multipart body."""
    parts = []
    for name, given in made.items():
        for one in given if isinstance(given, list) else [given]:
            head = f'Content-Disposition: form-data; name="{name}"'
            if isinstance(one, bytes):
                label = random.choice(("a.jpg", "../../x", "é" * 300, "", "C:\\con", 'a"b'))
                head += f'; filename="{label}"'
            data = one if isinstance(one, bytes) else text(one)
            parts.append(f"--{EDGE}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{EDGE}--\r\n".encode()


# ---- the kinds -----------------------------------------------------------------------------------


def upload(random: Random) -> str:
    """A picture by form or JSON: a picture back, one level up as the stub makes it, or a reason."""
    data = shot(random)
    if random.random() < 0.5:
        body, kind = form(random, {"image": data, "to": "happy"}), f"multipart/form-data; {_EDGE}"
    else:
        body, kind = json.dumps({"image": plain(data), "to": "happy"}).encode(), "application/json"
    answer = served().ask("/v1/edit", body, {"Content-Type": kind})
    if judged(*answer) == "refused":
        expect(answer[0] in (413, 415, 422), f"a picture is refused by {answer[0]}")
        return "refused"
    try:
        source = images.read(io.BytesIO(data), PIXELS).pixels
    except ImageError as error:
        raise Wrong(f"taken by the API, refused by the library: {error}") from None
    result = images.read(io.BytesIO(answer[2])).pixels
    expect(np.array_equal(result, source + np.uint8(1)), "another picture than was sent")
    return "taken"


def body(random: Random) -> str:
    """JSON of all kinds of fields: by structure and by bytes."""
    call = random.choice(CALLS)
    made = fields(random, call)
    data = json.dumps({k: plain(v) for k, v in made.items()}).encode()
    how = random.randrange(8)
    if how == 0:
        data = pictures.spoilt(data, random, 4)
    elif how == 1:
        data = random.choice((
            b"", b"[]", b"7", b"null", b'"x"', b"{", b"[" * 100_000, b'{"a":' * 50_000,
            b"9" * 5000, b'{"intensity": ' + b"9" * 5000 + b"}", b"\xff\xfe", b"\0",
            b'{"image": "' + b"A" * 100_000 + b'"}', b'{"to": "happy", "to": "sad"}',
        ))  # fmt: skip
    answer = served().ask(f"/v1/{call}", data, {"Content-Type": "application/json"})
    return fits(judged(*answer), call, made if how > 1 else None, answer)


def formed(random: Random) -> str:
    """Forms of all kinds of fields, with heads and edges that do not fit."""
    call = random.choice(CALLS)
    made = fields(random, call)
    data, kind, whole = form(random, made), f"multipart/form-data; {_EDGE}", True
    how = random.randrange(8)
    if how == 0:
        data, whole = pictures.spoilt(data, random, 6), False
    elif how == 1:
        whole = False
        kind = random.choice((
            "multipart/form-data", "multipart/form-data; boundary=", "text/html", "image/png",
            "multipart/form-data; boundary=other", f"multipart/form-data; {_EDGE}; charset=utf-7",
            "application/x-www-form-urlencoded", f"multipart/mixed; {_EDGE}", "", "a" * 3000,
        ))  # fmt: skip
    answer = served().ask(f"/v1/{call}", data, {"Content-Type": kind})
    return fits(judged(*answer), call, made if whole else None, answer)


def wire(random: Random) -> str:
    """Requests by bytes: heads, methods, paths, lengths, chunks."""
    data = json.dumps({"image": plain(pictures.good("png")[0]), "to": "happy"}).encode()
    paths = ("/", "/v1/../v1/edit", "/%2e%2e/etc/passwd", "/v1/edit?a=%00", "/openapi.json",
             "/healthz", "//x/v1/edit", "/v1/" + "a" * 5000)  # fmt: skip
    path = random.choice(("/v1/edit", random.choice(paths)))
    how = random.choice(("POST", "POST", "GET", "PUT", "OPTIONS", "TRACE", "CONNECT", "X" * 99))
    more = random.choice(("", "", "", f"Content-Length: {10**30}\r\n", "Content-Length: -1\r\n",
                          "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n",
                          "Upgrade: websocket\r\n", "Cookie: \xff=;;;\r\n", "X: " + "y" * 70_000,
                          "Origin: null\r\n", "Range: bytes=9-1\r\n"))  # fmt: skip
    host = random.choice(
        ("127.0.0.1", "127.0.0.1", "localhost", "evil.example", "[::1", "", "127.0.0.1:x")
    )
    head = f"{how} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{more}"
    if "Length" not in more and "chunked" not in more:
        head += f"Content-Length: {len(data)}\r\n"
    sent = head.encode("latin-1") + b"Connection: close\r\n\r\n" + data
    if random.random() < 0.5:
        sent = pictures.spoilt(sent[:600], random, 6) + sent[600:]
    heard = served().raw(sent)
    if not heard:
        return "refused"
    status = heard.split(b" ", 2)[1][:3]
    expect(status.isdigit() and int(status) != 500, f"answered {heard[:80]!r}")
    expect(served().ask("/healthz", b"", {}, "GET")[0] == 200, "it is not well afterwards")
    return "taken" if status == b"200" else "refused"


# ---- what an answer must be ----------------------------------------------------------------------


def judged(status: int, headers: Any, data: bytes) -> str:
    """`taken` or `refused`; Wrong unless it is a whole answer or a reason in a line."""
    expect(status in STATUSES, f"answered {status}: {data[:200]!r}")
    if status == 200:
        if headers["Content-Type"].startswith("image/"):
            images.read(io.BytesIO(data))
        else:
            both = json.loads(data)
            for name in ("a", "b"):
                images.read(io.BytesIO(base64.b64decode(both[name])))
        return "taken"
    error = json.loads(data)["error"]
    expect(bool(error["code"]) and bool(error["message"]), "refused without a reason")
    expect("\n" not in error["message"], "more than a line")
    expect("Traceback" not in error["message"] and "/site-packages/" not in error["message"],
           "it tells of its insides")  # fmt: skip
    return "refused"


def fits(became: str, call: str, made: dict[str, Any] | None, answer: Any) -> str:
    """Whether what was taken could be: the fields that this knows of, by their own rules."""
    if became != "taken" or made is None:
        return became
    expect(not {"x", "__proto__"} & made.keys(), "an unknown field is passed over")
    expect(all(made.get(n) for n in PICTURES[call] if n != "like"), "taken without a picture")
    intensity = made.get("intensity", 1)
    try:
        number = float(intensity)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    expect(abs(number) <= 10, f"intensity {intensity!r} is taken")
    if call == "edit":
        whole = [name for name in ("to", "like", "blendshapes") if made.get(name)]
        expect(len(whole) <= 1, f"{whole} are taken together")
        expect(bool(whole) or any(made.get(n) for n in ("au", "gaze", "turn", "light")), "no guide")
    if call == "sheet":
        expect(32 <= float(made.get("size", 256)) <= 512, "a size out of range")
    return became

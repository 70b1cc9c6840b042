"""The HTTP API: what goes in and what comes back, every refusal, and OpenAPI held to its word."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mien.editor import Editor
from mien.methods.registry import DEFAULT, METHODS, load
from mien.provenance.evidence import examine
from mien.server.answers import Refused
from mien.server.app import create
from mien.server.desk import Desk
from mien.server.gate import is_loopback
from mien.server.workshop import Workshop

HERE = "http://127.0.0.1"
BUSY, TOO_SLOW = 429, 503


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def differing(a: bytes, b: bytes) -> np.ndarray:
    """Which pixels of two pictures of one size are not alike, bool (H, W)."""
    first, second = (np.asarray(opened(d).convert("RGB"), np.int16) for d in (a, b))
    return np.asarray(np.abs(first - second).max(-1) > 12)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def code(response: Any) -> tuple[int, str]:
    fault = response.json()["error"]
    assert fault["message"]
    assert "\n" not in fault["message"]
    return response.status_code, fault["code"]


def test_edit_takes_a_form_and_json_alike(client: TestClient, anna: bytes) -> None:
    by_form = client.post("/v1/edit", files={"image": anna}, data={"to": "happy"})
    by_json = client.post("/v1/edit", json={"image": b64(anna), "to": "happy"})
    assert by_form.status_code == by_json.status_code == 200
    assert by_form.headers["content-type"] == "image/png"
    assert by_form.headers["mien-faces"] == "1/1"
    assert "edit;dur=" in by_form.headers["server-timing"]
    assert by_form.content == by_json.content
    changed = differing(anna, by_form.content)
    assert 200 < changed.sum() < changed.size / 4


def test_edit_by_units_and_by_a_reference(client: TestClient, anna: bytes, ben: bytes) -> None:
    units = client.post("/v1/edit", files={"image": anna}, data={"au": ["AU12=0.9", "AU26=0.5"]})
    commas = client.post("/v1/edit", files={"image": anna}, data={"au": "AU12=0.9,AU26=0.5"})
    assert units.content == commas.content
    like = client.post("/v1/edit", files={"image": anna, "like": ben}, data={"intensity": "2"})
    assert like.status_code == 200
    assert differing(anna, units.content).any()


def test_every_guide_of_the_command_line(workshop: Workshop, anna: bytes, ben: bytes) -> None:
    """By the real method, in a form and in JSON, and as one object: the same bytes."""
    workshop.opener = lambda name: Editor(load(name), "0" * 64)
    fields = {"to": "anger:open", "gaze": [0.6, 0.0], "turn": [0.0, 8.0, 0.0], "light": [0.5, 0.0]}
    more = fields | {"au": ["AU43L=1"], "region": "face", "intensity": 0.5}
    whole = {"blendshapes": {"jawOpen": 0.4, "mouthSmileLeft": 0.8}, "region": "lower"}
    flat = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in more.items()}
    with TestClient(create(workshop), base_url=HERE) as client:

        def edit(**asked: Any) -> bytes:
            answer = client.post("/v1/edit", json={"image": b64(anna)} | asked)
            assert answer.status_code == 200, answer.text
            return answer.content

        by_form = client.post("/v1/edit", files={"image": anna}, data=flat)
        assert by_form.content == edit(**more) == edit(expression=more | {"name": "mine"})
        assert edit(**more) == edit(expression=fields | {"intensity": 0.5}, au=["AU43L=1"])
        told = opened(by_form.content).info["guide"]
        assert told == "anger:open AU43L=1 gaze=0.6,0 turn=0,8,0 light=0.5,0"
        text = {"blendshapes": json.dumps(whole["blendshapes"]), "region": "lower"}
        as_text = client.post("/v1/edit", files={"image": anna}, data=text)
        assert as_text.content == edit(**whole)
        assert "keeping upper" in opened(as_text.content).info["guide"]
        half = edit(to="happy", like=b64(ben), share=0.5)
        named = {"to": "happy", "like": "ben.jpg", "share": 0.5}
        kept = edit(expression=named, like=b64(ben))
        assert half == kept
        assert opened(half).info["guide"] == "happy reference by 0.5"


def test_intensity_0_is_the_photograph(client: TestClient, anna: bytes) -> None:
    same = client.post("/v1/edit", files={"image": anna}, data={"to": "happy", "intensity": "0"})
    assert not differing(anna, same.content).any()


def test_what_comes_back_is_marked(client: TestClient, anna: bytes, tmp_path: Path) -> None:
    """In its metadata and in its pixels, as what `mien edit` writes."""
    data = {"to": "surprise", "format": "jpeg"}
    answer = client.post("/v1/edit", files={"image": anna}, data=data)
    assert answer.headers["content-type"] == "image/jpeg"
    path = tmp_path / "answer.jpg"
    path.write_bytes(answer.content)
    found = examine(path)
    assert found.statement["guide"] == "surprise"
    assert found.stated
    assert found.confidence > 0.9


def test_swap_gives_both(client: TestClient, anna: bytes, ben: bytes) -> None:
    answer = client.post("/v1/swap", files={"a": anna, "b": ben}).json()
    assert answer["media_type"] == "image/png"
    for name, source in (("a", anna), ("b", ben)):
        assert opened(base64.b64decode(answer[name])).size == opened(source).size


def test_sheet_has_a_row_for_each(client: TestClient, anna: bytes, ben: bytes) -> None:
    files = [("image", ("1", anna)), ("image", ("2", ben))]
    data = {"expressions": "happy,sad", "size": "64"}
    answer = client.post("/v1/sheet", files=files, data=data)
    assert opened(answer.content).size == (3 * 70 + 6, 20 + 2 * 70 + 6)


def test_methods_and_health(client: TestClient) -> None:
    known = client.get("/v1/methods").json()
    assert known["methods"][0]["name"] == DEFAULT
    native = {method["name"]: method["native"] for method in known["methods"]}
    assert native["mtss"] == ["Label", "Reference"]
    assert len(known["expressions"]) == 8
    assert set(known["expressions"]) < set(known["labels"])
    assert "jawOpen" in known["blendshapes"]
    assert {"name": "AU12", "what": "lip corner puller", "sided": True} in known["units"]
    assert client.get("/healthz").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, (422, "bad_guide")),
        ({"to": "happy", "blendshapes": '{"jawOpen": 1}'}, (422, "bad_guide")),
        ({"blendshapes": '{"grin": 1}'}, (422, "bad_guide")),
        ({"blendshapes": "jawOpen"}, (422, "bad_request")),
        ({"expression": '{"joy": 1}'}, (422, "bad_guide")),
        ({"expression": '{"like": "/etc/passwd"}'}, (422, "bad_guide")),
        ({"expression": "[" * 5000}, (422, "bad_request")),
        ({"to": "happy", "share": "0.5"}, (422, "bad_guide")),
        ({"to": "happy", "region": "nose"}, (422, "bad_request")),
        ({"gaze": "0.5"}, (422, "bad_request")),
        ({"gaze": "2,0"}, (422, "bad_guide")),
        ({"turn": "0,nan,0"}, (422, "bad_request")),
        ({"turn": "0,5,0"}, (422, "bad_guide")),
        ({"to": "joyful"}, (422, "bad_guide")),
        ({"au": "AU99=1"}, (422, "bad_guide")),
        ({"to": "happy", "face": "the left one"}, (422, "bad_guide")),
        ({"to": "happy", "face": "index 7"}, (422, "no_such_face")),
        ({"to": "happy", "intensity": "nan"}, (422, "bad_request")),
        ({"to": "happy", "format": "exe"}, (422, "bad_request")),
        ({"to": "happy", "colour": "red"}, (422, "bad_request")),
        ({"to": "happy", "method": "paint"}, (422, "bad_option")),
        ({"to": "happy", "method": "bare"}, (422, "no_weights")),
    ],
)
def test_a_mistake_is_named(
    client: TestClient,
    anna: bytes,
    fields: dict[str, str],
    answer: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(METHODS, "bare", METHODS["mtss"])  # a method for which no weights ship
    assert code(client.post("/v1/edit", files={"image": anna}, data=fields)) == answer


def test_what_is_no_request(client: TestClient) -> None:
    json = {"content-type": "application/json"}
    assert code(client.post("/v1/edit", content=b"{", headers=json)) == (400, "bad_json")
    deep = b"[" * 100_000
    assert code(client.post("/v1/edit", content=deep, headers=json)) == (400, "bad_json")
    assert code(client.post("/v1/edit", content=b"[]", headers=json)) == (422, "bad_request")
    assert code(client.post("/v1/edit", content=b"x")) == (415, "unsupported_type")
    broken = {"content-type": "multipart/form-data"}
    assert code(client.post("/v1/edit", content=b"x", headers=broken))[0] == 400
    wrong = client.post("/v1/edit", json={"image": "not base64!", "to": "sad"})
    assert code(wrong) == (422, "bad_request")
    assert code(client.get("/v1/edit")) == (405, "method_not_allowed")
    assert code(client.get("/v2/edit")) == (404, "not_found")


def test_a_request_has_a_size(client: TestClient, workshop: Workshop) -> None:
    most = workshop.limits.body
    large = bytes(most + 1)
    assert code(client.post("/v1/edit", files={"image": large})) == (413, "request_too_large")

    def endless() -> Any:
        for _ in range(most // 1000 + 2):
            yield bytes(1000)

    kind = {"content-type": "application/json"}  # in pieces, without a length
    late = client.post("/v1/edit", content=endless(), headers=kind)
    assert code(late) == (413, "request_too_large")


def test_a_request_comes_in_time(workshop: Workshop) -> None:
    """Someone who sends one byte and then nothing does not keep a place at the desk."""
    workshop.limits = replace(workshop.limits, arrival=0.05)
    sent: list[Any] = []

    async def ask() -> None:
        pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}])

        async def receive() -> Any:
            if (piece := next(pieces, None)) is None:
                await asyncio.sleep(30)
            return piece

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        scope = {
            "type": "http", "method": "POST", "path": "/v1/edit", "raw_path": b"/v1/edit",
            "headers": headers, "query_string": b"", "http_version": "1.1", "scheme": "http",
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
        }  # fmt: skip
        await create(workshop)(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 408
    assert workshop.desk.queue == 0


def test_strangers_stay_out(workshop: Workshop, anna: bytes) -> None:
    secret = "a secret of some length"
    client = TestClient(create(workshop, secret), base_url="http://10.0.0.7")
    assert code(client.get("/v1/methods")) == (401, "unauthorized")
    assert client.get("/v1/methods").headers["www-authenticate"] == "Bearer"
    wrong = {b"authorization": "Bearer wrong ü".encode()}
    assert client.get("/v1/methods", headers=wrong).status_code == 401
    right = {"authorization": f"Bearer {secret}"}
    assert client.get("/v1/methods", headers=right).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_a_browser_shows_its_token_once(workshop: Workshop) -> None:
    secret = "a secret of some length"
    client = TestClient(create(workshop, secret), base_url="http://10.0.0.7")
    moved = client.get(f"/v1/methods?token={secret}", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (303, "/v1/methods")
    assert secret not in moved.headers["set-cookie"]
    assert "HttpOnly" in moved.headers["set-cookie"]
    assert client.get("/v1/methods").status_code == 200
    astray = client.get(f"//elsewhere.example/?token={secret}", follow_redirects=False)
    assert not astray.headers.get("location", "/").startswith("//")


def test_a_name_that_was_made_to_point_here(client: TestClient) -> None:
    rebound = client.get("/v1/methods", headers={"host": "evil.example"})
    assert code(rebound) == (403, "wrong_host")
    assert client.get("/v1/methods", headers={"host": "[::1]:7860"}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "localhost.example", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def at_once(workshop: Workshop, tasks: list[Callable[[], str]]) -> list[str]:
    """What each of several requests is told that come at the same time."""

    async def one(task: Callable[[], str]) -> str:
        try:
            with workshop.desk.place():
                return await workshop.desk.work(task)
        except Refused as refused:
            return str(refused.status)

    async def together() -> list[str]:
        return await asyncio.gather(*(one(task) for task in tasks))

    return asyncio.run(together())


def test_the_queue_is_bounded(workshop: Workshop) -> None:
    """One at work, two that wait, and the rest is turned away at once."""
    opened_at_last = threading.Event()
    threading.Timer(0.2, opened_at_last.set).start()

    def slow() -> str:
        opened_at_last.wait()
        return "done"

    told = at_once(workshop, [slow] * 6)
    assert told == ["done"] * 3 + [str(BUSY)] * 3
    assert workshop.desk.queue == 0
    assert at_once(workshop, [slow]) == ["done"]


def test_work_that_takes_too_long(workshop: Workshop) -> None:
    """It is answered in time; it keeps its place until it ends, and what waited is not begun."""
    workshop.desk = desk = Desk(replace(workshop.limits, seconds=0.1))
    ended, begun = threading.Event(), []

    def endless() -> str:
        ended.wait()
        return "late"

    def next_one() -> str:
        begun.append(True)
        return "done"

    assert at_once(workshop, [endless, next_one]) == [str(TOO_SLOW)] * 2
    assert desk.queue == 1
    ended.set()
    desk.close()
    assert not begun


def test_a_bug_is_told_without_its_insides(workshop: Workshop, anna: bytes) -> None:
    def broken(_: str) -> Any:
        raise RuntimeError("a secret path")

    workshop.opener = broken
    client = TestClient(create(workshop), base_url=HERE, raise_server_exceptions=False)
    answer = client.post("/v1/edit", files={"image": anna}, data={"to": "happy"})
    assert code(answer) == (500, "internal")
    assert "secret" not in answer.text

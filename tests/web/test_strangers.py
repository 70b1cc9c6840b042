"""What strangers try through the browser or past it: files by their path, events that there are
not, and other pages that drive the studio.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mien.server.app import create
from mien.server.intake import safe
from mien.server.workshop import Workshop
from mien.studio.asking import events
from mien.studio.page import Studio

HERE = "http://127.0.0.1:7860"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are put that come in."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def studio(workshop: Workshop, temporary: Path) -> Iterator[TestClient]:
    app = create(workshop, studio=True)
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def door(shared_workshop: Workshop) -> Iterator[TestClient]:
    """The studio for those who get no further than its door: one for all of them."""
    app = create(shared_workshop, studio=True)
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everybody that this process speaks to, or asks the address of."""
    calls: list[Any] = []

    def look(*asked: Any, **_: Any) -> Any:
        calls.append(asked)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", look)
    monkeypatch.setattr(socket, "getaddrinfo", look)
    return calls


PLACES = (
    "/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest",
    "http://127.0.0.1:9/", "//example.org/a.png", ".",
)  # fmt: skip


def asked_of(workshop: Workshop) -> list[str]:
    """The address of every event of the page."""
    studio = Studio(workshop)
    panels = {"photograph": studio.photograph, "film": studio.films, "series": studio.series}
    found = [f"/studio/{name}/{event}" for name, panel in panels.items() for event in events(panel)]
    assert len(found) > 50
    return [*found, "/studio/film/run/make", "/studio/series/run/make"]


def test_every_event_with_a_forged_file(
    studio: TestClient, workshop: Workshop, temporary: Path, called: list[Any]
) -> None:
    """No event takes a path or an address for a file: files come with their bytes."""
    pytest.importorskip("av", reason="needs mien[video]")
    for number, event in enumerate(asked_of(workshop)):
        place = PLACES[number % len(PLACES)]
        for fields in (
            {"name": place, "value": place},
            {"photograph": place[:60], "film": place[:60], "series": place[:60], "name": place},
            {"file": place}, {"files": [place]}, {"path": place},
        ):  # fmt: skip
            answer = studio.post(event, json=fields)
            assert answer.status_code < 500, (event, fields, answer.text)
            assert "root:" not in answer.text
            if {"file", "files", "path"} & fields.keys():
                assert answer.status_code == 422, (event, fields)
    assert called == [], "an address is fetched"
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


def test_an_upload_is_opened_and_gone(studio: TestClient, temporary: Path, anna: bytes) -> None:
    asked = {"asked": json.dumps({"session": "somebody"})}
    large = anna + bytes(1_500_000)  # on the disk while it comes in
    answer = studio.post(
        "/studio/photograph/open", data=asked, files={"files": ("../../a.jpg", large)}
    )
    assert answer.status_code == 200, answer.text
    assert "1 face found" in answer.json()["html"]["status"]
    assert 'download="a-mien.png"' in answer.json()["html"]["downloads"]
    assert str(temporary) not in answer.text, "a path is told"
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("event", ["photograph/open", "film/open", "series/add_photos"])
def test_what_is_no_picture_is_told_without_its_path(
    studio: TestClient, temporary: Path, event: str
) -> None:
    pytest.importorskip("av", reason="needs mien[video]")
    told = studio.post(
        f"/studio/{event}", data={"asked": "{}"}, files={"files": ("a.jpg", b"no picture")}
    )
    assert 400 <= told.status_code < 500
    assert "is not a" in told.json()["error"]["message"]
    assert str(temporary) not in told.text
    assert "Traceback" not in told.text
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/studio/photograph/_open"),
        ("POST", "/studio/photograph/__init__"),
        ("POST", "/studio/photograph/download"),
        ("POST", "/studio/photograph/sittings"),
        ("POST", "/studio/film/serve"),
        ("POST", "/studio/film/leave"),
        ("POST", "/studio/series/_at_desk"),
        ("POST", "/studio/photograph/run/make"),
        ("POST", "/studio/film/run/stop"),
        ("POST", "/studio/nothing/open"),
        ("GET", "/studio/static/../page.py"),
        ("GET", "/studio/static/%2e%2e/page.py"),
        ("GET", "/studio/static/%2e%2e/templates/page.html"),
        ("GET", "/config"),
        ("POST", "/login"),
    ],
)
def test_nothing_else_is_there(door: TestClient, called: list[Any], method: str, path: str) -> None:
    answer = door.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code in (404, 405, 422), answer.text
    assert "import" not in answer.text
    assert called == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[" * 20_000, 400), (b"[]", 422), (b'{"name": "%s"}' % (b"a" * 100_001), 413)],
)
def test_what_is_no_event(door: TestClient, body: bytes, status: int) -> None:
    kind = {"content-type": "application/json"}
    for path in EVENTS:
        assert door.post(path, content=body, headers=kind).status_code == status
        plain = door.post(path, content=b"{}")
        assert plain.status_code == 415, "what a page elsewhere could send without being asked"


def test_an_event_takes_so_many_files_and_so_many_words(door: TestClient) -> None:
    many = [("files", (f"{i}.json", b"{}")) for i in range(25)]
    few = {"asked": "{}"}
    assert door.post("/studio/series/add_files", data=few, files=many).status_code == 400
    long = {"asked": json.dumps({"name": "a" * 200_000})}
    answer = door.post("/studio/series/add_files", data=long, files=many[:1])
    assert answer.status_code in (400, 413), answer.text
    assert door.post("/studio/series/add_files", files=many[:1]).status_code == 422


EVENTS = ("/studio/photograph/sample", "/studio/series/run/make")
POSTS = ("/v1/edit", "/v1/swap", "/v1/sheet", "/studio/photograph/open", *EVENTS)
LOOKS = (
    "/", "/v1/methods", "/openapi.json", "/studio/key/result.png", "/healthz",
    "/studio/static/page.js",
)  # fmt: skip
FOREIGN: tuple[dict[str, str], ...] = (
    {"origin": "http://evil.example"},
    {"origin": "http://127.0.0.1:3000"},
    {"origin": "http://localhost:7860"},
    {"origin": "https://127.0.0.1:7860:1"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
)
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_pages_are_turned_away(door: TestClient, headers: dict[str, str]) -> None:
    for path in POSTS:
        answer = door.post(path, json={}, headers=headers)
        assert (answer.status_code, _code(answer)) == (403, "other_page"), path
        assert _cors(answer) == []
    for path in LOOKS:
        answer = door.get(path, headers=headers)
        assert (answer.status_code, _code(answer)) == (403, "other_page"), path
        assert _cors(answer) == []


def test_a_preflight_gets_no_leave(door: TestClient) -> None:
    asks = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    for path in POSTS:
        answer = door.options(path, headers=asks)
        assert (answer.status_code, _cors(answer)) == (403, []), path


def test_a_link_leads_here_but_posts_nothing(door: TestClient) -> None:
    assert door.get("/", headers=LINK).status_code == 200
    assert door.post("/v1/edit", json={}, headers=LINK).status_code == 403


def test_the_page_itself_and_programs_pass(studio: TestClient, anna: bytes) -> None:
    own = {"origin": HERE, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    for headers in (own, {}, {"sec-fetch-site": "none"}):
        answer = studio.post(
            "/v1/edit", files={"image": anna}, data={"to": "happy"}, headers=headers
        )
        assert answer.status_code == 200, answer.text
    assert _cors(studio.get("/", headers=own)) == []


def test_the_default_port_need_not_be_said(workshop: Workshop) -> None:
    client = TestClient(create(workshop, "a secret of some length"), base_url="https://a.example")
    right = {"authorization": "Bearer a secret of some length"}
    for origin in ("https://a.example", "https://a.example:443"):
        assert client.get("/v1/methods", headers=right | {"origin": origin}).status_code == 200
    other = client.get("/v1/methods", headers=right | {"origin": "https://b.example"})
    assert other.status_code == 403, "a token does not make another page welcome"


def test_answers_are_sealed(door: TestClient) -> None:
    for path in ("/", "/healthz", "/nothing"):
        headers = door.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.jpg", "a.jpg"),
        ("C:\\users\\me\\my face (1).jpg", "my face (1).jpg"),
        ("../../etc/passwd", "passwd"),
        ("a/..", "file"),
        ("", "file"),
        (".htaccess", "htaccess"),
        ("a\x00\n<b>.png", "a___b_.png"),
        ("é" * 300 + ".png", "é" * 56 + ".png"),
    ],
)
def test_names_of_uploads(name: str, kept: str) -> None:
    assert safe(name) == kept
    assert len(safe(name).encode()) <= 240


def _code(answer: Any) -> str:
    return str(json.loads(answer.text)["error"]["code"])


def _cors(answer: Any) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control")]

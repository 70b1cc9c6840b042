"""What strangers try through the browser or past it: files by their path, addresses to fetch,
Gradio's own routes, and other pages that drive the studio.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_events import opening_of
from PIL import Image
from starlette.routing import Mount
from starlette.testclient import TestClient

from mien.web.app import create
from mien.web.door import Door
from mien.web.events import Events
from mien.web.studio import Page
from mien.web.uploads import Uploads, safe
from mien.web.workshop import Workshop

HERE = "http://127.0.0.1:7860"
SECRET = "the words of a file that is nobody's business"
ADDRESSES = (
    "http://169.254.169.254/latest/meta-data", "https://example.org/a.png", "http://127.0.0.1:9/",
    "file:///etc/passwd", "//example.org/a.png", "ftp://example.org/a.png",
)  # fmt: skip
META = {"_type": "gradio.FileData"}


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Gradio keeps files."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def studio(workshop: Workshop, cached: Path) -> Iterator[TestClient]:
    app = create(workshop, studio=True)
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def door(
    shared_workshop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The studio for those who get no further than its door: one for all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
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


@pytest.fixture
def private(tmp_path: Path) -> list[str]:
    """Files of others: a text, a picture, and ways of naming them."""
    text, picture = tmp_path / "private.txt", tmp_path / "private.png"
    text.write_text(SECRET)
    Image.new("RGB", (30, 30)).save(picture)
    return [str(text), str(picture), f"{tmp_path}/cache/../private.txt", "/etc/passwd", "."]


def events(client: TestClient) -> list[dict[str, Any]]:
    """Every event of the page that Python hears of."""
    found = [d for d in client.get("/config").json()["dependencies"] if d["backend_fn"]]
    assert len(found) > 20
    return found


def join(client: TestClient, event: dict[str, Any], data: list[Any], **more: Any) -> Any:
    body = {"data": data, "fn_index": event["id"], "session_hash": "somebody"} | more
    return client.post("/gradio_api/run/predict", json=body)


def forms(place: str) -> list[Any]:
    """Ways to say that a file lies there."""
    named = {"path": place, "meta": META}
    return [named, named | {"url": place}, {"url": place, "meta": META}, [named]]


def test_every_event_with_a_forged_file(
    studio: TestClient, cached: Path, private: list[str], called: list[Any]
) -> None:
    """Each event with each place, and each place in each form with some event."""
    tried = set()
    for number, event in enumerate(events(studio)):
        for index, place in enumerate([*private, *ADDRESSES]):
            form = (number + index) % 4
            forged = forms(place)[form]
            answer = join(studio, event, [forged] * len(event["inputs"]), event_data=forged)
            assert answer.status_code == 403, (event["id"], forged, answer.text)
            assert place not in answer.text.split("/"), "a path is told"
            tried.add((event["id"], place, form))
    places = [*private, *ADDRESSES]
    assert len(tried) > 20 * len(places)
    assert {(place, form) for _, place, form in tried} == {(p, f) for p in places for f in range(4)}
    assert called == [], "an address is fetched"
    copies = [file for file in cached.rglob("*") if file.is_file()]
    assert copies == [], "a file of somebody else's is copied"


def test_every_event_past_the_door(
    workshop: Workshop, private: list[str], cached: Path, called: list[Any]
) -> None:
    """Gradio itself refuses a path too: two locks, and this is the second one."""
    from gradio.context import LocalContext
    from gradio.exceptions import InvalidPathError
    from gradio.routes import App

    app = create(workshop, studio=True)
    door = next(r.app for r in app.routes if isinstance(r, Mount))
    assert isinstance(door, Door)
    assert isinstance(door.app, App)
    blocks = door.app.get_blocks()
    LocalContext.blocks.set(blocks)
    tried = 0
    for function in blocks.fns.values():
        for block in function.inputs:
            if block.stateful:
                continue  # lies on this side
            tried += 1
            with pytest.raises(InvalidPathError):
                asyncio.run(_first(block, {"path": private[0], "meta": META}))
    assert tried > 20
    assert called == []
    assert [file for file in cached.rglob("*") if file.is_file()] == []


async def _first(block: Any, value: Any) -> None:
    """What Gradio does first with what an event has for one of its inputs."""
    from gradio.processing_utils import async_move_files_to_cache

    await async_move_files_to_cache(value, block, check_in_upload_folder=True)


def test_an_upload_is_a_key_and_works_once_known(studio: TestClient, anna: bytes) -> None:
    keys = studio.post("/gradio_api/upload", files={"files": ("../../a.jpg", anna)}).json()
    assert len(keys) == 1
    assert not {"/", "\\", "."} & set(keys[0]), "a path is told"
    sent = [e for e in events(studio) if e["targets"][0][1] == "upload"]
    opening = opening_of(sent)
    named = {"path": keys[0], "meta": META, "orig_name": "a.jpg", "size": 3, "mime_type": "x"}
    told: list[str] = []
    for url in (None, f"{HERE}/gradio_api/file={keys[0]}"):
        answer = join(studio, opening, [named | {"url": url}, None, None])
        assert answer.status_code == (200 if url is None else 500), "it is taken once"
        told.append(answer.text)
    elsewhere = join(studio, opening, [named | {"url": "http://example.org/"}, None, None])
    assert elsewhere.status_code == 403
    assert "1 face found" in told[0], "it was opened"
    assert "send it again" in told[1]
    assert "tmp" not in "".join(told).replace("tmpl", ""), "a path is told"


def test_what_is_no_picture_is_told_without_its_path(studio: TestClient, cached: Path) -> None:
    [key] = studio.post("/gradio_api/upload", files={"files": ("a.jpg", b"no picture")}).json()
    sent = [e for e in events(studio) if e["targets"][0][1] == "upload"]
    opening = opening_of(sent)
    told = join(studio, opening, [{"path": key, "meta": META}, None, None]).text
    assert "is not a picture" in told
    assert str(cached) not in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/gradio_api/file=http://example.org/"),
        ("GET", "/gradio_api/proxy=http://example.org/"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/deep_link?session_hash=somebody"),
        ("GET", "/gradio_api/vibe-code"),
        ("GET", "/gradio_api/stream/a/b/1/playlist.m3u8"),
        ("GET", "/gradio_api/custom_component/a/client/b/c"),
        ("GET", "/gradio_api/token"),
        ("GET", "/assets/../../../../etc/passwd"),
        ("GET", "/static/%2e%2e/%2e%2e/routes.py"),
        ("GET", "/monitoring/summary"),
        ("GET", "/manifest.json"),
        ("POST", "/login"),
        ("POST", "/gradio_api/run/open"),
        ("POST", "/gradio_api/api/open"),
        ("POST", "/gradio_api/call/open"),
        ("POST", "/gradio_api/call/v2/open"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/reset"),
        ("POST", "/gradio_api/cancel"),
        ("POST", "/gradio_api/stream/a"),
        ("POST", "/gradio_api/queue/join/"),
        ("POST", "/gradio_api/run/predict/"),
        ("PUT", "/gradio_api/upload"),
        ("OPTIONS", "/gradio_api/queue/join"),
    ],
)
def test_nothing_else_of_gradio_is_there(
    door: TestClient, called: list[Any], method: str, path: str
) -> None:
    body = {"data": [{"path": "/etc/passwd", "meta": META}], "session_hash": "a", "fn_index": 0}
    answer = door.request(method, path, json=body if method == "POST" else None)
    assert answer.status_code == 404, answer.text
    assert "root:" not in answer.text
    assert called == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[" * 20_000, 400), (b"[]", 422), (b'{"data": "%s"}' % (b"a" * 100_001), 413)],
)
def test_what_is_no_event(door: TestClient, body: bytes, status: int) -> None:
    kind = {"content-type": "application/json"}
    for path in EVENTS:
        assert door.post(path, content=body, headers=kind).status_code == status
        plain = door.post(path, content=b"{}")
        assert plain.status_code == 415, "what a page elsewhere could send without being asked"


EVENTS = ("/gradio_api/run/predict", "/gradio_api/queue/join")
POSTS = ("/v1/edit", "/v1/swap", "/v1/sheet", "/gradio_api/upload", *EVENTS)
LOOKS = ("/", "/v1/methods", "/config", "/openapi.json", "/studio/key/result.png", "/healthz")
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
    assert _cors(studio.get("/config", headers=own)) == []


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


def test_uploads_are_few_and_short_lived(tmp_path: Path) -> None:
    async def many() -> list[bool]:
        uploads = Uploads(tmp_path, 2)
        names = ("a.jpg", "../../etc/b.jpg", "c" * 300 + ".png")
        keys = []
        for name in names:
            source = tmp_path / "source"
            source.write_bytes(b"data")
            with source.open("rb") as file:
                keys.append(await uploads.keep(name, file))
        paths = [uploads.get(key) for key in keys]
        assert all(path is None or tmp_path in path.parents for path in paths)
        kept = [path is not None and path.read_bytes() == b"data" for path in paths]
        assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 3, "two and their source"
        return kept

    assert asyncio.run(many()) == [False, True, True]


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


def test_the_page_has_no_more_uploads_than_fields(workshop: Workshop) -> None:
    """A field sends one file, or several for a series, which `Door` takes at once."""
    drawn = Page(workshop, Events(workshop)).draw()
    fields = [block for block in drawn.blocks.values() if type(block).__name__ == "File"]
    several = [field.elem_id for field in fields if field.file_count != "single"]
    assert several == ["series-photos", "series-preset"]
    assert len(fields) > 6
    limits = workshop.limits
    assert limits.series_photos < limits.uploads, "what comes at once is there until it is taken"


def _code(answer: Any) -> str:
    return str(json.loads(answer.text)["error"]["code"])


def _cors(answer: Any) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control")]

"""A server around a method without weights, and pictures to send to it; the real command, and a
real Chromium that visits it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from mien.editor import Editor
from mien.methods.learnt import Learnt
from mien.zoo.samples import samples

pytest.importorskip("fastapi", reason="needs mien[web]")

from starlette.testclient import TestClient

from mien.server.app import create
from mien.server.limits import Limits
from mien.server.workshop import Workshop

LAST = "test_it_ends_and_leaves_nothing"
HERE = "http://127.0.0.1"
LIMITS = Limits(body=2_000_000, pixels=2_000_000, waiting=2, seconds=20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What ends the studio that all pages share comes last."""
    items.sort(key=lambda item: item.name == LAST)


def opened(method: Learnt) -> Workshop:
    return Workshop(lambda _: Editor(method, "0" * 64), limits=LIMITS)


@pytest.fixture
def workshop(wide_mouth: Learnt) -> Workshop:
    return opened(wide_mouth)


@pytest.fixture(scope="module")
def shared_workshop(wide_mouth: Learnt) -> Workshop:
    """For tests that leave nothing in it: to draw the studio's page takes half a second."""
    return opened(wide_mouth)


@pytest.fixture
def client(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(create(workshop), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def anna() -> bytes:
    return samples()["anna"].read_bytes()


@pytest.fixture(scope="session")
def ben() -> bytes:
    return samples()["ben"].read_bytes()


@pytest.fixture(scope="session")
def couple(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna, and to her right a smaller Cora, in one photograph of 1100 x 600 px."""
    page = Image.new("RGB", (1100, 600), (200, 200, 200))
    page.paste(Image.open(samples()["anna"]), (0, 0))
    page.paste(Image.open(samples()["cora"]).resize((480, 480)), (610, 120))
    path = tmp_path_factory.mktemp("pictures") / "couple.png"
    page.save(path)
    return path


def film_of(path: Path, frames: int, who: str = "anna", every: int = 1) -> Path:
    """A film of a sample face that sways, a picture every `every` 25ths of a second."""
    av = pytest.importorskip("av", reason="needs mien[video]")
    face = Image.open(samples()[who]).resize((240, 240))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        stream.codec_context.options = {"preset": "ultrafast"}
        for index in range(frames):
            page = Image.new("RGB", (320, 240), (196, 200, 200))
            page.paste(face, (40 + round(8 * np.sin(index / 5)), 0))
            frame = av.VideoFrame.from_image(page)
            frame.pts, frame.time_base = index * every, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("films")
    return lambda name, frames, **settings: film_of(folder / f"{name}.mp4", frames, **settings)


CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
PATIENCE = int(os.environ.get("MIEN_PATIENCE", "120000"))  # ms: the machine may be busy
SHOTS = os.environ.get("MIEN_SHOTS")
"""A folder for screenshots, for people to look at."""
IN_FIREFOX = os.environ.get("MIEN_BROWSER") == "firefox"
"""Whether Debian's Firefox visits in Chromium's place: `.ci/firefox`."""
UNASKED = dict.fromkeys(("color_scheme", "reduced_motion", "forced_colors", "contrast"), "null")
"""What Firefox has no command for."""

WATCH = """
import os, socket
def connect(self, address, _connect=socket.socket.connect):
    if not (isinstance(address, (str, bytes)) or address[0] in ("127.0.0.1", "::1", "localhost")):
        open(os.environ["WATCHED"], "a").write(f"{address}\\n")
    return _connect(self, address)
socket.socket.connect = connect
"""


class Server:
    """`mien studio`, its address, where it may write, and the log of calls to other machines."""

    def __init__(self, folder: Path) -> None:
        self.temporary, self.calls = folder / "tmp", folder / "calls.txt"
        self.temporary.mkdir()
        (folder / "sitecustomize.py").write_text(WATCH)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        path = os.pathsep.join([str(folder), *filter(None, sys.path)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mien.cli.main", "studio", "--port", str(self.port)],
            env=os.environ
            | {"TMPDIR": str(self.temporary), "PYTHONPATH": path, "WATCHED": str(self.calls)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> None:
        for _ in range(1500):  # two cores may be busy
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5)
                return
            except OSError:
                assert self.process.poll() is None, self.process.communicate()
                time.sleep(0.2)
        raise AssertionError("the studio does not start")

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=30)[0]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One studio for all pages, which the test `LAST` ends."""
    server = Server(tmp_path_factory.mktemp("studio"))
    try:
        server.wait()
        yield server
    finally:
        server.process.kill()


def _as_long_as_it_may(fixture_name: str, config: pytest.Config) -> Literal["session", "module"]:
    """Playwright's loop runs until it ends, no `asyncio.run` meanwhile: one browser for all tests
    where each of them has it."""
    return "session" if config.getoption("--in-browser") == "only" else "module"


@pytest.fixture(scope=_as_long_as_it_may)
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs mien[test]")
    if IN_FIREFOX:
        with playwright.sync_playwright() as play:
            path = shutil.which("firefox-esr")
            browser = play.firefox.launch(executable_path=path, channel="moz-firefox")
            yield browser
            browser.close()
        return
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One page, and what it asked of whom."""

    def __init__(self, browser: Any, url: str, script: str = "", **settings: Any) -> None:
        unasked = UNASKED if IN_FIREFOX else {}
        self.context = browser.new_context(accept_downloads=True, **unasked, **settings)
        self.context.add_init_script(script)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)
        self.page.get_by_role("button", name="Sample anna").wait_for()
        self.local = (url, url.replace("http", "ws", 1), "data:", "blob:")

    def shows(self, words: str) -> None:
        """Wait for a look, which a screen reader is told too. `(N)` is any number: the server
        counts references, of all pages.
        """
        said = re.escape(f"After: {words}").replace(r"\(N\)", r"\(\d+\)")
        look = self.page.get_by_alt_text(re.compile(f"^{said}$"))
        mistake = self.page.locator(".mien-mistake")
        mistake = mistake.nth(mistake.count())  # one more than a test may have provoked before
        try:
            look.or_(mistake).first.wait_for()
        except Exception as error:  # Playwright's, which may be missing
            alts = self.page.get_by_alt_text(re.compile("^After: "))
            shown = alts.evaluate_all("pictures => pictures.map((picture) => picture.alt)")
            raise AssertionError(f"no {words!r} but {shown}") from error
        assert look.is_visible(), f"no {words!r} but a mistake: {mistake.inner_text()}"

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def sample(self, name: str) -> None:
        self.press(f"Sample {name}")
        self.shows("as it was")

    def upload(self, path: Path, field: str = "open") -> None:
        self.page.set_input_files(f"#{field} input[type=file]", path)

    def download(self, kind: str) -> Image.Image:
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=kind).click()
        image = Image.open(io.BytesIO(Path(coming.value.path()).read_bytes()))
        image.load()
        return image

    def shot(self, name: str, *, full: bool = False) -> None:
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=full)

    def leave(self) -> None:
        assert self.errors == []
        strange = [url for url in self.asked if not url.startswith(self.local)]
        assert strange == [], "the page asks somebody else"
        self.context.close()


@pytest.fixture
def visits(browser: Any, server: Server) -> Callable[..., Visit]:
    """Open the page, with a script that runs before its own, and settings of the browser's such as
    `viewport`.
    """
    return lambda **settings: Visit(browser, server.url, **settings)


@pytest.fixture
def visit(visits: Callable[..., Visit]) -> Iterator[Visit]:
    """The page on a desk."""
    visit = visits(viewport={"width": 1280, "height": 900})
    yield visit
    visit.leave()


@pytest.fixture
def phone(visits: Callable[..., Visit]) -> Iterator[Visit]:
    """The page on a phone, in the dark."""
    visit = visits(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        color_scheme="dark",
        is_mobile=True,
        has_touch=True,
    )
    yield visit
    visit.leave()

"""A page that somebody else serves on another port of this machine, in a real Chromium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

TRIES = """
async (studio) => {
  const said = [];
  const form = new FormData();
  form.append("files", new Blob(["secret"]), "a.jpg");
  form.append("image", new Blob(["secret"]), "a.jpg");
  form.append("to", "happy");
  for (const mode of ["cors", "no-cors"]) {
    for (const [path, body] of [
      ["/v1/methods"], ["/"], ["/healthz"], ["/studio/photograph/open", form], ["/v1/edit", form],
      ["/studio/photograph/sample", "{}"], ["/studio/series/run/make", "{}"],
    ]) {
      try {
        const answer = await fetch(studio + path, body ? {method: "POST", mode, body} : {mode});
        said.push(`${mode} ${path}: ${answer.type} ${answer.status}`);
      } catch { /* the browser keeps it from the page */ }
    }
  }
  const image = new Image();
  const frame = document.createElement("iframe");
  const over = [image, frame].map((e) => new Promise((done) => (e.onload = e.onerror = done)));
  image.src = studio + "/studio/static/icon.svg";
  frame.src = studio + "/";
  document.body.append(image, frame);
  await Promise.all(over);
  if (image.naturalWidth) said.push("a picture is shown");
  try { if (frame.contentDocument?.body.innerText) said.push("a frame is read"); } catch {}
  return said;
}
"""


class Other(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>other</title><body>other</body>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_on_another_port(browser: Any, server: Any, elsewhere: str, name: str) -> None:
    """`127.0.0.1` is of the same site as the studio, `localhost` of another."""
    page = browser.new_page()
    frames: list[int] = []
    page.on("response", lambda r: frames.append(r.status) if r.url == f"{server.url}/" else None)
    page.goto(elsewhere.replace("127.0.0.1", name))
    assert page.evaluate(TRIES, server.url) == []
    assert frames == [403]
    assert list(server.temporary.rglob("a.jpg")) == [], "a page elsewhere has sent a file"
    page.close()


def test_a_link_on_another_page_leads_here(browser: Any, server: Any, elsewhere: str) -> None:
    page = browser.new_page()
    page.goto(elsewhere)
    page.evaluate("(to) => { location.href = to; }", server.url)
    page.get_by_role("button", name="Sample anna").wait_for()
    page.close()

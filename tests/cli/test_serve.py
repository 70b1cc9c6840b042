"""`mien serve` and `mien studio`: what they refuse before anything is loaded."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from mien.cli import main

pytest.importorskip("fastapi", reason="needs mien[web]")
SECRET = "a secret of some length"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_TOKEN", raising=False)


def refused(*words: str) -> str:
    result = CliRunner().invoke(main.app, list(words), prog_name="mien")
    assert result.exit_code == 2, result.output
    assert result.output.count("\n") == 1, "one line"
    return result.output


@pytest.mark.parametrize("command", ["serve", "studio"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "photos.example"])
def test_beyond_this_machine_needs_a_token(command: str, host: str) -> None:
    assert "MIEN_TOKEN" in refused(command, "--host", host)


def test_a_token_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "16 characters" in refused("serve", "--host", "0.0.0.0", "--token", "short")
    monkeypatch.setenv("MIEN_TOKEN", "")
    assert "set MIEN_TOKEN" in refused("serve", "--host", "0.0.0.0")


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"cannot listen on 127.0.0.1:{port}" in refused("serve", "--port", port)


def test_other_mistakes() -> None:
    assert "cannot listen on 192.0.2.7" in refused(
        "serve", "--host", "192.0.2.7", "--token", SECRET
    )
    assert "unknown method 'paint'" in refused("serve", "--method", "paint", "--port", "17861")

"""Listening: on this machine unless it is said otherwise, and then only with a token."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from mien.errors import ConfigError
from mien.server.connections import Connection, bounded
from mien.server.gate import is_loopback
from mien.server.workshop import Workshop

SHORTEST_TOKEN = 16


def check(host: str, port: int, token: str | None) -> None:
    """ConfigError unless it is safe and possible to listen there; called before weights load."""
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ConfigError(f"the token is too short: give {SHORTEST_TOKEN} characters or more")
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"{host} can be reached from other machines: set MIEN_TOKEN to a secret that they must "
            "send, or listen on 127.0.0.1"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            why = error.strerror or str(error)
            raise ConfigError(f"cannot listen on {host}:{port} ({why}): try --port") from None


class Server(uvicorn.Server):
    """uvicorn's server, which when it has to end answers everybody who waits, within seconds."""

    def __init__(self, app: FastAPI, workshop: Workshop, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=bounded(workshop.limits),
            ws="none",
            log_level="error",  # what strangers send is no news
            access_log=False,
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self.workshop, self.visitors = workshop, app.state.visitors

    @property
    def _busy(self) -> bool:
        """Whether a request is still to be answered; streams do not count, tasks at the desk do."""
        return self.visitors.waiting > 0 or self.workshop.desk.working

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What waits is answered 503 at once, what is worked on when its time is over."""
        self.visitors.ending = True
        self.workshop.desk.close()
        deadline = time.monotonic() + self.workshop.limits.ending
        while self._busy and time.monotonic() < deadline and not self.force_exit:
            await asyncio.sleep(0.05)
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.give_up()
        self.visitors.dismiss()
        await super().shutdown(sockets)


def run(
    workshop: Workshop,
    host: str,
    port: int,
    token: str | None,
    *,
    studio: bool,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until Ctrl-C or SIGTERM. `ready` is called once the default method is warm."""
    # uvicorn ends in good order, then lets the signal end the process: this way it cleans up first
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with _offline():
            from mien.server.app import create

            app = create(workshop, token, studio=studio)
            workshop.warm()
            ready()
            Server(app, workshop, host, port).run()
    except KeyboardInterrupt:
        pass  # the way to end it
    except SystemExit as ended:
        if ended.code:
            raise
    if workshop.desk.working:
        # nobody waits for it, and all that it could write to is gone: nothing is cut off
        sys.stdout.flush()
        os._exit(0)


@contextmanager
def _offline() -> Iterator[None]:
    """Nothing is sent anywhere, and every temporary file goes when the server does.

    The hub's client reads these when it is imported.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    # what is being worked on may still write
    home = tempfile.TemporaryDirectory(prefix="mien-studio-", ignore_cleanup_errors=True)
    with home as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = None
    shutil.rmtree(folder, ignore_errors=True)  # what was written in the meantime

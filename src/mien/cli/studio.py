"""`mien studio`: the app in the browser, and the HTTP API beside it."""

from __future__ import annotations

import typer

from mien.cli.session import Device, Host, Method, Port, Token, Weights, open_workshop
from mien.methods.registry import DEFAULT


def command(
    host: Host = "127.0.0.1",
    port: Port = 7860,
    token: Token = None,
    method: Method = DEFAULT,
    weights: Weights = None,
    device: Device = "auto",
) -> None:
    """Open the studio: drop a photograph into the browser, and click on an expression.

    It works offline and listens on this machine only. The HTTP API of `mien serve` is there too.
    """
    from mien.server import serve

    serve.check(host, port, token)
    workshop = open_workshop(method, weights, device)
    at = f"http://{host}:{port}/" + ("?token=YOUR-TOKEN" if token else "")
    ready = f"mien studio is at {at} ; Ctrl-C ends it"
    serve.run(workshop, host, port, token, studio=True, ready=lambda: typer.echo(ready))

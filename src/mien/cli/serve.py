"""`mien serve`: the HTTP API alone."""

from __future__ import annotations

import typer

from mien.cli.session import Device, Host, Method, Port, Token, Weights, open_workshop
from mien.methods.registry import DEFAULT


def command(
    host: Host = "127.0.0.1",
    port: Port = 7861,
    token: Token = None,
    method: Method = DEFAULT,
    weights: Weights = None,
    device: Device = "auto",
) -> None:
    """Answer the HTTP API, without the studio: `/v1/edit`, `/v1/swap`, `/v1/sheet`, `/v1/methods`.

    It listens on this machine only. Beyond, set MIEN_TOKEN, and send it as a bearer token.
    """
    from mien.server import serve

    serve.check(host, port, token)
    workshop = open_workshop(method, weights, device)
    at = f"http://{host}:{port}"
    ready = f"mien serves the API at {at}/v1, described at {at}/openapi.json; Ctrl-C ends it"
    serve.run(workshop, host, port, token, studio=False, ready=lambda: typer.echo(ready))

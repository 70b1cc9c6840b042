"""The gate before everything: who may ask, by which name, how much, and how slowly."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.web.answers import Refused
from mien.web.limits import Limits

COOKIE = "mien_key"
OPEN_PATHS = ("/healthz",)
"""What needs no token."""


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Gate:
    """Refuses what must not come in, before any of it is read.

    With a token every request carries it (`Authorization: Bearer`, or for a browser once
    `?token=`, from then on a cookie). Without one the server listens on this machine only, and then
    the Host header must be this machine's: a page elsewhere whose name was made to point here (DNS
    rebinding) is turned away.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None = None) -> None:
        self.app, self.limits, self.token = app, limits, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        try:
            answer = self._look(scope)
        except Refused as refused:
            answer = refused.answer()
        if answer is not None:
            await answer(scope, receive, send)
            return
        await self.app(scope, self._counted(receive), _sealed(send))

    def _look(self, scope: Scope) -> Response | None:
        """An answer in the app's place, or None: the request may pass; Refused when it may not."""
        headers = Headers(scope=scope)
        self._check_size(headers)
        if scope["path"] in OPEN_PATHS:
            return None
        if self.token is None:
            if not is_loopback(_hostname(headers.get("host", ""))):
                raise Refused(403, "wrong_host", "this server answers to 127.0.0.1 and localhost")
            return None
        return self._check_token(scope, headers, self.token)

    def _check_size(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limits.body:
            raise self._too_large()

    def _too_large(self) -> Refused:
        most = f"{self.limits.body / 1e6:g} MB"
        return Refused(413, "request_too_large", f"a request may have {most}: shrink the picture")

    def _check_token(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _same(given.strip(), token):
            return None
        key = hashlib.sha256(f"mien studio {token}".encode()).hexdigest()
        if _same(_cookie(headers), key):
            return None
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        if scope.get("method") == "GET" and _same(query.pop("token", ""), token):
            # the token leaves the address bar, and with it the history and the referrer
            place = scope["path"] + (f"?{urlencode(query)}" if query else "")
            answer = RedirectResponse("/" + place.lstrip("/"), 303)
            answer.set_cookie(COOKIE, key, httponly=True, samesite="strict")
            return answer
        raise Refused(
            401,
            "unauthorized",
            "send the server's token: Authorization: Bearer TOKEN, or ?token=TOKEN in a browser",
            {"WWW-Authenticate": "Bearer"},
        )

    def _counted(self, receive: Receive) -> Receive:
        """`receive`, until the request is in whole: no more bytes and no more time than allowed."""
        deadline = asyncio.get_running_loop().time() + self.limits.arrival
        size, complete = 0, False

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise Refused(408, "too_slow", "the request did not come in in time") from None
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > self.limits.body:
                raise self._too_large()
            return message

        return bounded


def _sealed(send: Send) -> Send:
    """`send`, with headers that keep an answer from being taken for what it is not."""

    async def sealed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sealed


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())

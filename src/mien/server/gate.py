"""The gate before everything: who may ask, by which name, from which page, and how much."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mien.server.answers import Refused
from mien.server.arrivals import Arrivals, too_large
from mien.server.limits import Limits
from mien.server.visitors import Answer, Visitors, ending

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
    rebinding) is turned away. With or without, a browser asks only from the studio's own page,
    whatever other page on whatever port of this machine would have it ask.
    """

    def __init__(
        self, app: ASGIApp, limits: Limits, visitors: Visitors, token: str | None = None
    ) -> None:
        self.app, self.limits, self.visitors, self.token = app, limits, visitors, token
        self.arrivals = Arrivals(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})  # nothing here speaks it
            return
        answer = Answer(send)
        try:
            early = self._look(scope)
        except Refused as refused:
            early = refused.answer()
        if early is not None:
            await early(scope, receive, answer.send)
            return
        await self._inside(scope, receive, answer)

    async def _inside(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        """The app's answer, until the server ends."""
        patience, bodied = asyncio.timeout(None), _has_body(Headers(scope=scope))
        try:
            async with patience:
                come = self.arrivals.one(receive, lambda: answer.started or not bodied)
                with self.visitors.one(patience, answer), come as arrival:
                    await self.app(scope, arrival.receive, answer.send)
        except TimeoutError:
            if not patience.expired():
                raise
        if patience.expired():
            if not answer.started:
                await ending().answer()(scope, receive, answer.send)
            await answer.finish()

    def _look(self, scope: Scope) -> Response | None:
        """An answer in the app's place, or None: the request may pass; Refused when it may not."""
        headers = Headers(scope=scope)
        if self.visitors.ending:
            raise ending()
        self._check_size(headers)
        _check_page(scope["method"], headers)
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
            raise too_large(self.limits.body)

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


def _check_page(method: str, headers: Headers) -> None:
    """Refused (403) when a browser asks for another page than the studio's own. Of what pages can
    make a browser do, only a person's way here by a link passes.

    A page can neither set nor leave out these headers; programs that are no browser send none.
    """
    site = headers.get("sec-fetch-site", "none")
    link = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == (
        "navigate",
        "document",
    )
    if site not in ("none", "same-origin") and not (link and method in ("GET", "HEAD")):
        raise _other_page()
    origin = headers.get("origin")
    if origin is not None and not _same_place(origin, headers.get("host", "")):
        raise _other_page()


def _other_page() -> Refused:
    return Refused(403, "other_page", "only the studio's own page may ask this from a browser")


def _same_place(origin: str, host: str) -> bool:
    """Whether a page of this origin came from this host and port."""
    try:
        page = urlsplit(origin)
        asked = urlsplit(f"//{host}")
        usual = {"http": 80, "https": 443}[page.scheme]
        return (page.hostname, page.port or usual) == (asked.hostname, asked.port or usual)
    except (KeyError, ValueError):
        return False


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


def _has_body(headers: Headers) -> bool:
    """Whether something comes after the head, which who leaves would cut short."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

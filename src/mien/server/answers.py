"""How the server says no: every error is `{"error": {"code", "message"}}`, a code for programs and
one line for people.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from mien.errors import (
    AssetMissing,
    ConfigError,
    FaceNotFound,
    GuideError,
    ImageError,
    MienError,
    PictureTooLarge,
)

CODES: dict[type[MienError], tuple[int, str]] = {
    PictureTooLarge: (413, "picture_too_large"),
    ImageError: (422, "bad_picture"),
    FaceNotFound: (422, "no_such_face"),
    GuideError: (422, "bad_guide"),
    AssetMissing: (422, "no_weights"),
    ConfigError: (422, "bad_option"),
}
"""A user's mistake -> status and code: the first row that fits."""

_PLAIN = {404: "not_found", 405: "method_not_allowed"}


class Fault(BaseModel):
    """What went wrong."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The body of every answer that is not a success."""

    error: Fault


class Refused(Exception):
    """A request that is turned away, with the answer it gets."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})

    def answer(self) -> JSONResponse:
        message = self.message.encode(errors="replace").decode()  # a lone surrogate is no text
        body = {"error": {"code": self.code, "message": message}}
        # what is left of a refused upload is not read: the connection cannot be used again
        closing = {"connection": "close"} if self.status in (408, 413, 503) else {}
        return JSONResponse(body, self.status, headers=self.headers | closing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer()(scope, receive, send)


def refusal(error: MienError) -> Refused:
    """The answer to a user's mistake."""
    status, code = next((row for kind, row in CODES.items() if isinstance(error, kind)), (422, ""))
    return Refused(status, code or "bad_request", " ".join(str(error).split()))


def invalid(errors: ValidationError | RequestValidationError) -> Refused:
    """The answer to a request whose fields are not what the API documents: the first mistake."""
    first = errors.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return Refused(422, "bad_request", f"{field}: {reason}" if field else reason)


def install(app: FastAPI) -> None:
    """Make `app` answer every failure in the one shape."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        return error.answer()

    async def mistake(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, MienError)
        return refusal(error).answer()

    async def malformed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError | ValidationError)
        return invalid(error).answer()

    async def plain(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _PLAIN.get(error.status_code, "bad_request")
        return Refused(error.status_code, code, str(error.detail), error.headers).answer()

    async def bug(_: Request, __: Exception) -> JSONResponse:
        return Refused(500, "internal", "the server failed: its log says why").answer()

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(MienError, mistake)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(ValidationError, malformed)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, bug)

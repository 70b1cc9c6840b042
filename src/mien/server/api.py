"""The HTTP API, version 1: each call is read, checked, done at the desk, and answered."""

from __future__ import annotations

import base64
from importlib import metadata
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from mien import facs, images
from mien.editor import Editor, Result
from mien.errors import FaceNotFound
from mien.guides import Reference
from mien.guides.blendshapes import NAMES as BLENDSHAPES
from mien.images import Photo
from mien.methods.registry import METHODS, resolve
from mien.server import intake
from mien.server.answers import ErrorAnswer
from mien.server.jobs_api import FilmRequest, Jobs, SeriesRequest
from mien.server.requests import Asked, EditRequest, SheetRequest, SwapRequest, body, parse
from mien.server.workshop import Workshop

REQUESTS = (EditRequest, SheetRequest, SwapRequest, SeriesRequest, FilmRequest)
"""What is read from a request's body."""
_WHY = {
    400: "The body cannot be read",
    401: "No token, or a wrong one",
    403: "Asked for by another machine's name, or by another page",
    408: "The request came in too slowly",
    413: "Too many bytes or pixels",
    415: "Neither JSON nor a form, or not a picture",
    422: "A field, a picture or a face is not as it must be",
    429: "Too many requests at once: try again after `Retry-After` seconds",
    503: "Not done within the time limit, too many connections, or the server is ending",
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": why} for status, why in _WHY.items()
}
for _status in (429, 503):
    _ERRORS[_status]["headers"] = {
        "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}
    }
_PICTURE: dict[int | str, dict[str, Any]] = _ERRORS | {
    200: {
        "description": "The picture, marked as altered by AI",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg")
        },
    }
}


class SwapAnswer(BaseModel):
    """Both photographs, each with the other's expression: files in base64."""

    a: str
    b: str
    media_type: str


class MethodAnswer(BaseModel):
    """A method that can edit here."""

    name: str
    summary: str
    paper: str
    native: list[str]
    """Guides that it takes without a learnt map."""
    weights: str | None
    """SHA-256."""
    licence: str | None


class UnitAnswer(BaseModel):
    """An action unit; with `sided`, AU12L and AU12R are its halves."""

    name: str
    what: str
    sided: bool


class MethodsAnswer(BaseModel):
    """What can be asked for."""

    methods: list[MethodAnswer]
    expressions: list[str]
    labels: list[str]
    """Expressions and their variants: all that `to` takes."""
    blendshapes: list[str]
    units: list[UnitAnswer]


class Health(BaseModel):
    """The server answers, and how much waits."""

    status: str
    version: str
    queue: int


def router(workshop: Workshop) -> APIRouter:
    """The routes of the API on one workshop."""
    routes = APIRouter()
    add = routes.add_api_route
    calls = _Calls(workshop)
    picture: dict[str, Any] = {"methods": ["POST"], "responses": _PICTURE, "tags": ["pictures"]}
    add(
        "/v1/edit",
        calls.edit,
        operation_id="edit",
        response_class=Response,
        openapi_extra=body(EditRequest),
        **picture,
    )
    add(
        "/v1/sheet",
        calls.sheet,
        operation_id="sheet",
        response_class=Response,
        openapi_extra=body(SheetRequest),
        **picture,
    )
    add(
        "/v1/swap",
        calls.swap,
        operation_id="swap",
        methods=["POST"],
        responses=_ERRORS,
        tags=["pictures"],
        response_model=SwapAnswer,
        openapi_extra=body(SwapRequest),
    )
    refused = {
        status: answer for status, answer in _ERRORS.items() if status in (401, 403, 413, 503)
    }
    about: dict[str, Any] = {"methods": ["GET"], "responses": refused, "tags": ["about"]}
    add("/v1/methods", calls.methods, operation_id="methods", **about)
    add("/healthz", calls.health, operation_id="health", **about)
    routes.include_router(Jobs(workshop).routes(_ERRORS))
    return routes


class _Calls:
    """One function for each route."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop

    async def edit(self, request: Request) -> Response:
        """The photograph with another expression on one face, or on all.

        Say which by `to` (a label), `like` (another photograph) or `blendshapes`, and on top of it
        by `au` (action units), `gaze`, `turn` and `light`; or by `expression`, all of it as in a
        file.
        """
        asked = await self._read(request, EditRequest)
        with self.workshop.desk.place():
            spec, method = asked.spec(), self.workshop.check(asked.method)

            def work() -> tuple[bytes, Result]:
                source = self._photo(asked.image, "image")
                photo = None if asked.like is None else self._photo(asked.like, "like")
                editor = self.workshop.editor(method)
                reference = None if photo is None else _reference_in(editor, photo)
                intensity = spec.intensity * asked.intensity
                result = editor.edit(source, spec.guide(reference), intensity, asked.face)
                return result.encode(asked.suffix), result

            data, result = await self.workshop.desk.work(work)
        headers = {
            "Mien-Faces": f"{len(result.faces)}/{result.found}",
            "Server-Timing": ", ".join(f"{k};dur={v * 1e3:.0f}" for k, v in result.seconds.items()),
        }
        return Response(data, media_type=asked.media_type, headers=headers)

    async def sheet(self, request: Request) -> Response:
        """A grid: a row for each photograph, and a column for each expression."""
        asked = await self._read(request, SheetRequest)
        with self.workshop.desk.place():
            method = self.workshop.check(asked.method)

            def work() -> bytes:
                photos = [self._photo(d, f"image {i}") for i, d in enumerate(asked.image)]
                editor = self.workshop.editor(method)
                page = editor.sheet(
                    photos, asked.expressions, asked.intensity, asked.size, asked.face
                )
                metadata = editor.metadata(
                    ",".join(asked.expressions), f"{asked.intensity:g}", len(photos)
                )
                return images.encode(page, asked.suffix, metadata=metadata)

            data = await self.workshop.desk.work(work)
        return Response(data, media_type=asked.media_type)

    async def swap(self, request: Request) -> SwapAnswer:
        """Two photographs, each with the other's expression."""
        asked = await self._read(request, SwapRequest)
        with self.workshop.desk.place():
            method = self.workshop.check(asked.method)

            def work() -> list[str]:
                a, b = self._photo(asked.a, "a"), self._photo(asked.b, "b")
                editor: Editor = self.workshop.editor(method)
                both = editor.swap(a, b, asked.face)
                return [base64.b64encode(r.encode(asked.suffix)).decode() for r in both]

            a, b = await self.workshop.desk.work(work)
        return SwapAnswer(a=a, b=b, media_type=asked.media_type)

    async def methods(self) -> MethodsAnswer:
        """The methods that can edit here, and the words for expressions."""
        known = self.workshop.records()
        return MethodsAnswer(
            methods=[
                MethodAnswer(
                    name=name,
                    summary=METHODS[name].summary,
                    paper=METHODS[name].paper,
                    native=[guide.__name__ for guide in resolve(METHODS[name].method).native],
                    weights=known[name].sha256 if name in known else None,
                    licence=known[name].licence if name in known else None,
                )
                for name in self.workshop.methods
            ],
            expressions=list(facs.EMOTIONS),
            labels=list(facs.LABELS),
            blendshapes=list(BLENDSHAPES),
            units=[
                UnitAnswer(name=f"AU{number}", what=what, sided=number in facs.SIDED)
                for number, what in facs.NAMES.items()
            ],
        )

    async def health(self) -> Health:
        """Whether the server answers, and how many requests are at its desk."""
        return Health(status="ok", version=metadata.version("mien"), queue=self.workshop.desk.queue)

    async def _read(self, request: Request, model: type[Asked]) -> Asked:
        """What is asked, before a place is taken: whoever sends slowly keeps nobody waiting."""
        self.workshop.desk.check()  # nothing is read of what will be refused
        return await parse(request, model)

    def _photo(self, data: bytes, name: str) -> Photo:
        return intake.photo(data, self.workshop.limits, name)


def _reference_in(editor: Editor, photo: Photo) -> Reference:
    try:
        return editor.reference(photo)
    except FaceNotFound as error:
        raise FaceNotFound(f"like: {error}") from None

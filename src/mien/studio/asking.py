"""What the studio's page asks: one model for each panel, read from JSON, or from a form that has it
as `asked` beside files.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from mien.guides import ExpressionSpec
from mien.server.answers import Refused
from mien.server.intake import safe
from mien.server.requests import Emotion
from mien.server.wish import MOST

_LARGEST = 100_000  # bytes: where sliders stand, and keys
_FORM, _JSON = "multipart/form-data", "application/json"

Key: TypeAlias = Annotated[str, Field(max_length=60)]
Name: TypeAlias = Annotated[str, Field(max_length=200)]
Strength: TypeAlias = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Asked(BaseModel):
    """What every event says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session: Key = ""
    """Of the page, which is another one each time it is loaded."""
    photograph: Key = ""
    """The photograph that is open."""
    film: Key = ""
    series: Key = ""
    spec: dict[str, Any] = {}
    """The film's expression, as in a file."""
    what: Name = ""
    """What was clicked on: the kind of it."""
    name: Name = ""
    """And which; or which slider was moved."""
    value: Any = None
    """Where a field stands now."""
    method: Annotated[str | None, Field(max_length=60)] = None
    intensity: Strength = 1.0


class PhotographAsked(Asked):
    """Of the photograph's panel."""

    face: Annotated[str | None, Field(max_length=60)] = None
    """Which face is edited, as the page calls it."""
    share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0


class FilmAsked(Asked):
    """Of the film's."""

    by: str = ""
    speech: bool = True
    face: Literal["largest", "all"] = "largest"
    moment: Seconds = 0.0
    start: Seconds = 0.0
    end: Seconds = 1e6
    at: Seconds = 0.0
    """Where the line of the intensity was clicked on or dragged to, s."""
    before: Seconds | None = None
    """The point that was dragged."""

    @property
    def expression(self) -> ExpressionSpec:
        """GuideError for one that is none."""
        return ExpressionSpec.of(self.spec)


class SeriesAsked(Asked):
    """Of the series'."""

    labels: Annotated[list[Emotion], Field(max_length=100)] = []
    intensities: Annotated[list[Strength], Field(max_length=20)] = []
    size: int = 512
    oval: bool = False
    equal: bool = False


@dataclass(frozen=True)
class Upload:
    """A file that came with an event; it is on the disk when it is large, and goes with the
    event."""

    name: str
    """What it is called where it comes from, made safe."""
    file: UploadFile

    @property
    def stem(self) -> str:
        """Its name without the suffix, not too long."""
        return Path(self.name).stem[:40] or "photo"

    def read(self) -> bytes:
        """All of it."""
        self.file.file.seek(0)
        return self.file.file.read()

    def moved(self) -> Path:
        """A file of its own, for whoever takes it to move or remove."""
        handle, name = tempfile.mkstemp(prefix="mien-upload-")
        try:
            with os.fdopen(handle, "wb") as target:
                self.file.file.seek(0)
                shutil.copyfileobj(self.file.file, target)
        except BaseException:  # a full disk, or the request's time is over
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)


A = TypeVar("A", bound=Asked)
E = TypeVar("E", bound=Callable[..., Any])


def event(call: E) -> E:
    """Mark a method of a panel as an event that the page may ask for by its name."""
    call.__dict__["event"] = True
    return call


def events(panel: object) -> dict[str, Any]:
    """The events of a panel, by name."""
    marked = [name for name, call in vars(type(panel)).items() if getattr(call, "event", False)]
    return {name: getattr(panel, name) for name in marked}


@asynccontextmanager
async def read(
    request: Request, model: type[A], most: int
) -> AsyncIterator[tuple[A, list[Upload]]]:
    """An event, and up to `most` files; they go when it is answered. Refused (415) for another
    content type, (413) for more than an event says, (400) for what cannot be read, (422) for other
    files; pydantic's error for fields that do not fit."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _JSON:
        yield _model(await _short(request), model), []
    elif kind == _FORM:
        async with request.form(max_files=most, max_fields=1, max_part_size=_LARGEST) as form:
            text = form.get("asked")
            if not isinstance(text, str):
                raise Refused(422, "bad_request", "asked: say what, beside the files")
            files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
            yield _model(text, model), [Upload(safe(f.filename or ""), f) for f in files]
    else:
        raise Refused(415, "unsupported_type", f"send {_JSON} or {_FORM}")


def _model(text: str | bytes, model: type[A]) -> A:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(400, "bad_json", "the body is not JSON") from None
    if not isinstance(fields, dict):
        raise Refused(422, "bad_request", "the body is no JSON object")
    return model.model_validate(fields)


async def _short(request: Request) -> bytes:
    """The body, if it is as short as an event is."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            most = f"{_LARGEST / 1e3:g} kB"
            raise Refused(413, "request_too_large", f"an event may have {most}")
    return bytes(body)


def one(files: list[Upload]) -> Upload:
    """The file of an event that takes one; Refused when there is none."""
    if not files:
        raise Refused(422, "bad_request", "files: send one, in a form")
    return files[0]


def index(text: str) -> int:
    """The number of what was clicked on; Refused for what the page would not send."""
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise Refused(422, "bad_request", "there is no such face")
    return int(text)

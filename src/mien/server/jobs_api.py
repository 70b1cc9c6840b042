"""The HTTP API's long works: films and series are jobs, begun by one call, looked at and fetched by
others, and made by what makes those of the studio.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from mien import facs
from mien.editor import check_face
from mien.errors import AssetMissing, GuideError
from mien.guides import ExpressionSpec
from mien.server.answers import Refused
from mien.server.limits import Limits
from mien.server.making import Making
from mien.server.requests import (
    Emotion,
    Expressed,
    Intensity,
    MethodName,
    Picture,
    WhichFace,
    binary,
    body,
    one_of,
    parse,
)
from mien.server.series import SIZES, Plan
from mien.server.workshop import Workshop

MOST_LABELS = len(facs.LABELS)


Clip: TypeAlias = Annotated[
    bytes,
    BeforeValidator(binary),
    WithJsonSchema(
        {"type": "string", "format": "byte", "description": "An MP4, MOV, MKV or WebM, in base64."}
    ),
]
State: TypeAlias = Literal["making", "done", "stopped", "failed"]


class SeriesRequest(BaseModel):
    """Photographs x expressions x intensities: labels, whole expressions as in a file, or both."""

    model_config = ConfigDict(extra="forbid")

    image: Annotated[list[Picture], Field(min_length=1, max_length=Limits.series_photos)]
    labels: Annotated[list[Emotion], Field(max_length=MOST_LABELS)] = []
    expressions: Annotated[
        dict[str, dict[str, Any]],
        Field(
            max_length=Limits.series_expressions,
            description="Expressions as in a file, by the names of their pictures. In a form, JSON "
            "as text.",
        ),
    ] = {}
    intensities: Annotated[
        list[Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]],
        Field(min_length=1, max_length=20),
    ] = [1.0]
    size: Annotated[int, Field(description="Side of a picture, px.")] = SIZES[1]
    oval: Annotated[bool, Field(description="Show an oval of the face on grey.")] = False
    equal: Annotated[bool, Field(description="Equal mean luminance and contrast of the faces.")] = (
        False
    )
    method: MethodName = None


class FilmRequest(Expressed):
    """A film, and an expression as in /v1/edit for its face, or for all; or another film to take
    it from.
    """

    model_config = ConfigDict(json_schema_extra=one_of("like_film", "keyframes"))

    film: Clip
    like_film: Annotated[
        Clip | None,
        Field(description="A reference film: the expression of its face at the same time."),
    ] = None
    keep: Annotated[
        Literal["speech", "none"],
        Field(description="`speech`: lips and jaw go on talking; `none`: all is set."),
    ] = "speech"
    curve: Annotated[
        dict[str, float] | None,
        Field(
            description='Intensity over time, s: `{"0.5": 1}`; it multiplies `intensity`. In a '
            "form, JSON as text."
        ),
    ] = None
    keyframes: Annotated[
        list[dict[str, Any]] | None,
        Field(
            description='Expressions one after another: `[{"time": 0}, {"time": 1.5, "to": '
            '"happy"}]`, the face going straight from each to the next. In a form, JSON as text.'
        ),
    ] = None
    start: Annotated[float, Field(ge=0, allow_inf_nan=False, description="Where it begins, s.")] = (
        0.0
    )
    end: Annotated[
        float | None, Field(gt=0, allow_inf_nan=False, description="Where it ends, s.")
    ] = None
    intensity: Intensity = 1.0
    face: WhichFace = "largest"
    method: MethodName = None


class JobAnswer(BaseModel):
    """A job, and how far it is."""

    job: str
    """Its key: who has it may look at it, fetch what came of it, and end it."""
    kind: Literal["film", "series"]
    state: State
    done: int
    """Pictures that are there."""
    total: int
    """Pictures that there will be, about; 0 if that is not known."""
    seconds_left: float | None
    error: str | None
    faults: list[str]
    """Photographs and pictures of a series that could not be used or made."""


class Jobs:
    """One function for each route."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.series = workshop.series
        self.films: Any = workshop.reels if find_spec("av") is not None else None
        self._session = secrets.token_urlsafe(18)  # no page's: what those have open is no job

    def routes(self, errors: dict[int | str, dict[str, Any]]) -> APIRouter:
        """The routes; `errors` describes the answers that are no success."""
        routes = APIRouter(tags=["jobs"])
        missing: dict[int | str, dict[str, Any]] = {
            404: {**errors[422], "description": "There is no such job, or none any more"}
        }
        for path, call, model in (
            ("/v1/series", self.make_series, SeriesRequest),
            ("/v1/films", self.make_film, FilmRequest),
        ):
            routes.add_api_route(
                path, call, operation_id=call.__name__, methods=["POST"], status_code=202,
                responses=errors, response_model=JobAnswer, openapi_extra=body(model),
            )  # fmt: skip
        about = {s: a for s, a in errors.items() if s in (401, 403, 413, 422, 503)} | missing
        add = routes.add_api_route
        add(
            "/v1/jobs/{job}",
            self.look,
            operation_id="job",
            methods=["GET"],
            responses=about,
            response_model=JobAnswer,
        )
        add(
            "/v1/jobs/{job}",
            self.end,
            operation_id="end_job",
            methods=["DELETE"],
            responses=about,
            status_code=204,
        )
        about[409] = {**errors[422], "description": "It is not done, or there is nothing of it"}
        kinds = {k: {"schema": {"type": "string", "format": "binary"}} for k in _KINDS}
        add(
            "/v1/jobs/{job}/result",
            self.result,
            operation_id="result",
            methods=["GET"],
            response_class=Response,
            responses=about | {200: {"description": "The file", "content": kinds}},
        )
        return routes

    async def make_series(self, request: Request) -> JobAnswer:
        """Begin a series of stimuli: pictures, their table and the plan, as a zip.

        Its limits are those of the studio; one is made at a time.
        """
        self.series.check_free()
        asked = await parse(request, SeriesRequest, files=Limits.series_photos)
        method, limits = self.workshop.check(asked.method), self.workshop.limits
        made = self.series.take("", self._session, filling=True)

        def add() -> None:
            for number, data in enumerate(asked.image, 1):
                name = Path(getattr(data, "name", "")).stem  # JSON names no file
                made.add_photo(_kept(data), limits, name or f"{number:02d}")
            for name, fields in asked.expressions.items():
                made.add_expression(ExpressionSpec.of(fields), name, limits)

        plan = Plan(
            tuple(asked.labels), tuple(asked.intensities), asked.size, asked.oval, asked.equal
        )
        try:
            with self.workshop.desk.place():
                await self.workshop.desk.work(add)
            self.series.start(made, method, plan)
        except BaseException:
            self.series.drop(made.key)
            raise
        return self._answer(made.key)

    async def make_film(self, request: Request) -> JobAnswer:
        """Begin a film with another expression, or a part of one: MP4, sound as it was.

        Its limits are those of the studio; one is made at a time.
        """
        if self.films is None:
            raise AssetMissing("films need PyAV: pip install 'mien[video]'")
        self.films.check_free()
        asked = await parse(request, FilmRequest, files=3)
        method = self.workshop.check(asked.method)
        order = self._order(asked)
        reel = self.films.take("", self._session, filling=True)
        try:
            with self.workshop.desk.place():
                await self.workshop.desk.work(lambda: self._fill(reel, asked))
            self.films.start(reel, method, order)
        except BaseException:
            self.films.drop(reel.key)
            raise
        return self._answer(reel.key)

    async def look(self, job: str) -> JobAnswer:
        """How far a job is."""
        return self._answer(job)

    async def end(self, job: str) -> Response:
        """End a job, and forget it with all that came of it."""
        self._found(job)
        for projects in self._kinds:
            projects.drop(job)
        return Response(status_code=204)

    async def result(self, job: str) -> Response:
        """What came of a job: a film, or a series as a zip."""
        project = self._found(job)
        path = project.zip if job in self.series else project.result
        if self._answer(job).state != "done" or path is None:
            raise Refused(409, "not_done", "there is nothing of this job, or not yet")
        return FileResponse(path, media_type=_KINDS[job in self.series])

    @property
    def _kinds(self) -> list[Any]:
        return [kind for kind in (self.series, self.films) if kind is not None]

    def _found(self, job: str) -> Any:
        for projects in self._kinds:
            if job in projects and (found := projects.get(job)).session == self._session:
                return found
        raise Refused(404, "not_found", "there is no such job, or none any more")

    def _answer(self, job: str) -> JobAnswer:
        project = self._found(job)
        makings: Sequence[Making] = project.runs if job in self.series else project.makings
        making = makings[-1]
        error = making.error
        left = None if making.ended else making.left
        return JobAnswer(
            job=job,
            kind="series" if job in self.series else "film",
            state=_state(making),
            done=making.done,
            total=making.total,
            seconds_left=None if left is None else round(left, 1),
            error=None if error is None else " ".join(str(error).split()),
            faults=list(getattr(making, "faults", [])),
        )

    def _order(self, asked: FilmRequest) -> Any:
        from mien.server import orders

        check_face(asked.face)
        by = orders.FILM if asked.like_film is not None else orders.LABEL
        others = [key for key in Expressed.model_fields if getattr(asked, key) is not None]
        moving = [key for key in ("like_film", "keyframes") if getattr(asked, key) is not None]
        if moving and (others := [*moving[1:], *others]):
            raise GuideError(
                f"{moving[0]} says the whole expression: leave out {', '.join(others)}"
            )
        spec = ExpressionSpec() if moving else asked.spec()
        if spec.like is not None:
            if spec.share != 1:
                raise GuideError("share: a film follows a photograph in full")
            by = orders.PHOTO
        return orders.Order(
            by, spec, asked.keep == "speech", spec.intensity * asked.intensity, asked.face,
            asked.start, asked.end if asked.end is not None else float("inf"),
        )  # fmt: skip

    def _fill(self, reel: Any, asked: FilmRequest) -> None:
        from mien.server import orders
        from mien.video.keyframes import of_values

        limits = self.workshop.limits
        reel.open(_kept(asked.film), "film", limits)
        if asked.like is not None:
            reel.set_reference(orders.PHOTO, _kept(asked.like), "like", limits)
        if asked.like_film is not None:
            reel.set_reference(orders.FILM, _kept(asked.like_film), "like_film", limits)
        for time, value in (asked.curve or {}).items():
            try:
                reel.set_point(float(time), value)
            except ValueError:
                raise GuideError(f"curve: {time[:20]!r} is no time in seconds") from None
        if asked.keyframes is not None:
            reel.take_expressions(of_values(asked.keyframes))


_KINDS = ("video/mp4", "application/zip")


def _state(making: Making) -> State:
    if not making.ended:
        return "making"
    if making.error is not None:
        return "failed"
    return "done" if making.whole else "stopped"


def _kept(data: bytes) -> Path:
    """The bytes as a file, for whoever takes it to move or remove."""
    handle, name = tempfile.mkstemp(prefix="mien-job-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return Path(name)

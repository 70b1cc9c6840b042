"""The studio: its page, and what it asks over HTTP. A click is a POST to `studio/PANEL/EVENT`, its
answer says what changes (`answer`); what is being made says so in a stream; the page itself is one
stream that is open as long as it is, so that what it had open goes when it is left.
"""

from __future__ import annotations

import asyncio
import functools
import json
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from importlib import metadata
from typing import Any, TypeAlias

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.staticfiles import StaticFiles

from mien import facs, images
from mien.guides.spec import REGIONS
from mien.images import UPLOADED
from mien.server import posing
from mien.server.answers import Refused, refusal
from mien.server.cropping import fitting
from mien.server.series import SIZES, Plan
from mien.server.wish import MOST
from mien.server.workshop import Workshop
from mien.studio import all_series, films, series_views, shapes, units, views
from mien.studio.answer import Answer
from mien.studio.asking import Asked, FilmAsked, PhotographAsked, SeriesAsked, Upload, events, read
from mien.studio.events import GUIDES, Events, native
from mien.studio.progress import Failed
from mien.studio.rendering import HERE, page, picture
from mien.zoo.samples import samples

TABS = {
    "Label": ("by-label", "Expression"),
    "ActionUnits": ("by-unit", "Action units"),
    "Reference": ("by-reference", "Like a photo"),
}
"""Kinds of guide -> the id and the name of the tab of each."""
_BEAT = 15.0  # s between two signs of life of a page's stream
_AGAIN = 5.0  # s in which a page that lost its stream opens it again
Event: TypeAlias = Callable[[Any, list[Upload]], Awaitable[Answer]]
Work: TypeAlias = Callable[[Any], Awaitable[AsyncGenerator[Answer, None]]]


def mount(app: FastAPI, workshop: Workshop) -> None:
    """The studio at `/` of the app."""
    app.mount("/studio/static", StaticFiles(directory=HERE / "static"))
    app.include_router(Studio(workshop).routes(), include_in_schema=False)


class Studio:
    """The page, its panels, and their events."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.photograph = Events(workshop)
        self.films = films.Films(workshop, self.photograph.sittings) if films.possible() else None
        self.series = all_series.SeriesPanel(workshop, self.photograph.sittings)
        self._here: Counter[str] = Counter()

    def routes(self) -> APIRouter:
        """All that the page asks for."""
        routes = APIRouter()
        add = routes.add_api_route
        add("/", self.page, response_class=HTMLResponse)
        add("/studio/page/{session}", self.stay)
        add("/studio/{key}/{name}", self.photograph.download)
        add("/studio/series/{key}/{name}", self.series.serve)
        panels: list[tuple[str, type[Asked], Any, Work | None]] = [
            ("photograph", PhotographAsked, self.photograph, None),
            ("series", SeriesAsked, self.series, self.series.make),
        ]
        if self.films is not None:
            add("/studio/film/{key}/{name}", self.films.serve)
            panels.append(("film", FilmAsked, self.films, self.films.make))
        for name, model, panel, work in panels:
            do = functools.partial(self._do, model, events(panel))
            add(f"/studio/{name}/{{event}}", _asked(do), methods=["POST"])
            if work is not None:
                add(
                    f"/studio/{name}/run/make",
                    _work(functools.partial(self._make, model, work)),
                    methods=["POST"],
                )
        return routes

    def page(self) -> HTMLResponse:
        """The page, of a session of its own."""
        return HTMLResponse(page(session=secrets.token_urlsafe(18), **self._words))

    @functools.cached_property
    def _words(self) -> dict[str, Any]:
        """What the page shows before anything is opened."""
        workshop, plan = self.workshop, Plan(("happy",))
        own = native(workshop.default)
        # expressions by name are what people look for first; then the method's own guides
        order = sorted(GUIDES, key=lambda guide: (guide != "Label", guide not in own))
        return {
            "version": metadata.version("mien"),
            "pictures": list(UPLOADED),
            "samples": [
                (name, picture(fitting(images.read(path).pixels, 128), altered=False))
                for name, path in samples().items()
            ],
            "most": MOST,
            "guides": dict([*(TABS[guide] for guide in order), ("by-swap", "Swap")]),
            "mapped": set(GUIDES) - own,
            "expressions": views.tiles(facs.EMOTIONS),
            "variants": views.tiles(views.VARIANTS),
            "units": units.rows(),
            "shapes": shapes.rows(),
            "film_units": units.whole(),
            "poses": [
                {"name": f"{field}-{place}", "title": title, "most": most}
                for field, sliders in posing.SLIDERS.items()
                for place, (title, most) in enumerate(sliders)
            ],
            "regions": [(name, name) for name in REGIONS],
            "methods": workshop.choices,
            "films": self.films is not None,
            "film_files": list(films.SUFFIXES),
            "film_limits": self.films.shown.limits(workshop.limits) if self.films else "",
            "film_seconds": workshop.limits.film_seconds,
            "frame": films.FRAME,
            "drives": [(kind, kind) for kind in self.films.drives] if self.films else [],
            "labels": [(name, name) for name in facs.EMOTIONS],
            "all_labels": [(name, name) for name in facs.LABELS],
            "intensities": [(f"{value:g}", f"{value:.0%}") for value in all_series.INTENSITIES],
            "sizes": [(str(size), str(size)) for size in SIZES],
            "series_limits": series_views.limits(workshop.limits),
            "series_count": series_views.count(None, plan),
        }

    async def stay(self, session: str) -> StreamingResponse:
        """A stream that is open as long as the page is: what it had open goes with it. One that
        breaks off is opened again by the browser, and nothing goes then."""
        if self._here.total() >= self.workshop.limits.connections // 2:
            raise Refused(429, "too_many", "too many pages are open: close one")

        async def beats() -> AsyncIterator[str]:
            self._here[session] += 1
            try:
                yield "retry: 1000\n\n"  # ms; browsers' own choice is up to 5 s
                while True:
                    yield ": here\n\n"
                    await asyncio.sleep(_BEAT)
            finally:
                self._here[session] -= 1
                asyncio.get_running_loop().call_later(_AGAIN, self._left, session)

        return StreamingResponse(beats(), media_type="text/event-stream")

    def _left(self, session: str) -> None:
        """The page was closed and did not come back."""
        if self._here[session] > 0:
            return
        del self._here[session]
        self.series.leave(session)
        if self.films is not None:
            self.films.leave(session)

    def _read(
        self, request: Request, model: type[Asked]
    ) -> AbstractAsyncContextManager[tuple[Asked, list[Upload]]]:
        return read(request, model, self.workshop.limits.series_photos)

    async def _do(
        self, model: type[Asked], known: Mapping[str, Event], event: str, request: Request
    ) -> Response:
        """An event of a panel."""
        if event not in known:
            raise Refused(404, "not_found", "Not Found")
        async with self._read(request, model) as (asked, files):
            answer = await known[event](asked, files)
        # in ASCII, as streams are: a name may hold a lone surrogate
        return Response(json.dumps(answer.json()), media_type="application/json")

    async def _make(self, model: type[Asked], work: Work, request: Request) -> Response:
        """What takes long: answers one after another, until it has ended."""
        async with self._read(request, model) as (asked, _):
            answers = await work(asked)
        return StreamingResponse(streamed(answers), media_type="text/event-stream")


async def streamed(answers: AsyncGenerator[Answer, None]) -> AsyncIterator[str]:
    """Answers as server-sent events; of a failure, the last one says why."""
    try:
        async with aclosing(answers) as stream:
            async for answer in stream:
                yield f"data: {json.dumps(answer.json())}\n\n"
    except Failed as failed:
        error = failed.error if isinstance(failed.error, Refused) else refusal(failed.error)
        yield f"data: {json.dumps({'error': {'code': error.code, 'message': error.message}})}\n\n"


def _asked(do: Callable[[str, Request], Awaitable[Response]]) -> Callable[..., Any]:
    async def ask(event: str, request: Request) -> Response:
        return await do(event, request)

    return ask


def _work(make: Callable[[Request], Awaitable[Response]]) -> Callable[..., Any]:
    async def ask(request: Request) -> Response:
        return await make(request)

    return ask

"""What the studio does in the panel of series."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TypeVar

from fastapi.responses import FileResponse, Response

from mien.errors import GuideError, MienError
from mien.guides import ExpressionSpec
from mien.server.answers import Refused
from mien.server.series import Plan, Series
from mien.server.sitting import Sittings
from mien.server.workshop import Workshop
from mien.studio import series_views
from mien.studio.answer import Answer, plural
from mien.studio.asking import SeriesAsked, Upload, event, one
from mien.studio.progress import Words, shown_until_ended
from mien.studio.rendering import part

INTENSITIES = (0.25, 0.5, 0.75, 1, 1.25, 1.5)
"""Those that the page offers."""
WORDS = Words(
    "Picture", "The series is being made", "Stopping", "series-progress", "series-status", "halt",
    "make-all",
)  # fmt: skip
COUNT = ("count",)
Asked = SeriesAsked
T = TypeVar("T")


class SeriesPanel:
    """The panel of all browsers; what each has open is a `Series`."""

    def __init__(self, workshop: Workshop, sittings: Sittings) -> None:
        self.workshop, self.sittings = workshop, sittings
        self.open = workshop.series

    @event
    async def add_photos(self, asked: Asked, files: list[Upload]) -> Answer:
        """Photographs that were dropped; what is none is left out and named."""
        one(files)
        made, limits = self.open.take(asked.series, asked.session), self.workshop.limits
        before = len(made.photos)
        faults: list[MienError | Refused] = []

        def add() -> None:
            for file in files:
                try:
                    made.add_photo(file.moved(), limits, Path(file.name).stem)
                except (MienError, Refused) as error:
                    faults.append(error)

        await self._at_desk(add)
        if faults and len(made.photos) == before:
            raise faults[0]
        words = plural(len(made.photos), "photograph")
        if faults:
            words += f"; {plural(len(faults), 'file')} left out: {faults[0]}"
        return self._seen(made, words)

    @event
    async def add_files(self, asked: Asked, files: list[Upload]) -> Answer:
        """Expressions kept in files."""
        one(files)
        made = self.open.take(asked.series, asked.session)
        for file in files:
            spec = ExpressionSpec.parse(file.read(), file.name)
            made.add_expression(spec, file.stem, self.workshop.limits)
        return self._seen(made, plural(len(made.expressions), "more expression"))

    @event
    async def add_worn(self, asked: Asked, _: list[Upload]) -> Answer:
        """What the chosen face shows in the photograph's own panel."""
        worn = self.sittings.get(asked.photograph).worn
        if worn is None:
            raise GuideError("the photograph shows no expression yet: choose one in its tab")
        made = self.open.take(asked.series, asked.session)
        made.add_expression(worn.whole, worn.name[:40], self.workshop.limits)
        return self._seen(made, f"Added: {worn.name}")

    @event
    async def remove(self, asked: Asked, _: list[Upload]) -> Answer:
        """A photograph or an expression less."""
        made = self.open.get(asked.series)
        kind, _at, name = asked.name.partition("/")
        made.remove(kind, name)
        return self._seen(made, f"Removed: {name}")

    @event
    async def count(self, asked: Asked, _: list[Upload]) -> Answer:
        """How many pictures there will be."""
        made = self.open.get(asked.series) if asked.series in self.open else None
        return Answer({"series-count": part("count", series_views.count(made, plan(asked)))})

    async def make(self, asked: Asked) -> AsyncGenerator[Answer, None]:
        """Make the series, and say how far it is; Refused and MienError before the first answer."""
        if asked.series not in self.open:
            raise GuideError("add a photograph first")
        made = self.open.get(asked.series)
        run = self.open.start(made, self.workshop.check(asked.method), plan(asked))
        return shown_until_ended(
            run,
            WORDS,
            lambda: series_views.outcome(run),
            lambda: {"series-result": series_views.result(made, run)},
        )

    @event
    async def stop(self, asked: Asked, _: list[Upload]) -> Answer:
        """Enough for now; the pictures that are there stay."""
        for run in self.open.get(asked.series).runs:
            run.wanted = False
        return Answer()

    async def serve(self, key: str, name: str) -> Response:
        """The zip of a series."""
        path = self.open.get(key).zip
        if name != "series.zip" or path is None or not path.exists():
            raise Refused(404, "not_found", "there is no such series")
        return FileResponse(path, media_type="application/zip")

    def leave(self, session: str) -> None:
        """The page was closed."""
        self.open.leave(session)

    def _seen(self, made: Series, words: str) -> Answer:
        lists = {
            "series-list": series_views.photos(made),
            "series-expressions": series_views.expressions(made),
        }
        answer = Answer(lists, keys={"series": made.key}, then=COUNT)
        return answer.status("series-status", words)

    async def _at_desk(self, task: Callable[[], T]) -> T:
        with self.workshop.desk.place():
            return await self.workshop.desk.work(task)


def plan(asked: Asked) -> Plan:
    """What is asked for; GuideError for an intensity that the page does not offer."""
    unknown = [value for value in asked.intensities if value not in INTENSITIES]
    if unknown:
        raise GuideError(f"there is no intensity {unknown[0]:g}")
    return Plan(tuple(asked.labels), tuple(asked.intensities), asked.size, asked.oval, asked.equal)

"""The studio's series tab: its layout, and what each of its events does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from fastapi.responses import FileResponse, Response

from mien import facs
from mien.errors import GuideError, MienError
from mien.guides import ExpressionSpec
from mien.web import series_views, views
from mien.web.answers import Refused
from mien.web.parts import STEP, drop, failure, fold, html, methods, or_mistake, sent, watched
from mien.web.series import SIZES, Plan, Series
from mien.web.sitting import Sittings
from mien.web.workshop import Workshop

INTENSITIES = {f"{percent} %": percent / 100 for percent in (25, 50, 75, 100, 125, 150)}
T = TypeVar("T")


class SeriesTab:
    """The tab of all browsers; what each has open is a `Series`."""

    def __init__(self, workshop: Workshop, sittings: Sittings) -> None:
        self.workshop, self.sittings = workshop, sittings
        self.open = workshop.series

    def draw(self, sitting: gr.State) -> None:
        """The layout: photographs on the left, what they are to show on the right. `sitting` is
        the key of the photograph that is open in its own tab."""
        self.key, self.sitting = gr.State(""), sitting
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320, elem_id="series-left"):
                self.upload = drop("Photographs: JPEG, PNG or WebP", "series-photos", many=True)
                html(series_views.limits(self.workshop.limits), "series-limits")
                self.photos = html(series_views.photos(None), "series-list")
            with gr.Column(min_width=320):
                self._draw_plan()
                self._draw_look()
                self.count = html(series_views.count(None, Plan(("happy",))), "series-count")
                with gr.Row():
                    self.make = gr.Button("Make the series", variant="primary", elem_id="make-all")
                    self.halt = gr.Button("Stop", interactive=False, elem_id="halt")
                self.progress = html("", "series-progress")
                self.status = html(views.status(""), "series-status")
                self.result = html("", "series-result")
        self._listen()

    def _draw_plan(self) -> None:
        self.labels = gr.CheckboxGroup(
            list(facs.LABELS), value=["happy"], label="Expressions", elem_id="series-labels"
        )
        with gr.Row():
            self.worn = gr.Button("Add what the photograph shows", size="sm", elem_id="series-worn")
        self.preset = drop("More expressions: files (JSON)", "series-preset", [".json"], many=True)
        self.expressions = html("", "series-expressions")
        self.intensities = gr.CheckboxGroup(
            list(INTENSITIES), value=["100 %"], label="Intensities", elem_id="series-intensities"
        )

    def _draw_look(self) -> None:
        with fold("Size, oval, brightness, advanced", "series-look"):
            self.size = gr.Radio(list(SIZES), value=512, label="Side of a picture, px")
            self.oval = gr.Checkbox(label="Show an oval of the face on grey")
            self.equal = gr.Checkbox(label="Equal mean luminance and contrast of the faces")
            self.method = methods(self.workshop.choices, "series-method")

    def _listen(self) -> None:
        asked = [self.labels, self.intensities, self.size, self.oval, self.equal]
        seen = [self.key, self.photos, self.expressions, self.status]
        counted = STEP | {"fn": self.recount, "inputs": [self.key, *asked], "outputs": self.count}
        own = [self.key, self.sitting]
        photos = self.upload.upload(
            self.add_photos, [self.upload, self.key], [self.upload, *seen], **STEP
        )
        files = self.preset.upload(
            self.add_files, [self.preset, self.key], [self.preset, *seen], **STEP
        )
        for event, field in ((photos, self.upload), (files, self.preset)):
            event.failure(None, None, field, js="() => null", **STEP)  # ready for another file
        for event in (
            photos,
            files,
            self.worn.click(self.add_worn, own, seen, **STEP),
            self.photos.click(self.remove, self.key, seen, **STEP),
            self.expressions.click(self.remove, self.key, seen, **STEP),
        ):
            event.success(**counted)
        for part in (self.labels, self.intensities):
            part.input(**counted)
        kept: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        running = [self.progress, self.status, self.halt, self.result]
        order = [self.key, self.method, *asked]
        self.make.click(self.run, order, running, concurrency_limit=None, **kept)
        self.halt.click(self.stop, self.key, None, **STEP)

    @or_mistake
    async def add_photos(self, paths: list[str], key: str, request: gr.Request) -> list[Any]:
        """Photographs that were dropped."""
        files = _all_sent(paths)
        made = self._series(key, files, request)

        def add() -> None:
            try:
                for file in files:
                    made.add_photo(file, self.workshop.limits)
            finally:
                _drop(files)

        await self._at_desk(add)
        return [None, *self._seen(made, f"{len(made.photos)} photographs")]

    @or_mistake
    async def add_files(self, paths: list[str], key: str, request: gr.Request) -> list[Any]:
        """Expressions kept in files."""
        files = _all_sent(paths)
        made = self._series(key, files, request)
        try:
            for file in files:
                spec = ExpressionSpec.parse(file.read_bytes(), file.name)
                made.add_expression(spec, file.stem, self.workshop.limits)
        finally:
            _drop(files)
        return [None, *self._seen(made, f"{len(made.expressions)} more expressions")]

    @or_mistake
    async def add_worn(self, key: str, sitting: str, request: gr.Request) -> list[Any]:
        """What the chosen face shows in the photograph's own tab."""
        worn = self.sittings.get(sitting).worn
        if worn is None:
            raise GuideError("the photograph shows no expression yet: choose one in its tab")
        made = self._series(key, [], request)
        made.add_expression(worn.whole, worn.name[:40], self.workshop.limits)
        return self._seen(made, f"Added: {worn.name}")

    @or_mistake
    async def remove(self, key: str, event: gr.EventData) -> list[Any]:
        """A photograph or an expression less."""
        made = self.open.get(key)
        kind, _, name = str(event.remove).partition("/")
        made.remove(kind, name)
        return self._seen(made, f"Removed: {name}")

    @or_mistake
    async def recount(self, key: str, *asked: Any) -> str:
        """How many pictures there will be."""
        return series_views.count(self.open.get(key) if key in self.open else None, _plan(*asked))

    async def run(self, key: str, method: str, *asked: Any) -> AsyncIterator[list[Any]]:
        """Make the series, and say how far it is."""
        try:
            if key not in self.open:
                raise GuideError("add a photograph first")
            made = self.open.get(key)
            run = self.open.start(made, self.workshop.check(method), _plan(*asked))
        except (MienError, Refused) as error:
            raise failure(error) from None
        async with aclosing(
            watched(run, "Picture", "The series is being made", "Stopping")
        ) as looks:
            async for look in looks:
                yield look
        ended = views.status(series_views.outcome(run))
        yield ["", ended, gr.update(interactive=False), series_views.result(made, run)]
        if run.error is not None:
            raise failure(run.error)

    @or_mistake
    async def stop(self, key: str) -> None:
        """Enough for now; the pictures that are there stay."""
        for run in self.open.get(key).runs:
            run.wanted = False

    async def serve(self, key: str, name: str) -> Response:
        """The zip of a series."""
        path = self.open.get(key).zip
        if name != "series.zip" or path is None or not path.exists():
            raise Refused(404, "not_found", "there is no such series")
        return FileResponse(path, media_type="application/zip")

    def leave(self, request: gr.Request) -> None:
        """The page was closed."""
        self.open.leave(str(request.session_hash))

    def _seen(self, made: Series, said: str) -> list[Any]:
        lists = series_views.photos(made), series_views.expressions(made)
        return [made.key, *lists, views.status(said)]

    def _series(self, key: str, files: list[Path], request: gr.Request) -> Series:
        try:
            return self.open.take(key, str(request.session_hash))
        except Refused:
            _drop(files)
            raise

    async def _at_desk(self, task: Callable[[], T]) -> T:
        with self.workshop.desk.place():
            return await self.workshop.desk.work(task)


def _plan(labels: list[str], intensities: list[str], size: int, oval: bool, equal: bool) -> Plan:
    """What is asked for; GuideError for an intensity that the page does not offer."""
    unknown = [name for name in map(str, intensities) if name not in INTENSITIES]
    if unknown:
        raise GuideError(f"there is no intensity {unknown[0][:20]}")
    strengths = tuple(INTENSITIES[name] for name in intensities)
    return Plan(tuple(labels), strengths, int(size), oval, equal)


def _all_sent(paths: list[str] | None) -> list[Path]:
    return [sent(path) for path in paths] if paths else [sent(None)]


def _drop(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)

"""The studio's film tab: its layout, and what each of its events does. What it works with (`reels`)
needs the extra `video`; without it the tab says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.responses import FileResponse, Response

from mien import facs
from mien.errors import MienError
from mien.web import views
from mien.web.answers import Refused
from mien.web.parts import MOST, STEP, drop, failure, fold, html, sent, told
from mien.web.workshop import Workshop

MISSING = "Films need PyAV: run pip install 'mien[video]', then start the studio again."
_SUFFIXES = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]
_SHOW_RESULT = "() => document.querySelector('#after video')?.scrollIntoView({block: 'nearest'})"
_TICK = 0.4  # s between two looks at how far a film is
_FACES = {"The largest": "largest", "All faces": "all"}


def possible() -> bool:
    """Whether PyAV is there."""
    return find_spec("av") is not None


def missing() -> None:
    """The tab without PyAV, in the layout that is open."""
    gr.HTML(f'<p class="mien-empty">{MISSING}</p>', apply_default_css=False, elem_id="nofilms")


class Films:
    """The tab of all browsers; what each has open is a `Reel`."""

    def __init__(self, workshop: Workshop) -> None:
        from mien.web import film_views, reels

        self.workshop, self.shown, self.parts = workshop, film_views, reels
        self.reels = reels.Reels(workshop)

    def draw(self) -> None:
        """The layout: the film on the left, what is to become of it on the right."""
        self.key = gr.State("")
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320, elem_id="film-left"):
                with gr.Accordion("Open a film", open=True, elem_id="opening-film") as self.opening:
                    self.upload = drop("MP4, MOV, MKV or WebM", "film", _SUFFIXES)
                    html(self.shown.limits(self.workshop.limits), "film-limits")
                self.before = html(self.shown.before(None), "before")
            with gr.Column(min_width=320):
                self._draw_order()
                self._draw_more()
                with gr.Row():
                    self.make = gr.Button("Make the film", variant="primary", elem_id="make")
                    self.cancel = gr.Button("Cancel", interactive=False, elem_id="cancel")
                self.progress = html("", "progress")
                self.status = html(views.status(""), "film-status")
                self.after = html("", "after")
        self._listen()

    def _draw_order(self) -> None:
        parts = self.parts
        kinds = [parts.LABEL, parts.PHOTO, parts.FILM]
        self.by = gr.Radio(kinds, value=parts.LABEL, label="Driven by", elem_id="by")
        with gr.Group() as self.labels:
            self.label = gr.Radio(
                list(facs.EMOTIONS), value="happy", label="Expression", elem_id="film-label"
            )
        with gr.Column(visible=False) as self.photos:
            self.photo = drop("Photograph: JPEG, PNG or WebP", "by-photo")
            self.photo_seen = html("", "photo-seen")
        with gr.Column(visible=False) as self.films:
            self.film = drop("Film: MP4, MOV, MKV or WebM", "by-film", _SUFFIXES)
            self.film_seen = html("", "film-seen")
        self.intensity = gr.Slider(
            0, MOST, 1, step=0.05, label="Intensity", info="1 is the expression, 0 the film"
        )

    def _draw_more(self) -> None:
        names = list(self.workshop.methods)
        with fold("Intensity over time, whose face, method", "more"):
            self.curve = drop("CSV: time (s), intensity", "curve", [".csv", ".txt"])
            self.curve_seen = html("", "curve-seen")
            self.face = gr.Radio(
                list(_FACES), value="The largest", label="Whose face", elem_id="whose"
            )
            self.method = gr.Dropdown(
                names, value=names[0], label="Method", visible=len(names) > 1, elem_id="film-method"
            )

    def _listen(self) -> None:
        groups = [self.labels, self.photos, self.films]
        self.by.input(self.choose, self.by, groups, **STEP)
        for field, event, seen in (
            (self.upload, self.open, [self.opening, self.before, self.after]),
            (self.photo, self.lend_photo, [self.photo_seen]),
            (self.film, self.lend_film, [self.film_seen]),
            (self.curve, self.bend, [self.curve_seen]),
        ):
            taken = field.upload(
                event, [field, self.key], [field, self.key, self.status, *seen], **STEP
            )
            taken.failure(None, None, field, js="() => null", **STEP)  # ready for another file
        self.curve_seen.click(self.straighten, self.key, [self.status, self.curve_seen], **STEP)
        order = [self.key, self.method, self.by, self.label, self.intensity, self.face]
        running = [self.progress, self.status, self.cancel, self.after]
        kept: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        making = self.make.click(self.run, order, running, concurrency_limit=None, **kept)
        making.success(None, js=_SHOW_RESULT, **kept)
        self.cancel.click(self.stop, self.key, self.status, **STEP)

    def choose(self, by: str) -> list[Any]:
        """Another kind of drive."""
        kinds = (self.parts.LABEL, self.parts.PHOTO, self.parts.FILM)
        return [gr.update(visible=kind == by) for kind in kinds]

    @told
    async def open(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A film that was dropped."""
        file, limits = sent(path), self.workshop.limits
        reel = self._reel(key, file, request)
        await self._at_desk(lambda: reel.open(file, _name(file), limits))
        said, closed = views.status("Film opened"), gr.update(open=False)
        return [None, reel.key, said, closed, self.shown.before(reel), ""]

    @told
    async def lend_photo(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A photograph that lends its expression."""
        return await self._lend("photo", self.parts.PHOTO, path, key, request)

    @told
    async def lend_film(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A film that does."""
        return await self._lend("film", self.parts.FILM, path, key, request)

    async def _lend(
        self, what: str, by: str, path: str, key: str, request: gr.Request
    ) -> list[Any]:
        file, limits = sent(path), self.workshop.limits
        reel = self._reel(key, file, request)
        await self._at_desk(lambda: reel.lend(by, file, _name(file), limits))
        said = views.status(f"It lends its expression: {reel.names[what]}")
        return [None, reel.key, said, self.shown.lender(reel, what)]

    @told
    async def bend(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """An intensity curve."""
        file = sent(path)
        reel = self._reel(key, file, request)
        await self._at_desk(lambda: reel.bend(file, _name(file)))
        said = views.status("The intensity follows the curve")
        return [None, reel.key, said, self.shown.curve(reel)]

    @told
    async def straighten(self, key: str) -> list[Any]:
        """No curve any more."""
        self.reels.get(key).bend(None)
        return [views.status("The intensity stays the same throughout"), ""]

    async def run(
        self, key: str, method: str, by: str, label: str, intensity: float, face: str
    ) -> AsyncIterator[list[Any]]:
        """Make the film, and say how far it is."""
        try:
            order = self.parts.Order(by, label, intensity, _FACES[face])
            reel = self.reels.get(key)
            making = self.reels.start(reel, self.workshop.check(method), order)
        except (MienError, Refused) as error:
            raise failure(error) from None
        said = views.status("The film is being made")
        try:
            while not making.ended:
                yield [self.shown.progress(making), said, gr.update(interactive=True), gr.skip()]
                said = gr.skip()
                await asyncio.sleep(_TICK)
        finally:
            if not making.ended:
                making.wanted = False  # nobody looks any more
        ended = views.status(self.shown.outcome(making))
        yield ["", ended, gr.update(interactive=False), self.shown.after(reel)]
        if making.error is not None:
            raise failure(making.error)

    @told
    async def stop(self, key: str) -> str:
        """No film after all."""
        for making in self.reels.get(key).makings:
            making.wanted = False
        return views.status("Cancelling")

    async def serve(self, key: str, name: str) -> Response:
        """The film that came, or the one that was made, as a file that a player can seek in."""
        reel = self.reels.get(key)
        path = {"source": reel.source.path if reel.source else None, "result": reel.result}.get(
            name
        )
        if path is None or not path.exists():
            raise Refused(404, "not_found", "there is no such film")
        return FileResponse(path, media_type=self.parts.media_type(path))

    def leave(self, request: gr.Request) -> None:
        """The page was closed."""
        self.reels.leave(str(request.session_hash))

    def _reel(self, key: str, file: Path, request: gr.Request) -> Any:
        try:
            return self.reels.reel(key, str(request.session_hash))
        except Refused:
            file.unlink(missing_ok=True)
            raise

    async def _at_desk(self, task: Any) -> None:
        with self.workshop.desk.place():
            await self.workshop.desk.work(task)


def _name(file: Path) -> str:
    return file.name[-60:]

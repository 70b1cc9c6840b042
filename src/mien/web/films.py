"""The studio's film tab: its layout, and what each of its events does. What it works with (`reels`)
needs the extra `video`; without it the tab says so.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr
from fastapi.responses import FileResponse, Response

from mien.errors import FaceNotFound, GuideError, MienError
from mien.guides import ExpressionSpec
from mien.images import UPLOADED
from mien.web import posing, views
from mien.web.answers import Refused
from mien.web.film_time import FRAME, TimeFields, number
from mien.web.parts import STEP, drop, failure, fold, html, or_mistake, sent, taken, watched
from mien.web.sitting import Sittings
from mien.web.workshop import Workshop

if TYPE_CHECKING:
    from mien.web.orders import Order

MISSING = "Films need PyAV: run pip install 'mien[video]', then start the studio again."
_SUFFIXES = [".mp4", ".m4v", ".mov", ".mkv", ".webm"]
_SHOW_RESULT = "() => document.querySelector('#after video')?.scrollIntoView({block: 'nearest'})"
T = TypeVar("T")


def possible() -> bool:
    """Whether PyAV is there."""
    return find_spec("av") is not None


def missing() -> None:
    """The tab without PyAV, in the layout that is open."""
    gr.HTML(f'<p class="mien-empty">{MISSING}</p>', apply_default_css=False, elem_id="nofilms")


class Films:
    """The tab of all browsers; what each has open is a `Reel`."""

    def __init__(self, workshop: Workshop, sittings: Sittings) -> None:
        from mien.video import keyframes
        from mien.web import film_order, film_views, orders, sources

        self.keyframes = keyframes
        self.workshop, self.sittings = workshop, sittings
        self.shown, self.kinds, self.order = film_views, orders, film_order
        self.reels, self.media_type = workshop.reels, sources.media_type

    def draw(self, sitting: gr.State) -> None:
        """The layout: the film on the left, what is to become of it on the right. `sitting` is the
        key of the photograph that is open in its own tab."""
        self.key, self.sitting = gr.State(""), sitting
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320, elem_id="film-left"):
                with gr.Accordion("Open a film", open=True, elem_id="opening-film") as self.opening:
                    text = "A film (MP4, MOV, MKV, WebM), or a photograph to animate"
                    self.upload = drop(text, "film", [*_SUFFIXES, *UPLOADED])
                    html(self.shown.limits(self.workshop.limits), "film-limits")
                with gr.Column(elem_id="film-sight"):
                    self._draw_moment()
                self.before = html(self.shown.before(None), "before")
            with gr.Column(min_width=320):
                kinds = self._kinds
                self.fields = self.order.OrderFields(kinds, self.workshop.choices, _SUFFIXES)
                with fold("Keyframes, and the part of the film", "film-time"):
                    self.time = TimeFields(self.reels, self.workshop.limits, self.moment)
                with gr.Row():
                    self.make = gr.Button("Make the film", variant="primary", elem_id="make")
                    self.cancel = gr.Button("Cancel", interactive=False, elem_id="cancel")
                self.progress = html("", "progress")
                self.status = html(views.status(""), "film-status")
                self.after = html("", "after")
        self._listen()

    def _draw_moment(self) -> None:
        self.preview = html("", "film-preview")
        self.moment = gr.Slider(
            0, 1, 0, step=FRAME, label="Moment, s", elem_id="moment", buttons=[], interactive=True
        )

    def _listen(self) -> None:
        fields, time = self.fields, self.time
        fields.by.input(
            self.choose,
            fields.by,
            [fields.labels, fields.photos, fields.films, fields.records],
            **STEP,
        )
        look = [self.key, *fields.asked, self.moment]
        follow = STEP | {"fn": self.look, "inputs": look, "outputs": self.preview}
        opened = [self.opening, self.before, self.after, self.moment, *time.edges, *time.seen]
        for field, event, seen in (
            (self.upload, self.open, opened),
            (fields.photo, self.like_photo, [fields.photo_seen]),
            (fields.film, self.like_film, [fields.film_seen]),
            (fields.record, self.like_record, [fields.record_seen]),
            (time.curve, self.bend, time.seen),
            (time.keys_file, self.take_keys, time.seen),
        ):
            uploaded = field.upload(
                event, [field, self.key], [field, self.key, self.status, *seen], **STEP
            )
            uploaded.failure(None, None, field, js="() => null", **STEP)  # ready for another file
            uploaded.success(**follow)
        for part in (
            self.moment,
            fields.by,
            fields.speech,
            fields.intensity,
            fields.face,
            fields.method,
        ):
            part.input(**follow)
        self._listen_to_spec(follow | {"fn": self.look_alone})
        time.listen(self.key, self.status, fields.spec, fields.standing, follow)
        running = [self.progress, self.status, self.cancel, self.after]
        kept: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        order = [self.key, *fields.asked, *time.edges]
        making = self.make.click(self.run, order, running, concurrency_limit=None, **kept)
        making.success(None, js=_SHOW_RESULT, **kept)
        self.cancel.click(self.stop, self.key, None, **STEP)

    def _listen_to_spec(self, follow: dict[str, Any]) -> None:
        """What edits the expression: each event answers with all that says what it is."""
        fields, order = self.fields, self.order
        seen, spec = fields.standing, [fields.spec]
        edits = [
            fields.label.input(_edit(order.with_label), [*spec, fields.label], seen, **STEP),
            fields.units.input(self.move_unit, spec, seen, **STEP),
            fields.bare.click(_edit(order.bare), spec, seen, **STEP),
            fields.worn.click(self.take_worn, self.sitting, seen, **STEP),
        ]
        for place, part in enumerate(fields.posing.fields):
            move = functools.partial(self.pose, place)
            edits.append(part.input(move, [*spec, part], seen, **STEP))
        loading = fields.preset.upload(self.load, fields.preset, [fields.preset, *seen], **STEP)
        loading.failure(None, None, fields.preset, js="() => null", **STEP)
        for event in (*edits, loading):
            event.success(**follow)

    def choose(self, by: str) -> list[Any]:
        """Another kind of drive."""
        return [gr.update(visible=kind == by) for kind in self._kinds]

    @property
    def _kinds(self) -> list[str]:
        kinds = self.kinds
        return [kinds.LABEL, kinds.PHOTO, kinds.FILM, kinds.SHAPES]

    @or_mistake
    async def move_unit(self, spec: ExpressionSpec, event: gr.EventData) -> list[Any]:
        """A unit was moved."""
        return list(self.order.shown(self.order.with_unit(spec, event)))

    @or_mistake
    async def pose(self, place: int, spec: ExpressionSpec, value: Any) -> list[Any]:
        """A field of gaze, head, light or region was moved."""
        return list(self.order.shown(replace(spec, **posing.moved(spec, place, value))))

    @or_mistake
    async def load(self, path: str) -> list[Any]:
        """An expression kept in a file."""
        data, name = taken(path)
        spec = ExpressionSpec.parse(data, f"{name}.json")
        return [None, *self.order.shown(*self.order.taken(spec, name))]

    @or_mistake
    async def take_worn(self, sitting: str) -> list[Any]:
        """What the chosen face shows in the photograph's own tab."""
        worn = self.sittings.get(sitting).worn
        if worn is None:
            raise GuideError("the photograph shows no expression yet: choose one in its tab")
        return list(self.order.shown(*self.order.taken(worn.whole, worn.name)))

    @or_mistake
    async def look(self, key: str, *asked: Any) -> str:
        """The frame of the moment, as it would be made."""
        return await self._look(key, *asked)

    @or_mistake
    async def look_alone(self, key: str, *asked: Any) -> str:
        """The frame of the moment with the expression of the fields, whatever the keyframes are."""
        return await self._look(key, *asked, single=True)

    async def _look(self, key: str, *asked: Any, single: bool = False) -> str:
        *rest, moment = asked
        if key not in self.reels or not (reel := self.reels.get(key)).source:
            return ""
        method, order = self._order(*rest)
        order, moment = replace(order, single=single), number(moment)

        def work() -> str:
            try:
                pixels = reel.preview(self.workshop.editor(method), order, moment)
            except FaceNotFound as error:
                return views.hint(str(error))
            text = f"{reel.strength(order, moment):.0%}"
            text += ", not a keyframe yet" if single and reel.keyframes else ""
            return str(self.shown.preview(pixels, moment, text))

        return await self._at_desk(work)

    def _order(
        self, method: str, by: str, spec: ExpressionSpec, speech: bool, intensity: float, face: str,
        start: float = 0.0, end: float = math.inf,
    ) -> tuple[str, Order]:  # fmt: skip
        faces = self.order.FACES
        order = self.kinds.Order(by, spec, speech, intensity, faces[face], start, end)
        return self.workshop.check(method), order

    @or_mistake
    async def open(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A film that was dropped."""
        file, limits = sent(path), self.workshop.limits
        reel = self._reel(key, file, request)
        await self._at_desk(lambda: reel.open(file, _name(file), limits))
        said, closed = views.status("Film opened"), gr.update(open=False)
        seconds = reel.source.seconds or limits.film_seconds
        last = math.floor(max(FRAME, seconds - 1 / float(reel.source.rate)) / FRAME) * FRAME
        moment = gr.update(value=0, maximum=last)
        part = [
            gr.update(value=v, maximum=math.ceil(seconds / FRAME) * FRAME) for v in (0, seconds)
        ]
        timeline = self.time.standing(reel)
        return [None, reel.key, said, closed, self.shown.before(reel), "", moment, *part, *timeline]

    @or_mistake
    async def like_photo(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A reference photograph."""
        return await self._reference("photo", self.kinds.PHOTO, path, key, request)

    @or_mistake
    async def like_film(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A reference film."""
        return await self._reference("film", self.kinds.FILM, path, key, request)

    @or_mistake
    async def like_record(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """A recording of blendshapes."""
        return await self._reference("shapes", self.kinds.SHAPES, path, key, request)

    async def _reference(
        self, what: str, by: str, path: str, key: str, request: gr.Request
    ) -> list[Any]:
        file, limits = sent(path), self.workshop.limits
        reel = self._reel(key, file, request)
        await self._at_desk(lambda: reel.set_reference(by, file, _name(file), limits))
        said = views.status(f"The reference: {reel.names[what]}")
        return [None, reel.key, said, self.shown.reference_seen(reel, what)]

    @or_mistake
    async def bend(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """An intensity curve."""
        file = sent(path)
        reel = self._reel(key, file, request)
        await self._at_desk(lambda: reel.bend(file, _name(file)))
        said = views.status("The intensity follows the curve")
        return [None, reel.key, said, *self.time.standing(reel)]

    @or_mistake
    async def take_keys(self, path: str, key: str, request: gr.Request) -> list[Any]:
        """Keyframes kept in a file."""
        data, name = taken(path)
        reel = self.reels.take(key, str(request.session_hash))
        reel.take_expressions(self.keyframes.parse(data, f"{name}.json"))
        said = views.status(f"{len(reel.keyframes)} keyframes")
        return [None, reel.key, said, *self.time.standing(reel)]

    async def run(self, key: str, *asked: Any) -> AsyncIterator[list[Any]]:
        """Make the film, and say how far it is."""
        try:
            method, order = self._order(*asked)
            reel = self.reels.get(key)
            making = self.reels.start(reel, method, order)
        except (MienError, Refused) as error:
            raise failure(error) from None
        async with aclosing(
            watched(making, "Frame", "The film is being made", "Cancelling")
        ) as looks:
            async for look in looks:
                yield look
        ended = views.status(self.shown.outcome(making))
        yield ["", ended, gr.update(interactive=False), self.shown.after(reel)]
        if making.error is not None:
            raise failure(making.error)

    @or_mistake
    async def stop(self, key: str) -> None:
        """No film after all."""
        for making in self.reels.get(key).makings:
            making.wanted = False

    async def serve(self, key: str, name: str) -> Response:
        """The film that came, or the one that was made, as a file that a player can seek in."""
        reel = self.reels.get(key)
        if name == "keyframes.json":
            values = [keyframe.to_json() for keyframe in reel.keyframes]
            return Response(json.dumps(values, indent=1) + "\n", media_type="application/json")
        path = {"source": reel.source.path if reel.source else None, "result": reel.result}.get(
            name
        )
        if path is None or not path.exists():
            raise Refused(404, "not_found", "there is no such film")
        return FileResponse(path, media_type=self.media_type(path))

    def leave(self, request: gr.Request) -> None:
        """The page was closed."""
        self.reels.leave(str(request.session_hash))

    def _reel(self, key: str, file: Path, request: gr.Request) -> Any:
        try:
            return self.reels.take(key, str(request.session_hash))
        except Refused:
            file.unlink(missing_ok=True)
            raise

    async def _at_desk(self, task: Callable[[], T]) -> T:
        with self.workshop.desk.place():
            return await self.workshop.desk.work(task)


def _edit(change: Callable[..., ExpressionSpec]) -> Callable[..., Awaitable[list[Any]]]:
    """An event that changes the expression of a film."""

    async def edit(*values: Any) -> list[Any]:
        from mien.web.film_order import shown

        return shown(change(*values))

    return or_mistake(edit)


def _name(file: Path) -> str:
    return file.name[-60:]

"""What the studio does in the film's panel. What it works with (`reels`) needs the extra `video`;
without it the panel says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from fastapi.responses import FileResponse, Response

from mien import facs
from mien.errors import FaceNotFound, GuideError
from mien.guides import ActionUnits, ExpressionSpec
from mien.server import posing
from mien.server.answers import Refused
from mien.server.sitting import Sittings
from mien.server.wish import MOST
from mien.server.workshop import Workshop
from mien.studio import shapes, units, views
from mien.studio.answer import Answer, plural
from mien.studio.asking import FilmAsked, Upload, event, one
from mien.studio.progress import Words, shown_until_ended
from mien.studio.rendering import part

FRAME = 0.04
"""Between two places of a slider over a film, s: a frame of 25 a second."""
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
UNITS = tuple(row.name for rows in units.whole().values() for row in rows)
WORDS = Words(
    "Frame", "The film is being made", "Cancelling", "progress", "film-status", "cancel", "make"
)
LOOK = ("look",)
ALONE = ("look_alone",)
Asked = FilmAsked
T = TypeVar("T")


def possible() -> bool:
    """Whether PyAV is there."""
    return find_spec("av") is not None


class Films:
    """The panel of all browsers; what each has open is a `Reel`."""

    def __init__(self, workshop: Workshop, sittings: Sittings) -> None:
        from mien.server import orders, sources
        from mien.studio import film_views
        from mien.video import keyframes

        self.keyframes, self.shown, self.kinds = keyframes, film_views, orders
        self.workshop, self.sittings = workshop, sittings
        self.reels, self.media_type = workshop.reels, sources.media_type

    @property
    def drives(self) -> list[str]:
        """What can drive a film, in words."""
        kinds = self.kinds
        return [kinds.LABEL, kinds.PHOTO, kinds.FILM, kinds.SHAPES]

    @event
    async def open(self, asked: Asked, files: list[Upload]) -> Answer:
        """A film that was dropped, or a photograph."""
        file, limits = one(files), self.workshop.limits
        reel = self.reels.take(asked.film, asked.session)
        await self._at_desk(lambda: reel.open(file.moved(), file.name, limits))
        assert reel.source is not None
        seconds = reel.source.seconds or limits.film_seconds
        last = math.floor(max(FRAME, seconds - 1 / float(reel.source.rate)) / FRAME) * FRAME
        whole = round(math.ceil(seconds / FRAME - 1e-6) * FRAME, 2)
        answer = self._timeline(reel, 0.0, whole)
        answer.html |= {"before": self.shown.before(reel), "after": ""}
        answer.most = {"moment": round(last, 2), "from": whole, "to": whole}
        answer.values = {"moment": 0, "from": 0, "to": whole}
        answer.keys, answer.closed, answer.then = {"film": reel.key}, "opening-film", LOOK
        return answer.status("film-status", "Film opened")

    @event
    async def like_photo(self, asked: Asked, files: list[Upload]) -> Answer:
        """A reference photograph."""
        return await self._reference("photo", self.kinds.PHOTO, asked, one(files))

    @event
    async def like_film(self, asked: Asked, files: list[Upload]) -> Answer:
        """A reference film."""
        return await self._reference("film", self.kinds.FILM, asked, one(files))

    @event
    async def like_record(self, asked: Asked, files: list[Upload]) -> Answer:
        """A recording of blendshapes."""
        return await self._reference("shapes", self.kinds.SHAPES, asked, one(files))

    async def _reference(self, what: str, by: str, asked: Asked, file: Upload) -> Answer:
        place = {"photo": "photo-seen", "film": "film-seen", "shapes": "record-seen"}[what]
        reel = self.reels.take(asked.film, asked.session)
        limits = self.workshop.limits
        await self._at_desk(lambda: reel.set_reference(by, file.moved(), file.name, limits))
        seen = {place: self.shown.reference_seen(reel, what)}
        answer = Answer(seen, keys={"film": reel.key}, then=LOOK)
        return answer.status("film-status", f"The reference: {reel.names[what]}")

    @event
    async def bend(self, asked: Asked, files: list[Upload]) -> Answer:
        """An intensity curve from a file."""
        file, reel = one(files), self.reels.take(asked.film, asked.session)
        await self._at_desk(lambda: reel.bend(file.moved(), file.name))
        answer = self._timeline(reel, asked.start, asked.end)
        answer.keys, answer.then = {"film": reel.key}, LOOK
        return answer.status("film-status", "The intensity follows the curve")

    @event
    async def take_keys(self, asked: Asked, files: list[Upload]) -> Answer:
        """Keyframes kept in a file."""
        file, reel = one(files), self.reels.take(asked.film, asked.session)
        reel.take_expressions(self.keyframes.parse(file.read(), f"{file.stem}.json"))
        answer = self._timeline(reel, asked.start, asked.end)
        answer.keys, answer.then = {"film": reel.key}, LOOK
        return answer.status("film-status", plural(len(reel.keyframes), "keyframe"))

    @event
    async def label(self, asked: Asked, _: list[Upload]) -> Answer:
        """Another label."""
        spec = replace(asked.expression, name=None, to=_label(asked.value), blendshapes=None)
        return self._says(spec)

    @event
    async def unit(self, asked: Asked, _: list[Upload]) -> Answer:
        """A unit was moved."""
        spec, (unit, value) = asked.expression, shapes.moved(asked.name, asked.value, UNITS)
        covered = set(facs.columns(unit))
        kept = [s for s in map(facs.parse, spec.au) if not set(facs.columns(s.unit)) <= covered]
        settings = (*kept, *([facs.Setting(unit, value)] if value else []))
        texts = tuple(ActionUnits((setting,)).describe() for setting in settings)
        return self._says(replace(spec, name=None, au=texts))

    @event
    async def pose(self, asked: Asked, _: list[Upload]) -> Answer:
        """A field of gaze, head, light or region was moved."""
        spec = asked.expression
        return self._says(
            replace(spec, **posing.moved(spec, *posing.given(asked.name, asked.value)))
        )

    @event
    async def bare(self, asked: Asked, _: list[Upload]) -> Answer:
        """The whole expression alone."""
        spec = asked.expression
        return self._says(ExpressionSpec(name=spec.name, to=spec.to, blendshapes=spec.blendshapes))

    @event
    async def load(self, asked: Asked, files: list[Upload]) -> Answer:
        """An expression kept in a file."""
        file = one(files)
        name = file.stem
        return self._says(*_taken(ExpressionSpec.parse(file.read(), f"{name}.json"), name))

    @event
    async def take_worn(self, asked: Asked, _: list[Upload]) -> Answer:
        """What the chosen face shows in the photograph's own panel."""
        worn = self.sittings.get(asked.photograph).worn
        if worn is None:
            raise GuideError("the photograph shows no expression yet: choose one in its tab")
        return self._says(*_taken(worn.whole, worn.name))

    def _says(self, spec: ExpressionSpec, intensity: float | None = None) -> Answer:
        """Another expression of the fields: all that says what it is."""
        values: dict[str, Any] = dict.fromkeys((f"film-unit-{name}" for name in UNITS), 0.0)
        set_to = {s.unit: s.value for s in map(facs.parse, spec.au) if s.unit in UNITS}
        values |= {f"film-unit-{unit}": value for unit, value in set_to.items()}
        values |= {f"film-{name}": value for name, value in posing.placed(spec).items()}
        values["film-label"] = spec.to if spec.to in facs.EMOTIONS else ""
        if intensity is not None:
            values["film-intensity"] = min(max(intensity, 0.0), MOST)
        return Answer(
            {"film-expression": part("hint", self.shown.said(spec))},
            values,
            moved=views.marked(spec, "film-"),
            keys={"spec": spec.to_json()},
            then=ALONE,
        )

    @event
    async def look(self, asked: Asked, _: list[Upload]) -> Answer:
        """The frame of the moment, as it would be made."""
        return await self._look(asked)

    @event
    async def look_alone(self, asked: Asked, _: list[Upload]) -> Answer:
        """The frame of the moment with the expression of the fields, whatever the keyframes are."""
        return await self._look(asked, single=True)

    async def _look(self, asked: Asked, *, single: bool = False) -> Answer:
        if asked.film not in self.reels or not (reel := self.reels.get(asked.film)).source:
            return Answer()
        method, order = self._order(asked)
        order, moment = replace(order, single=single, start=0.0, end=math.inf), asked.moment

        def work() -> str:
            try:
                pixels = reel.preview(self.workshop.editor(method), order, moment)
            except FaceNotFound as error:
                return part("hint", str(error))
            text = f"{reel.strength(order, moment):.0%}"
            text += ", not a keyframe yet" if single and reel.keyframes else ""
            seen: str = self.shown.preview(pixels, moment, text)
            return seen

        return Answer({"film-preview": await self._at_desk(work)})

    def _order(self, asked: Asked) -> tuple[str, Any]:
        if asked.by not in self.drives:
            raise GuideError(f"a film is driven by one of: {', '.join(self.drives)}")
        order = self.kinds.Order(
            asked.by, asked.expression, asked.speech, asked.intensity, asked.face, asked.start,
            asked.end,
        )  # fmt: skip
        return self.workshop.check(asked.method), order

    @event
    async def bent(self, asked: Asked, _: list[Upload]) -> Answer:
        """The line of the intensity was clicked on or dragged, a point or all were removed."""
        reel = self.reels.get(asked.film)
        what, _at, time = asked.name.partition("/")
        if asked.what != "remove":
            reel.set_point(asked.at, number(asked.value), asked.before)
        elif what == "curve":
            reel.bend(None)
        else:
            reel.drop_point(number(time))
        return self._lined(reel, asked)

    @event
    async def bend_here(self, asked: Asked, _: list[Upload]) -> Answer:
        """A point of the intensity at the moment that is shown."""
        reel = self.reels.get(asked.film)
        reel.set_point(asked.moment, number(asked.value))
        return self._lined(reel, asked)

    @event
    async def key_here(self, asked: Asked, _: list[Upload]) -> Answer:
        """A keyframe of the expression at the moment that is shown."""
        reel = self.reels.get(asked.film)
        reel.set_expression(asked.moment, asked.expression)
        return self._lined(reel, asked)

    @event
    async def source_here(self, asked: Asked, _: list[Upload]) -> Answer:
        """A keyframe at the moment that is shown, as the film is there."""
        reel = self.reels.get(asked.film)
        reel.set_expression(asked.moment, ExpressionSpec())
        return self._lined(reel, asked)

    @event
    async def keyed(self, asked: Asked, _: list[Upload]) -> Answer:
        """A keyframe of the expression, or all, was removed; or one was chosen: its moment is shown
        and the fields stand where it is."""
        reel = self.reels.get(asked.film)
        what, _at, time = asked.name.partition("/")
        if asked.what != "remove":
            at = number(asked.name)
            chosen = reel.keyframe(at)
            answer = self._lined(reel, asked)
            if chosen is not None:
                fields = self._says(chosen.spec)
                answer.html |= fields.html
                answer.values = fields.values | {"moment": chosen.time}
                answer.moved, answer.keys = fields.moved, fields.keys
            return answer
        if what == "keys":
            reel.take_expressions(())
        else:
            reel.drop_expression(number(time))
        return self._lined(reel, asked)

    @event
    async def cut(self, asked: Asked, _: list[Upload]) -> Answer:
        """Another part of the film."""
        return replace(self._lined(self.reels.get(asked.film), asked), then=())

    def _lined(self, reel: Any, asked: Asked) -> Answer:
        points, keys = len(reel.curve.times) if reel.curve else 0, len(reel.keyframes)
        words = plural(points, "point") if points else "The intensity stays the same"
        words += f", {plural(keys, 'keyframe')}" if keys else ""
        words += f"; from {asked.start:g} to {asked.end:g} s"
        answer = self._timeline(reel, asked.start, asked.end)
        return replace(answer, then=LOOK).status("film-status", words)

    def _timeline(self, reel: Any, start: float, end: float) -> Answer:
        shown = self.shown
        return Answer(
            {"timeline": shown.timeline(reel, start, end), "film-keys": shown.keyframes(reel)}
        )

    async def make(self, asked: Asked) -> AsyncGenerator[Answer, None]:
        """Make the film, and say how far it is; Refused and MienError before the first answer."""
        method, order = self._order(asked)
        reel = self.reels.get(asked.film)
        making = self.reels.start(reel, method, order)
        outcome = self.shown.outcome
        return shown_until_ended(making, WORDS, lambda: outcome(making), lambda: {
            "after": self.shown.after(reel)
        })  # fmt: skip

    @event
    async def stop(self, asked: Asked, _: list[Upload]) -> Answer:
        """No film after all."""
        for making in self.reels.get(asked.film).makings:
            making.wanted = False
        return Answer()

    async def serve(self, key: str, name: str) -> Response:
        """The film that came, or the one that was made, as a file that a player can seek in."""
        reel = self.reels.get(key)
        if name == "keyframes.json":
            values = [keyframe.to_json() for keyframe in reel.keyframes]
            return Response(json.dumps(values, indent=1) + "\n", media_type="application/json")
        paths: dict[str, Path | None] = {
            "source": reel.source.path if reel.source else None,
            "result": reel.result,
        }
        path = paths.get(name)
        if path is None or not path.exists():
            raise Refused(404, "not_found", "there is no such film")
        return FileResponse(path, media_type=self.media_type(path))

    def leave(self, session: str) -> None:
        """The page was closed."""
        self.reels.leave(session)

    async def _at_desk(self, task: Callable[[], T]) -> T:
        with self.workshop.desk.place():
            return await self.workshop.desk.work(task)


def number(value: Any) -> float:
    """A number of an event; GuideError for what the page would not send."""
    given = value if isinstance(value, int | float | str) else ""
    try:
        if 0 <= float(given) <= 1e6:  # nor is NaN
            return float(given)
    except (ValueError, OverflowError):
        pass
    raise GuideError("a time in seconds and a number from 0 on are needed")


def _label(value: Any) -> str:
    if value not in facs.EMOTIONS:
        raise GuideError("there is no such expression")
    return str(value)


def _taken(spec: ExpressionSpec, called: str) -> tuple[ExpressionSpec, float]:
    """An expression of a file or of a photograph, and its intensity; GuideError where it needs
    another photograph."""
    if spec.like is not None:
        raise GuideError(f"{called} needs {spec.like}: choose A photograph, and give it there")
    if spec.empty:
        raise GuideError(f"{called} asks for nothing")
    return replace(spec, name=spec.name or called, intensity=1.0), spec.intensity

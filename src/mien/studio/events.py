"""What the studio does when something is clicked on, dropped or moved in the photograph's panel:
each event is a call of a sitting at the desk, and answers with what is shown from then on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import Response

from mien import facs
from mien.guides import ExpressionSpec, Reference
from mien.methods.registry import METHODS, resolve, split_head, with_head
from mien.server import intake, posing
from mien.server.answers import Refused
from mien.server.line import Line
from mien.server.sitting import Sitting, Sittings
from mien.server.wish import MOST, Wish
from mien.server.workshop import Workshop
from mien.studio import references, shapes, units, views
from mien.studio.answer import Answer, plural
from mien.studio.asking import PhotographAsked, Upload, event, index, one
from mien.studio.rendering import part
from mien.studio.shown import (
    READS,
    REDRAWS,
    after_step,
    choose,
    opened_anew,
    unsent,
    while_moved,
)
from mien.zoo.samples import samples

T = TypeVar("T")
Asked = PhotographAsked
GUIDES = ("Label", "ActionUnits", "Reference")
"""The kinds of guide that have a tab, by the names of their classes."""


def native(method: str) -> set[str]:
    """Names of the guides that a method declares as its own."""
    known = resolve(METHODS[split_head(method)[0]].method).native
    return {guide.__name__ for guide in known}


class Events:
    """One for all browsers; what each has open is a `Sitting`."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.sittings = Sittings()
        self._line = Line(workshop)

    async def _at_desk(self, task: Callable[[], T]) -> T:
        return await self._line.work(task)

    @event
    async def open(self, asked: Asked, files: list[Upload]) -> Answer:
        """A photograph that was dropped."""
        file = one(files)
        return await self._open(asked, file.read, file.stem)

    @event
    async def sample(self, asked: Asked, _: list[Upload]) -> Answer:
        """A sample that was clicked on."""
        if asked.name not in samples():
            raise Refused(404, "not_found", f"there is no sample {asked.name}")
        return await self._open(asked, samples()[asked.name].read_bytes, asked.name)

    async def _open(self, asked: Asked, take: Callable[[], bytes], name: str) -> Answer:
        method = self.workshop.check(asked.method)

        def work() -> Answer:
            began = time.perf_counter()
            # read here, so that what waits lies on the disk
            photo = intake.photo(take(), self.workshop.limits, "the photograph")
            sitting = Sitting(photo, self.workshop.editor(method), name)
            self.sittings.add(sitting, instead=asked.photograph)
            return opened_anew(sitting, began, f"{plural(len(sitting.faces), 'face')} found")

        return await self._at_desk(work)

    @event
    async def back(self, asked: Asked, _: list[Upload]) -> Answer:
        """The page was loaded again: what it had open, if that is still here."""
        if asked.photograph not in self.sittings:
            return Answer(keys={"photograph": ""})
        sitting = self.sittings.get(asked.photograph)
        answer = await self._at_desk(
            lambda: opened_anew(sitting, time.perf_counter(), views.describe(sitting))
        )
        method = with_head(sitting.editor.method)
        answer.values["method"] = method
        mapped = {guide: guide not in native(method) for guide in GUIDES}
        return replace(answer, shown=mapped)

    @event
    async def tiles(self, asked: Asked, _: list[Upload]) -> Answer:
        """The live sheet of the chosen face."""
        return await self._sheet(asked, "sheet", facs.EMOTIONS)

    @event
    async def variants(self, asked: Asked, _: list[Upload]) -> Answer:
        """The same for other ways of showing them."""
        return await self._sheet(asked, "variants", views.VARIANTS)

    async def _sheet(self, asked: Asked, place: str, labels: tuple[str, ...]) -> Answer:
        if not asked.photograph:
            return Answer()
        sitting = self.sittings.get(asked.photograph)

        def work() -> str:
            choose(sitting, asked.face)
            sitting.sheet(asked.intensity, labels)
            return views.sheet(labels, sitting)

        sitting.sent[labels] = shown = await self._at_desk(work)
        return Answer({place: shown})

    @event
    async def reading(self, asked: Asked, _: list[Upload]) -> Answer:
        """The sliders where the chosen face is, or was asked to be."""
        if not asked.photograph:
            return Answer()
        sitting = self.sittings.get(asked.photograph)

        def work() -> Answer:
            choose(sitting, asked.face)
            spec = sitting.worn.spec if sitting.worn else ExpressionSpec()
            values: dict[str, Any] = units.standing(sitting.units_now())
            values |= shapes.standing(sitting.shapes_now())
            values |= posing.placed(spec)
            return Answer(values=values)

        return await self._at_desk(work)

    @event
    async def settled(self, asked: Asked, _: list[Upload]) -> Answer:
        """A field was let go, or rests: the picture in full."""
        if asked.photograph not in self.sittings:  # another photograph was opened meanwhile
            return Answer()
        return await self._act(asked, lambda _: None, then=())

    @event
    async def choose(self, asked: Asked, _: list[Upload]) -> Answer:
        """Another face, or all."""
        return await self._act(asked, lambda _: None, then=REDRAWS)

    @event
    async def use(self, asked: Asked, _: list[Upload]) -> Answer:
        """Another method for what is open; tabs say what it takes by a map."""
        name = self.workshop.check(asked.method)
        mapped = {guide: guide not in native(name) for guide in GUIDES}
        if not asked.photograph:
            return Answer(shown=mapped)
        answer = await self._act(asked, lambda s: s.use(self.workshop.editor(name)), then=REDRAWS)
        return replace(answer, shown=mapped)

    @event
    async def express(self, asked: Asked, _: list[Upload]) -> Answer:
        """An expression was clicked on."""
        wish = Wish.label(facs.plain(asked.name), asked.intensity)
        return await self._act(asked, lambda s: s.wear(wish))

    @event
    async def turn(self, asked: Asked, _: list[Upload]) -> Answer:
        """The intensity was moved: the tiles follow it when it rests."""
        if not asked.photograph:
            return Answer()
        answer = await self._moved(asked, lambda s: s.turn(asked.intensity))
        return replace(answer, then=("settled", *REDRAWS))

    @event
    async def set_unit(self, asked: Asked, _: list[Upload]) -> Answer:
        """One unit was moved; those moved before stay."""
        unit, value = shapes.moved(asked.name, asked.value, units.NAMES)
        return await self._moved(asked, lambda s: s.wear(s.moved(unit, value, asked.intensity)))

    @event
    async def set_shape(self, asked: Asked, _: list[Upload]) -> Answer:
        """One of ARKit's blendshapes was moved."""
        name, value = shapes.moved(asked.name, asked.value)
        return await self._moved(asked, lambda s: s.wear(s.shaped(name, value, asked.intensity)))

    @event
    async def pose(self, asked: Asked, _: list[Upload]) -> Answer:
        """A field of gaze, head, light or region was moved."""
        place, value = posing.given(asked.name, asked.value)
        return await self._moved(asked, lambda s: s.wear(s.posed(place, value, asked.intensity)))

    @event
    async def share(self, asked: Asked, _: list[Upload]) -> Answer:
        """How far a reference is followed."""
        if not asked.photograph:
            return Answer()
        return await self._moved(asked, lambda s: s.wear(s.worn and s.worn.shared(asked.share)))

    @event
    async def plain(self, asked: Asked, _: list[Upload]) -> Answer:
        """The chosen faces without the units that were moved."""
        return await self._act(asked, lambda s: s.wear(s.without_units()))

    @event
    async def unshape(self, asked: Asked, _: list[Upload]) -> Answer:
        """The chosen faces as they were before blendshapes were moved."""
        return await self._act(asked, lambda s: s.wear(s.unshaped()))

    @event
    async def undo(self, asked: Asked, _: list[Upload]) -> Answer:
        """A step back."""
        return await self._act(asked, lambda s: s.go(s.at - 1))

    @event
    async def redo(self, asked: Asked, _: list[Upload]) -> Answer:
        """A step forth."""
        return await self._act(asked, lambda s: s.go(s.at + 1))

    @event
    async def go(self, asked: Asked, _: list[Upload]) -> Answer:
        """A step of the history was clicked on."""
        step = index(asked.name)
        return await self._act(asked, lambda s: s.go(step))

    @event
    async def as_it_was(self, asked: Asked, _: list[Upload]) -> Answer:
        """The chosen faces as they were."""
        return await self._act(asked, lambda s: s.wear(None))

    @event
    async def load(self, asked: Asked, files: list[Upload]) -> Answer:
        """An expression kept in a file: the chosen faces show it."""
        file = one(files)
        spec = ExpressionSpec.parse(file.read(), f"{file.stem}.json")
        if spec.like is not None:
            raise Refused(
                422, "bad_guide", f"{file.stem}.json needs {spec.like}: give it under Like a photo"
            )
        named = tuple(spec.blendshapes or ())
        bare = replace(spec, name=None, intensity=1.0)
        wish = Wish(spec.name or file.stem, spec.intensity, bare, moved=named)
        answer = await self._act(asked, lambda s: s.wear(None if spec.empty else wish))
        answer.values["intensity"] = min(max(spec.intensity, 0.0), MOST)
        return answer

    @event
    async def upright(self, asked: Asked, _: list[Upload]) -> Answer:
        """A photograph that lies on its side is turned: it is opened anew."""
        sitting = self.sittings.get(asked.photograph)
        turns = index(asked.name) % 4

        def work() -> Answer:
            began = time.perf_counter()
            photo = references.turned(sitting.photo, turns)
            made = Sitting(photo, sitting.editor, sitting.name)
            self.sittings.add(made, instead=asked.photograph)
            return opened_anew(made, began, "turned")

        return await self._at_desk(work)

    @event
    async def invite_like(self, asked: Asked, files: list[Upload]) -> Answer:
        """A photograph for the reference: its faces are shown."""
        return await self._invite("like", "references", asked, one(files))

    @event
    async def invite_swap(self, asked: Asked, files: list[Upload]) -> Answer:
        """One to swap with."""
        return await self._invite("swap", "partners", asked, one(files))

    async def _invite(self, kind: str, place: str, asked: Asked, file: Upload) -> Answer:
        sitting = self.sittings.get(asked.photograph)

        def work() -> Answer:
            photo = intake.photo(file.read(), self.workshop.limits, "the photograph")
            sitting.guests[kind] = references.guest(photo, file.stem)
            count = plural(len(sitting.guests[kind].faces), "face")
            words = f"{count} in {file.stem}: click on one of them"
            shown = references.shown(kind, sitting.guests[kind])
            return Answer({place: shown, "status": part("status", words)})

        return await self._at_desk(work)

    @event
    async def like(self, asked: Asked, _: list[Upload]) -> Answer:
        """The face of a reference; followed in part, it goes on top of a label."""
        place, share = index(asked.name), asked.share

        def act(sitting: Sitting) -> None:
            guest = sitting.guest("like")
            reference = sitting.editor.reference(guest.photo, face=guest.face(place))
            wish = _like(sitting, reference, guest.name, asked.intensity)
            under = sitting.worn.spec.to if sitting.worn and share < 1 else None
            sitting.wear(replace(wish, spec=replace(wish.spec, share=share, to=under)))

        return await self._act(asked, act)

    @event
    async def swap(self, asked: Asked, _: list[Upload]) -> Answer:
        """A face of a second photograph: both exchange their expressions."""
        place = index(asked.name)

        def act(sitting: Sitting) -> None:
            guest = sitting.guest("swap")
            whose = guest.face(place)
            reference = sitting.editor.reference(guest.photo, face=whose)
            sitting.other = sitting.editor.edit(guest.photo, sitting.as_reference(), face=whose)
            sitting.wear(_like(sitting, reference, guest.name, 1.0))

        answer = await self._act(asked, act)
        answer.html["other"] = views.other(self.sittings.get(asked.photograph))
        return answer

    async def _act(
        self, asked: Asked, act: Callable[[Sitting], None], then: tuple[str, ...] = READS
    ) -> Answer:
        """Do something to the face that is chosen on the page."""
        sitting = self.sittings.get(asked.photograph)

        def work() -> Answer:
            began = time.perf_counter()
            choose(sitting, asked.face)
            act(sitting)
            return after_step(sitting, began, views.describe(sitting), then=then)

        return unsent(sitting, await self._at_desk(work))

    async def _moved(self, asked: Asked, act: Callable[[Sitting], None]) -> Answer:
        """The same by a field that may move on at once: shown small, until `settled` follows."""
        sitting = self.sittings.get(asked.photograph)

        def work() -> Answer:
            choose(sitting, asked.face)
            act(sitting)
            return while_moved(sitting)

        return await self._at_desk(work)

    async def download(self, key: str, name: str, make: bool = False) -> Response:
        """A result at the photograph's own size, as a file, or only to `make` it, so that it is
        there when it is asked for next; a picture of the history."""
        what, _, kind = name.partition(".")
        sitting = self.sittings.get(key)
        if what.startswith("step-") and kind == "jpg":
            picture = await self._at_desk(lambda: sitting.picture(what.removeprefix("step-")))
            kept = {"Cache-Control": "no-store"}  # a browser's cache is on the disk
            return Response(picture, media_type="image/jpeg", headers=kept)
        if name == "expression.json":
            return Response(views.kept(sitting), media_type="application/json")
        if what not in ("result", "other") or kind not in ("png", "jpg"):
            raise Refused(404, "not_found", "there is no such file")

        def work() -> bytes:
            look = sitting.look  # at the desk: nothing changes meanwhile
            result = sitting.other if what == "other" else sitting.result()
            if result is None:
                raise Refused(404, "not_found", "nothing was swapped")
            data = result.encode(f".{kind}")
            sitting.made = (name, look, data) if make else None
            return data

        made = sitting.made
        data = made[2] if made and made[:2] == (name, sitting.look) else await self._at_desk(work)
        if make:
            return Response(status_code=204)
        sitting.made = None
        return Response(data, media_type="image/png" if kind == "png" else "image/jpeg")


def _like(sitting: Sitting, reference: Reference, name: str, intensity: float) -> Wish:
    sitting.taken += 1  # two of one photograph are two wishes
    spec = ExpressionSpec(like=name)
    return Wish(f"like {name} ({sitting.taken})", intensity, spec, reference)

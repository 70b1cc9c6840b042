"""What the studio does when something is clicked on, dropped or moved: each event is a call of a
sitting at the desk, and answers with what is shown from then on.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import gradio as gr
from fastapi import Response

from mien import facs
from mien.guides import ExpressionSpec, Reference
from mien.web import intake, references, shapes, views
from mien.web.answers import Refused
from mien.web.line import Line
from mien.web.parts import index, or_mistake, taken
from mien.web.posing import Posing, standing
from mien.web.shown import OPENED, SEEN, VARIANTS, after_step, choose, opened_anew, unsent
from mien.web.sitting import Sitting, Sittings
from mien.web.units import UnitSliders
from mien.web.wish import MOST, Wish
from mien.web.workshop import Workshop
from mien.zoo.samples import samples

T = TypeVar("T")


class Events:
    """One for all browsers; what each has open is a `Sitting`. `panel` and `posing` are given by
    the layout.
    """

    panel: UnitSliders
    posing: Posing

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.sittings = Sittings()
        self._line = Line(workshop)

    async def _at_desk(self, task: Callable[[], T]) -> T:
        return await self._line.work(task)

    @or_mistake
    async def open(self, path: str, key: str, method: str) -> list[Any]:
        """A photograph that was dropped; the field is empty again for the next."""
        return [None, *await self._open(functools.partial(taken, path), key, method)]

    @or_mistake
    async def sample(self, key: str, method: str, event: gr.EventData) -> list[Any]:
        """A sample that was clicked on."""
        name = str(event.sample)
        if name not in samples():
            raise Refused(404, "not_found", f"there is no sample {name}")
        return await self._open(lambda: (samples()[name].read_bytes(), name), key, method)

    async def _open(
        self, take: Callable[[], tuple[bytes, str]], key: str, method: str
    ) -> list[Any]:
        method = self.workshop.check(method)

        def work() -> list[Any]:
            began = time.perf_counter()
            data, name = take()  # here, so that what waits lies on the disk
            photo = intake.photo(data, self.workshop.limits, "the photograph")
            sitting = Sitting(photo, self.workshop.editor(method), name)
            self.sittings.add(sitting, instead=key)
            count = len(sitting.faces)
            return opened_anew(sitting, began, f"{count} face{'s' * (count > 1)} found")

        return await self._at_desk(work)

    @or_mistake
    async def back(self, key: str) -> list[Any]:
        """The page was loaded again: what it had open, if that is still here."""
        if key not in self.sittings:
            return [gr.skip()] * OPENED
        sitting = self.sittings.get(key)
        return await self._at_desk(
            lambda: opened_anew(sitting, time.perf_counter(), views.describe(sitting))
        )

    @or_mistake
    async def tiles(self, key: str, face: str | None, intensity: float) -> str:
        """The live sheet of the chosen face."""
        return await self._sheet(key, face, intensity, facs.EMOTIONS)

    @or_mistake
    async def variants(self, key: str, face: str | None, intensity: float) -> str:
        """The same for other ways of showing them."""
        return await self._sheet(key, face, intensity, VARIANTS)

    async def _sheet(
        self, key: str, face: str | None, intensity: float, labels: tuple[str, ...]
    ) -> str:
        if not key:
            return views.sheet(labels)
        sitting = self.sittings.get(key)

        def work() -> str:
            choose(sitting, face)
            sitting.sheet(intensity, labels)
            return views.sheet(labels, sitting)

        sitting.sent[labels] = shown = await self._at_desk(work)
        return shown

    @or_mistake
    async def reading(self, key: str, face: str | None, by_side: bool) -> list[Any]:
        """The sliders where the chosen face is, or was asked to be."""
        if not key:
            posed = self.posing.at(standing(ExpressionSpec()))
            return [*self.panel.at({}, by_side), *posed, shapes.standing("shapes", {})]
        sitting = self.sittings.get(key)

        def work() -> list[Any]:
            choose(sitting, face)
            asked = sitting.worn.spec if sitting.worn else ExpressionSpec()
            return [
                *self.panel.at(sitting.units_now(), by_side),
                *self.posing.at(standing(asked)),
                shapes.standing("shapes", sitting.shapes_now()),
            ]

        return await self._at_desk(work)

    async def still(self) -> None:
        """Nothing to do but what follows."""

    @or_mistake
    async def choose(self, key: str, face: str | None) -> list[Any]:
        """Another face, or all."""
        return await self._act(key, face, lambda _: None)

    @or_mistake
    async def use(self, key: str, face: str | None, method: str) -> list[Any]:
        """Another method for what is open."""
        if not key:
            return [gr.skip()] * SEEN
        name = self.workshop.check(method)
        return await self._act(key, face, lambda s: s.use(self.workshop.editor(name)))

    @or_mistake
    async def express(
        self, key: str, face: str | None, intensity: float, event: gr.EventData
    ) -> list[Any]:
        """An expression was clicked on."""
        name = str(event.expression)
        wish = Wish.label(name, intensity)
        return await self._act(key, face, lambda s: s.wear(wish))

    @or_mistake
    async def set_unit(
        self, unit: str, key: str, face: str | None, value: float, intensity: float
    ) -> list[Any]:
        """One unit was moved; those moved before stay."""
        return await self._moved(key, face, lambda s: s.wear(s.moved(unit, value, intensity)))

    @or_mistake
    async def set_shape(
        self, key: str, face: str | None, intensity: float, event: gr.EventData
    ) -> list[Any]:
        """One of ARKit's blendshapes was moved."""
        name, value = shapes.moved(event)
        return await self._moved(key, face, lambda s: s.wear(s.shaped(name, value, intensity)))

    @or_mistake
    async def unshape(self, key: str, face: str | None) -> list[Any]:
        """The chosen faces as they were before blendshapes were moved."""
        return await self._act(key, face, lambda s: s.wear(s.unshaped()))

    @or_mistake
    async def invite(self, kind: str, path: str, key: str) -> list[Any]:
        """A photograph for the reference (`like`), or one to swap with (`swap`): its faces are
        shown."""
        sitting = self.sittings.get(key)
        data, name = taken(path)

        def work() -> list[Any]:
            photo = intake.photo(data, self.workshop.limits, "the photograph")
            sitting.guests[kind] = references.guest(photo, name)
            count = len(sitting.guests[kind].faces)
            said = f"{count} face{'s' * (count > 1)} in {name}: click on one of them"
            return [None, references.shown(kind, sitting.guests[kind]), views.status(said)]

        return await self._at_desk(work)

    @or_mistake
    async def like(
        self, key: str, face: str | None, intensity: float, share: float, event: gr.EventData
    ) -> list[Any]:
        """The face of a reference; followed in part, it goes on top of a label."""

        def act(sitting: Sitting) -> None:
            guest = sitting.guest("like")
            reference = sitting.editor.reference(guest.photo, face=guest.face(index(event)))
            wish = self._like(sitting, reference, guest.name, intensity)
            under = sitting.worn.spec.to if sitting.worn and share < 1 else None
            sitting.wear(replace(wish, spec=replace(wish.spec, share=share, to=under)))

        return await self._act(key, face, act)

    @or_mistake
    async def share(self, key: str, face: str | None, share: float) -> list[Any]:
        """How far a reference is followed."""
        if not key:
            return [gr.skip()] * SEEN
        return await self._moved(key, face, lambda s: s.wear(s.worn and s.worn.shared(share)))

    @or_mistake
    async def swap(self, key: str, face: str | None, event: gr.EventData) -> list[Any]:
        """A face of a second photograph: both exchange their expressions."""

        def act(sitting: Sitting) -> None:
            guest = sitting.guest("swap")
            whose = guest.face(index(event))
            reference = sitting.editor.reference(guest.photo, face=whose)
            sitting.other = sitting.editor.edit(guest.photo, sitting.as_reference(), face=whose)
            sitting.wear(self._like(sitting, reference, guest.name, 1.0))

        seen = await self._act(key, face, act)
        return [views.other(self.sittings.get(key)), *seen]

    @or_mistake
    async def upright(self, key: str, event: gr.EventData) -> list[Any]:
        """A photograph that lies on its side is turned: it is opened anew."""
        sitting = self.sittings.get(key)
        turns = index(event, "turn") % 4

        def work() -> list[Any]:
            began = time.perf_counter()
            photo = references.turned(sitting.photo, turns)
            made = Sitting(photo, sitting.editor, sitting.name)
            self.sittings.add(made, instead=key)
            return opened_anew(made, began, "turned")

        return await self._at_desk(work)

    def _like(self, sitting: Sitting, reference: Reference, name: str, intensity: float) -> Wish:
        sitting.taken += 1  # two of one photograph are two wishes
        spec = ExpressionSpec(like=name)
        return Wish(f"like {name} ({sitting.taken})", intensity, spec, reference)

    @or_mistake
    async def turn(self, key: str, face: str | None, intensity: float) -> list[Any]:
        """The intensity was moved."""
        if not key:
            return [gr.skip()] * SEEN
        return await self._moved(key, face, lambda s: s.turn(intensity))

    @or_mistake
    async def move(self, step: int, key: str, face: str | None) -> list[Any]:
        """Undo and redo."""
        return await self._act(key, face, lambda s: s.go(s.at + step))

    @or_mistake
    async def go(self, key: str, face: str | None, event: gr.EventData) -> list[Any]:
        """A step of the history was clicked on."""
        return await self._act(key, face, lambda s: s.go(int(event.step)))

    @or_mistake
    async def as_it_was(self, key: str, face: str | None) -> list[Any]:
        """The chosen faces as they were."""
        return await self._act(key, face, lambda s: s.wear(None))

    @or_mistake
    async def pose(
        self, place: int, key: str, face: str | None, value: Any, intensity: float
    ) -> list[Any]:
        """A field of gaze, head, light or region was moved."""
        return await self._moved(key, face, lambda s: s.wear(s.posed(place, value, intensity)))

    @or_mistake
    async def load(self, path: str, key: str, face: str | None) -> list[Any]:
        """An expression kept in a file: the chosen faces show it."""
        data, name = taken(path)
        spec = ExpressionSpec.parse(data, f"{name}.json")
        if spec.like is not None:
            raise Refused(
                422, "bad_guide", f"{name}.json needs {spec.like}: give it under Like a photo"
            )
        named = tuple(spec.blendshapes or ())
        bare = replace(spec, name=None, intensity=1.0)
        wish = Wish(spec.name or name, spec.intensity, bare, moved=named)
        seen = await self._act(key, face, lambda s: s.wear(None if spec.empty else wish))
        return [None, gr.update(value=min(max(spec.intensity, 0.0), MOST)), *seen]

    @or_mistake
    async def plain(self, key: str, face: str | None) -> list[Any]:
        """The chosen faces without the units that were moved."""
        return await self._act(key, face, lambda s: s.wear(s.without_units()))

    async def _moved(self, key: str, face: str | None, act: Callable[[Sitting], None]) -> list[Any]:
        """The same by a field that may move on at once: shown small, until `settled` follows."""
        return await self._act(key, face, act, live=True)

    @or_mistake
    async def settled(self, key: str, face: str | None) -> list[Any]:
        """A field was let go, or rests: the picture in full."""
        if key not in self.sittings:  # another photograph was opened meanwhile
            return [gr.skip()] * SEEN
        return await self._act(key, face, lambda _: None)

    async def _act(
        self,
        key: str,
        face: str | None,
        act: Callable[[Sitting], None],
        live: bool = False,
    ) -> list[Any]:
        """Do something to the face that is chosen on the page."""
        sitting = self.sittings.get(key)

        def work() -> list[Any]:
            began = time.perf_counter()
            choose(sitting, face)
            act(sitting)
            return after_step(sitting, began, views.describe(sitting), live=live)

        return unsent(sitting, await self._at_desk(work))

    async def download(self, key: str, name: str, make: bool = False) -> Response:
        """A result at the photograph's own size, as a file, or only to `make` it, so that it is
        there when it is asked for next; a picture of the history."""
        what, _, kind = name.partition(".")
        if what.startswith("step-") and kind == "jpg":
            steps = {f"step-{step.name}": step.picture for step in self.sittings.get(key).steps}
            if not steps.get(what):
                raise Refused(404, "not_found", "there is no such step")
            kept = {"Cache-Control": "no-store"}  # a browser's cache is on the disk
            return Response(steps[what], media_type="image/jpeg", headers=kept)
        if name == "expression.json":
            return Response(views.kept(self.sittings.get(key)), media_type="application/json")
        if what not in ("result", "other") or kind not in ("png", "jpg"):
            raise Refused(404, "not_found", "there is no such file")
        sitting = self.sittings.get(key)

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

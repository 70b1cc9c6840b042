"""A film's course in the studio: its intensity over time, its expressions one after another, and
the part of it that is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from mien.errors import GuideError
from mien.guides import ExpressionSpec
from mien.web import views
from mien.web.limits import Limits
from mien.web.parts import STEP, drop, html, or_mistake
from mien.web.wish import MOST

if TYPE_CHECKING:
    from mien.web.reels import Reel, Reels

FRAME = 0.04
"""Between two places of a slider over a film, s: a frame of 25 a second."""


class TimeFields:
    """The fields, in the layout that is open; `now` is the slider of the moment that is shown."""

    def __init__(self, reels: Reels, limits: Limits, now: gr.Slider) -> None:
        from mien.web import film_views

        self.reels, self.now, self.shown = reels, now, film_views
        with gr.Row():
            self.set_here = gr.Button("Set a keyframe here", size="sm", elem_id="key-here")
            self.as_it_is = gr.Button("Here as the film is", size="sm", elem_id="key-source")
        self.keys = html(film_views.keyframes(None), "film-keys")
        self.keys_file = drop("Keyframes (JSON)", "keys-file", [".json"])
        html('<h3 class="mien-head">Intensity over time</h3>', "timeline-title")
        self.line = html("", "timeline", "timeline.js")
        self.here = gr.Slider(
            0, MOST, 1, step=0.05, label="Intensity at the moment that is shown", buttons=[],
            elem_id="keyframe",
        )  # fmt: skip
        self.curve = drop("CSV: time (s), intensity", "curve", [".csv", ".txt"])
        most = limits.film_seconds
        self.start = gr.Slider(0, most, 0, step=FRAME, label="From, s", elem_id="from", buttons=[])
        self.end = gr.Slider(0, most, most, step=FRAME, label="To, s", elem_id="to", buttons=[])

    @property
    def edges(self) -> list[Any]:
        """The part that is made."""
        return [self.start, self.end]

    @property
    def seen(self) -> list[Any]:
        """The parts that say what the course is: see `standing`."""
        return [self.line, self.keys]

    def standing(self, reel: Reel, edges: tuple[float, float] | None = None) -> list[Any]:
        """Updates of `seen`."""
        part = (edges,) if edges else ()
        return [self.shown.timeline(reel, *part), self.shown.keyframes(reel)]

    def listen(
        self, key: gr.State, status: Any, spec: gr.State, expression: list[Any], follow: Any
    ) -> None:
        """What each event does; `expression` are the parts that say what `spec` is, and `follow`
        shows the frame anew."""
        where = [key, self.now, *self.edges]
        seen = [status, *self.seen]
        for part, kind, event, inputs, outputs in (
            (self.line, "click", self.bent, [key, *self.edges], seen),
            (self.here, "input", self.bend_here, [*where, self.here], seen),
            (self.set_here, "click", self.key_here, [*where, spec], seen),
            (self.as_it_is, "click", self.key_here, where, seen),
            (self.keys, "click", self.keyed, [key, *self.edges],
             [*seen, self.now, *expression]),
        ):  # fmt: skip
            getattr(part, kind)(event, inputs, outputs, **STEP).success(**follow)
        for edge in self.edges:
            edge.input(self.cut, [key, *self.edges], seen, **STEP)

    @or_mistake
    async def bent(self, key: str, start: float, end: float, event: gr.EventData) -> list[Any]:
        """The line of the intensity was clicked on or dragged, a point or all were removed."""
        reel = self.reels.get(key)
        what, _, time = str(getattr(event, "remove", "")).partition("/")
        if what == "curve":
            reel.bend(None)
        elif what == "point":
            reel.drop_point(number(time))
        else:
            before = getattr(event, "before", None)
            before = None if before is None else number(before)
            reel.set_point(number(event.at), number(event.value), before)
        return self._lined(reel, start, end)

    @or_mistake
    async def bend_here(
        self, key: str, moment: float, start: float, end: float, value: float
    ) -> list[Any]:
        """A point of the intensity at the moment that is shown."""
        reel = self.reels.get(key)
        reel.set_point(number(moment), number(value))
        return self._lined(reel, start, end)

    @or_mistake
    async def key_here(
        self, key: str, moment: float, start: float, end: float,
        spec: ExpressionSpec | None = None,
    ) -> list[Any]:  # fmt: skip
        """A keyframe of the expression at the moment that is shown, without one as the film is."""
        reel = self.reels.get(key)
        reel.set_expression(number(moment), spec or ExpressionSpec())
        return self._lined(reel, start, end)

    @or_mistake
    async def keyed(self, key: str, start: float, end: float, event: gr.EventData) -> list[Any]:
        """A keyframe of the expression, or all, was removed; or one was chosen: its moment is shown
        and the fields stand where it is."""
        from mien.web.film_order import shown

        reel = self.reels.get(key)
        what, _, time = str(getattr(event, "remove", "")).partition("/")
        chosen = None
        if what == "keys":
            reel.take_expressions(())
        elif what == "key":
            reel.drop_expression(number(time))
        else:
            at = number(getattr(event, "step", ""))
            chosen = next((k for k in reel.keyframes if k.time == at), None)
        to = [gr.update(value=chosen.time), *shown(chosen.spec)] if chosen else None
        to = to or [gr.skip()] * (1 + len(shown(ExpressionSpec())))
        return [*self._lined(reel, start, end), *to]

    @or_mistake
    async def cut(self, key: str, start: float, end: float) -> list[Any]:
        """Another part of the film."""
        return self._lined(self.reels.get(key), start, end)

    def _lined(self, reel: Reel, start: float, end: float) -> list[Any]:
        points, keys = len(reel.curve.times) if reel.curve else 0, len(reel.keyframes)
        said = f"{points} point{'s' * (points != 1)}" if points else "The intensity stays the same"
        said += f", {keys} keyframe{'s' * (keys != 1)}" if keys else ""
        said += f"; from {start:g} to {end:g} s"
        return [views.status(said), *self.standing(reel, (start, end))]


def number(value: Any) -> float:
    """A number of an event; GuideError for what the page would not send."""
    given = value if isinstance(value, int | float | str) else ""
    try:
        if 0 <= float(given) <= 1e6:  # nor is NaN
            return float(given)
    except (ValueError, OverflowError):
        pass
    raise GuideError("a time in seconds and a number from 0 on are needed")

"""What the page gets after a step on a photograph: the parts of it that change."""

from __future__ import annotations

import time

from mien import facs
from mien.server.sitting import Sitting
from mien.studio import references, views
from mien.studio.answer import Answer, capital
from mien.studio.rendering import part

ALL = "All faces"
SHEETS = {"sheet": facs.EMOTIONS, "variants": views.VARIANTS}
"""Parts of the page -> the labels that they show."""
READS = ("reading",)
REDRAWS = ("tiles", "reading", "variants")
"""Events that follow from a step, and from another face, another strength or another method."""


def opened_anew(sitting: Sitting, began: float, words: str) -> Answer:
    """All that depends on the photograph, which was just opened."""
    answer = after_step(sitting, began, words, opened=True, then=REDRAWS)
    names = _names(sitting)
    answer.closed = "opening"
    answer.keys = {"photograph": sitting.key}
    answer.html |= {
        "faces": part("faces", names, names[-1 if sitting.chosen is None else sitting.chosen]),
        "downloads": views.downloads(sitting),
        "other": views.other(sitting),
        "offer": references.offer(sitting),
        "references": references.shown("like", sitting.guests.get("like")),
        "partners": references.shown("swap", sitting.guests.get("swap")),
    }
    if sitting.worn:
        answer.values["intensity"] = sitting.worn.intensity
    return answer


def after_step(
    sitting: Sitting,
    began: float,
    words: str,
    *,
    opened: bool = False,
    then: tuple[str, ...] = READS,
) -> Answer:
    """Stage, sheets, history, status and copies after a step; the photograph before goes to the
    page only when it has just been `opened`."""
    if opened:
        sitting.sent = {}
    html = {
        "stage": views.stage(sitting, opened=opened),
        "history": views.history(sitting),
        "copies": views.copies(sitting),
    }
    html |= {place: views.sheet(labels, sitting) for place, labels in SHEETS.items()}
    answer = Answer(html, moved=views.marks(sitting), then=then)
    spent = time.perf_counter() - began
    return answer.status("status", f"{capital(words)} ({spent:.1f} s)")


def unsent(sitting: Sitting, answer: Answer) -> Answer:
    """It without the sheets that the page has already, once it is sure to get the others."""
    for place, labels in SHEETS.items():
        shown = answer.html.get(place)
        if shown is not None and sitting.sent.get(labels) == shown:
            del answer.html[place]
        elif shown is not None:
            sitting.sent[labels] = shown
    return answer


def while_moved(sitting: Sitting) -> Answer:
    """The picture while a slider is moved; `settled` brings the rest when it rests."""
    return Answer(picture=views.live(sitting), moved=views.marks(sitting), then=("settled",))


def choose(sitting: Sitting, face: str | None) -> None:
    """One face, or all; as it was for a name of the photograph that was open before."""
    names = _names(sitting)
    if face in names:
        shown, at = sitting.targets[0], names.index(face)
        sitting.chosen = at if at < len(sitting.faces) else None
        if sitting.targets[0] != shown:
            sitting.tiles = {}  # somebody else's


def _names(sitting: Sitting) -> list[str]:
    names = [f"Face {i + 1}" for i in range(len(sitting.faces))]
    return [*names, ALL] if len(names) > 1 else names

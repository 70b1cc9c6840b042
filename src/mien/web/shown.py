"""What the page gets after a step: the parts of it that change."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from mien import facs
from mien.web import references, views
from mien.web.sitting import Sitting

VARIANTS = tuple(facs.VARIANTS)
SEEN = 6
"""Parts of the page that a step changes."""
OPENED = 9 + SEEN
"""Parts that change when a photograph is opened."""


def opened_anew(sitting: Sitting, began: float, words: str) -> list[Any]:
    """All that depends on the photograph, which was just opened."""
    names = _names(sitting)
    chosen = names[-1 if sitting.chosen is None else sitting.chosen]
    return [
        gr.update(open=False),
        sitting.key,
        gr.update(choices=names, value=chosen, visible=len(names) > 1),
        views.downloads(sitting),
        views.other(sitting),
        references.offer(sitting),
        *(references.shown(kind, sitting.guests.get(kind)) for kind in ("like", "swap")),
        gr.update(value=sitting.worn.intensity) if sitting.worn else gr.skip(),
        *after_step(sitting, began, words, opened=True),
    ]


def after_step(
    sitting: Sitting, began: float, words: str, *, opened: bool = False, live: bool = False
) -> list[Any]:
    """Stage, sheets, history, status and copies after a step; the photograph before goes to the
    page only when it has just been `opened`; `live`: while a slider is moved."""
    shown = views.stage(sitting, opened=opened, live=live)
    if opened:
        sitting.sent = {}
    sheets = (views.sheet(labels, sitting) for labels in (facs.EMOTIONS, VARIANTS))
    spent = time.perf_counter() - began
    line = f"{words[0].upper()}{words[1:]} ({spent:.1f} s)"
    return [shown, *sheets, views.history(sitting), views.status(line), views.copies(sitting)]


def unsent(sitting: Sitting, seen: list[Any]) -> list[Any]:
    """`after_step` without the sheets that the page has already, once it is sure to get the
    others."""
    for part, labels in ((1, facs.EMOTIONS), (2, VARIANTS)):
        if sitting.sent.get(labels) == seen[part]:
            seen[part] = gr.skip()
        else:
            sitting.sent[labels] = seen[part]
    return seen


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
    return [*names, "All faces"] if len(names) > 1 else names

"""What the studio shows, as HTML: plain pictures, buttons and one range input, so that a keyboard
and a screen reader can do all that a mouse can.

Pictures travel inside the page (data URLs): nothing of a photograph is written to the disk for it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np

from mien import facs, images
from mien.guides import ExpressionSpec
from mien.images import Photo
from mien.methods.registry import with_head
from mien.types import UInt8
from mien.web import copying, posing
from mien.web.sitting import Sitting
from mien.zoo.samples import samples

STATIC = Path(__file__).parent / "static"


def script(name: str) -> str:
    """A script of `static/`, for the component that runs it."""
    return (STATIC / name).read_text(encoding="utf-8")


def title() -> str:
    """The head of the page."""
    return (
        '<header class="mien-title"><h1>mien studio</h1>'
        "<p>Another expression on the same face. Everything stays on this machine.</p></header>"
    )


QUALITY = 85
"""Of JPEG, for pictures that only the page shows: a download has 95."""


def picture(pixels: UInt8, alt: str, kind: str, *, altered: bool = True) -> str:
    """An image element that holds its own pixels, and says if they are altered."""
    data = images.encode(Photo(pixels), ".jpg", altered=altered, quality=QUALITY)
    url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    return f'<img class="{kind}" alt="{escape(alt)}" src="{url}" draggable="false">'


def stage(sitting: Sitting, *, opened: bool = True, live: bool = False) -> str:
    """The photograph and the look one over the other, a box on every face, what to compare and to
    zoom them with; and which sliders differ from what the expression itself asks for. Where it was
    `opened` before, the page has the photograph, and shows it again by itself (`stage.js`). `live`:
    while a slider is moved, small and soon.
    """
    height, width = sitting.small.pixels.shape[:2]
    words = describe(sitting)
    boxes = "".join(_box(sitting, i) for i in range(len(sitting.faces)))
    return (
        f'{_marks(sitting)}<figure class="mien-stage" data-key="{sitting.key}" '
        + f'style="aspect-ratio:{width}/{height};--ratio:{width / height}"><div class="view">'
        + (_before(sitting) if opened else _SEEN_BEFORE)
        + picture(sitting.preview(live), f"After: {words}", "after live" if live else "after")
        + '<span class="cut"></span>'
        + f'<div role="group" aria-label="Faces">{boxes}</div></div>'
        + '<span class="tag left" aria-hidden="true">before</span>'
        + '<span class="tag right" aria-hidden="true">after</span></figure>'
        + f'<div class="mien-tools">{_COMPARE}{_TOOLS}</div>'
    )


_BEFORE = "Before: the photograph as it was"
_SEEN_BEFORE = f'<img class="before" alt="{_BEFORE}" draggable="false">'


def _before(sitting: Sitting) -> str:
    return picture(sitting.small.pixels, _BEFORE, "before", altered=False)


_COMPARE = (
    '<label class="mien-compare"><span>Compare with before</span>'
    '<input type="range" min="0" max="100" value="0"></label>'
)
_TOOLS = (
    '<div role="group" aria-label="View" class="mien-view">'
    '<button type="button" data-view="before" title="Hold: the photograph as it was (B)" '
    'aria-pressed="false">Before</button>'
    '<button type="button" data-view="out" title="Zoom out (-)" aria-label="Zoom out">&minus;'
    '</button><button type="button" data-view="fit" title="The whole picture (0)" '
    'aria-label="The whole picture">100&nbsp;%</button>'
    '<button type="button" data-view="in" title="Zoom in (+)" aria-label="Zoom in">+</button></div>'
)


def _marks(sitting: Sitting) -> str:
    """A style for the fields that were moved on top of what the chosen face shows. It holds for
    fields that are not drawn yet.
    """
    if sitting.worn is None:
        return ""
    return marks(sitting.worn.spec, shapes=sitting.worn.moved)


def marks(spec: ExpressionSpec, whose: str = "", shapes: Sequence[str] = ()) -> str:
    """A style for the fields that say something in an expression; `whose` begins their ids."""
    moved = [f"{whose}unit-{unit.partition('=')[0]}" for unit in spec.au]
    moved += [f"{whose}shape-{name}" for name in shapes]
    for field, sliders in posing.SLIDERS.items():
        values = getattr(spec, field) or (0.0,) * len(sliders)
        moved += [f"{whose}{field}-{place}" for place, value in enumerate(values) if value]
    if not moved:
        return ""
    fields = ",".join(f"#{name}" for name in moved)
    return f"<style>{fields}{{--moved:var(--color-accent);--weight:700}}</style>"


def empty_stage() -> str:
    """What stands there before a photograph does."""
    return '<p class="mien-empty">Open a photograph, or begin with a sample.</p>'


def sheet(labels: Sequence[str] = facs.EMOTIONS, sitting: Sitting | None = None) -> str:
    """Expressions as buttons; those drawn already show the face that they would make."""
    worn, off = (sitting.worn.spec.to if sitting and sitting.worn else "", _off(sitting))
    tiles = sitting.tiles if sitting else {}
    buttons = "".join(
        f'<button type="button" data-expression="{name}" aria-pressed="{_flag(name == worn)}"{off}>'
        + (sitting.drawn_tile(name, _tile) if sitting and name in tiles else _NO_TILE)
        + f"<span>{name.replace(':', ', ')}</span></button>"
        for name in labels
    )
    what = "Expressions" if labels == facs.EMOTIONS else "Variants"
    return f'<div class="mien-sheet" role="group" aria-label="{what}">{buttons}</div>'


def _tile(pixels: UInt8) -> str:
    return picture(pixels, "", "tile")


_NO_TILE = '<i class="tile" aria-hidden="true"></i>'


def history(sitting: Sitting | None) -> str:
    """The steps so far as buttons with their faces, the present one marked."""
    if sitting is None or len(sitting.steps) < 2:
        return '<p class="mien-hint">What you try is kept here, a click goes back to it.</p>'
    steps = "".join(
        f'<li><button type="button" data-step="{i}" title="{(name := _step_name(sitting, i))}"'
        + (' aria-current="step"' if i == sitting.at else "")
        + '><img class="tile" alt="" draggable="false" '
        + f'src="studio/{sitting.key}/step-{step.name}.jpg"><span>{name}</span></button></li>'
        for i, step in enumerate(sitting.steps)
    )
    return f'<ol class="mien-history" aria-label="History">{steps}</ol>'


def _step_name(sitting: Sitting, step: int) -> str:
    return escape(_worn(sitting.steps[step].look, len(sitting.faces)))


def downloads(sitting: Sitting | None) -> str:
    """Links to the result at full size."""
    if sitting is None:
        return ""
    height, width = sitting.photo.pixels.shape[:2]
    return (
        f'<p class="mien-download">Download at {width} × {height}: '
        + _links(sitting, "result", f"{sitting.name}-mien")
        + "</p>"
    )


def kept(sitting: Sitting) -> str:
    """What the first chosen face shows, as the file of an expression."""
    wish = sitting.worn
    return copying.as_file(wish.whole) if wish else "{}\n"


def copies(sitting: Sitting) -> str:
    """What the first chosen face shows: as a file, as a command, as Python."""
    wish = sitting.worn
    if wish is None:
        return '<p class="mien-hint">Choose an expression first.</p>'
    asked = (wish.spec, wish.intensity, f"{sitting.name}.jpg", with_head(sitting.editor.method))
    texts = {"command": copying.as_command(*asked), "Python": copying.as_python(*asked)}
    shown = "".join(
        f'<figure class="mien-copy"><figcaption><button type="button" class="copy">Copy as {word}'
        f"</button></figcaption><pre tabindex=0>{escape(text)}</pre></figure>"
        for word, text in texts.items()
    )
    return (
        f'<p class="mien-download"><a href="studio/{sitting.key}/expression.json" '
        f'download="expression.json">Save the expression</a></p>{shown}'
    )


def other(sitting: Sitting | None) -> str:
    """The second photograph of a swap."""
    if sitting is None or sitting.other is None:
        return ""
    shown = picture(fitting(sitting.other.marked.pixels), "The other face after the swap", "other")
    return (
        f'<figure class="mien-other">{shown}<figcaption class="mien-download">The other one, with '
        f"the expression of the first: {_links(sitting, 'other', 'swapped-mien')}</figcaption>"
        "</figure>"
    )


def examples() -> str:
    """The samples as buttons."""
    buttons = "".join(
        f'<button type="button" data-sample="{name}" aria-label="Sample {name}">'
        + picture(fitting(images.read(path).pixels, 128), "", "tile", altered=False)
        + f"<span>{name}</span></button>"
        for name, path in samples().items()
    )
    return (
        f'<div class="mien-samples" role="group" aria-label="Samples">{buttons}</div>'
        '<p class="mien-hint">Faces of nobody: morphs made from the Face Research Lab London Set '
        "(DeBruine &amp; Jones 2017, CC BY 4.0).</p>"
    )


def keys() -> str:
    """What can be done by keyboard beside Tab and Enter."""
    actions = {
        "1 … 8": "expressions",
        "B": "held: before",
        "+ − 0": "zoom",
        "Ctrl Z, Ctrl Y": "undo, redo",
    }
    shown = " ".join(f"<span><kbd>{key}</kbd> {what}</span>" for key, what in actions.items())
    return f'<p class="mien-hint mien-keys">{shown}</p>'


def status(text: str) -> str:
    """A line that a screen reader says aloud."""
    return f'<p class="mien-status" role="status" aria-live="polite">{escape(text)}</p>'


def hint(text: str) -> str:
    """A line in small."""
    return f'<p class="mien-hint">{escape(text)}</p>'


def describe(sitting: Sitting) -> str:
    """The look in words."""
    return _worn(sitting.look, len(sitting.faces))


def _worn(look: Sequence[object], faces: int) -> str:
    if not any(look):
        return "as it was"
    if faces == 1:
        return str(look[0])
    if len(set(map(str, look))) == 1:
        return f"all: {look[0]}"
    return "; ".join(f"face {i + 1}: {w}" for i, w in enumerate(look) if w)


def _box(sitting: Sitting, index: int) -> str:
    height, width = sitting.photo.pixels.shape[:2]
    left, top, right, bottom = sitting.faces[index].box
    left, right = (min(max(v / width, 0), 1) for v in (left, right))
    top, bottom = (min(max(v / height, 0), 1) for v in (top, bottom))
    place = f"left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}"
    name = f"Face {index + 1} of {len(sitting.faces)}"
    on = _flag(index in sitting.targets)
    return (
        f'<button type="button" class="face" data-face="{index}" aria-pressed="{on}" '
        f'aria-label="{name}" style="{place}"><span aria-hidden="true">{index + 1}</span></button>'
    )


def _links(sitting: Sitting, what: str, name: str) -> str:
    return " ".join(
        f'<a href="studio/{sitting.key}/{what}.{kind}" download="{escape(name)}.{kind}" data-made>'
        f"{word}</a>"
        for kind, word in (("png", "PNG"), ("jpg", "JPEG"))
    )


def fitting(pixels: UInt8, side: int = 480) -> UInt8:
    """A picture shrunk to `side` px, if it is larger."""
    scale = min(1.0, side / max(pixels.shape[:2]))
    size = [max(1, round(s * scale)) for s in pixels.shape[1::-1]]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _off(sitting: Sitting | None) -> str:
    return "" if sitting else " disabled"


def _flag(value: bool) -> str:
    return "true" if value else "false"

"""What the studio shows, as HTML: plain pictures, buttons and one range input, so that a keyboard
and a screen reader can do all that a mouse can.

Pictures travel inside the page (data URLs): nothing of a photograph is written to the disk for it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np

from mien import facs, images
from mien.images import Photo
from mien.types import UInt8
from mien.web import copying
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


def picture(pixels: UInt8, alt: str, kind: str, *, altered: bool = True) -> str:
    """An image element that holds its own pixels, and says if they are altered."""
    data = images.encode(Photo(pixels), ".jpg", altered=altered)
    url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    return f'<img class="{kind}" alt="{escape(alt)}" src="{url}" draggable="false">'


def stage(sitting: Sitting) -> str:
    """The photograph and the look one over the other, a box on every face, and what to compare
    them with.
    """
    height, width = sitting.small.pixels.shape[:2]
    told = describe(sitting)
    boxes = "".join(_box(sitting, i) for i in range(len(sitting.faces)))
    return (
        f'<figure class="mien-stage" style="aspect-ratio:{width}/{height};'
        + f'--ratio:{width / height}">'
        + picture(sitting.small.pixels, "Before: the photograph as it was", "before", altered=False)
        + picture(sitting.preview(), f"After: {told}", "after")
        + '<span class="tag left" aria-hidden="true">before</span>'
        + '<span class="tag right" aria-hidden="true">after</span><span class="cut"></span>'
        + f'<div role="group" aria-label="Faces">{boxes}</div></figure>'
        + '<label class="mien-compare"><span>Compare with before</span>'
        + '<input type="range" min="0" max="100" value="0"></label>'
    )


def empty_stage() -> str:
    """What stands there before a photograph does."""
    return '<p class="mien-empty">Open a photograph, or begin with a sample.</p>'


def sheet(sitting: Sitting | None = None, tiles: Mapping[str, UInt8] | None = None) -> str:
    """The eight expressions as buttons; with tiles, each shows the face that it would make."""
    target = sitting.look[sitting.targets[0]] if sitting else None
    worn, off = (target.spec.to if target else "", "" if sitting else " disabled")
    buttons = "".join(
        f'<button type="button" data-expression="{name}" aria-pressed="{_flag(name == worn)}"{off}>'
        + (picture(tiles[name], "", "tile") if tiles else '<i class="tile" aria-hidden="true"></i>')
        + f"<span>{name}</span></button>"
        for name in facs.EMOTIONS
    )
    return f'<div class="mien-sheet" role="group" aria-label="Expressions">{buttons}</div>'


def history(sitting: Sitting | None) -> str:
    """The steps so far as buttons, the present one marked."""
    if sitting is None or len(sitting.looks) < 2:
        return '<p class="mien-hint">What you try is kept here, a click goes back to it.</p>'
    steps = "".join(
        f'<li><button type="button" data-step="{i}"'
        + (' aria-current="step"' if i == sitting.at else "")
        + f">{escape(_worn(look, len(sitting.faces)))}</button></li>"
        for i, look in enumerate(sitting.looks)
    )
    return f'<ol class="mien-history" aria-label="History">{steps}</ol>'


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
    """What the first chosen face wears, as the file of an expression."""
    wish = sitting.worn
    return copying.as_file(wish.spec, wish.intensity) if wish else "{}\n"


def copies(sitting: Sitting) -> str:
    """What the first chosen face wears: as a file, as a command, as Python."""
    wish = sitting.worn
    if wish is None:
        return '<p class="mien-hint">Choose an expression first.</p>'
    asked = (wish.spec, wish.intensity, f"{sitting.name}.jpg", sitting.editor.method.name)
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


def status(text: str) -> str:
    """A line that a screen reader says aloud."""
    return f'<p class="mien-status" role="status" aria-live="polite">{escape(text)}</p>'


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
        f'<a href="studio/{sitting.key}/{what}.{kind}" download="{escape(name)}.{kind}">{word}</a>'
        for kind, word in (("png", "PNG"), ("jpg", "JPEG"))
    )


def fitting(pixels: UInt8, side: int = 480) -> UInt8:
    """A picture shrunk to `side` px, if it is larger."""
    scale = min(1.0, side / max(pixels.shape[:2]))
    size = [max(1, round(s * scale)) for s in pixels.shape[1::-1]]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _flag(value: bool) -> str:
    return "true" if value else "false"

"""What the film's panel shows: the browser's own players and progress bar, which a keyboard and a
screen reader know.
"""

from __future__ import annotations

import math
from typing import Any

from mien.guides import ExpressionSpec
from mien.images import Photo
from mien.server.cropping import fitting
from mien.server.limits import Limits
from mien.server.reels import Filming, Reel
from mien.server.wish import MOST, Wish
from mien.studio.rendering import part, picture
from mien.types import UInt8

_POSTER = 640  # px: the longest side of what stands there before a film plays
_MOST_DOTS = 60
"""Most points that are drawn as dots and listed; a curve from a file may have more."""


def before(reel: Reel) -> str:
    """The film as it came."""
    if reel.source is None or reel.first is None:
        return ""
    film, name = reel.source, reel.names["source"]
    rate = f"{float(film.rate):.3g} frames a second"
    text = ", ".join((f"{film.width} × {film.height}", *_length(film), rate))
    poster = picture(fitting(reel.first, _POSTER), altered=False)
    return part("film_before", _url(reel, "source"), name, text, poster)


def after(reel: Reel) -> str:
    """The film that came of it, to play and to keep."""
    if reel.result is None:
        return ""
    name = reel.names["source"]
    return part("film_after", _url(reel, "result"), name.rpartition(".")[0] or name)


def outcome(making: Filming) -> str:
    """How it ended, in words."""
    cut = making.cut
    if making.error is not None:
        return "No film was made"
    if not making.whole:
        return "Cancelled: nothing was kept"
    each = 1000 * cut.seconds / max(cut.frames, 1)
    return f"{cut.edited} of {cut.frames} frames edited, {each:.0f} ms a frame"


def reference_seen(reel: Reel, by: str) -> str:
    """The reference: a photograph or a film (`photo`, `film`), or a recording (`shapes`)."""
    seen = getattr(reel, by)
    small = picture(fitting(seen.pixels, 128), altered=False) if isinstance(seen, Photo) else ""
    return part("reference", reel.names[by], small, " ".join(() if small else _length(seen)))


def preview(pixels: UInt8, time: float, text: str) -> str:
    """The frame of a moment as it would be made."""
    return part("preview", picture(pixels), f"Preview at {time:.2f} s: {text}")


def timeline(reel: Reel, start: float = 0.0, end: float = math.inf) -> str:
    """The intensity over the film, to click on and to drag; its points as a list; keyframes of the
    expression as lines; what is left out of the film, shaded."""
    if reel.source is None:
        return ""
    points = reel.curve.points if reel.curve else ()
    seconds = max(reel.source.seconds, points[-1][0] if points else 0.0, 0.1)
    high = max(MOST, *(value for _, value in points)) if points else MOST
    places = [(100 * t / seconds, 40 * (1 - max(v, 0.0) / high)) for t, v in points]
    level = 40 * (1 - 1 / high)
    line = [(0.0, places[0][1]), *places, (100.0, places[-1][1])] if places else []
    line = line or [(0.0, level), (100.0, level)]
    left, right = (100 * min(max(t, 0.0), seconds) / seconds for t in (start, end))
    dots = zip(points[:_MOST_DOTS], places, strict=False)
    return part(
        "timeline",
        f"{seconds:.3f}",
        f"{high:g}",
        [(f"{x:.2f}", f"{w:.2f}") for x, w in ((0.0, left), (right, 100 - right)) if w > 0],
        [f"{100 * key.time / seconds:.2f}" for key in reel.keyframes],
        " ".join(f"{x:.2f},{y:.2f}" for x, y in line),
        [(f"{t:g}", f"{x:.2f}", f"{y:.2f}") for (t, _), (x, y) in dots],
        _points(reel),
    )


def keyframes(reel: Reel) -> str:
    """The expressions one after another: to go to, to remove, to keep as a file."""
    frames = [(f"{key.time:g}", said(key.spec)) for key in reel.keyframes]
    return part("keyframes", reel.key, frames)


def said(spec: ExpressionSpec) -> str:
    """An expression in words."""
    base = spec.name or spec.to or ("blendshapes" if spec.blendshapes else "")
    return Wish(base, 1.0, spec).name or "as the film is"


def _points(reel: Reel) -> dict[str, Any]:
    if reel.curve is None:
        return {}
    points = reel.curve.points
    text = (
        f"{reel.names['curve']}: {len(points)} point{'s' * (len(points) > 1)}, "
        f"from {points[0][0]:g} to {points[-1][0]:g} s"
    )
    listed = [(f"{t:g}", f"{v:.0%}") for t, v in points]
    return {"text": text, "listed": listed if len(points) <= _MOST_DOTS else []}


def limits(at: Limits) -> str:
    """What may be opened, in words."""
    return (
        f"Up to {at.film_seconds:g} s, {at.body / 1e6:g} MB and 1920 × 1080; longer films take "
        "mien video."
    )


def _url(reel: Reel, what: str) -> str:
    # the count, so that a browser does not show the film before
    return f"studio/film/{reel.key}/{what}?{len(reel.makings)}"


def _length(film: Any) -> tuple[str, ...]:
    return (f"{film.seconds:.1f} s",) if film.seconds else ()

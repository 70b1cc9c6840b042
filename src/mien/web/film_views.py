"""What the studio's film tab shows, as HTML: the browser's own players and progress bar, which a
keyboard and a screen reader know.
"""

from __future__ import annotations

import base64
import math
from html import escape

from mien import images
from mien.guides import ExpressionSpec
from mien.images import Photo
from mien.types import UInt8
from mien.video.reading import Film
from mien.web import views
from mien.web.limits import Limits
from mien.web.reels import Filming, Reel
from mien.web.wish import MOST, Wish

_POSTER = 640  # px: the longest side of what stands there before a film plays


def before(reel: Reel | None) -> str:
    """The film as it came."""
    if reel is None or reel.source is None or reel.first is None:
        return '<p class="mien-empty mien-nofilm">Open a film to begin.</p>'
    film, name = reel.source, reel.names["source"]
    sides = f"{film.width} × {film.height}"
    rate = f"{float(film.rate):.3g} frames a second"
    text = ", ".join((sides, *_length(film), rate))
    return _player(reel, "source", f"Before: {name}", f"Before: {escape(name)}, {text}", reel.first)


def after(reel: Reel | None) -> str:
    """The film that came of it, to play and to keep."""
    if reel is None or reel.result is None:
        return ""
    url, name = _url(reel, "result"), escape(_stem(reel.names["source"]))
    link = f'<a href="{url}" download="{name}-mien.mp4">Download MP4</a>'
    return _player(reel, "result", "After: the film that mien made", f"After {link}", None)


def outcome(making: Filming) -> str:
    """How it ended, in words."""
    cut = making.cut
    if making.error is not None:
        return "No film was made"
    if not making.whole:
        return "Cancelled: nothing was kept"
    each = 1000 * cut.seconds / max(cut.frames, 1)
    return f"{cut.edited} of {cut.frames} frames edited, {each:.0f} ms a frame"


def reference_seen(reel: Reel | None, by: str) -> str:
    """The reference: a photograph or a film (`photo`, `film`)."""
    seen = getattr(reel, by, None)
    if reel is None or seen is None:
        return ""
    shown = ""
    if isinstance(seen, Photo):
        small = views.fitting(seen.pixels, 128)
        shown = views.picture(small, "", "tile", altered=False)
    else:
        shown = "".join(f"<i>{part}</i> " for part in _length(seen))
    return f'<p class="mien-reference">{shown}<span>{escape(reel.names[by])}</span></p>'


def preview(pixels: UInt8 | None, time: float, text: str) -> str:
    """The frame of a moment as it would be made."""
    if pixels is None:
        return ""
    name = f"Preview at {time:.2f} s: {text}"
    return (
        f'<figure class="mien-preview">{views.picture(pixels, name, "preview")}'
        f"<figcaption>{escape(name)}</figcaption></figure>"
    )


def timeline(reel: Reel | None, part: tuple[float, float] = (0.0, math.inf)) -> str:
    """The intensity over the film, to click on and to drag; its points as a list; keyframes of the
    expression as lines; what is left out of the film, shaded."""
    if reel is None or reel.source is None:
        return ""
    film, points = reel.source, reel.curve.points if reel.curve else ()
    seconds = max(film.seconds, points[-1][0] if points else 0.0, 0.1)
    high = max(MOST, *(value for _, value in points)) if points else MOST
    places = [(100 * t / seconds, 40 * (1 - max(v, 0.0) / high)) for t, v in points]
    line = [(0.0, places[0][1]), *places, (100.0, places[-1][1])] if places else []
    level = 40 * (1 - 1 / high)
    drawn = " ".join(f"{x:.2f},{y:.2f}" for x, y in line) or f"0,{level:.2f} 100,{level:.2f}"
    left, right = (100 * min(max(t, 0.0), seconds) / seconds for t in part)
    out = "".join(
        f'<rect class="out" x="{x:.2f}" y="0" width="{w:.2f}" height="40"/>'
        for x, w in ((0.0, left), (right, 100 - right))
        if w > 0
    )
    dots = "".join(
        f'<path class="point" data-time="{t:g}" d="M{x:.2f} {y:.2f}h0"/>'
        for (t, _), (x, y) in zip(points[:_MOST_DOTS], places, strict=False)
    )
    at = "".join(
        f'<path class="keyframe" d="M{100 * key.time / seconds:.2f} 0v40"/>'
        for key in reel.keyframes
    )
    return (
        f'<div class="mien-curve"><svg viewBox="0 0 100 40" preserveAspectRatio="none" '
        f'data-seconds="{seconds:.3f}" data-high="{high:g}" aria-hidden="true">{out}'
        f'{at}<polyline points="{drawn}"/>{dots}</svg>{_points(reel)}</div>'
    )


_MOST_DOTS = 60
"""Most points that are drawn as dots and listed; a curve from a file may have more."""


def keyframes(reel: Reel | None) -> str:
    """The expressions one after another: to go to, to remove, to keep as a file."""
    if reel is None or not reel.keyframes:
        return views.hint(
            "Choose an expression and set it here; go to another moment, and set another one."
        )
    keys = "".join(
        f'<li><button type="button" class="go" data-step="{key.time:g}">{key.time:g} s: '
        f"{escape(said(key.spec))}</button>"
        f'<button type="button" data-remove="key/{key.time:g}" '
        f'aria-label="Remove the keyframe at {key.time:g} s">&times;</button></li>'
        for key in reel.keyframes
    )
    return (
        f'<ul class="mien-list mien-keyframes" aria-label="Keyframes">{keys}</ul>'
        f'<p class="mien-download"><a href="studio/film/{reel.key}/keyframes.json" '
        'download="keyframes.json">Save the keyframes</a> '
        '<button type="button" data-remove="keys">Remove all keyframes</button></p>'
    )


def said(spec: ExpressionSpec) -> str:
    """An expression in words."""
    base = spec.name or spec.to or ("blendshapes" if spec.blendshapes else "")
    return Wish(base, 1.0, spec).name or "as the film is"


def _points(reel: Reel) -> str:
    if reel.curve is None:
        return views.hint("Click on the line to make a point, and drag it.")
    points = reel.curve.points
    text = (
        f"{escape(reel.names['curve'])}: {len(points)} point{'s' * (len(points) > 1)}, "
        f"from {points[0][0]:g} to {points[-1][0]:g} s"
    )
    keys = "".join(
        f"<li><span>{t:g} s: {v:.0%}</span>"
        f'<button type="button" data-remove="point/{t:g}" aria-label="Remove the point at {t:g} s"'
        ">&times;</button></li>"
        for t, v in points
    )
    shown = f'<ul class="mien-list" aria-label="Points">{keys}</ul>'
    return (
        (shown if len(points) <= _MOST_DOTS else "")
        + f'<p class="mien-hint">{text} <button type="button" data-remove="curve">'
        "Remove the curve</button></p>"
    )


def limits(at: Limits) -> str:
    """What may be opened."""
    return (
        f'<p class="mien-hint">Up to {at.film_seconds:g} s, {at.body / 1e6:g} MB and '
        "1920 × 1080; longer films take <code>mien video</code>.</p>"
    )


def _player(reel: Reel, what: str, name: str, text: str, poster: UInt8 | None) -> str:
    shown = f' poster="{_still(poster)}"' if poster is not None else ""
    return (
        '<figure class="mien-film">'
        f'<video controls playsinline preload="auto" aria-label="{escape(name)}"{shown} '
        f'src="{_url(reel, what)}">This browser plays no films: download it.</video>'
        f'<figcaption class="mien-download">{text}</figcaption></figure>'
    )


def _url(reel: Reel, what: str) -> str:
    # the count, so that a browser does not show the film before
    return f"studio/film/{reel.key}/{what}?{len(reel.makings)}"


def _still(pixels: UInt8) -> str:
    data = images.encode(Photo(views.fitting(pixels, _POSTER)), ".jpg", altered=False)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def _length(film: Film) -> tuple[str, ...]:
    return (f"{film.seconds:.1f} s",) if film.seconds else ()


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name

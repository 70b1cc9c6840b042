"""What the studio's film tab shows, as HTML: the browser's own players and progress bar, which a
keyboard and a screen reader know.
"""

from __future__ import annotations

import base64
import math
from html import escape

from mien import images
from mien.images import Photo
from mien.types import UInt8
from mien.video.reading import Film
from mien.web import views
from mien.web.limits import Limits
from mien.web.reels import Making, Reel

_POSTER = 640  # px: the longest side of what stands there before a film plays


def before(reel: Reel | None) -> str:
    """The film as it came."""
    if reel is None or reel.source is None or reel.first is None:
        return '<p class="mien-empty mien-nofilm">Open a film to begin.</p>'
    film, name = reel.source, reel.names["source"]
    sides = f"{film.width} × {film.height}"
    rate = f"{float(film.rate):.3g} frames a second"
    told = ", ".join((sides, *_length(film), rate))
    return _player(reel, "source", f"Before: {name}", f"Before: {escape(name)}, {told}", reel.first)


def after(reel: Reel | None) -> str:
    """The film that came of it, to play and to keep."""
    if reel is None or reel.result is None:
        return ""
    url, name = _url(reel, "result"), escape(_stem(reel.names["source"]))
    link = f'<a href="{url}" download="{name}-mien.mp4">Download MP4</a>'
    return _player(reel, "result", "After: the film that mien made", f"After {link}", None)


def progress(making: Making | None) -> str:
    """A bar with the time left, while a film is being made."""
    if making is None or making.ended:
        return ""
    done, total = making.cut.frames, making.total
    told = f"Frame {min(done, total) or done} of {total}" if total else f"Frame {done}"
    left = making.left
    if left is not None:
        told += f", {_time(left)} left"
    value = f' value="{min(done, total)}" max="{total}"' if done and total else ""
    return (
        '<div class="mien-progress"><label for="mien-making">'
        f'{told}</label><progress id="mien-making"{value}></progress></div>'
    )


def outcome(making: Making) -> str:
    """How it ended, in words."""
    cut = making.cut
    if making.error is not None:
        return "No film was made"
    if not making.whole:
        return "Cancelled: nothing was kept"
    each = 1000 * cut.seconds / max(cut.frames, 1)
    return f"{cut.edited} of {cut.frames} frames edited, {each:.0f} ms a frame"


def lender(reel: Reel | None, by: str) -> str:
    """What lends its expression: a photograph or a film (`photo`, `film`)."""
    seen = getattr(reel, by, None)
    if reel is None or seen is None:
        return ""
    shown = ""
    if isinstance(seen, Photo):
        small = views.fitting(seen.pixels, 128)
        shown = views.picture(small, "", "tile", altered=False)
    else:
        shown = "".join(f"<i>{part}</i> " for part in _length(seen))
    return f'<p class="mien-lender">{shown}<span>{escape(reel.names[by])}</span></p>'


def curve(reel: Reel | None) -> str:
    """The intensity curve, drawn, and a button that removes it."""
    if reel is None or reel.curve is None:
        return ""
    times, values = reel.curve.times, reel.curve.values
    told = (
        f"{escape(reel.names['curve'])}: {len(times)} points, from {times[0]:g} to {times[-1]:g} s"
    )
    return (
        f'<div class="mien-curve">{_drawn(times, values)}<p class="mien-hint">{told} '
        '<button type="button" data-remove="curve">Remove the curve</button></p></div>'
    )


def limits(at: Limits) -> str:
    """What may be opened."""
    return (
        f'<p class="mien-hint">Up to {at.film_seconds:g} s, {at.body / 1e6:g} MB and '
        "1920 × 1080; longer films take <code>mien video</code>.</p>"
    )


def _drawn(times: tuple[float, ...], values: tuple[float, ...]) -> str:
    low, high = min(0.0, *values), max(1.0, *values)
    first, span = times[0], max(times[-1] - times[0], 1e-9)
    points = " ".join(
        f"{100 * (t - first) / span:.2f},{40 * (high - v) / (high - low):.2f}"
        for t, v in zip(times, values, strict=True)
    )
    return (
        '<svg viewBox="-1 -1 102 42" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


def _player(reel: Reel, what: str, name: str, told: str, poster: UInt8 | None) -> str:
    shown = f' poster="{_still(poster)}"' if poster is not None else ""
    return (
        '<figure class="mien-film">'
        f'<video controls playsinline preload="auto" aria-label="{escape(name)}"{shown} '
        f'src="{_url(reel, what)}">This browser plays no films: download it.</video>'
        f'<figcaption class="mien-download">{told}</figcaption></figure>'
    )


def _url(reel: Reel, what: str) -> str:
    # the count, so that a browser does not show the film before
    return f"studio/film/{reel.key}/{what}?{len(reel.makings)}"


def _still(pixels: UInt8) -> str:
    data = images.encode(Photo(views.fitting(pixels, _POSTER)), ".jpg", altered=False)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def _length(film: Film) -> tuple[str, ...]:
    return (f"{film.seconds:.1f} s",) if film.seconds else ()


def _time(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name

"""What the studio's series tab shows, as HTML."""

from __future__ import annotations

from html import escape

from mien.web import views
from mien.web.limits import Limits
from mien.web.series import Plan, Run, Series

_FAULTS = 8
"""Most lines of what could not be used or made; the table has the rest."""


def photos(made: Series | None) -> str:
    """The photographs, each with a button that removes it."""
    if made is None or not made.photos:
        return '<p class="mien-hint">No photographs yet: drop one or several.</p>'
    rows = "".join(
        f"<li>{views.picture(small, '', 'tile', altered=False)}<span>{escape(name)}</span>"
        f"{_remove('photo', name)}</li>"
        for name, small in made.small.items()
    )
    return f'<ul class="mien-list" aria-label="Photographs">{rows}</ul>'


def expressions(made: Series | None) -> str:
    """The expressions that came beside the labels."""
    if made is None or not made.expressions:
        return ""
    rows = "".join(
        f"<li><span>{escape(name)}</span>{_remove('expression', name)}</li>"
        for name in made.expressions
    )
    return f'<ul class="mien-list" aria-label="More expressions">{rows}</ul>'


def count(made: Series | None, plan: Plan) -> str:
    """How many pictures there will be."""
    people = len(made.photos) if made else 0
    shown = len(plan.labels) + (len(made.expressions) if made else 0)
    pictures = people * shown * len(plan.intensities)
    parts = (
        f"{people} photograph{_s(people)}",
        f"{shown} expression{_s(shown)}",
        f"{len(plan.intensities)} intensit{'y' if len(plan.intensities) == 1 else 'ies'}",
    )
    text = f"{' × '.join(parts)}: {pictures} picture{_s(pictures)}"
    return f'<p class="mien-count" role="status">{text}</p>'


def limits(at: Limits) -> str:
    """What may be asked for."""
    most = " or ".join(
        f"{at.series_pixels // size**2} pictures of {size} px" for size in (512, 1024)
    )
    return (
        f'<p class="mien-hint">Up to {at.series_photos} photographs, and {most} made of them; '
        "larger series take <code>mien series</code>.</p>"
    )


def outcome(run: Run) -> str:
    """How it ended, in words."""
    if run.error is not None:
        return "No series was made"
    if not run.whole:
        return f"Stopped after {run.done} of {run.total}: Make the series goes on from there"
    return f"{run.done} pictures, {run.passed} pass all checks"


def result(made: Series, run: Run) -> str:
    """The zip to keep, and what could not be made."""
    lines = [escape(line) for line in run.faults[:_FAULTS]]
    more = len(run.faults) - len(lines)
    lines += [f"and {more} more"] if more > 0 else []
    faults = "".join(f"<li>{line}</li>" for line in lines)
    left_out = f'<ul class="mien-faults" aria-label="Left out">{faults}</ul>' if faults else ""
    if made.zip is None:
        return left_out
    link = (
        f'<a href="studio/series/{made.key}/series.zip?{len(made.runs)}" download="series.zip">'
        "Download ZIP</a>"
    )
    return f'<p class="mien-download">Pictures, their table and the plan: {link}</p>{left_out}'


def _remove(kind: str, name: str) -> str:
    return (
        f'<button type="button" data-remove="{kind}/{escape(name)}" '
        f'aria-label="Remove {escape(name)}">&times;</button>'
    )


def _s(number: int) -> str:
    return "" if number == 1 else "s"

"""What the panel of series shows."""

from __future__ import annotations

from mien.server.limits import Limits
from mien.server.series import Plan, Run, Series
from mien.studio.answer import plural
from mien.studio.rendering import part, picture

_FAULTS = 8
"""Most lines of what could not be used or made; the table has the rest."""


def photos(made: Series | None) -> str:
    """The photographs, each with a button that removes it."""
    if made is None or not made.photos:
        return part("hint", "No photographs yet: drop one or several.")
    rows = [(name, picture(small, altered=False)) for name, small in made.small.items()]
    return part("removable", "photo", "Photographs", rows)


def expressions(made: Series) -> str:
    """The expressions that came beside the labels."""
    if not made.expressions:
        return ""
    rows = [(name, "") for name in made.expressions]
    return part("removable", "expression", "More expressions", rows)


def count(made: Series | None, plan: Plan) -> str:
    """How many pictures there will be, in words."""
    people = len(made.photos) if made else 0
    shown = len(plan.labels) + (len(made.expressions) if made else 0)
    strengths = len(plan.intensities)
    parts = (
        plural(people, "photograph"),
        plural(shown, "expression"),
        f"{strengths} intensit{'y' if strengths == 1 else 'ies'}",
    )
    return f"{' × '.join(parts)}: {plural(people * shown * strengths, 'picture')}"


def limits(at: Limits) -> str:
    """What may be asked for, in words."""
    most = " or ".join(
        f"{at.series_pixels // size**2} pictures of {size} px" for size in (512, 1024)
    )
    return (
        f"Up to {at.series_photos} photographs, and {most} made of them; larger series take "
        "mien series."
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
    lines, more = run.faults[:_FAULTS], len(run.faults) - _FAULTS
    lines = [*lines, f"and {more} more"] if more > 0 else lines
    url = f"studio/series/{made.key}/series.zip?{len(made.runs)}" if made.zip else ""
    return part("series_result", url, lines)

"""Where the fields for gaze, head, light and the part of the face that may change stand."""

from __future__ import annotations

from typing import Any

from mien.errors import GuideError
from mien.guides import ExpressionSpec
from mien.guides.spec import REGIONS, finite
from mien.guides.staging import FARTHEST

SLIDERS: dict[str, tuple[tuple[str, float], ...]] = {
    "gaze": (("Eyes to the person's left", 1.0), ("Eyes up", 1.0)),
    "turn": (
        ("Head up, degrees", FARTHEST),
        ("Head to the left, degrees", FARTHEST),
        ("Head tilted to the left, degrees", FARTHEST),
    ),
    "light": (("Light to the left", 1.0), ("Light up", 1.0)),
}
"""Fields of an expression -> its sliders, named, and how far each goes to both sides."""
PLACES = tuple(
    f"{field}-{place}" for field, sliders in SLIDERS.items() for place in range(len(sliders))
)
"""Names of the fields, in order; the region comes after them."""


def standing(spec: ExpressionSpec) -> tuple[Any, ...]:
    """Where the fields stand for an expression."""
    values: list[Any] = []
    for field, sliders in SLIDERS.items():
        values += getattr(spec, field) or (0.0,) * len(sliders)
    return (*values, spec.region)


def moved(before: ExpressionSpec, place: int, value: Any) -> dict[str, Any]:
    """The fields of an expression with one of these moved, counted from 0."""
    values = list(standing(before))
    values[place] = value
    return said(before, tuple(values))


def said(before: ExpressionSpec, values: tuple[Any, ...]) -> dict[str, Any]:
    """The fields of an expression by where the sliders and the region stand: those that rest and
    were not asked for before are not asked for."""
    rest, fields = list(values), dict[str, Any]()
    for field, sliders in SLIDERS.items():
        numbers = tuple(float(rest.pop(0)) for _ in sliders)
        asked = any(numbers) or (field == "gaze" and before.gaze is not None)
        fields[field] = numbers if asked else None
    return fields | {"region": str(rest.pop(0))}


def placed(spec: ExpressionSpec) -> dict[str, Any]:
    """Where the fields stand for an expression, by their names."""
    return dict(zip((*PLACES, "region"), standing(spec), strict=True))


def given(name: str, value: Any) -> tuple[int, Any]:
    """The place of a field that was moved, counted from 0, and where it stands; GuideError for
    what the page would not send."""
    if name == "region" and value in REGIONS:
        return len(PLACES), value
    number = finite(value)
    if name not in PLACES or number is None:
        raise GuideError("there is no such field, or it does not stand there")
    place = PLACES.index(name)
    most = SLIDERS[name.partition("-")[0]][int(name[-1])][1]
    return place, min(max(number, -most), most)

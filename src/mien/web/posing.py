"""The fields for gaze, head, light and the part of the face that may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mien.guides import ExpressionSpec
from mien.guides.spec import REGIONS
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


@dataclass(frozen=True)
class Posing:
    """The sliders in the order of `SLIDERS`, and the regions."""

    sliders: tuple[gr.Slider, ...]
    region: gr.Radio

    @property
    def fields(self) -> list[Any]:
        """All of them."""
        return [*self.sliders, self.region]

    def at(self, values: Sequence[Any]) -> list[Any]:
        """Updates that set the fields."""
        return [gr.update(value=value) for value in values]


def draw(whose: str = "") -> Posing:
    """The fields, in the layout that is open; `whose` begins their ids."""
    with gr.Column(elem_classes="mien-sliders mien-centred"):
        sliders = _sliders(whose)
    region = gr.Radio(
        list(REGIONS), value="face", label="What may change", elem_id=f"{whose}region"
    )
    return Posing(tuple(sliders), region)


def _sliders(whose: str) -> list[gr.Slider]:
    return [
        gr.Slider(
            -most,
            most,
            0,
            step=most / 40,
            label=label,
            buttons=[],
            elem_id=f"{whose}{field}-{place}",
        )
        for field, group in SLIDERS.items()
        for place, (label, most) in enumerate(group)
    ]


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

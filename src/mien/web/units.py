"""The sliders of the action units, drawn from the vocabulary: named by FACS and plainly, by region
of the face, with both sides at once or left and right apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import gradio as gr

from mien import facs
from mien.web.parts import html

REGIONS: dict[str, tuple[int, ...]] = {
    "Brows": (1, 2, 4),
    "Eyes": (5, 6, 7, 43, 61, 62, 63, 64),
    "Nose, cheeks": (9, 33),
    "Lips": (10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 28),
    "Jaw": (26, 27, 29, 30),
}
PLAIN: dict[int, str] = {
    1: "Inner brows up", 2: "Outer brows up", 4: "Frown", 5: "Eyes wide", 6: "Smiling eyes",
    7: "Narrowed eyes", 9: "Wrinkled nose", 10: "Upper lip up", 12: "Smile", 14: "Dimples",
    15: "Mouth corners down", 16: "Lower lip down", 17: "Chin up", 18: "Kiss",
    20: "Mouth stretched wide", 22: "Lips forward", 23: "Thin lips", 24: "Pressed lips",
    25: "Lips apart", 26: "Mouth open", 27: "Mouth wide open", 28: "Lips sucked in",
    29: "Jaw forward", 30: "Jaw sideways", 33: "Cheeks blown up", 43: "Eyes shut",
    61: "Eyes left", 62: "Eyes right", 63: "Eyes up", 64: "Eyes down",
}  # fmt: skip
"""What people without FACS would call them."""


@dataclass(frozen=True)
class UnitSliders:
    """The sliders by the name that they set: `AU12` for both sides, `AU12L`, `AU12R`."""

    names: tuple[str, ...]
    sliders: tuple[gr.Slider, ...]
    by_side: gr.Checkbox
    reset: gr.Button

    def at(self, values: Mapping[str, float], by_side: bool) -> list[Any]:
        """Updates that set every slider to these values, by `facs.UNITS`, and show those in use."""
        return [
            gr.update(value=_mean(name, values), visible=_shown(name, by_side))
            for name in self.names
        ]


def draw() -> UnitSliders:
    """The sliders, in the layout that is open."""
    html(finder(_sliders(), {region: _place(region) for region in REGIONS}), "find", "find.js")
    with gr.Row():
        by_side = gr.Checkbox(label="Left and right apart", value=False, container=False)
        reset = gr.Button("Reset units", size="sm")
    made: dict[str, gr.Slider] = {}
    with gr.Column(elem_classes="mien-sliders"):
        for region, numbers in REGIONS.items():
            gr.HTML(f"<h3>{region}</h3>", apply_default_css=False, elem_id=_place(region))
            for number in numbers:
                for side in ("", "L", "R") if number in facs.SIDED else ("",):
                    made[f"AU{number}{side}"] = _slider(number, side)
    return UnitSliders(tuple(made), tuple(made.values()), by_side, reset)


def _sliders() -> dict[str, tuple[str, str]]:
    """Ids of the sliders -> where each is, and what it is called."""
    return {
        f"unit-AU{number}{side}": (
            _place(region),
            f"{PLAIN[number]} {facs.NAMES[number]} AU{number}",
        )
        for region, numbers in REGIONS.items()
        for number in numbers
        for side in ("", "L", "R")
    }


def finder(names: Mapping[str, tuple[str, str]], regions: Mapping[str, str]) -> str:
    """A field to search in sliders, and buttons for their regions: `names` has by the id of each in
    which part of the page it is and what it is called, `regions` the ids of those parts by name."""
    buttons = "".join(
        f'<button type="button" data-region="{place}" '
        f'aria-pressed="{"false" if place else "true"}">{region}</button>'
        for region, place in {"All": "", **regions}.items()
    )
    return (
        f'<div class="mien-find" data-sliders="{escape(json.dumps(names))}">'
        '<input type="search" aria-label="Find a slider" placeholder="Find: smile, brow ...">'
        f'<div role="group" aria-label="Region">{buttons}</div>'
        '<p class="mien-hint" role="status"></p><style></style></div>'
    )


def _place(region: str) -> str:
    return "region-" + region.lower().replace(", ", "-")


def _slider(number: int, side: str) -> gr.Slider:
    half = {"": "", "L": ", left", "R": ", right"}[side]
    return gr.Slider(
        0,
        1,
        0,
        step=0.01,
        label=f"{PLAIN[number]}{half}: {facs.NAMES[number]} (AU{number}{side})",
        visible=True if side == "" else "hidden",
        elem_id=f"unit-AU{number}{side}",
        buttons=[],  # its own reset goes to 0, not to what the face shows
    )


def _shown(name: str, by_side: bool) -> bool | Literal["hidden"]:
    """Whether a slider is seen; one that is hidden is there all the same, or it would be built
    when it comes, and lose what is moved at once.
    """
    columns = facs.columns(name)
    halves = len(columns) == 1 and facs.UNITS[columns[0]][-1] in "LR"
    seen = halves == by_side if halves or len(columns) == 2 else True
    return seen or "hidden"


def _mean(name: str, values: Mapping[str, float]) -> float:
    """Where a slider stands: one of both sides at their mean."""
    sides = [values.get(facs.UNITS[i], 0.0) for i in facs.columns(name)]
    return round(sum(sides) / len(sides), 2)

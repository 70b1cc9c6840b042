"""The sliders of the action units, drawn from the vocabulary: named, by region of the face, with
both sides at once or left and right apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mien import facs

REGIONS: dict[str, tuple[int, ...]] = {
    "Brows and eyes": (1, 2, 4, 5, 6, 7, 43, 61, 62, 63, 64),
    "Nose and cheeks": (9, 33),
    "Lips": (10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 28),
    "Jaw": (26, 27, 29, 30),
}


@dataclass(frozen=True)
class UnitSliders:
    """The sliders by the name that they set: `AU12` for both sides, `AU12L`, `AU12R`."""

    names: tuple[str, ...]
    sliders: tuple[gr.Slider, ...]
    apart: gr.Checkbox
    reset: gr.Button

    def at(self, values: Mapping[str, float], apart: bool) -> list[Any]:
        """Updates that set every slider to these values, by `facs.UNITS`, and show those in use."""
        return [
            gr.update(value=_mean(name, values), visible=_shown(name, apart)) for name in self.names
        ]


def draw() -> UnitSliders:
    """The sliders, in the layout that is open."""
    with gr.Row():
        apart = gr.Checkbox(label="Left and right apart", value=False, container=False)
        reset = gr.Button("Reset units", size="sm")
    made: dict[str, gr.Slider] = {}
    for region, numbers in REGIONS.items():
        with gr.Accordion(region, open=region == "Lips"):
            for number in numbers:
                for side in ("", "L", "R") if number in facs.SIDED else ("",):
                    made[f"AU{number}{side}"] = _slider(number, side)
    return UnitSliders(tuple(made), tuple(made.values()), apart, reset)


def _slider(number: int, side: str) -> gr.Slider:
    what = facs.NAMES[number].capitalize()
    half = {"": "", "L": ", left", "R": ", right"}[side]
    return gr.Slider(
        0,
        1,
        0,
        step=0.01,
        label=f"{what}{half} (AU{number}{side})",
        visible=side == "",
        elem_id=f"unit-AU{number}{side}",
        buttons=[],  # its own reset goes to 0, not to what the face shows
    )


def _shown(name: str, apart: bool) -> bool:
    columns = facs.columns(name)
    halves = len(columns) == 1 and facs.UNITS[columns[0]][-1] in "LR"
    return halves == apart if halves or len(columns) == 2 else True


def _mean(name: str, values: Mapping[str, float]) -> float:
    """Where a slider stands: one of both sides at their mean."""
    sides = [values.get(facs.UNITS[i], 0.0) for i in facs.columns(name)]
    return round(sum(sides) / len(sides), 2)

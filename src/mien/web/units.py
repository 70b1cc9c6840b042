"""The sliders of the action units, drawn from the vocabulary: named, by region of the face, with
both sides at once or left and right apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mien import facs
from mien.types import ActionUnits

REGIONS: dict[str, tuple[int, ...]] = {
    "Brows and eyes": (1, 2, 4, 5, 6, 7, 43, 61, 62, 63, 64),
    "Nose and cheeks": (9, 33),
    "Lips": (10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 28),
    "Jaw": (26, 27, 29, 30),
}
_LEAST = 0.015  # a slider that was not moved stands where the face was read, to two digits


@dataclass(frozen=True)
class UnitSliders:
    """The sliders by the name that they set: `AU12` for both sides, `AU12L`, `AU12R`."""

    names: tuple[str, ...]
    sliders: tuple[gr.Slider, ...]
    apart: gr.Checkbox
    reset: gr.Button

    def asked(
        self, values: Sequence[float], apart: bool, reading: Mapping[str, float]
    ) -> ActionUnits:
        """What the sliders ask for: those that were moved from the face's own reading."""
        start = _starts(self.names, reading)
        return ActionUnits(
            tuple(
                facs.Setting(name, float(value))
                for name, value in zip(self.names, values, strict=True)
                if _shown(name, apart) and abs(value - start[name]) >= _LEAST
            )
        )

    def at(self, reading: Mapping[str, float], apart: bool) -> list[Any]:
        """Updates that set every slider to the reading and show the half that is used."""
        start = _starts(self.names, reading)
        return [gr.update(value=start[n], visible=_shown(n, apart)) for n in self.names]


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
        buttons=[],  # its own reset goes to 0, not to what the face shows
    )


def _shown(name: str, apart: bool) -> bool:
    columns = facs.columns(name)
    halves = len(columns) == 1 and facs.UNITS[columns[0]][-1] in "LR"
    return halves == apart if halves or len(columns) == 2 else True


def _starts(names: Sequence[str], reading: Mapping[str, float]) -> dict[str, float]:
    """Where each slider stands for a face that is read so: both sides at their mean."""
    found = {}
    for name in names:
        sides = [reading.get(facs.UNITS[i], 0.0) for i in facs.columns(name)]
        found[name] = round(sum(sides) / len(sides), 2)
    return found

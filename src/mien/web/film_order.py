"""What is to become of a film, in the studio: the fields of its expression, and of the part that is
made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from mien import facs
from mien.errors import GuideError
from mien.guides import ActionUnits, ExpressionSpec
from mien.web import film_views, posing, shapes, views
from mien.web.orders import HAPPY
from mien.web.parts import drop, fold, html, methods
from mien.web.units import PLAIN, REGIONS
from mien.web.wish import MOST

FACES = {"The largest": "largest", "All faces": "all"}
UNITS = tuple(f"AU{number}" for numbers in REGIONS.values() for number in numbers)


class OrderFields:
    """The fields, in the layout that is open; `spec` holds the expression that they edit."""

    def __init__(
        self, kinds: list[str], choices: list[tuple[str, str]], film_suffixes: list[str]
    ) -> None:
        self.spec = gr.State(HAPPY)
        self.by = gr.Radio(kinds, value=kinds[0], label="Driven by", elem_id="by")
        with gr.Group() as self.labels:
            self.label = gr.Radio(
                list(facs.EMOTIONS), value="happy", label="Expression", elem_id="film-label"
            )
        with gr.Column(visible=False) as self.photos:
            self.photo = drop("Photograph: JPEG, PNG or WebP", "by-photo")
            self.photo_seen = html("", "photo-seen")
        with gr.Column(visible=False) as self.films:
            self.film = drop("Film: MP4, MOV, MKV or WebM", "by-film", film_suffixes)
            self.film_seen = html("", "film-seen")
        with gr.Column(visible=False) as self.records:
            self.record = drop(
                "Blendshapes over time: CSV of Live Link Face", "by-record", [".csv"]
            )
            self.record_seen = html("", "record-seen")
        self.summary = html(said(HAPPY), "film-expression")
        self.speech = gr.Checkbox(
            label="Keep speech: lips and jaw go on talking", value=True, elem_id="speech"
        )
        self.intensity = gr.Slider(
            0, MOST, 1, step=0.05, label="Intensity", info="1 is the expression, 0 the film",
            elem_id="film-intensity",
        )  # fmt: skip
        self._draw_more()
        with fold("Whose face, advanced", "more"):
            self.face = gr.Radio(
                list(FACES), value="The largest", label="Whose face", elem_id="whose"
            )
            self.method = methods(choices, "film-method")

    def _draw_more(self) -> None:
        with fold("Units, gaze, head, part of the face", "film-more"):
            self.bare = gr.Button("Reset these", size="sm")
            groups = {
                (f"film-region-{i}", region): {
                    f"AU{number}": f"{PLAIN[number]}: {facs.NAMES[number]} (AU{number})"
                    for number in numbers
                }
                for i, (region, numbers) in enumerate(REGIONS.items())
            }
            self.units, self.units_at = shapes.island("film-units", "film-unit", groups)
            self.posing = posing.draw("film-")
        with fold("An expression from a file, or from the photograph", "film-keeping"):
            self.worn = gr.Button("Take what the photograph shows", size="sm", elem_id="film-worn")
            self.preset = drop("An expression (JSON)", "film-preset", [".json"])

    @property
    def standing(self) -> list[Any]:
        """The parts that say what the expression is: see `shown`."""
        return [
            self.spec, self.label, self.summary, self.units_at, *self.posing.fields, self.intensity,
        ]  # fmt: skip

    @property
    def asked(self) -> list[Any]:
        """What an order is read from."""
        return [self.method, self.by, self.spec, self.speech, self.intensity, self.face]


def shown(spec: ExpressionSpec, intensity: float | None = None) -> list[Any]:
    """Updates of `OrderFields.standing`, with the intensity of a file if it says one."""
    label = spec.to if spec.to in facs.EMOTIONS else None
    values = {s.unit: s.value for s in map(facs.parse, spec.au) if s.unit in UNITS}
    return [
        spec,
        gr.update(value=label),
        said(spec),
        shapes.standing("film-units", values),
        *[gr.update(value=value) for value in posing.standing(spec)],
        gr.skip() if intensity is None else gr.update(value=min(max(intensity, 0.0), MOST)),
    ]


def said(spec: ExpressionSpec) -> str:
    """The expression in words, and the marks of its fields."""
    return views.marks(spec, "film-") + views.hint(film_views.said(spec))


def taken(spec: ExpressionSpec, called: str) -> tuple[ExpressionSpec, float]:
    """An expression of a file or of a photograph, and its intensity; GuideError where it needs
    another photograph."""
    if spec.like is not None:
        raise GuideError(f"{called} needs {spec.like}: choose A photograph, and give it there")
    if spec.empty:
        raise GuideError(f"{called} asks for nothing")
    return replace(spec, name=spec.name or called, intensity=1.0), spec.intensity


def with_label(spec: ExpressionSpec, label: str) -> ExpressionSpec:
    """The expression on another label."""
    return replace(spec, name=None, to=label, blendshapes=None)


def with_unit(spec: ExpressionSpec, event: Any) -> ExpressionSpec:
    """The expression with a unit moved; GuideError for what the page would not send."""
    unit, value = shapes.moved(event, UNITS)
    covered = set(facs.columns(unit))
    kept = [s for s in map(facs.parse, spec.au) if not set(facs.columns(s.unit)) <= covered]
    units = (*kept, *([facs.Setting(unit, value)] if value else []))
    texts = tuple(ActionUnits((setting,)).describe() for setting in units)
    return replace(spec, name=None, au=texts)


def bare(spec: ExpressionSpec) -> ExpressionSpec:
    """The whole expression alone."""
    return ExpressionSpec(name=spec.name, to=spec.to, blendshapes=spec.blendshapes)

"""The app in the browser: Gradio's layout around mien's own pictures (`views`), each event a call
of the sitting at the desk.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from gradio.utils import get_upload_folder
from starlette.routing import Mount

from mien import facs
from mien.guides import ActionUnits, Label, Reference
from mien.methods.registry import METHODS, resolve, split_head
from mien.web import films, posing, shapes, units, views
from mien.web.door import Door
from mien.web.events import Events
from mien.web.parts import STEP, drop, fold, html, methods
from mien.web.series_tab import SeriesTab
from mien.web.uploads import Uploads
from mien.web.wish import MOST
from mien.web.workshop import Workshop

GUIDES: dict[type, str] = {
    Label: "Expression",
    ActionUnits: "Action units",
    Reference: "Like a photo",
}
"""The kinds of guide, and the tab of each."""
_KEPT = "() => sessionStorage.getItem('mien') ?? ''"
MAPPED = '<p class="mien-hint">This method takes these through a small learnt map.</p>'


def native(method: str) -> tuple[type, ...]:
    """The guides that a method declares as its own."""
    guides: tuple[type, ...] = resolve(METHODS[split_head(method)[0]].method).native
    return guides


def mount(app: FastAPI, workshop: Workshop) -> FastAPI:
    """The studio at `/` of the app, and its downloads."""
    events = Events(workshop)
    page = Page(workshop, events)
    app.add_api_route("/studio/{key}/{name}", events.download, include_in_schema=False)
    if page.films is not None:
        app.add_api_route("/studio/film/{key}/{name}", page.films.serve, include_in_schema=False)
    app.add_api_route("/studio/series/{key}/{name}", page.series.serve, include_in_schema=False)
    drawn = page.draw()
    drawn.queue(max_size=workshop.limits.events)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        drawn,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        max_file_size=workshop.limits.body,
        theme=_theme(),
        css=(views.STATIC / "studio.css").read_text(encoding="utf-8"),
        head="".join(
            f"<script>{views.script(name)}</script>"
            for name in ("order.js", "keys.js", "download.js")
        ),
    )
    # Gradio looks at where a file lies only in what `launch` has started, which mounting is not
    drawn.has_launched = True
    room = next(r for r in mounted.routes if isinstance(r, Mount))
    limits, folder = workshop.limits, Path(get_upload_folder())
    room.app = Door(room.app, Uploads(folder, limits.uploads), limits.series_photos)
    return mounted


class Page:
    """The layout of the page, and which event does what."""

    def __init__(self, workshop: Workshop, events: Events) -> None:
        self.workshop, self.events = workshop, events
        self.films = films.Films(workshop, events.sittings) if films.possible() else None
        self.series = SeriesTab(workshop, events.sittings)

    def draw(self) -> Any:
        """The layout and its events."""
        with gr.Blocks(
            title="mien studio", analytics_enabled=False, delete_cache=(600, 3600)
        ) as page:
            gr.HTML(views.title(), apply_default_css=False)
            self.key = gr.State("")
            self.kept = gr.Textbox(visible=False)  # the page's own memory speaks through it
            with gr.Tabs():
                with gr.Tab("Photograph"), gr.Row(equal_height=False):
                    with gr.Column(scale=6, min_width=320, elem_id="left"):
                        self._draw_left()
                    with gr.Column(scale=5, min_width=320):
                        self._draw_right()
                with gr.Tab("Film", render_children=True):
                    self._draw_films(page)
                with gr.Tab("Series", render_children=True):
                    self.series.draw(self.key)
                    page.unload(self.series.leave)
            self._listen(page)
        return page

    def _draw_films(self, page: Any) -> None:
        if self.films is None:
            films.missing()
            return
        self.films.draw(self.key)
        page.unload(self.films.leave)

    def _draw_left(self) -> None:
        with gr.Accordion("Open a photograph", open=True, elem_id="opening") as self.opening:
            self.upload = drop("JPEG, PNG or WebP", "open")
            self.samples = html(views.examples(), "samples")
        self.stage = html(views.empty_stage(), "stage", "stage.js")
        self.status = html(views.status(""), "status")
        self.offer = html("", "offer")
        self.faces = gr.Radio([], label="Edit", visible=False, elem_id="faces")
        with gr.Row():
            self.back = gr.Button("Undo", size="sm", min_width=80, elem_id="undo")
            self.forth = gr.Button("Redo", size="sm", min_width=80, elem_id="redo")
            self.clear = gr.Button("As it was", size="sm", min_width=80, elem_id="clear")
        self.history = html(views.history(None), "history")
        self.downloads = html("", "downloads")
        html(views.keys(), "keys")

    def _draw_right(self) -> None:
        declared = native(self.workshop.default)
        self.intensity = gr.Slider(
            0, MOST, 1, step=0.05, label="Intensity", info="1 is the expression, 0 the photograph"
        )
        draws: dict[type, Callable[[], None]] = {
            Label: self._labels,
            ActionUnits: self._units,
            Reference: self._references,
        }
        self.notes: list[gr.HTML] = []
        # expressions by name are what people look for first; then the method's own guides
        self.guides = sorted(GUIDES, key=lambda kind: (kind is not Label, kind not in declared))
        with gr.Tabs():
            for guide in self.guides:
                with gr.Tab(GUIDES[guide], render_children=True):
                    draws[guide]()
                    note = gr.HTML(MAPPED, visible=guide not in declared, apply_default_css=False)
                    self.notes.append(note)
            with gr.Tab("Swap", render_children=True):
                self.partner = drop("A second photograph: the two exchange expressions", "partner")
                self.partners = html("", "partners")
                self.other = html("", "other")
        with fold("Gaze, head, light, part of the face", "posing"):
            self.posing = self.events.posing = posing.draw()
        with fold("Save, load, copy", "keeping"):
            self.copies = html('<p class="mien-hint">Choose an expression first.</p>', "copies")
            self.preset = drop("An expression (JSON) for the chosen face", "preset", [".json"])
        with fold("Advanced", "advanced"):
            self.method = methods(self.workshop.choices, "method")

    def _note(self, method: str) -> list[Any]:
        """Which tabs another method takes by a map."""
        return [gr.update(visible=guide not in native(method)) for guide in self.guides]

    def _labels(self) -> None:
        self.sheet = html(views.sheet(), "sheet")
        gr.HTML('<h3 class="mien-head">Other ways</h3>', apply_default_css=False)
        self.variants = html(views.sheet(tuple(facs.VARIANTS)), "variants")

    def _units(self) -> None:
        kinds = ["Action units", "Blendshapes"]
        self.kind = gr.Radio(  # `studio.css` shows what is chosen, at once
            kinds, value=kinds[0], show_label=False, interactive=True, elem_id="sliders-kind"
        )
        with gr.Column(elem_id="by-units"):
            self.panel = self.events.panel = units.draw()
        with gr.Column(elem_id="by-shapes"):
            self.unshape = gr.Button("Reset blendshapes", size="sm")
            self.shapes, self.shapes_at = shapes.draw()

    def _references(self) -> None:
        self.reference = drop("A reference: a photograph of anybody", "reference")
        self.references = html("", "references")
        self.share = gr.Slider(
            0, 1, 1, step=0.05, label="How much of it", elem_id="share", buttons=[],
            info="Below 1 it goes on top of the expression that the face shows",
        )  # fmt: skip

    def _listen(self, page: Any) -> None:
        do, here = self.events, [self.key, self.method]
        face = [self.key, self.faces]  # whose faces travels with each step, so it cannot come late
        seen = [
            self.stage, self.sheet, self.variants, self.history, self.status, self.copies,
        ]  # fmt: skip
        opened = [
            self.opening, self.key, self.faces, self.downloads, self.other, self.offer,
            self.references, self.partners, self.intensity, *seen,
        ]  # fmt: skip
        sliders = list(self.panel.sliders)
        tiles = STEP | {
            "fn": do.tiles, "inputs": [*face, self.intensity], "outputs": self.sheet,
        }  # fmt: skip
        more = tiles | {"fn": do.variants, "outputs": self.variants}
        read = STEP | {
            "fn": do.reading, "inputs": [*face, self.panel.by_side],
            "outputs": [*sliders, *self.posing.fields, self.shapes_at],
        }  # fmt: skip
        dropped = self.upload.upload(do.open, [self.upload, *here], [self.upload, *opened], **STEP)
        for event in (
            dropped,
            self.samples.click(do.sample, here, opened, **STEP),
            page.load(do.back, self.kept, opened, js=_KEPT, **STEP),
            self.offer.click(do.upright, self.key, opened, **STEP),
            self.faces.input(do.choose, face, seen, **STEP),
            self.method.input(do.use, [*face, self.method], seen, **STEP),
        ):
            event.success(**tiles).success(**read).success(**more)
        self.method.input(self._note, self.method, self.notes, **STEP)
        for event in (
            self.sheet.click(do.express, [*face, self.intensity], seen, **STEP),
            self.variants.click(do.express, [*face, self.intensity], seen, **STEP),
            self.history.click(do.go, face, seen, **STEP),
            self.back.click(functools.partial(do.move, -1), face, seen, **STEP),
            self.forth.click(functools.partial(do.move, 1), face, seen, **STEP),
            self.clear.click(do.as_it_was, face, seen, **STEP),
            self.panel.reset.click(do.plain, face, seen, **STEP),
            self.unshape.click(do.unshape, face, seen, **STEP),
        ):
            event.success(**read)
        settle = STEP | {"fn": do.settled, "inputs": face, "outputs": seen}
        self.intensity.input(do.turn, [*face, self.intensity], seen, **STEP).success(**settle)
        settled = self.intensity.release(do.still, None, None, **STEP)
        settled.success(**tiles).success(**read).success(**more)
        for name, slider in zip(self.panel.names, sliders, strict=True):
            moved = [*face, slider, self.intensity]
            slider.input(functools.partial(do.set_unit, name), moved, seen, **STEP).success(
                **settle
            )
        self.shapes.input(do.set_shape, [*face, self.intensity], seen, **STEP).success(**settle)
        for part in (self.panel.by_side, self.kind):
            part.input(do.still, None, None, **STEP).success(**read)  # both kinds agree
        for place, part in enumerate(self.posing.fields):
            moved = [*face, part, self.intensity]
            part.input(functools.partial(do.pose, place), moved, seen, **STEP).success(**settle)
        self.share.input(do.share, [*face, self.share], seen, **STEP).success(**settle)
        invited = [
            field.upload(
                functools.partial(do.invite, kind), [field, self.key], [field, part, self.status],
                **STEP,
            )
            for kind, field, part in (
                ("like", self.reference, self.references), ("swap", self.partner, self.partners),
            )
        ]  # fmt: skip
        followed = [*face, self.intensity, self.share]
        following = self.references.click(do.like, followed, seen, **STEP)
        swapping = self.partners.click(do.swap, face, [self.other, *seen], **STEP)
        loaded = [self.preset, self.intensity, *seen]
        loading = self.preset.upload(do.load, [self.preset, *face], loaded, **STEP)
        for event in (following, swapping, loading):
            event.success(**read)
        fields = (self.upload, self.preset, self.reference, self.partner)
        for event, field in zip((dropped, loading, *invited), fields, strict=True):
            event.failure(None, None, field, js="() => null", **STEP)  # ready for another file


def _theme() -> Any:
    """System fonts, so that none is fetched; plain labels; words and the edges of fields that can
    be seen, as WCAG 2.2 AA measures it (tests/web/test_contrast.py).
    """
    both = {
        "block_title_background_fill": "none",
        "block_title_text_color": "*body_text_color",
        "block_border_color": "*border_color_primary",
        "button_secondary_border_color": "*border_color_primary",
        "checkbox_label_border_color": "*border_color_primary",
        "button_primary_background_fill": "*primary_600",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_text_color": "white",
        "checkbox_label_background_fill_selected": "*primary_600",
        "checkbox_label_text_color_selected": "white",
    }
    edges = ("input_border_color", "checkbox_border_color")
    theme = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return theme.set(
        **both,
        **{f"{name}_dark": value for name, value in both.items()},
        **dict.fromkeys(edges, "*neutral_500"),
        **{f"{name}_dark": "*neutral_300" for name in edges},
        checkbox_border_color_selected="white",
        checkbox_border_color_selected_dark="white",
        color_accent="*primary_600",
        color_accent_soft_dark="*neutral_700",
        block_label_text_color="*primary_700",
        body_text_color_subdued="*neutral_600",
        block_title_padding="0",
        block_title_text_weight="500",
        block_border_width="1px",
        button_border_width="1px",
        checkbox_label_border_width="1px",
        input_border_width="1px",
        body_background_fill="*neutral_50",
        border_color_primary="*neutral_300",
    )

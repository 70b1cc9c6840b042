"""The picture while a slider is moved: small and soon, then in full; the last move wins."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from mien import images
from mien.editor import Editor
from mien.face_model.render import Rig
from mien.guides import ExpressionSpec, Label
from mien.methods.registry import load
from mien.server import drafts, sitting
from mien.server.sitting import Gone, Sitting
from mien.server.wish import Wish
from mien.types import Composition, Faces, Float
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def drawing() -> Editor:
    return Editor(load())


def opened(editor: Editor) -> Sitting:
    return Sitting(images.read(samples()["anna"]), editor)


def test_a_live_picture_is_small_and_shows_the_same(drawing: Editor) -> None:
    anna = opened(drawing)
    before = anna.preview()
    anna.wear(Wish.label("happy", 0.8))
    live, full = anna.preview(live=True), anna.preview()
    assert live.shape == (sitting.LIVE, sitting.LIVE, 3)
    small, was = (
        cv2.resize(p, live.shape[:2], interpolation=cv2.INTER_AREA) for p in (full, before)
    )
    off, moved = (np.abs(p.astype(int) - live).mean() for p in (small, was))
    assert off < 1
    assert moved > 2.5 * off


def test_what_was_live_leaves_in_full(drawing: Editor) -> None:
    moved, still = opened(drawing), opened(drawing)
    for strength in (0.3, 0.5, 0.8):
        moved.wear(Wish("happy", strength, ExpressionSpec(to="happy")))
        moved.preview(live=True)
    still.wear(Wish("happy", 0.8, ExpressionSpec(to="happy")))
    assert np.array_equal(moved.result().pixels, still.result().pixels)
    assert np.array_equal(moved.preview(), still.preview())
    direct = drawing.edit(moved.photo, Label("happy"), 0.8)
    assert np.array_equal(moved.result().pixels, direct.pixels)


def test_a_step_of_the_history_shows_the_full_picture(drawing: Editor) -> None:
    """Of one that was seen live only, and left at once, it is made when it is asked for."""
    moved, still = opened(drawing), opened(drawing)
    for anna, live in ((moved, True), (still, False)):
        anna.wear(Wish.label("surprise", 1.0))
        anna.preview(live=live)
    step = moved.steps[1]
    assert step.picture == b""
    moved.go(0)
    moved.preview()
    assert moved.picture(step.name) == still.steps[1].picture
    assert moved.picture(step.name) != moved.steps[0].picture
    with pytest.raises(Gone, match="no such step"):
        moved.picture("nobody's")


def test_a_live_face_is_drawn_small_by_the_fit_that_is_there(
    drawing: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = opened(drawing)
    sides: list[int | None] = []
    fitted: list[Faces[Float]] = []
    head = drawing.method.model_head
    drawn: Callable[..., Composition[Float]] = head.drawn
    fit = head._fit

    def drawn_at(*asked: Any, side: int | None, **more: Any) -> Composition[Float]:
        sides.append(side)
        return drawn(*asked, side=side, **more)

    def found(face: Faces[Float], before: Rig | None) -> list[Rig]:
        fitted.append(face)
        return fit(face, before)

    monkeypatch.setattr(head, "drawn", drawn_at)
    monkeypatch.setattr(head, "_fit", found)
    for strength in (0.3, 0.5):
        anna.wear(Wish.label("happy", strength))
        anna.preview(live=True)
    anna.preview()
    assert sides == [drafts.LIVE_FACE, drafts.LIVE_FACE, None]
    assert len(fitted) <= 1
    anna.preview(live=True)  # it is there in full
    assert len(sides) == 3


SHOWN = """
const shown = (window.shownAfter = []);
new MutationObserver(() => {
  const image = document.querySelector("#stage img.after");
  if (!image || shown.at(-1)?.src === image.src) return;
  shown.push({ src: image.src, live: image.classList.contains("live"), alt: image.alt });
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""Keeps each picture that the page shows."""


def test_a_drag_is_shown_live_and_ends_in_full(visits: Any) -> None:
    visit = visits(script=SHOWN, viewport={"width": 1280, "height": 900})
    page = visit.page
    visit.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    page.get_by_role("tab", name="Action units").click()
    smile = page.get_by_role("slider", name=re.compile(r"AU12\)"))
    smile.scroll_into_view_if_needed()
    box = smile.bounding_box()
    assert box is not None
    before = page.evaluate("shownAfter.length")
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"], middle)
    page.mouse.down()
    for share in (0.3, 0.5, 0.7, 0.9):
        page.mouse.move(box["x"] + share * box["width"], middle, steps=4)
        page.wait_for_timeout(60)
    page.locator("#stage img.after:not(.live)").wait_for()  # it rests, and is held
    page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=4)
    page.mouse.up()
    asked = smile.input_value()
    page.locator(
        f"#stage img.after:not(.live)[alt='After: units AU12={float(asked):g}']"
    ).wait_for()
    page.wait_for_function("() => !document.body.hasAttribute('data-working')")
    shown = page.evaluate("shownAfter")[before:]
    assert shown[0]["live"], "the first move is answered at once"
    assert [one["live"] for one in shown][-1] is False, "the last picture is the full one"
    assert shown[-1]["alt"] == f"After: units AU12={float(asked):g}", "of the last move"
    width = page.locator("#stage img.after").evaluate("image => image.naturalWidth")
    assert width == 600, "a small photograph is its own preview"
    seen = np.asarray(visit.download("PNG").convert("RGB"), np.int16)
    sent = page.locator("#stage img.after").evaluate("image => image.src.split(',')[1]")
    last = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent))).convert("RGB"), np.int16)
    assert seen.shape == last.shape
    assert np.abs(seen - last).mean() < 2, "JPEG's loss alone"
    visit.leave()

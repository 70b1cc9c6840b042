"""The studio as a person meets it: the real command, in a real Chromium."""

from __future__ import annotations

import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien import facs
from mien.zoo.samples import samples


def test_edit_compare_undo_download(visit: Any, anna: bytes) -> None:
    page = visit.page
    visit.sample("anna")
    for name in facs.EMOTIONS:  # the live sheet is there
        page.locator(f"[data-expression='{name}'] img").wait_for()
    seconds = []
    for name in ("happy", "anger", "surprise"):
        began = time.perf_counter()
        visit.press(name)
        visit.shows(name)
        seconds.append(time.perf_counter() - began)
    if os.getloadavg()[0] < 2 * (os.cpu_count() or 1):  # else others are measured as well
        assert min(seconds) < 1.0, seconds
    assert page.locator("[data-expression=surprise]").get_attribute("aria-pressed") == "true"

    compare = page.get_by_role("slider", name="Compare with before")
    after = page.locator(".mien-stage img.after")
    assert _uncovered(after) == 0
    compare.focus()
    page.keyboard.press("End")
    assert _uncovered(after) == 100
    before = page.locator(".mien-stage img.before")
    assert before.evaluate("image => image.complete && image.naturalWidth") == 600, "it is kept"
    compare.fill("45")
    visit.shot("desktop")
    box = page.locator(".mien-stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 40, steps=3)
    page.mouse.up()
    assert 68 <= _uncovered(after) <= 72

    visit.press("Undo")
    visit.shows("anger")
    assert 68 <= _uncovered(after) <= 72, "the comparison stays where it was"
    visit.press("Redo")
    visit.shows("surprise")
    page.get_by_role("list", name="History").get_by_role("button", name="happy").click()
    visit.shows("happy")

    result = visit.download("PNG")
    source = Image.open(io.BytesIO(anna))
    assert result.size == source.size
    assert result.info["guide"] == "happy"
    assert "rained" in result.info["DigitalSourceType"]
    assert np.abs(np.asarray(result, np.int16) - np.asarray(source, np.int16)).max() > 30
    assert visit.download("JPEG").format == "JPEG"


def _uncovered(after: Any) -> float:
    """Where "after" begins, in percent from the left."""
    clip = after.evaluate("image => getComputedStyle(image).clipPath")
    found = re.search(r"([\d.]+)%\)", clip)
    return float(found[1]) if found else 0.0


def test_two_faces_units_and_reset(visit: Any, couple: Path) -> None:
    page = visit.page
    visit.upload(couple)
    visit.shows("as it was")
    boxes = page.get_by_role("group", name="Faces").get_by_role("button")
    assert boxes.count() == 2
    visit.press("happy")
    visit.shows("face 1: happy")
    visit.press("Face 2 of 2")
    page.get_by_role("radio", name="Face 2", checked=True).wait_for()
    visit.press("anger")
    visit.shows("face 1: happy; face 2: anger")
    visit.shot("two")
    page.get_by_role("radio", name="All faces").check()
    visit.press("sad")
    visit.shows("all: sad")

    page.get_by_role("tab", name="Action units").click()
    smile = page.get_by_role("slider", name=re.compile(r"AU12\)"))
    smile.fill("0.9")
    visit.shows("all: units AU12=0.9 on sad")
    page.get_by_label("Left and right apart").check()
    page.get_by_role("slider", name=re.compile(r"AU12L\)")).fill("0.1")
    visit.shows("all: units AU12=0.9 AU12L=0.1 on sad")
    visit.shot("units")
    visit.press("Reset units")
    visit.shows("all: sad")


def test_one_expression_that_every_field_edits(visit: Any, tmp_path: Path) -> None:
    """Six quick clicks end on the last; sliders show what the face shows; it is kept and loaded."""
    page = visit.page
    visit.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    for name in ("sad", "surprise", "fear", "anger", "disgust", "happy"):
        visit.press(name)
    visit.shows("happy")
    page.get_by_role("tab", name="Action units").click()
    smile = page.get_by_role("slider", name=re.compile(r"AU12\)"))
    page.wait_for_function("s => Number(s.value) > 0.6", arg=smile.element_handle())
    page.get_by_role("button", name="Gaze, head, light").click()
    page.get_by_role("slider", name="Eyes to the person's left").fill("0.5")
    visit.shows("gaze 0.5,0 on happy")
    page.get_by_role("slider", name="Head to the left").fill("9")
    visit.shows("gaze 0.5,0, turn 0,9,0 on happy")
    visit.shot("posed")
    page.get_by_role("button", name="Save, load, copy").click()
    page.get_by_text("--to happy --gaze=0.5,0 --turn=0,9,0").wait_for()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Save the expression").click()
    path = tmp_path / "mine.json"
    coming.value.save_as(path)
    assert json.loads(path.read_text()) == {"to": "happy", "gaze": [0.5, 0], "turn": [0, 9, 0]}
    page.get_by_role("button", name="Copy as Python").scroll_into_view_if_needed()
    stage = page.locator(".mien-stage").bounding_box()
    assert stage is not None
    assert stage["y"] > -20, "the picture stays in view"
    visit.shot("keep")
    visit.press("Undo")
    visit.press("Undo")
    visit.press("Undo")
    visit.shows("disgust")  # every click is a step, every undo is done
    path.write_text(json.dumps({"to": "sad", "gaze": [0, 0.5], "intensity": 0.5}))
    visit.upload(path, "preset")
    visit.shows("gaze 0,0.5 on mine, 50%")
    up = page.get_by_role("slider", name=re.compile("Eyes up$"))
    page.wait_for_function("s => Number(s.value) === 0.5", arg=up.element_handle())
    assert page.get_by_role("slider", name="Head to the left").input_value() == "0"
    path.write_text('{"joy": 1}')
    visit.upload(path, "preset")
    page.get_by_text("mine.json: unknown field 'joy'").wait_for()


SLOW = """
window.slow = { asks: {}, answers: {} };
const send = window.fetch.bind(window);
const pause = (ms) => new Promise((go) => setTimeout(go, ms ?? 0));
window.fetch = async (address, settings) => {
  const name = String(address).split("/").at(-1);
  await pause(window.slow.asks[name]);
  const answer = await send(address, settings);
  await pause(window.slow.answers[name]);
  return answer;
};
"""
"""A page to which some events go, or some answers come, late: milliseconds by the event."""


@pytest.fixture
def slow(visits: Callable[..., Any]) -> Iterator[Any]:
    visit = visits(script=SLOW, viewport={"width": 1280, "height": 900})
    yield visit
    visit.leave()


def test_a_choice_that_is_late_still_comes_first(slow: Any, couple: Path) -> None:
    slow.upload(couple)
    slow.shows("as it was")
    slow.page.evaluate("slow.asks.choose = 1500")
    slow.page.get_by_role("radio", name="All faces").check()
    slow.press("sad")
    slow.shows("all: sad")
    slow.press("Face 2 of 2")
    slow.press("happy")
    slow.shows("face 1: sad; face 2: happy")


def test_a_late_reading_leaves_what_was_moved(slow: Any) -> None:
    page = slow.page
    slow.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    page.get_by_role("tab", name="Action units").click()
    smile = page.get_by_role("slider", name=re.compile(r"AU12\)"))
    other = page.get_by_role("slider", name=re.compile(r"AU24\)"))
    page.wait_for_timeout(500)  # the first reading is there
    page.evaluate("slow.answers.reading = 1500")
    page.get_by_role("tab", name="Expression").click()
    slow.press("happy")
    slow.shows("happy")
    page.get_by_role("tab", name="Action units").click()
    smile.fill("0.3")
    slow.shows("units AU12=0.3 on happy")
    page.wait_for_timeout(1700)  # now the reading of `happy` alone is there too
    assert smile.input_value() == "0.3"
    other.fill("0.4")
    slow.shows("units AU12=0.3 AU24=0.4 on happy")


HELD_FRAMES = """
const draw = window.requestAnimationFrame.bind(window);
let held = null;
window.requestAnimationFrame = (f) => held ? held.push(f) : draw(f);
document.addEventListener("click", () => { held ??= []; }, true);
window.addEventListener("input", () => {
  const frames = held ?? [];
  held = null;
  for (const f of frames) f(performance.now());
});
"""
"""A page whose next frame after a click comes just when something is moved: a busy machine."""


def test_what_is_moved_as_soon_as_it_is_seen_stays(visits: Callable[..., Any]) -> None:
    visit = visits(script=HELD_FRAMES, viewport={"width": 1280, "height": 900})
    page = visit.page
    visit.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    page.get_by_role("button", name="Gaze, head, light").click()
    page.get_by_role("slider", name="Eyes to the person's left").fill("0.5")
    visit.shows("gaze 0.5,0")
    page.get_by_role("tab", name="Action units").click()
    page.get_by_role("slider", name=re.compile(r"AU12\)")).fill("0.9")
    visit.shows("units AU12=0.9, gaze 0.5,0")
    page.get_by_label("Left and right apart").check()
    page.get_by_role("slider", name=re.compile(r"AU2L\)")).fill("0.6")
    visit.shows("units AU12=0.9 AU2L=0.6, gaze 0.5,0")
    visit.leave()


def test_a_drag_ends_before_the_click_after_it(slow: Any) -> None:
    page = slow.page
    slow.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    page.get_by_role("tab", name="Action units").click()
    smile = page.get_by_role("slider", name=re.compile(r"AU12\)"))
    page.evaluate("slow.answers.set_unit = 2000")
    for value in range(10, 100, 5):
        smile.fill(f"0.{value}")
    slow.press("As it was")
    page.get_by_role("tab", name="Expression").click()
    slow.press("sad")
    slow.shows("sad")
    page.wait_for_timeout(2200)
    slow.shows("sad")
    steps = page.get_by_role("list", name="History").get_by_role("button")
    assert steps.all_inner_texts() == ["as it was", "units AU12=0.95", "as it was", "sad"]


def test_wrong_files_and_a_large_one(visit: Any, server: Any, tmp_path: Path) -> None:
    page = visit.page
    wrong = tmp_path / "notes.jpg"
    wrong.write_text("no picture at all")
    visit.upload(wrong)
    page.get_by_text("the photograph is not a picture: send a JPEG, PNG or WebP").wait_for()
    empty = tmp_path / "wall.png"
    Image.new("RGB", (300, 300), "grey").save(empty)
    visit.upload(empty)
    page.get_by_text("no face found").wait_for()
    large = tmp_path / "large.png"
    _noisy(large, 3700)
    assert large.stat().st_size > 40e6
    visit.upload(large)
    visit.shows("as it was")
    visit.press("happy")
    visit.shows("happy")
    page.get_by_text("Download at 3700 × 3700").wait_for()
    left = [p for p in server.temporary.rglob("*") if p.is_file() and p.stat().st_size > 1000]
    assert left == [], "a photograph stays on the disk"


def _noisy(path: Path, side: int) -> None:
    """A portrait on noise, which no format makes small."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    page = Image.fromarray(pixels)
    page.paste(Image.open(samples()["ben"]), (side // 3, side // 3))
    page.save(path, compress_level=0)


def test_a_lying_photograph_reference_and_swap(visit: Any, couple: Path, tmp_path: Path) -> None:
    page = visit.page
    lying = tmp_path / "lying.png"
    Image.open(samples()["ben"]).transpose(Image.Transpose.ROTATE_270).save(lying)
    visit.upload(lying)
    visit.press("Turn it to the left")
    page.wait_for_function("() => !document.querySelector('[data-turn]')")
    visit.shows("as it was")
    page.get_by_role("tab", name="Like a photo").click()
    visit.upload(couple, "reference")
    page.get_by_role("button", name="Take the expression of face 2").wait_for()
    assert page.get_by_alt_text("After: as it was", exact=True).count() == 1, "nothing yet"
    visit.press("Take the expression of face 1")
    visit.shows("like couple (N)")
    page.get_by_role("tab", name="Swap").click()
    visit.upload(couple, "partner")
    visit.press("Swap with face 2")
    page.get_by_alt_text("The other face after the swap").wait_for()
    with page.expect_download() as coming:
        page.locator("#other").get_by_role("link", name="JPEG").click()
    assert Image.open(coming.value.path()).size == (1100, 600)


def test_a_phone_in_the_dark_and_the_keyboard_alone(phone: Any) -> None:
    page = phone.page
    page.get_by_role("button", name="Sample cora").focus()
    page.keyboard.press("Enter")
    phone.shows("as it was")
    page.locator("[data-expression=contempt] img").wait_for()
    page.get_by_role("button", name="happy", exact=True).focus()
    page.keyboard.press("Space")
    phone.shows("happy")
    assert page.evaluate("document.activeElement.dataset.expression") == "happy"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    phone.shows("sad")
    said = page.get_by_role("status").filter(has_text="Sad")
    said.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Save, load, copy").scroll_into_view_if_needed()
    stage = page.locator(".mien-stage").bounding_box()
    assert stage is not None
    assert -20 < stage["y"] < 400, "the picture stays in view"
    unnamed = "[...document.images].filter(i => i.alt === null || !i.hasAttribute('alt')).length"
    assert page.evaluate(unnamed) == 0
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 150
    phone.shot("phone", full=True)

"""What one works with in the studio beside expressions: keys, zoom, search, memory."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from mien.zoo.samples import samples

SCALE, LEFT = (f"view => new DOMMatrix(getComputedStyle(view).transform).{n}" for n in "ae")


def test_keys_zoom_and_before(visit: Any) -> None:
    page = visit.page
    visit.sample("anna")
    page.keyboard.press("2")
    visit.shows("happy")
    page.keyboard.press("6")
    visit.shows("anger")
    page.keyboard.press("Control+z")
    visit.shows("happy")
    page.keyboard.press("Control+Shift+z")
    visit.shows("anger")
    page.keyboard.press("Control+z")
    visit.shows("happy")
    page.keyboard.press("Control+y")
    visit.shows("anger")
    page.get_by_role("tab", name="Action units").click()
    page.get_by_role("searchbox", name="Find a slider").fill("2")
    page.wait_for_timeout(300)
    assert page.get_by_alt_text("After: anger", exact=True).count() == 1, "one writes there"

    page.locator("h1").click()
    after = page.locator(".mien-stage img.after")
    page.keyboard.down("b")
    assert after.evaluate("image => getComputedStyle(image).visibility") == "hidden"
    page.keyboard.up("b")
    assert after.evaluate("image => getComputedStyle(image).visibility") == "visible"

    view, stage = page.locator(".mien-stage .view"), page.locator(".mien-stage")
    page.keyboard.press("+")
    page.get_by_role("button", name="Zoom in").click()
    assert view.evaluate(SCALE) == 2.25
    box = stage.bounding_box()
    assert box is not None
    before = view.evaluate(LEFT)
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 200, steps=3)
    page.mouse.up()
    moved = view.evaluate(LEFT)
    assert 55 < moved - before < 65, "it follows the hand"
    page.keyboard.press("1")
    visit.shows("neutral")
    assert view.evaluate(SCALE) == 2.25, "the next look is seen so too"
    visit.shot("zoomed")
    page.get_by_role("button", name="The whole picture").click()
    assert view.evaluate(SCALE) == 1


def test_sliders_are_found_and_marked_and_a_reload_comes_back(visit: Any) -> None:
    page = visit.page
    visit.sample("cora")
    visit.press("happy")
    visit.shows("happy")
    page.get_by_role("tab", name="Action units").click()
    found = page.get_by_role("searchbox", name="Find a slider")
    found.fill("brow")
    sliders = page.locator(".mien-sliders").first.get_by_role("slider")
    names = sliders.evaluate_all(
        "all => all.filter(s => s.getClientRects().length).map(s => s.ariaLabel)"
    )
    assert [re.findall(r"AU\d+", name)[0] for name in names] == ["AU1", "AU2", "AU4"]
    found.fill("no such thing")
    page.get_by_text("No slider is called that.").wait_for()
    found.fill("")
    page.get_by_role("button", name="Eyes", exact=True).click()
    assert not page.locator("#unit-AU12").is_visible()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("slider", name=re.compile(r"AU4\)")).fill("0.7")
    visit.shows("units AU4=0.7 on happy")
    weight = "e => getComputedStyle(e.querySelector('span')).fontWeight"
    assert page.locator("#unit-AU4").evaluate(weight) == "700"
    assert page.locator("#unit-AU12").evaluate(weight) != "700"
    visit.shot("marked", full=True)
    page.get_by_role("radio", name="Blendshapes").check()
    found = page.locator("#by-shapes").get_by_role("searchbox", name="Find a slider")
    smile, jaw = (
        page.locator(f"#shape-{name}").get_by_role("slider", include_hidden=True)
        for name in ("mouthSmileLeft", "jawOpen")
    )
    page.wait_for_function("s => Number(s.value) > 0.3", arg=smile.element_handle())
    found.fill("mouth open")
    assert not smile.is_visible()
    jaw.fill("0.4")
    smile.evaluate("s => { s.value = 0.1; s.dispatchEvent(new Event('input', {bubbles: true})); }")
    visit.shows("blendshapes jawOpen=0.4 mouthSmileLeft=0.1 on happy")
    mark = "e => getComputedStyle(e).getPropertyValue('--weight')"
    assert [page.locator(f"#shape-{n} span").evaluate(mark) for n in ("jawOpen", "jawLeft")] == [
        "700",
        "",
    ]
    found.fill("")
    visit.shot("blendshapes", full=True)
    visit.press("Reset blendshapes")
    visit.shows("units AU4=0.7 on happy")
    page.wait_for_function("s => Number(s.value) > 0.3", arg=smile.element_handle())

    steps = page.get_by_role("list", name="History").locator("img")
    assert steps.count() == 5
    wide = "image => image.decode().then(() => image.naturalWidth)"
    assert [steps.nth(i).evaluate(wide) for i in range(5)] == [128] * 5
    page.reload()
    visit.shows("units AU4=0.7 on happy")
    assert page.get_by_role("list", name="History").get_by_role("button").count() == 5
    for shown in ("blendshapes jawOpen=0.4 mouthSmileLeft=0.1 on happy", "units AU4=0.7 on happy"):
        visit.press("Undo")
        visit.shows(shown)


def test_variants_and_half_of_a_lent_expression(visit: Any, couple: Path, tmp_path: Path) -> None:
    page = visit.page
    visit.sample("ben")
    page.locator("[data-expression='anger:open'] img").wait_for()
    visit.press("anger, open")
    visit.shows("anger:open")
    page.get_by_role("tab", name="Like a photo").click()
    page.get_by_role("slider", name="How much of it").fill("0.5")
    visit.upload(couple, "reference")
    visit.press("Take the expression of face 1")
    visit.shows("50% like couple (N) on anger:open")
    page.get_by_role("slider", name="How much of it").fill("0.25")
    visit.shows("25% like couple (N) on anger:open")
    page.get_by_role("slider", name="How much of it").fill("1")
    visit.shows("like couple (N)")
    page.get_by_role("button", name="Save, load, copy").click()
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"blendshapes": {"jawOpen": 0.5}}))
    visit.upload(path, "preset")
    visit.shows("mine")


def test_presets_have_names_and_outlive_the_page(visit: Any) -> None:
    page = visit.page
    visit.sample("anna")
    page.get_by_role("button", name="Save, load, copy").click()
    visit.press("Keep here")
    page.get_by_text("give the expression a name first").click()
    visit.press("happy")
    visit.shows("happy")
    name = page.get_by_role("textbox", name="Name")
    for called in ("<b>grin</b>", "other"):
        name.fill(called)
        name.press("Enter")
        page.get_by_role("button", name=called, exact=True).wait_for()
    page.reload()
    visit.shows("happy")
    visit.press("anger")
    visit.shows("anger")
    page.get_by_role("button", name="Save, load, copy").click()
    visit.press("<b>grin</b>")
    page.get_by_alt_text("After: <b>grin</b>", exact=True).wait_for()
    visit.press("Remove other")
    presets = page.get_by_role("list", name="Presets in this browser")
    assert presets.get_by_role("listitem").count() == 1
    visit.shot("presets")


def test_a_series_takes_a_folder_and_leaves_out_what_is_no_photograph(
    visit: Any, tmp_path: Path
) -> None:
    for who, path in samples().items():
        shutil.copy(path, tmp_path / f"{who}.jpg")
    (tmp_path / "notes.txt").write_text("not one")
    (tmp_path / "broken.png").write_text("not one either")
    page = visit.page
    page.get_by_role("tab", name="Series").click()
    page.set_input_files("#series-left .mien-folder input", tmp_path)
    page.get_by_text("3 photographs; 1 file left out: broken").wait_for()
    assert page.locator("#series-list li").count() == 3


def test_a_number_between_the_steps_of_a_slider_is_taken(visit: Any) -> None:
    page = visit.page
    visit.sample("anna")
    page.get_by_role("button", name="Gaze, head, light").click()
    page.get_by_label("Head to the left, degrees, as a number").first.fill("10")
    visit.shows("turn 0,10,0")
